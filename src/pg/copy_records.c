/* SPDX-License-Identifier: MIT */
/*
 * Rows of values into a table: binary COPY (PostgreSQL, COPY, "Binary Format").
 *
 *     "PGCOPY\n\377\r\n\0", flags, the size of an extension: 0, 0
 *     for each row: how many fields, 16 bits; each field: its size, 32 bits, and its bytes
 *     -1, 16 bits
 *
 * A column has no type on the wire; so the table is asked for the types first, and a value that is
 * not of its column's is refused before it could be taken for something else. Rows are encoded into
 * one chunk, and sent when it is full. Generated columns take no values, and are left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/copy.h"
#include "pg/encode.h"

#define COPY_SIGNATURE "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"

/* The columns that take values, in their order. */
struct record_columns {
    PGresult *known; /* names and types of the table's */
    int *index;      /* of each one in it */
    uint32_t *types;
    size_t count;
};

struct records {
    struct pg_copy copy;
    struct record_columns columns;
    struct pg_types *types;
    struct eddy_buffer_ chunk;
    size_t row; /* from 1 */
};

/* Columns --------------------------------------------------------------------------- */

static const char *columns_query(const eddy_pg_connection *connection)
{
    return eddy_pg_server_version(connection) >= 120000
               ? "SELECT attname, atttypid FROM pg_catalog.pg_attribute "
                 "WHERE attrelid = $1::pg_catalog.regclass AND attnum > 0 "
                 "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
               : "SELECT attname, atttypid FROM pg_catalog.pg_attribute "
                 "WHERE attrelid = $1::pg_catalog.regclass AND attnum > 0 "
                 "AND NOT attisdropped ORDER BY attnum";
}

static const char *column_name(const struct record_columns *columns, size_t i)
{
    return PQgetvalue(columns->known, columns->index[i], 0);
}

static int columns_find(const struct record_columns *columns, const char *name)
{
    for (int i = 0; i < PQntuples(columns->known); i++)
        if (strcmp(PQgetvalue(columns->known, i, 0), name) == 0)
            return i;
    return eddy_raise(EDDY_EPG_UNDEFINED_COLUMN,
                      "the table has no column \"%.100s\" that takes values", name);
}

static int columns_choose(struct record_columns *columns, const char *const *names)
{
    size_t count = 0;

    if (!names)
        count = (size_t)PQntuples(columns->known);
    else
        while (names[count])
            count++;
    columns->index = eddy_alloc_((count + 1) * sizeof *columns->index);
    columns->types = eddy_alloc_((count + 1) * sizeof *columns->types);
    if (!columns->index || !columns->types)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int found = names ? columns_find(columns, names[i]) : (int)i;

        if (found < 0)
            return found;
        columns->index[i] = found;
        columns->types[i] = (uint32_t)strtoul(PQgetvalue(columns->known, found, 1), NULL, 10);
    }
    columns->count = count;
    return 0;
}

static int columns_ask(struct records *records, struct pg_operation *operation, const char *table,
                       const char *const *names)
{
    struct record_columns *columns = &records->columns;
    const char *parameters[] = {table};
    const char *sql = columns_query(operation->connection);

    EDDY_TRY(pg_query_text(operation, sql, parameters, 1, &columns->known));
    EDDY_TRY(columns_choose(columns, names));
    EDDY_TRY(pg_types_learn(operation, columns->types, columns->count));
    records->types = pg_types_ref(pg_connection_types(operation->connection));
    return 0;
}

static int records_learn(struct records *records, eddy_pg_connection *connection, const char *table,
                         const eddy_pg_copy_options *options)
{
    struct eddy_buffer_ name = {0};
    struct pg_operation operation;
    int rc = pg_copy_sql_table(&name, table, options->schema);

    if (rc == 0)
        rc = ed_buffer_append(&name, "", 1);
    if (rc == 0)
        rc = pg_operation_begin(&operation, connection, "the types of a table's columns");
    if (rc == 0)
        rc = pg_operation_end(
            &operation, columns_ask(records, &operation, ed_buffer_bytes(&name), options->columns));
    ed_buffer_release(&name);
    return rc;
}

/* Rows ------------------------------------------------------------------------------ */

static int chunk_put_count(struct eddy_buffer_ *chunk, int count)
{
    const unsigned char bytes[] = {(unsigned char)(count >> 8), (unsigned char)count};

    return ed_buffer_append(chunk, bytes, sizeof bytes);
}

/* 0, 1: the server takes no more, or an error. */
static int records_send(struct records *records)
{
    struct eddy_buffer_ *chunk = &records->chunk;
    int rc = pg_copy_send(&records->copy, ed_buffer_bytes(chunk), ed_buffer_size(chunk));

    chunk->start = chunk->end = 0; /* its block is kept */
    return rc;
}

static int records_raise(const struct records *records, size_t column, int rc)
{
    char text[400];

    if (rc == -ENOMEM)
        return rc;
    snprintf(text, sizeof text, "%s", eddy_error_message(rc));
    return eddy_raise(rc, "row %zu, column \"%s\": %s", records->row,
                      column_name(&records->columns, column), text);
}

static int records_put_row(struct records *records, const eddy_pg_value *values)
{
    const struct record_columns *columns = &records->columns;

    records->row++;
    EDDY_TRY(chunk_put_count(&records->chunk, (int)columns->count));
    for (size_t i = 0; i < columns->count; i++) {
        int rc = pg_encode_field(&records->chunk, records->types, columns->types[i], &values[i]);

        if (rc < 0)
            return records_raise(records, i, rc);
    }
    return ed_buffer_size(&records->chunk) >= PG_COPY_CHUNK ? records_send(records) : 0;
}

/* The next row of a source: 1, 0 at the end, or an error. */
typedef int record_source(void *source, const eddy_pg_value **row);

static int records_put_all(struct records *records, record_source *next, void *source)
{
    const eddy_pg_value *row = NULL;
    int rc = 0, more;

    EDDY_TRY(ed_buffer_append(&records->chunk, COPY_SIGNATURE, sizeof COPY_SIGNATURE - 1));
    while (rc == 0 && (more = next(source, &row)) != 0) {
        if (more < 0)
            return more;
        rc = records_put_row(records, row);
    }
    if (rc == 0)
        rc = chunk_put_count(&records->chunk, -1);
    if (rc == 0)
        rc = records_send(records);
    return rc < 0 ? rc : 0;
}

static int64_t records_copy(struct records *records, eddy_pg_connection *connection,
                            const char *table, const eddy_pg_copy_options *options,
                            record_source *next, void *source)
{
    struct eddy_buffer_ sql = {0};
    int64_t rows = pg_copy_sql_in(&sql, table, options);

    if (rows == 0)
        rows = pg_copy_begin(&records->copy, connection, ed_buffer_bytes(&sql));
    if (rows == 0)
        rows = pg_copy_end(&records->copy, records_put_all(records, next, source));
    ed_buffer_release(&sql);
    return rows;
}

static void records_free(struct records *records)
{
    PQclear(records->columns.known);
    eddy_free(records->columns.index);
    eddy_free(records->columns.types);
    ed_buffer_release(&records->chunk);
    pg_types_unref(records->types);
}

/* `count`: values in each row; 0: nobody has said. */
static int64_t copy_records(eddy_pg_connection *connection, const char *table,
                            const eddy_pg_copy_options *given, size_t count, record_source *next,
                            void *source)
{
    EDDY_TIMEOUT(limit, pg_connection_command_timeout(connection));
    eddy_pg_copy_options options = given ? *given : (eddy_pg_copy_options){0};
    struct records records = {0};
    int64_t rows;

    if (options.format && strcmp(options.format, "binary") != 0)
        return eddy_raise(-EINVAL, "records are copied in binary form, not as %.40s",
                          options.format);
    options.format = "binary";
    rows = records_learn(&records, connection, table, &options);
    if (rows == 0 && count && count != records.columns.count)
        rows = eddy_raise(EDDY_EPG_VALUE, "%zu values in a row, for %zu columns", count,
                          records.columns.count);
    if (rows == 0)
        rows = records_copy(&records, connection, table, &options, next, source);
    records_free(&records);
    return rows;
}

/* The calls ------------------------------------------------------------------------- */

struct record_array {
    const eddy_pg_value *values;
    size_t rows, columns;
};

static int array_next(void *source, const eddy_pg_value **row)
{
    struct record_array *array = source;

    if (array->rows == 0)
        return 0;
    array->rows--;
    *row = array->values;
    array->values += array->columns;
    return 1;
}

int64_t eddy_pg_copy_records(eddy_pg_connection *connection, const char *table,
                             const eddy_pg_copy_options *options, const eddy_pg_value *values,
                             size_t rows, size_t columns)
{
    struct record_array array = {values, rows, columns};

    return copy_records(connection, table, options, rows ? columns : 0, array_next, &array);
}

static int generator_next(void *source, const eddy_pg_value **row)
{
    int rc = eddy_next((eddy_generator *)source, row);

    return rc > 0 && !*row ? eddy_raise(-EINVAL, "a generator of records gave NULL") : rc;
}

int64_t eddy_pg_copy_records_from(eddy_pg_connection *connection, const char *table,
                                  const eddy_pg_copy_options *options, eddy_generator *records)
{
    EDDY_GENERATOR source = records;

    if (!source)
        return -ENOMEM;
    return copy_records(connection, table, options, 0, generator_next, source);
}
