/* SPDX-License-Identifier: MIT */
/* The system's name service: only names that need no server. */
#include "net/system.h"

#include <eddy.h>
#include <netdb.h>

#include "harness.h"

static int look_up(const char *name, bool canonical, eddy_addresses *out)
{
    EDDY_RESOLVER(resolver);
    eddy_resolver_options system = {.system = true};

    EDDY_TRY(eddy_resolver_new(&system, &resolver));
    eddy_lookup_options options = {.resolver = resolver, .canonical = canonical};
    return eddy_getaddrinfo(name, 80, &options, out);
}

/* Issue 4, 6: a name-service lookup through its own threads, on request. */
TEST(system_resolver_finds_this_machine_in_a_thread)
{
    EDDY_ADDRESSES(found);
    eddy_stats stats;
    int rc = look_up("localhost", true, &found);

    if (rc < 0 && !test_is_cancelled())
        test_skip("the system does not know localhost");
    CHECK_OK(rc);
    CHECK(found.count >= 1);
    CHECK_EQ(eddy_address_port(&found.at[0]), 80);
    CHECK(found.canonical != NULL);
    eddy_get_stats(&stats);
    CHECK_EQ(stats.threads, 1);
}

/* A-CONN-6: a numeric address needs no thread, with this resolver too. */
TEST(system_resolver_is_not_asked_for_a_numeric_address)
{
    EDDY_ADDRESSES(found);
    eddy_stats stats;

    CHECK_OK(look_up("192.0.2.1", false, &found));
    CHECK_EQ(found.count, 1);
    eddy_get_stats(&stats);
    CHECK_EQ(stats.threads, 0);
}

/* A-DNS-3: its failures have a code and a text. */
TEST(system_resolver_says_why_it_failed)
{
    EDDY_ADDRESSES(found);
    int rc = look_up("a-name-that-is-nowhere.invalid", false, &found);

    CHECK(rc == EDDY_EDNS_NOT_FOUND || rc == EDDY_EDNS_SYSTEM || rc == EDDY_EDNS_NO_DATA);
    CHECK_HAS(eddy_error_message(rc), "a-name-that-is-nowhere.invalid");
    CHECK_EQ(found.count, 0);
}
