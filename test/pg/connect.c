/* SPDX-License-Identifier: MIT */
/* Connecting. */
#include "eddy/pg_connection.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eddy/test.h"
#include "pg/connection.h"
#include "pg/database.h"

static int connect_only(const char *dsn, const eddy_pg_options *options)
{
    EDDY_PG_CONNECTION db = NULL;

    EDDY_TRY(eddy_pg_connect(dsn, options, &db));
    return pg_command(db, "SELECT 1");
}

/* P-CONN-2, -13: a URI; what is known of the server behind it. */
TEST(pg_connect_takes_a_uri)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK(!eddy_pg_is_closed(db));
    CHECK(!eddy_pg_is_in_transaction(db));
    CHECK(!eddy_pg_uses_tls(db)); /* P-TLS-5: it is a unix socket */
    CHECK(eddy_pg_server_version(db) >= 140000);
    CHECK(eddy_pg_server_pid(db) > 0);
    CHECK_STR(eddy_pg_setting(db, "client_encoding"), "UTF8");
    CHECK(eddy_pg_setting(db, "no such setting") == NULL);
    CHECK_IN_SYNC(db);
    eddy_pg_close(&db);
    CHECK(db == NULL);
    CHECK(eddy_pg_is_closed(db));
    eddy_pg_close(&db); /* P-LIFE-1 */
}

/* P-CONN-1, -3, -5: keywords, the environment alone, and options over both. */
TEST(pg_connect_takes_keywords_the_environment_and_options)
{
    char port[16];

    CHECK_OK(connect_only(pg_test_tcp_dsn("guest", "sslmode=disable"), NULL));
    snprintf(port, sizeof port, "%d", pg_test_port());
    setenv("PGHOST", pg_test_folder(), 1);
    setenv("PGPORT", port, 1);
    setenv("PGUSER", "postgres", 1);
    setenv("PGDATABASE", "nowhere", 1);
    CHECK_EQ(connect_only(NULL, NULL), EDDY_EPG_INVALID_CATALOG_NAME);
    CHECK_OK(connect_only("", &(eddy_pg_options){.database = "postgres"}));
    CHECK_OK(connect_only("dbname=postgres", &(eddy_pg_options){.user = "guest"}));
}

/* P-CONN-11: settings as start-up parameters. */
TEST(pg_connect_sets_what_the_options_say)
{
    static const char *const settings[] = {"search_path", "a, \"b c\"", "DateStyle", "SQL", NULL};
    EDDY_PG_CONNECTION db = NULL;
    char *text = NULL;

    CHECK_OK(eddy_pg_connect(
        pg_test_dsn(), &(eddy_pg_options){.settings = settings, .application_name = "a test's"},
        &db));
    CHECK_STR(eddy_pg_setting(db, "application_name"), "a test's");
    CHECK_STR(eddy_pg_setting(db, "DateStyle"), "SQL, MDY");
    CHECK_OK(eddy_pg_fetchval(db, &text, "SHOW search_path"));
    CHECK_STR(text, "a, \"b c\"");
    eddy_free(text);
}

/* P-AUTH-1: each way to log in; P-CONN-10: a wrong password, a database that is not there. */
TEST(pg_connect_logs_in_by_each_kind_of_password)
{
    static const char *const users[] = {"scram", "md5", "clear"};

    for (int i = 0; i < 3; i++) {
        const char *dsn = pg_test_tcp_dsn(users[i], "sslmode=disable");
        int rc;

        CHECK_OK(connect_only(dsn, &(eddy_pg_options){.password = "secret"}));
        rc = connect_only(dsn, &(eddy_pg_options){.password = "wr0ng"});
        CHECK_EQ(rc, EDDY_EPG_INVALID_PASSWORD);
        CHECK_HAS(eddy_error_message(rc), "28P01: ");
        CHECK_HAS(eddy_error_message(rc), users[i]);
        CHECK(strstr(eddy_error_message(rc), "wr0ng") == NULL);                     /* P-ERR-5 */
        CHECK_FAILS(connect_only(dsn, NULL), EDDY_EPG_CONNECT, "wants a password"); /* P-AUTH-4 */
    }
    CHECK_EQ(connect_only(pg_test_dsn(), &(eddy_pg_options){.database = "nowhere"}),
             EDDY_EPG_INVALID_CATALOG_NAME);
    CHECK_HAS(eddy_error_message(EDDY_EPG_INVALID_CATALOG_NAME), "3D000: ");
    CHECK_EQ(connect_only(pg_test_tcp_dsn("tls", "sslmode=disable"), NULL),
             EDDY_EPG_INVALID_AUTHORIZATION);
}

/* P-CONN-7: the password file, and one that others may read. */
TEST(pg_connect_reads_the_password_file)
{
    char path[200], line[200];
    FILE *file;

    snprintf(path, sizeof path, "/tmp/eddy-pgpass-%d", (int)getpid());
    file = fopen(path, "w");
    snprintf(line, sizeof line, "127.0.0.1:%d:*:scram:secret\n", pg_test_port());
    fputs(line, file);
    fclose(file);
    chmod(path, 0600);
    CHECK_OK(connect_only(pg_test_tcp_dsn("scram", "sslmode=disable"),
                          &(eddy_pg_options){.passfile = path}));
    unlink(path);
}

static int give_password(char *password, size_t size, void *argument)
{
    int *calls = argument;

    EDDY_TRY(eddy_sleep(0.01));
    snprintf(password, size, "%s", ++*calls < 3 ? "secret" : "old");
    return *calls < 4 ? 0 : eddy_raise(-ENOENT, "no token");
}

/* P-CONN-8: a callable that may suspend, asked each time. */
TEST(pg_connect_asks_for_the_password_each_time)
{
    int calls = 0;
    eddy_pg_options options = {.get_password = give_password, .get_password_argument = &calls};
    const char *dsn = pg_test_tcp_dsn("scram", "sslmode=disable");

    CHECK_OK(connect_only(dsn, &options));
    CHECK_OK(connect_only(dsn, &options));
    CHECK_EQ(connect_only(dsn, &options), EDDY_EPG_INVALID_PASSWORD);
    CHECK_FAILS(connect_only(dsn, &options), -ENOENT, "no token");
    CHECK_EQ(calls, 4);
}

/* P-CONN-6: the next host where one cannot be reached, and not where a password is wrong. */
TEST(pg_connect_tries_hosts_in_order)
{
    char dsn[400];
    int rc;

    snprintf(dsn, sizeof dsn,
             "host=127.0.0.1,/nowhere,localhost,127.0.0.1 port=1,1,1,%d "
             "user=guest dbname=postgres sslmode=disable",
             pg_test_port());
    CHECK_OK(connect_only(dsn, NULL));
    snprintf(dsn, sizeof dsn,
             "host=127.0.0.1,127.0.0.1 port=%d,1 user=scram password=no "
             "dbname=postgres sslmode=disable",
             pg_test_port());
    CHECK_EQ(connect_only(dsn, NULL), EDDY_EPG_INVALID_PASSWORD);
    rc = connect_only("host=/nowhere,127.0.0.1 port=1 user=guest", NULL);
    CHECK_EQ(rc, -ECONNREFUSED);
    CHECK_HAS(eddy_error_message(rc), "/nowhere");
    CHECK_HAS(eddy_error_message(rc), "127.0.0.1");
    CHECK_EQ(connect_only("host=/nowhere port=1 user=guest", NULL), -ENOENT);
}

/* P-CONN-12: the attributes of a session; none fits: an error that says so. */
TEST(pg_connect_looks_for_the_attributes_of_a_session)
{
    char dsn[400];

    CHECK_OK(connect_only(pg_test_tcp_dsn("guest", "target_session_attrs=primary"), NULL));
    CHECK_OK(connect_only(pg_test_tcp_dsn("guest", "target_session_attrs=prefer-standby"), NULL));
    CHECK_FAILS(connect_only(pg_test_tcp_dsn("guest", "target_session_attrs=standby"), NULL),
                EDDY_EPG_CONNECT, "standby");
    CHECK_FAILS(connect_only(pg_test_tcp_dsn("guest", "target_session_attrs=best"), NULL), -EINVAL,
                "target_session_attrs");
    snprintf(dsn, sizeof dsn, "%s&target_session_attrs=read-only", pg_test_dsn());
    CHECK_EQ(connect_only(dsn, NULL), EDDY_EPG_CONNECT);
}

/* TLS ----------------------------------------------------------------------------- */

static int connect_tls(const char *host, const char *more)
{
    EDDY_PG_CONNECTION db = NULL;
    char dsn[600];

    snprintf(dsn, sizeof dsn, "host=%s port=%d user=tls dbname=postgres %s", host, pg_test_port(),
             more);
    EDDY_TRY(eddy_pg_connect(dsn, NULL, &db));
    EDDY_TRY(pg_command(db, "SELECT 1"));
    return eddy_pg_uses_tls(db) ? 0 : -EPROTO;
}

/* P-TLS-1: the modes, from those that ask for nothing to those that verify everything. */
TEST(pg_connect_uses_tls_as_the_mode_says)
{
    char verified[300];

    CHECK_OK(connect_tls("localhost", "sslmode=prefer"));
    CHECK_OK(connect_tls("localhost", "sslmode=require"));
    CHECK_OK(connect_tls("localhost", ""));
    snprintf(verified, sizeof verified, "sslmode=verify-full sslrootcert=%s", pg_test_root_file());
    CHECK_OK(connect_tls("localhost", verified));
    snprintf(verified, sizeof verified, "sslmode=verify-ca sslrootcert=%s", pg_test_root_file());
    CHECK_OK(connect_tls("127.0.0.1", verified));
    CHECK_EQ(connect_tls("localhost", "sslmode=disable"), EDDY_EPG_INVALID_AUTHORIZATION);
    CHECK_OK(connect_tls("localhost", "sslmode=allow"));
}

/* P-TLS-1: another name, another authority, none at all. */
TEST(pg_connect_refuses_certificates_that_do_not_fit)
{
    const struct {
        const char *host, *mode, *root;
    } cases[] = {
        {"127.0.0.1", "verify-full", pg_test_root_file()},
        {"localhost", "verify-full", "/etc/ssl/certs/ca-certificates.crt"},
        {"localhost", "verify-ca", "/etc/ssl/certs/ca-certificates.crt"},
        {"localhost", "verify-full", "/nowhere/root.crt"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char more[300];
        int rc;

        snprintf(more, sizeof more, "sslmode=%s sslrootcert=%s", cases[i].mode, cases[i].root);
        rc = connect_tls(cases[i].host, more);
        CHECK_THAT(rc == EDDY_EPG_CONNECT, "%zu: %s", i, eddy_error_message(rc));
        CHECK_HAS(eddy_error_message(rc), "certificate");
    }
}

/* P-AUTH-3: libpq binds SCRAM to the channel where there is TLS. */
TEST(pg_connect_binds_scram_to_the_channel)
{
    CHECK_OK(connect_only(pg_test_tcp_dsn("scram", "sslmode=require channel_binding=require"),
                          &(eddy_pg_options){.password = "secret"}));
    CHECK_EQ(connect_only(pg_test_tcp_dsn("md5", "sslmode=require channel_binding=require"),
                          &(eddy_pg_options){.password = "secret"}),
             EDDY_EPG_CONNECT);
}

/* Cut short ------------------------------------------------------------------------ */

static int connect_and_close(const char *dsn)
{
    EDDY_PG_CONNECTION db = NULL;
    int calls = 0;
    eddy_pg_options options = {.get_password = give_password, .get_password_argument = &calls};

    EDDY_TRY(eddy_pg_connect(dsn, &options, &db));
    EDDY_TRY(pg_command(db, "SELECT 1"));
    eddy_pg_close(&db);
    return 0;
}
EDDY_ASYNC(connect_and_close, const char *);

/* P-CONN-14: a cancel at each wait of a connect, of a query and of a close leaves nothing. */
RAW_TEST(pg_connect_is_cancelled_anywhere)
{
    int rc = eddy_test_cancels(connect_and_close, pg_test_tcp_dsn("scram", "sslmode=require"));

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(pg_connect_by_name_is_cancelled_anywhere)
{
    char dsn[300];
    int rc;

    snprintf(dsn, sizeof dsn, "host=localhost,127.0.0.1 port=1,%d user=scram dbname=postgres",
             pg_test_port());
    rc = eddy_test_cancels(connect_and_close, dsn);
    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(pg_connect_is_short_of_memory_anywhere)
{
    int rc = eddy_test_allocations(connect_and_close, pg_test_tcp_dsn("scram", "sslmode=disable"));

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
