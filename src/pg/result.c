/* SPDX-License-Identifier: MIT */
/*
 * Results: the rows stay where libpq has put them, and a field is a pointer among them. What a
 * column is called, and of which type it is, is asked for once.
 *
 * Text forms that readers ask for are blocks of memory that hang on the result, and go with it, or
 * with its rows when a row generator puts others in their place.
 */
#include "pg/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/stream_class.h"

static void result_set(eddy_pg_result *result, PGresult *libpq)
{
    result->libpq = libpq;
    result->rows = PQntuples(libpq);
    for (int i = 0; i < result->columns; i++)
        result->column[i] = (struct pg_result_column){.name = PQfname(libpq, i),
                                                      .type = PQftype(libpq, i),
                                                      .is_text = PQfformat(libpq, i) == 0};
}

eddy_pg_result *pg_result_new(PGresult *libpq, struct pg_types *types)
{
    int columns = PQnfields(libpq);
    eddy_pg_result *result = eddy_alloc_(sizeof *result + (size_t)columns * sizeof *result->column);

    if (!result) {
        PQclear(libpq);
        return NULL;
    }
    result->columns = columns;
    result->types = types ? pg_types_ref(types) : NULL;
    result_set(result, libpq);
    return result;
}

static void result_free_texts(eddy_pg_result *result)
{
    while (result->texts) {
        void *block = result->texts;

        memcpy(&result->texts, block, sizeof result->texts);
        eddy_free(block);
    }
}

void pg_result_replace(eddy_pg_result *to, PGresult *libpq)
{
    result_free_texts(to);
    PQclear(to->libpq);
    if (PQnfields(libpq) < to->columns)
        to->columns = PQnfields(libpq);
    result_set(to, libpq);
}

void eddy_pg_result_free(eddy_pg_result **handle)
{
    eddy_pg_result *result = *handle;

    *handle = NULL;
    if (!result)
        return;
    result_free_texts(result);
    pg_types_unref(result->types);
    PQclear(result->libpq);
    eddy_free(result);
}

void *pg_result_alloc(const eddy_pg_result *result, size_t size)
{
    /* A field is read through a pointer to const; the list is not what is meant by that. */
    eddy_pg_result *owner = (eddy_pg_result *)(uintptr_t)result;
    void **block = eddy_realloc_(NULL, sizeof *block + size);

    if (!block)
        return NULL;
    *block = owner->texts;
    owner->texts = block;
    return block + 1;
}

size_t eddy_pg_rows_count(const eddy_pg_result *result)
{
    return (size_t)result->rows;
}

const char *eddy_pg_tag(const eddy_pg_result *result)
{
    return PQcmdStatus(result->libpq);
}

uint64_t eddy_pg_affected(const eddy_pg_result *result)
{
    return strtoull(PQcmdTuples(result->libpq), NULL, 10);
}

eddy_pg_row eddy_pg_row_at(const eddy_pg_result *result, ptrdiff_t index)
{
    if (!result)
        return (eddy_pg_row){.result = NULL};
    if (index < 0)
        index += result->rows;
    if (index < 0 || index >= result->rows)
        return (eddy_pg_row){.result = NULL};
    return (eddy_pg_row){.result = result, .index = (int)index};
}

size_t eddy_pg_columns(const eddy_pg_result *result)
{
    return (size_t)result->columns;
}

const char *eddy_pg_column_name(const eddy_pg_result *result, size_t column)
{
    return column < (size_t)result->columns ? result->column[column].name : NULL;
}

uint32_t eddy_pg_column_type(const eddy_pg_result *result, size_t column)
{
    return column < (size_t)result->columns ? result->column[column].type : 0;
}

const char *eddy_pg_column_type_name(const eddy_pg_result *result, size_t column)
{
    const struct pg_type *type = pg_types_find(result->types, eddy_pg_column_type(result, column));

    return type ? type->name : NULL;
}

/* The last one of a name (P-REC-3). */
int eddy_pg_column_index(const eddy_pg_result *result, const char *name)
{
    for (int i = result->columns - 1; i >= 0; i--)
        if (strcmp(result->column[i].name, name) == 0)
            return i;
    return -ENOENT;
}

static eddy_pg_field result_no_field(const eddy_pg_result *result, int code, int column)
{
    return (eddy_pg_field){.size = code, .result = result, .column = column};
}

static ED_COLD eddy_pg_field result_no_column(const eddy_pg_result *result, ptrdiff_t column)
{
    return result_no_field(
        result, eddy_raise(-ERANGE, "no column %td: there are %d", column, result->columns), -1);
}

eddy_pg_field eddy_pg_field_at(eddy_pg_row row, ptrdiff_t column)
{
    const eddy_pg_result *result = row.result;
    eddy_pg_field field;

    if (!result || row.index < 0 || row.index >= result->rows)
        return result_no_field(result, EDDY_EPG_NO_ROW, -1);
    if (column < 0)
        column += result->columns;
    if (column < 0 || column >= result->columns)
        return result_no_column(result, column);
    field.data = PQgetvalue(result->libpq, row.index, (int)column);
    field.size = PQgetlength(result->libpq, row.index, (int)column);
    field.type = result->column[column].type;
    field.result = result;
    field.column = (int32_t)column;
    field.is_text = result->column[column].is_text;
    if (ed_unlikely(field.size == 0) && PQgetisnull(result->libpq, row.index, (int)column)) {
        field.data = NULL;
        field.size = EDDY_EPG_NULL;
    }
    return field;
}

eddy_pg_field eddy_pg_field_named(eddy_pg_row row, const char *name)
{
    int column;

    if (!row.result)
        return result_no_field(NULL, EDDY_EPG_NO_ROW, -1);
    column = eddy_pg_column_index(row.result, name);
    if (column < 0)
        return result_no_field(row.result, eddy_raise(column, "no column \"%s\"", name), -1);
    return eddy_pg_field_at(row, column);
}
