/* SPDX-License-Identifier: MIT */
/*
 * An async generator in a loop that is left early. The generator runs only
 * when it is asked for a value, may wait between values, and is closed however
 * the loop ends: its pending yield returns -ECANCELED, and it cleans up.
 */
#include <eddy.h>
#include <stdio.h>

struct row {
    int number;
    char text[24];
};

static int close_cursor(const char *table)
{
    int rc = eddy_sleep(0.5); /* clean-up may wait */

    printf("cursor on %s closed\n", table);
    return rc;
}

static int rows(eddy_generator *g, const char *table)
{
    printf("cursor on %s opened\n", table);
    EDDY_DEFER(close_cursor, table);

    for (struct row row = {1, ""};; row.number++) {
        EDDY_TRY(eddy_sleep(1));
        snprintf(row.text, sizeof row.text, "row %d of %s", row.number, table);
        EDDY_TRY(eddy_yield(g, &row));
    }
}
EDDY_ASYNC_GENERATOR(struct row, rows, const char *);

static int amain(void)
{
    struct row row;
    int rc;

    EDDY_FOR_EACH(rc, row, eddy_generate(rows, "users")) {
        puts(row.text);
        if (row.number == 3)
            break;
    }
    EDDY_TRY(rc);
    puts("done");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
