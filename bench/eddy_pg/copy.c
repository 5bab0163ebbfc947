/* SPDX-License-Identifier: MIT */
/* Many rows into a table: binary COPY and executemany, from values in memory; a file as it is. */
#include <stdio.h>
#include <stdlib.h>

#include "job.h"

#define COLUMNS 4
#define NAME_SIZE 32

/* Values of so many rows, and the texts in them. */
struct records {
    eddy_pg_value *values;
    char (*names)[NAME_SIZE];
};

static void records_free(struct records *records)
{
    free(records->values);
    free(records->names);
}

static struct records records_make(unsigned count)
{
    struct records records = {calloc((size_t)count * COLUMNS, sizeof *records.values),
                              calloc(count, sizeof *records.names)};
    eddy_pg_date day = {0};

    if (!records.values || !records.names || eddy_pg_date_from(2026, 1, 1, &day) < 0)
        fail("records", ENOMEM);
    for (unsigned i = 0; i < count; i++) {
        eddy_pg_value *row = records.values + (size_t)i * COLUMNS;
        eddy_pg_timestamp at = {(day.days * INT64_C(86400) + i) * 1000000};

        snprintf(records.names[i], NAME_SIZE, "sensor number %u", i + 1);
        row[0] = EDDY_PG(i + 1);
        row[1] = eddy_pg_text(records.names[i]);
        row[2] = EDDY_PG(at);
        row[3] = EDDY_PG((i + 1) / 7.0);
    }
    return records;
}

static int play(unsigned count,
                int64_t (*run)(eddy_pg_connection *db, const eddy_pg_value *values, unsigned count))
{
    struct records records = records_make(count);
    EDDY_DEFER(records_free, &records);
    EDDY_PG_CONNECTION db = NULL;
    int64_t rows;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    struct stopwatch start = stopwatch_start();
    EDDY_TRY(rows = run(db, records.values, count));
    stopwatch_report(&start, count, 0);
    if (rows != count)
        fail("not all rows were copied", EPROTO);
    return 0;
}

static int64_t copy_values(eddy_pg_connection *db, const eddy_pg_value *values, unsigned count)
{
    return eddy_pg_copy_records(db, "copies", NULL, values, count, COLUMNS);
}

static int64_t insert_values(eddy_pg_connection *db, const eddy_pg_value *values, unsigned count)
{
    EDDY_TRY(eddy_pg_executemany(db, "INSERT INTO copies VALUES ($1, $2, $3, $4)", values, count,
                                 COLUMNS));
    return count;
}

int copy_records(unsigned count)
{
    return play(count, copy_values);
}

int execute_many(unsigned count)
{
    return play(count, insert_values);
}

int copy_file(unsigned count)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM file = NULL;
    int64_t rows;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    struct stopwatch start = stopwatch_start();
    EDDY_TRY(eddy_open("rows.txt", "r", &file));
    EDDY_TRY(rows = eddy_pg_copy_in(db, "copies", NULL, file));
    stopwatch_report(&start, count, 0);
    if (rows != count)
        fail("not all rows were copied", EPROTO);
    return 0;
}
