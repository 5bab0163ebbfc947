/* SPDX-License-Identifier: MIT */
/* Hosts and their addresses. */
#include "pg/hosts.h"

#include <stdlib.h>

#include "eddy/dns.h"
#include "harness.h"
#include "net/tls_certificate.h"

static const char *value_of(const struct pg_parameters_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return set->values[i];
    return "(none)";
}

/* A resolver that knows a file of hosts alone. */
static int open_resolver(const char *hosts, eddy_resolver **out)
{
    return eddy_resolver_new(&(eddy_resolver_options){.hosts = certificate_file(hosts),
                                                      .servers = "127.0.0.1:9",
                                                      .domains = "",
                                                      .timeout = 0.05,
                                                      .tries = 1},
                             out);
}

#define HOSTS                                                                                      \
    "192.0.2.1 a.example\n192.0.2.2 a.example\n2001:db8::1 b.example\n198.51.100.1 c.example\n"

static int resolve(struct pg_parameters_set *set, const char *dsn)
{
    EDDY_RESOLVER(resolver);
    int rc;

    EDDY_TRY(open_resolver(HOSTS, &resolver));
    rc = pg_parameters_read(set, dsn, NULL);
    return rc < 0 ? rc : pg_hosts_resolve(set, resolver);
}

/* P-CONN-6, and "names resolved by Eddy's resolver": each address is an entry, and the name stays
 * beside it, for certificates and the password file. */
TEST(pg_hosts_are_replaced_by_their_addresses)
{
    struct pg_parameters_set set = {.count = 0};
    EDDY_DEFER(pg_parameters_clear, &set);

    CHECK_OK(resolve(&set, "postgresql://a.example:5,b.example:6,203.0.113.9:7/db"));
    CHECK_STR(value_of(&set, "host"), "a.example,a.example,b.example,203.0.113.9");
    CHECK_STR(value_of(&set, "hostaddr"), "192.0.2.1,192.0.2.2,2001:db8::1,203.0.113.9");
    CHECK_STR(value_of(&set, "port"), "5,5,6,7");
}

/* P-CONN-6: one port for all, or as many as hosts. */
TEST(pg_hosts_share_a_port_or_have_one_each)
{
    struct pg_parameters_set set = {.count = 0};
    EDDY_DEFER(pg_parameters_clear, &set);

    CHECK_OK(resolve(&set, "host=a.example,/run/x,c.example port=9"));
    CHECK_STR(value_of(&set, "host"), "a.example,a.example,/run/x,c.example");
    CHECK_STR(value_of(&set, "hostaddr"), "192.0.2.1,192.0.2.2,,198.51.100.1");
    CHECK_STR(value_of(&set, "port"), "9,9,9,9");
    pg_parameters_clear(&set);
    CHECK_FAILS(resolve(&set, "host=a.example,b.example,c.example port=1,2"), -EINVAL, "port");
}

/* A name that cannot be found is left out, unless all are. */
TEST(pg_hosts_that_are_not_found_are_left_out)
{
    struct pg_parameters_set set = {.count = 0};
    EDDY_DEFER(pg_parameters_clear, &set);
    int rc;

    CHECK_OK(resolve(&set, "host=nowhere.invalid,c.example port=1,2"));
    CHECK_STR(value_of(&set, "host"), "c.example");
    CHECK_STR(value_of(&set, "port"), "2");
    pg_parameters_clear(&set);
    rc = resolve(&set, "host=nowhere.invalid");
    CHECK(rc <= EDDY_EDNS_NOT_FOUND && rc >= EDDY_EDNS_SYSTEM);
    CHECK_HAS(eddy_error_message(rc), "nowhere.invalid");
}

/* P-CONN-3, -4: the environment says what a DSN does not; a socket's folder is no name. */
TEST(pg_hosts_come_from_the_environment_too)
{
    struct pg_parameters_set set = {.count = 0};
    EDDY_DEFER(pg_parameters_clear, &set);

    setenv("PGHOST", "c.example", 1);
    setenv("PGPORT", "77", 1);
    CHECK_OK(resolve(&set, ""));
    CHECK_STR(value_of(&set, "host"), "c.example");
    CHECK_STR(value_of(&set, "hostaddr"), "198.51.100.1");
    CHECK_STR(value_of(&set, "port"), "77");
    pg_parameters_clear(&set);
    CHECK_OK(resolve(&set, "host=/run/postgresql"));
    CHECK_STR(value_of(&set, "host"), "/run/postgresql");
    CHECK_STR(value_of(&set, "hostaddr"), "");
}

/* What libpq refuses is the caller's mistake, and said before anything is tried. */
TEST(pg_hosts_need_parameters_that_libpq_takes)
{
    struct pg_parameters_set set = {.count = 0};
    EDDY_DEFER(pg_parameters_clear, &set);

    CHECK_FAILS(resolve(&set, "host=a.example sslmode=perhaps"), -EINVAL, "sslmode");
    pg_parameters_clear(&set);
    CHECK_FAILS(resolve(&set, "service=nowhere"), -EINVAL, "service");
}
