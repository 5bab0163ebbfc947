/* SPDX-License-Identifier: MIT */
/* Asynchronous Database Query */
#include <eddy.h>
#include <eddy/pg.h>
#include <stdio.h>

static int fetch_data(const char *dsn)
{
    EDDY_PG_CONNECTION connection = NULL;
    EDDY_PG_RESULT rows = NULL;
    eddy_pg_row row;

    EDDY_TRY(eddy_pg_connect(dsn, NULL, &connection));
    EDDY_TRY(eddy_pg_fetch(connection, &rows, "SELECT * FROM users"));
    EDDY_PG_FOR_EACH(row, rows)
        eddy_pg_print(row, stdout);
    return 0;
}

static int amain(int argc, char **argv)
{
    return fetch_data(argc > 1 ? argv[1] : "postgresql://user:password@127.0.0.1/testdb");
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
