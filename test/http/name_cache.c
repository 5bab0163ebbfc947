/* SPDX-License-Identifier: MIT */
/* The cache of names: H-CONN-11. */
#include "http/name_cache.h"

#include <eddy/http_client.h>

#include "harness.h"
#include "net/nameserver.h"

#define NAMES(names, which)                                                                        \
    struct ed_name_cache names = {.time = 10, .most = 3, .lookup.resolver = (which)};              \
    EDDY_DEFER(end, &names)

static void end(struct ed_name_cache *names)
{
    ed_name_cache_close(names);
    ed_name_cache_free(names);
}

static int look_up(struct ed_name_cache *names, const char *host)
{
    EDDY_ADDRESSES(found);
    int rc = ed_name_cache_get(names, host, 80, &found);

    REQUIRE(rc < 0 || (found.count > 0 && eddy_address_port(&found.at[0]) == 80));
    return rc;
}
EDDY_ASYNC(look_up, struct ed_name_cache *, const char *);

TEST(name_is_kept_for_its_time)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    int asked;

    CHECK_OK(look_up(&names, "both.test"));
    asked = nameserver_asked(server);
    CHECK(asked > 0);
    CHECK_OK(eddy_sleep(9.9));
    CHECK_OK(look_up(&names, "both.test"));
    CHECK_EQ(nameserver_asked(server), asked);
    CHECK_OK(eddy_sleep(0.2));
    CHECK_OK(look_up(&names, "both.test"));
    CHECK_EQ(nameserver_asked(server), 2 * asked);
    ed_name_cache_forget(&names, "both.test");
    ed_name_cache_forget(&names, "unknown.test");
    CHECK_OK(look_up(&names, "both.test"));
    CHECK_EQ(nameserver_asked(server), 3 * asked);
    CHECK_EQ(names.count, 1);
}

/* The first place goes round, within the family that is first. */
TEST(names_addresses_take_turns)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    EDDY_ADDRESSES(one);
    EDDY_ADDRESSES(two);
    EDDY_ADDRESSES(both);
    EDDY_ADDRESSES(again);

    CHECK_OK(ed_name_cache_get(&names, "many.test", 80, &one));
    CHECK_OK(ed_name_cache_get(&names, "many.test", 80, &two));
    CHECK(one.count > 2 && one.count == two.count);
    CHECK(eddy_address_equal(&one.at[1], &two.at[0]));
    CHECK(eddy_address_equal(&one.at[2], &two.at[1]));
    CHECK_OK(ed_name_cache_get(&names, "both.test", 80, &both));
    CHECK_OK(ed_name_cache_get(&names, "both.test", 80, &again));
    CHECK(eddy_address_equal(&both.at[0], &again.at[0]));
    CHECK(eddy_address_equal(&both.at[1], &again.at[1]));
}

/* Who ask for the same at once share a lookup, and one who leaves does not take it along. */
TEST(names_lookup_is_shared_by_who_wait)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    EDDY_TASK one = eddy_create_task(look_up, &names, "gate.test");
    EDDY_TASK two = eddy_create_task(look_up, &names, "gate.test");
    EDDY_TASK three = eddy_create_task(look_up, &names, "gate.test");

    test_settle();
    CHECK_OK(eddy_cancel(one));
    CHECK_EQ(eddy_await(one), -ECANCELED);
    nameserver_open_gate(server);
    CHECK_OK(eddy_await(two));
    CHECK_OK(eddy_await(three));
    CHECK(nameserver_asked(server) <= 2);
}

TEST(name_that_is_none_is_asked_for_again)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    int asked;

    CHECK_FAILS(look_up(&names, "nx.test"), EDDY_EDNS_NOT_FOUND, "nx.test");
    asked = nameserver_asked(server);
    CHECK_FAILS(look_up(&names, "nx.test"), EDDY_EDNS_NOT_FOUND, "nx.test");
    CHECK_EQ(nameserver_asked(server), 2 * asked);
}

/* Three fit; the one that was asked for least lately goes. */
TEST(names_that_are_too_many_go)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    int asked;

    CHECK_OK(look_up(&names, "v4.a"));
    CHECK_OK(look_up(&names, "v4.b"));
    CHECK_OK(look_up(&names, "v4.c"));
    CHECK_OK(look_up(&names, "v4.a"));
    CHECK_OK(look_up(&names, "v4.d"));
    CHECK_EQ(names.count, 3);
    asked = nameserver_asked(server);
    CHECK_OK(look_up(&names, "v4.a"));
    CHECK_EQ(nameserver_asked(server), asked);
    CHECK_OK(look_up(&names, "v4.b"));
    CHECK(nameserver_asked(server) > asked);
}

TEST(names_are_closed_under_a_lookup)
{
    NAMESERVER(server, resolver, true);
    NAMES(names, resolver);
    EDDY_TASK waiting = eddy_create_task(look_up, &names, "gate.test");

    test_settle();
    ed_name_cache_close(&names);
    CHECK_EQ(eddy_await(waiting), -ESHUTDOWN);
    CHECK_EQ(look_up(&names, "v4.test"), -ESHUTDOWN);
}

static int get(eddy_http_session *session, const char *url)
{
    EDDY_HTTP_RESPONSE response = NULL;

    return eddy_http_get(session, url, &response);
}
EDDY_ASYNC(get, eddy_http_session *, const char *);

/* H-CONN-10, -11: a session asks for each name once, and its close ends that. */
TEST(names_of_a_session)
{
    NAMESERVER(server, resolver, true);
    const eddy_connect_options connect = {.resolver = resolver};
    const eddy_http_session_options options = {.connect = &connect};
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(eddy_http_session_open(&options, &session));
    CHECK_FAILS(get(session, "http://nx.test/"), EDDY_EDNS_NOT_FOUND,
                "GET http://nx.test/: connecting: ");
    EDDY_TASK one = eddy_create_task(get, session, "http://gate.test/");
    EDDY_TASK two = eddy_create_task(get, session, "http://gate.test/");
    test_settle();
    eddy_http_session_close(&session);
    CHECK_FAILS(eddy_await(one), -ESHUTDOWN, "the session was closed meanwhile");
    CHECK_EQ(eddy_await(two), -ESHUTDOWN);
    CHECK(nameserver_asked(server) <= 4);
}

/* Names that need no server, so that nothing depends on time. */
static int converse(void)
{
    NAMES(names, NULL);

    EDDY_TRY(look_up(&names, "localhost"));
    EDDY_TRY(look_up(&names, "localhost"));
    return look_up(&names, "a.localhost");
}
EDDY_ASYNC(converse);

RAW_TEST(names_with_each_allocation_failing)
{
    int rc = eddy_test_allocations(converse);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(names_under_every_cancel)
{
    int rc = eddy_test_cancels(converse);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
