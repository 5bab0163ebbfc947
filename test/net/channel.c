/* SPDX-License-Identifier: MIT */
/*
 * What name servers may send: rules of hostile answers. Never a wrong address, a hang or a
 * crash; the server's thread sends what the first label of a name says.
 */
#include "net/nameserver.h"

#include <stdlib.h>

#include "harness.h"

static const char *text_of(const eddy_addresses *found, size_t index)
{
    static char text[EDDY_ADDRESS_TEXT];

    return index < found->count ? eddy_address_text(&found->at[index], text, sizeof text) : "";
}

/* Whether these are the addresses of `both`, in whatever order. */
static bool is_both(const eddy_addresses *found)
{
    bool v4 = false, v6 = false;

    for (size_t i = 0; i < found->count; i++) {
        v4 |= strcmp(text_of(found, i), "192.0.2.1:80") == 0;
        v6 |= strcmp(text_of(found, i), "[2001:db8::1]:80") == 0;
    }
    return found->count == 2 && v4 && v6;
}

/* Looks a name up that has no addresses; what the call says. */
static int code_of(eddy_resolver *resolver, const char *name)
{
    EDDY_ADDRESSES(found);
    int rc = nameserver_look_up(resolver, name, &found);

    REQUIRE(rc < 0);
    REQUIRE(found.count == 0 && !found.at);
    return rc;
}

/* A-DNS-1: all addresses of both families, with the port. */
TEST(name_has_its_addresses_of_both_families)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);

    CHECK_OK(nameserver_look_up(resolver, "both.example", &found));
    CHECK(is_both(&found));
    CHECK(!found.canonical);
    CHECK_EQ(nameserver_asked(server), 2);
}

/* A-DNS-3: each failure has its code, and a text with the name and the server. */
TEST(name_that_fails_says_why_and_who_was_asked)
{
    NAMESERVER(server, resolver, true);

    CHECK_EQ(code_of(resolver, "nx.example"), EDDY_EDNS_NOT_FOUND);
    CHECK_HAS(eddy_error_message(EDDY_EDNS_NOT_FOUND), "nx.example: the name does not exist");
    CHECK_HAS(eddy_error_message(EDDY_EDNS_NOT_FOUND), nameserver_place(server));
    CHECK_EQ(code_of(resolver, "empty.example"), EDDY_EDNS_NO_DATA);
    CHECK_EQ(code_of(resolver, "servfail.example"), EDDY_EDNS_FAILED);
    CHECK_EQ(code_of(resolver, "notimp.example"), EDDY_EDNS_FAILED);
    CHECK_EQ(code_of(resolver, "formerr.example"), EDDY_EDNS_FAILED);
    CHECK_EQ(code_of(resolver, "refused.example"), EDDY_EDNS_REFUSED);
    CHECK_HAS(eddy_error_message(EDDY_EDNS_REFUSED), "refused.example");
}

/* A-DNS-3: nobody answers, by UDP or by TCP. */
TEST(name_server_that_is_silent_is_given_up)
{
    NAMESERVER(server, resolver, false);

    CHECK_EQ(code_of(resolver, "silent.example"), EDDY_EDNS_TIMEOUT);
    CHECK_EQ(nameserver_asked(server), 4); /* two tries of two types */
    CHECK_EQ(code_of(resolver, "tcsilent.example"), EDDY_EDNS_TIMEOUT);
    CHECK_EQ(code_of(resolver, "echo.example"), EDDY_EDNS_TIMEOUT); /* a question is no answer */
}

/* One address family answers, the other is silent or has none. */
TEST(name_with_addresses_of_one_family_is_found)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(four);
    EDDY_ADDRESSES(six);

    CHECK_OK(nameserver_look_up(resolver, "v4.example", &four));
    CHECK_EQ(four.count, 1);
    CHECK_STR(text_of(&four, 0), "192.0.2.1:80");
    CHECK_OK(nameserver_look_up(resolver, "v6.example", &six));
    CHECK_EQ(six.count, 1);
    CHECK_STR(text_of(&six, 0), "[2001:db8::1]:80");
}

/* Reliability 3: trash before the answer, from the server or from elsewhere, is passed over. */
TEST(answer_with_a_wrong_id_or_from_elsewhere_is_passed_over)
{
    static const char *const names[] = {"wrongid.example", "otherport.example", "zero.example",
                                        "flood.example"};
    NAMESERVER(server, resolver, true);

    for (int i = 0; i < 4; i++) {
        EDDY_ADDRESSES(found);
        CHECK_OK(nameserver_look_up(resolver, names[i], &found));
        CHECK(is_both(&found));
    }
}

/* Reliability 3: what does not fit into a datagram comes by TCP, in whatever pieces. */
TEST(answer_that_is_truncated_is_asked_for_by_tcp)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(whole);
    EDDY_ADDRESSES(sliced);

    CHECK_OK(nameserver_look_up(resolver, "tc.example", &whole));
    CHECK(is_both(&whole));
    CHECK_OK(nameserver_look_up(resolver, "tcslice.example", &sliced));
    CHECK(is_both(&sliced));
    CHECK_EQ(code_of(resolver, "tcclose.example"), EDDY_EDNS_UNREACHABLE);
}

/* The limits: 256 addresses, and answers of 16 KiB. */
TEST(answer_beyond_the_limits_is_cut_or_refused)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);
    eddy_lookup_options options = {.resolver = resolver, .family = AF_INET};

    CHECK_OK(eddy_getaddrinfo("many.example", 80, &options, &found));
    CHECK_EQ(found.count, 256);
    for (size_t i = 0; i < found.count; i++)
        CHECK_EQ(eddy_address_port(&found.at[i]), 80);
    CHECK_EQ(code_of(resolver, "huge.example"), EDDY_EDNS_BAD_ANSWER);
}

/* Aliases are followed from the name that was asked for, and from nowhere else. */
TEST(aliases_lead_from_the_name_to_its_addresses)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);
    eddy_lookup_options options = {.resolver = resolver, .canonical = true};

    CHECK_OK(eddy_getaddrinfo("alias.example", 80, &options, &found));
    CHECK(is_both(&found));
    CHECK_STR(found.canonical ? found.canonical : "", "two.example");
    CHECK_EQ(code_of(resolver, "ring.example"), EDDY_EDNS_NO_DATA);
    CHECK_EQ(code_of(resolver, "alien.example"), EDDY_EDNS_BAD_ANSWER);
    CHECK_EQ(code_of(resolver, "foreign.example"), EDDY_EDNS_NO_DATA);
}

/* Reliability 3: compression loops, pointers behind the end, records that are cut. */
TEST(answer_that_is_malformed_is_an_error)
{
    NAMESERVER(server, resolver, true);

    CHECK_EQ(code_of(resolver, "loop.example"), EDDY_EDNS_BAD_ANSWER);
    CHECK_EQ(code_of(resolver, "far.example"), EDDY_EDNS_BAD_ANSWER);
    CHECK_EQ(code_of(resolver, "cut.example"), EDDY_EDNS_BAD_ANSWER);
}

/* CVE-2024-24806: names around the longest possible. */
TEST(alias_longer_than_a_name_can_be_is_an_error)
{
    NAMESERVER(server, resolver, true);

    for (int length = 250; length <= 258; length++) {
        char name[32];
        EDDY_ADDRESSES(found);
        eddy_lookup_options options = {.resolver = resolver, .canonical = true};
        int rc;

        snprintf(name, sizeof name, "wide%d.example", length);
        rc = eddy_getaddrinfo(name, 80, &options, &found);
        CHECK_EQ(rc, length <= 253 ? 0 : EDDY_EDNS_BAD_ANSWER);
        CHECK(rc < 0 || (is_both(&found) && strlen(found.canonical) == (size_t)length));
    }
}

static int look_up_random(void)
{
    NAMESERVER_OR_FAIL(server, resolver, false);
    EDDY_ADDRESSES(found);
    int rounds = test_is_deep() ? 5000 : test_is_slow() ? 40 : 150;

    for (int i = 0; i < rounds; i++) {
        EDDY_ADDRESSES(any);
        int rc = nameserver_look_up(resolver, i % 8 ? "mutant.example" : "random.example", &any);

        REQUIRE(rc == 0 || (rc <= EDDY_EDNS_NOT_FOUND && rc >= EDDY_EDNS_UNREACHABLE));
        REQUIRE((rc == 0) == (any.count > 0));
    }
    EDDY_TRY(nameserver_look_up(resolver, "v4.example", &found));
    return eddy_expect(strcmp(text_of(&found, 0), "192.0.2.1:80") == 0);
}
EDDY_ASYNC(look_up_random);

/* Random answers: never a crash or a hang, and the resolver works afterwards. */
RAW_TEST(answers_of_random_bytes_do_no_harm)
{
    CHECK_OK(eddy_test(look_up_random));
}

/* The first of several servers fails in each way, and the second answers. */
TEST(name_server_that_fails_is_followed_by_the_next)
{
    NAMESERVER(server, resolver, false);
    struct nameserver *second = nameserver_start();
    EDDY_DEFER(nameserver_stop, second);
    EDDY_RESOLVER(both);
    EDDY_ADDRESSES(found);
    char servers[80];

    snprintf(servers, sizeof servers, "127.0.0.1:1, %s", nameserver_place(second));
    CHECK_OK(eddy_resolver_new(
        &(eddy_resolver_options){.servers = servers, .timeout = 0.5, .domains = "", .hosts = ""},
        &both));
    CHECK_OK(nameserver_look_up(both, "both.example", &found));
    CHECK(is_both(&found));
}

/* No server at all: the error comes at once, not after the timeout. */
TEST(name_server_that_nobody_runs_is_unreachable)
{
    EDDY_RESOLVER(resolver);

    CHECK_OK(eddy_resolver_new(&(eddy_resolver_options){.servers = "127.0.0.1:1", .timeout = 3600},
                               &resolver));
    CHECK_EQ(code_of(resolver, "nobody.example"), EDDY_EDNS_UNREACHABLE);
    CHECK_HAS(eddy_error_message(EDDY_EDNS_UNREACHABLE), "127.0.0.1:1");
}

/* Reverse names, and what no name of a host looks like. */
TEST(address_has_the_name_that_the_server_says)
{
    NAMESERVER(server, resolver, true);
    eddy_lookup_options options = {.resolver = resolver};
    char host[EDDY_HOST_TEXT] = "untouched";
    eddy_address address;

    for (int last = 1; last <= 4; last++) {
        char ip[20];
        int rc;

        snprintf(ip, sizeof ip, "192.0.2.%d", last);
        CHECK_OK(eddy_address_from_ip(ip, 80, &address));
        strncpy(host, "untouched", sizeof host - 1);
        rc = eddy_getnameinfo(&address, &options, host, sizeof host);
        CHECK_EQ(rc, last == 1   ? 0
                     : last == 2 ? EDDY_EDNS_BAD_ANSWER
                     : last == 3 ? EDDY_EDNS_NO_DATA
                                 : EDDY_EDNS_NOT_FOUND);
        CHECK_STR(host, last == 1 ? "host.example" : "untouched");
    }
    CHECK_EQ(eddy_address_from_ip("192.0.2.1", 80, &address), 0);
    CHECK_EQ(eddy_getnameinfo(&address, &options, host, 12), -ENAMETOOLONG);
}

/* The resolver gives its server little time, which on a busy machine may not be enough. */
static int look_up_again(eddy_resolver *resolver, const char *name, eddy_addresses *out)
{
    int rc = EDDY_EDNS_TIMEOUT;

    for (int i = 0; i < 20 && rc == EDDY_EDNS_TIMEOUT; i++)
        rc = nameserver_look_up(resolver, name, out);
    return rc;
}

/* Every allocation fails once: -ENOMEM or an answer, nothing lost, and usable afterwards. */
static int look_up_all(void)
{
    NAMESERVER_OR_FAIL(server, resolver, false);
    static const char *const names[] = {"both.example", "tc.example", "alias.example"};

    for (int i = 0; i < 3; i++) {
        EDDY_ADDRESSES(found);
        EDDY_TRY(look_up_again(resolver, names[i], &found));
        EDDY_TRY(eddy_expect(found.count > 0));
    }
    return 0;
}
EDDY_ASYNC(look_up_all);

RAW_TEST(lookups_stand_every_failed_allocation)
{
    CHECK_OK(eddy_test_allocations(look_up_all));
}
