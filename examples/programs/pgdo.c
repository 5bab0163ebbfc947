/* SPDX-License-Identifier: MIT */
/* Runs statements and prints each row as "<Record id=1 name='Ann'>"; of a statement that gives no
 * rows what it did, "INSERT 0 2". Exits 0; or 1 with the error, its SQLSTATE in front.
 *     pgdo --dsn DSN [--timeout SECONDS] SQL... */
#include <eddy.h>
#include <eddy/pg.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static int run(eddy_pg_connection *db, const char *sql)
{
    eddy_pg_row row;
    size_t count = 0;
    int rc;

    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, sql)) { /* however many: they are not kept */
        eddy_pg_print(row, stdout);
        count++;
    }
    EDDY_TRY(rc);
    if (count == 0 && *eddy_pg_last_tag(db))
        puts(eddy_pg_last_tag(db));
    return fflush(stdout) == 0 ? 0 : eddy_raise(-EIO, "standard output cannot be written");
}

static int run_all(const char *dsn, double timeout, char **statements)
{
    EDDY_TIMEOUT(limit, timeout);
    EDDY_PG_CONNECTION db = NULL;

    EDDY_TRY(eddy_pg_connect(dsn, NULL, &db));
    for (; *statements; statements++)
        EDDY_TRY(run(db, *statements));
    return 0;
}

static int amain(int argc, char **argv)
{
    static const struct option options[] = {
        {"dsn", required_argument, NULL, 'd'}, {"timeout", required_argument, NULL, 't'}, {0}};
    const char *dsn = NULL; /* the environment alone */
    double timeout = EDDY_FOREVER;
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'd')
            dsn = optarg;
        else if (option == 't')
            timeout = strtod(optarg, NULL);
        if (option == '?' || !(timeout > 0))
            return eddy_raise(-EINVAL, "pgdo --dsn DSN [--timeout SECONDS] SQL...");
    }
    if (optind == argc)
        return eddy_raise(-EINVAL, "pgdo --dsn DSN [--timeout SECONDS] SQL...");
    return run_all(dsn, timeout, argv + optind);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
