/* SPDX-License-Identifier: MIT */
/* What a connection is made with. */
#include <stdlib.h>

#include "harness.h"
#include "pg/hosts.h"

static const char *value_of(const struct pg_parameters_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return set->values[i];
    return "(none)";
}

/* P-CONN-1: options are stronger than the DSN. */
RAW_TEST(pg_parameters_of_options_are_stronger_than_those_of_the_dsn)
{
    struct pg_parameters_set set = {.count = 0};
    eddy_pg_options options = {.user = "bob", .port = 7, .database = "other"};

    CHECK_OK(pg_parameters_read(&set, "postgresql://ann:s%20cret@db.example:6/shop?sslmode=require",
                                &options));
    CHECK_STR(value_of(&set, "user"), "bob");
    CHECK_STR(value_of(&set, "port"), "7");
    CHECK_STR(value_of(&set, "dbname"), "other");
    CHECK_STR(value_of(&set, "password"), "s cret");
    CHECK_STR(value_of(&set, "host"), "db.example");
    CHECK_STR(value_of(&set, "sslmode"), "require");
    CHECK_STR(value_of(&set, "client_encoding"), "UTF8");
    pg_parameters_clear(&set);
}

/* P-CONN-2: another scheme, an unknown parameter; P-ERR-5: and no password in the text. */
RAW_TEST(pg_parameters_that_are_none_are_refused_without_a_secret_in_the_text)
{
    static const struct {
        const char *dsn, *part;
    } cases[] = {
        {"mysql://ann:hunter2@h/db", "not with mysql://"},
        {"postgresql://ann:hunter2%zz@h/db", "not a valid DSN"},
        {"postgresql://ann:hunter2@[::1/db", "not a valid DSN"},
        {"host=h password=my hunter2", "not a valid DSN"},
        {"postgresql://ann:hunter2@h/db?sslmood=require", "sslmood"},
        {"hots=h password=hunter2", "hots"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pg_parameters_set set = {.count = 0};
        int rc = pg_parameters_read(&set, cases[i].dsn, NULL);

        CHECK_EQ(rc, -EINVAL);
        CHECK_HAS(eddy_error_message(rc), cases[i].part);
        CHECK(strstr(eddy_error_message(rc), "hunter2") == NULL);
        pg_parameters_clear(&set);
    }
}

/* P-CONN-11: settings become start-up parameters, whatever is in them. */
RAW_TEST(pg_parameters_have_settings_as_options)
{
    static const char *const settings[] = {"search_path", "a, b\\c", "work_mem", "1MB", NULL};
    static const char *const odd[] = {"a b", "c", NULL};
    struct pg_parameters_set set = {.count = 0};
    eddy_pg_options options = {.settings = settings};

    CHECK_OK(pg_parameters_read(&set, "options='-c geqo=off'", &options));
    CHECK_STR(value_of(&set, "options"), "-c datestyle=ISO -c intervalstyle=postgres -c geqo=off "
                                         "-c search_path=a,\\ b\\\\c -c work_mem=1MB");
    pg_parameters_clear(&set);
    options.settings = odd;
    CHECK_FAILS(pg_parameters_read(&set, NULL, &options), -EINVAL, "a b");
    pg_parameters_clear(&set);
}

/* P-CONN-9: connect_timeout counts where the options say nothing. */
RAW_TEST(pg_parameters_have_the_timeout_of_a_dsn)
{
    struct pg_parameters_set set = {.count = 0};

    CHECK_OK(pg_parameters_read(&set, "connect_timeout=7", NULL));
    CHECK(set.timeout == 7);
    pg_parameters_clear(&set);
    CHECK_OK(pg_parameters_read(&set, NULL, &(eddy_pg_options){.port = 1}));
    CHECK(set.timeout == 0);
    pg_parameters_clear(&set);
    CHECK_EQ(pg_parameters_read(&set, NULL, &(eddy_pg_options){.port = 65536}), -EINVAL);
    pg_parameters_clear(&set);
}
