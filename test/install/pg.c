/* SPDX-License-Identifier: MIT */
/* A user's program that asks a database; without one at that address it says so. */
#include <eddy.h>
#include <eddy/pg.h>
#include <stdio.h>

static int amain(void)
{
    EDDY_PG_CONNECTION db = NULL;
    int rc = eddy_pg_connect("host=127.0.0.1 port=1 user=nobody", NULL, &db);

    puts(eddy_error_message(rc));
    return rc == -ECONNREFUSED ? 0 : 1;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
