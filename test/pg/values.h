/* SPDX-License-Identifier: MIT */
/* Values without a server: results that are made by hand, and conversions between both forms. */
#ifndef TEST_PG_VALUES_H
#define TEST_PG_VALUES_H

#include <eddy/pg_result.h>
#include <eddy/pg_value.h>

#include "harness.h"
#include "pg/format.h"
#include "pg/parse.h"
#include "pg/result.h"

#define BYTES(literal) (literal), (int)sizeof(literal) - 1

/* A value of a result; no data: NULL. */
struct test_value {
    const char *name;
    uint32_t type;
    const char *data;
    int size;
    bool is_text;
};

/* A result of one row. */
static inline eddy_pg_result *test_result(const struct test_value *values, int count)
{
    PGresult *libpq = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[16] = {{.name = NULL}};

    for (int i = 0; i < count; i++)
        columns[i] = (PGresAttDesc){.name = (char *)(uintptr_t)values[i].name,
                                    .typid = values[i].type,
                                    .format = !values[i].is_text};
    if (!libpq || !PQsetResultAttrs(libpq, count, columns))
        test_fail(__FILE__, __LINE__, "no result");
    for (int i = 0; i < count; i++)
        if (!PQsetvalue(libpq, 0, i, (char *)(uintptr_t)values[i].data,
                        values[i].data ? values[i].size : -1))
            test_fail(__FILE__, __LINE__, "no value");
    return pg_result_new(libpq, NULL);
}

/* A result of one value in binary form. */
static inline eddy_pg_result *test_value(uint32_t type, const char *data, int size)
{
    return test_result(&(struct test_value){"v", type, data, size, false}, 1);
}

/* A result of one value in text form. */
static inline eddy_pg_result *test_text(uint32_t type, const char *text)
{
    return test_result(&(struct test_value){"v", type, text, (int)strlen(text), true}, 1);
}

/* The text form of a text's binary form; what a parser says when it takes none. Valid until the
 * next call. */
static inline const char *test_text_again(uint32_t oid, const char *text)
{
    static char out[1024];
    const struct pg_type *type = pg_types_find(NULL, oid);
    struct eddy_buffer_ binary = {.data = NULL}, again = {.data = NULL};
    int rc = pg_parse(type->kind, text, strlen(text), &binary);

    if (rc == 0)
        rc = pg_format(NULL, type, binary.data ? ed_buffer_bytes(&binary) : "",
                       ed_buffer_size(&binary), &again);
    (void)snprintf(out, sizeof out, "%.*s", rc < 0 ? 0 : (int)ed_buffer_size(&again),
                   again.data ? ed_buffer_bytes(&again) : "");
    if (rc < 0)
        (void)snprintf(out, sizeof out, "%s", eddy_error_name(rc));
    ed_buffer_release(&binary);
    ed_buffer_release(&again);
    return out;
}

#endif
