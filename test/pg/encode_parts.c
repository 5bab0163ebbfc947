/* SPDX-License-Identifier: MIT */
/* Composites, ranges and multiranges as parameters. */
#include "eddy/stream.h"
#include "pg/database.h"
#include "pg/encode.h"
#include "values.h"

#define RANGE(lower, upper, includes_lower, includes_upper)                                        \
    eddy_pg_range(EDDY_PG_VALUES(lower, upper), includes_lower, includes_upper)
#define ARRAY(...) eddy_pg_array(EDDY_PG_VALUES(__VA_ARGS__), EDDY_PG_COUNT(__VA_ARGS__))
#define COMPOSITE(...) eddy_pg_composite(EDDY_PG_VALUES(__VA_ARGS__), EDDY_PG_COUNT(__VA_ARGS__))

/* The text form of what a value is encoded as. */
static const char *encoded(uint32_t oid, eddy_pg_value value)
{
    static char out[512];
    struct pg_parameters parameters = {.count = 0};
    struct eddy_buffer_ text = {.data = NULL};
    int rc = pg_parameters_encode(&parameters, NULL, &oid, 1, &value, 1);

    if (rc == 0)
        rc = pg_format(NULL, pg_types_find(NULL, oid), parameters.values[0],
                       (size_t)parameters.lengths[0], &text);
    (void)snprintf(out, sizeof out, "%.*s", (int)ed_buffer_size(&text),
                   text.data ? ed_buffer_bytes(&text) : "");
    if (rc < 0)
        (void)snprintf(out, sizeof out, "%s", eddy_error_message(rc));
    ed_buffer_release(&text);
    pg_parameters_free(&parameters);
    return out;
}

RAW_TEST(encode_parts_of_ranges)
{
    CHECK_STR(encoded(3904, RANGE(1, 10, true, false)), "[1,10)");
    CHECK_STR(encoded(3904, RANGE(1, NULL, false, true)), "(1,]");
    CHECK_STR(encoded(3904, RANGE(NULL, NULL, false, false)), "(,)");
    CHECK_STR(encoded(3904, eddy_pg_empty_range()), "empty");
    CHECK_STR(encoded(3912, RANGE("2024-01-01", ((eddy_pg_date){0}), true, true)),
              "[2024-01-01,2000-01-01]");
    CHECK_STR(encoded(4451, ARRAY(RANGE(1, 3, true, false), RANGE(5, NULL, true, false))),
              "{[1,3),[5,)}");
    CHECK_STR(encoded(4451, ARRAY()), "{}");
    CHECK_STR(encoded(3905, ARRAY(RANGE(1, 3, true, false), NULL, eddy_pg_empty_range())),
              "{\"[1,3)\",NULL,empty}");
}

RAW_TEST(encode_parts_that_do_not_fit_are_refused)
{
    CHECK_STR(encoded(3904, RANGE(1, "x", true, false)), "$1: a text for int4");
    CHECK_STR(encoded(3904, EDDY_PG(7)), "$1: an integer for int4range");
    CHECK_STR(encoded(4451, ARRAY(1)), "$1: an integer for int4multirange");
    CHECK_STR(encoded(4451, RANGE(1, 2, true, false)), "$1: a range for int4multirange");
    CHECK_STR(encoded(23, RANGE(1, 2, true, false)), "$1: a range for int4");
    CHECK_STR(encoded(25, COMPOSITE(1, 2)), "$1: a composite for text");
    CHECK_STR(encoded(3905, ARRAY(RANGE(1, 3, true, false), "[1,2)")), "$1: a text for int4range");
}

/* To a server and back: what the server reads is what was meant. */
DATABASE_TEST(encode_parts_for_types_of_the_server)
{
    char *text = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TYPE pg_temp.pair AS (n int4, t text, r int4range[])"));
    CHECK_OK(eddy_pg_fetchval(db, &text, "SELECT $1::pg_temp.pair::text",
                              COMPOSITE(7, "a \"b\"", ARRAY(RANGE(1, 2, true, true)))));
    CHECK_STR(text, "(7,\"a \"\"b\"\"\",\"{\"\"[1,3)\"\"}\")");
    eddy_free(text);
    CHECK_OK(eddy_pg_fetchval(db, &text, "SELECT $1::pg_temp.pair[]::text",
                              ARRAY(COMPOSITE(1, NULL, NULL), NULL)));
    CHECK_STR(text, "{\"(1,,)\",NULL}");
    eddy_free(text);
    CHECK_FAILS((int)eddy_pg_execute(db, "SELECT $1::pg_temp.pair", COMPOSITE(7)), EDDY_EPG_VALUE,
                "$1: a composite of 1 fields for pair, which has 3");
    CHECK_OK(eddy_pg_fetchval(db, &text,
                              "SELECT $1::tstzrange::text = '[2000-01-01 00:00:00+00,)'"
                              "::tstzrange::text",
                              RANGE(((eddy_pg_timestamp){0}), NULL, true, false)));
    CHECK_STR(text, "t");
    eddy_free(text);
    CHECK_IN_SYNC(db);
}
