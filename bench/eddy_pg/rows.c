/* SPDX-License-Identifier: MIT */
/* A big result: received, received and decoded, and decoded row by row as it comes. */
#include <string.h>

#include "job.h"

#define QUERY "SELECT * FROM readings"

/* What a row has, for the sum that shows that it was read. */
struct reading_row {
    int id;
    const char *name;
    eddy_pg_timestamp at;
    double value;
};

static int decode(eddy_pg_row row, uint64_t *ids)
{
    struct reading_row reading;

    EDDY_TRY(eddy_pg_get(row, 0, &reading.id));
    EDDY_TRY(eddy_pg_get(row, 1, &reading.name));
    EDDY_TRY(eddy_pg_get(row, 2, &reading.at));
    EDDY_TRY(eddy_pg_get(row, 3, &reading.value));
    *ids += (uint64_t)reading.id;
    return 0;
}

/* Each row has been seen: the sum of the numbers from 1. */
static void expect_ids(uint64_t ids, unsigned count)
{
    if (ids != (uint64_t)count * (count + 1) / 2)
        fail("not all rows have come", EPROTO);
}

static int fetch(unsigned count, bool decoded)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_RESULT result = NULL;
    eddy_pg_row row;
    uint64_t ids = 0;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    EDDY_TRY(eddy_pg_prepare(db, QUERY, &statement));
    struct stopwatch start = stopwatch_start();
    EDDY_TRY(eddy_pg_statement_fetch(statement, &result));
    if (decoded)
        EDDY_PG_FOR_EACH(row, result)
            EDDY_TRY(decode(row, &ids));
    stopwatch_report(&start, count, 0);
    if (eddy_pg_rows_count(result) != count)
        fail("not all rows have come", EPROTO);
    if (decoded)
        expect_ids(ids, count);
    return 0;
}

int fetch_rows(unsigned count)
{
    return fetch(count, false);
}

int fetch_rows_decoded(unsigned count)
{
    return fetch(count, true);
}

int stream_rows(unsigned count)
{
    EDDY_PG_CONNECTION db = NULL;
    eddy_pg_row row;
    uint64_t ids = 0;
    int rc;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    struct stopwatch start = stopwatch_start();
    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, QUERY))
        EDDY_TRY(decode(row, &ids));
    stopwatch_report(&start, count, 0);
    expect_ids(ids, count);
    return rc;
}
