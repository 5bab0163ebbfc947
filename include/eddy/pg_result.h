/* SPDX-License-Identifier: MIT */
/*
 * What a query gave: rows of columns. A result keeps all of its rows, and stays valid after its
 * connection is closed. Nothing here suspends.
 *
 *     EDDY_PG_FOR_EACH(row, result) {
 *         int id;
 *         const char *name;
 *         EDDY_TRY(eddy_pg_get(row, 0, &id));
 *         EDDY_TRY(eddy_pg_get(row, "name", &name));
 *     }
 *
 * Values travel in PostgreSQL's binary form, and are decoded when they are read. Where a result has
 * a column of a type that has no binary form (aclitem), or one that Eddy does not know by it
 * (tsvector, money, types of extensions), all of its columns travel as text, and everything is read
 * all the same, only slower.
 *
 * A place from the end is negative: column -1 is the last one, row -1 too.
 */
#ifndef EDDY_PG_RESULT_H
#define EDDY_PG_RESULT_H

#include <stdio.h>

#include "eddy/compat.h"
#include "eddy/pg_field.h"

EDDY_BEGIN_DECLS

/* Declares an owning handle, freed at the end of its block. */
#define EDDY_PG_RESULT EDDY_CLEANUP_(eddy_pg_result_free) __typeof__(eddy_pg_result *)

/* One row, by value: valid as long as its result. */
typedef struct eddy_pg_row {
    const eddy_pg_result *result; /* NULL: none */
    int index;
} eddy_pg_row;

/* Frees a result and sets the handle to NULL; NULL is left alone. */
EDDY_API void eddy_pg_result_free(eddy_pg_result **result);

/* How many rows there are. */
EDDY_API size_t eddy_pg_rows_count(const eddy_pg_result *result);
/* What the command did, as the server says it: "INSERT 0 2"; "" for none. */
EDDY_API const char *eddy_pg_tag(const eddy_pg_result *result);
/* The rows that the tag counts: inserted, changed, deleted, selected; 0: it counts none. */
EDDY_API uint64_t eddy_pg_affected(const eddy_pg_result *result);
/* Row `index`, whose `result` is NULL when there is none. */
EDDY_API eddy_pg_row eddy_pg_row_at(const eddy_pg_result *result, ptrdiff_t index);

#define EDDY_PG_FOR_EACH(row, of_result)                                                           \
    for ((row) = eddy_pg_row_at((of_result), 0); (row).result;                                     \
         (row) = eddy_pg_row_at((row).result, (row).index + 1))

/* Its columns. Names need not be different: by name the last one is found (P-REC-3). */
EDDY_API size_t eddy_pg_columns(const eddy_pg_result *result);
EDDY_API const char *eddy_pg_column_name(const eddy_pg_result *result, size_t column); /* or NULL */
EDDY_API uint32_t eddy_pg_column_type(const eddy_pg_result *result, size_t column);    /* oid */
EDDY_API const char *eddy_pg_column_type_name(const eddy_pg_result *result, size_t column);
EDDY_API int eddy_pg_column_index(const eddy_pg_result *result, const char *name); /* -ENOENT */

/*
 * Reads the value of a column into a variable of nearly any type:
 *
 *     eddy_pg_get(row, column, &variable)
 *
 * row       an eddy_pg_row; or a result, of which the first row is meant
 * column    an index from 0, or a name
 * variable  bool; an integer of any size but char, bool and numeric too, if it is whole; float,
 *           double: of numbers; const char *: the text form of any type, borrowed from the result,
 *           NUL-terminated; char *: the same, owned by the caller: eddy_free() it; a type of
 *           eddy/pg_type.h; eddy_pg_field; a view of an array, composite or range, see below
 *
 * Returns 0, or with the variable untouched:
 *   EDDY_EPG_NULL      the value is NULL: ask eddy_pg_is_null where that may be
 *   EDDY_EPG_NO_ROW    there is no row
 *   -ENOENT, -ERANGE   no such column, by name, by index
 *   EDDY_EPG_TYPE      a value of another type
 *   -ERANGE            it does not fit into the variable
 *   EDDY_EPG_PROTOCOL  its bytes are none of its type
 *   -ENOMEM            for texts
 *
 * The text form of what does not travel as text is written with each read, into memory that the
 * result frees; so are bytes of a result that travelled as text.
 */
#define eddy_pg_get(row, column, variable)                                                         \
    EDDY_PG_READER_(variable)(EDDY_PG_FIELD_(row, column), (variable))
/* Whether there is a value, and it is NULL. */
#define eddy_pg_is_null(row, column) (EDDY_PG_FIELD_(row, column).size == EDDY_EPG_NULL)

/* The functions under it, besides the readers of eddy/pg_field.h. A field for a row or column that
 * is not there says which with the first read of it. */
EDDY_API eddy_pg_field eddy_pg_field_at(eddy_pg_row row, ptrdiff_t column);
EDDY_API eddy_pg_field eddy_pg_field_named(eddy_pg_row row, const char *name);

/* Writes a row as asyncpg prints it, "<Record id=1 name='Ann'>", texts as Python quotes them;
 * `eddy_pg_print` to a FILE with a newline; `eddy_pg_row_text` as a text that the caller
 * eddy_free()s, NULL when memory is short. */
EDDY_API void eddy_pg_print(eddy_pg_row row, FILE *file);
EDDY_NODISCARD EDDY_API char *eddy_pg_row_text(eddy_pg_row row);

EDDY_END_DECLS

#ifndef __cplusplus
/* Of the first row of a result. */
static inline eddy_pg_field eddy_pg_first_at_(const eddy_pg_result *result, ptrdiff_t column)
{
    return eddy_pg_field_at(eddy_pg_row_at(result, 0), column);
}
static inline eddy_pg_field eddy_pg_first_named_(const eddy_pg_result *result, const char *name)
{
    return eddy_pg_field_named(eddy_pg_row_at(result, 0), name);
}

/* By the types of a row, or result, and of an index, or name. */
#define EDDY_PG_FIELD_(row, column)                                                                \
    _Generic((column),                                                                             \
        char *: EDDY_PG_BY_(row, named),                                                           \
        const char *: EDDY_PG_BY_(row, named),                                                     \
        default: EDDY_PG_BY_(row, at))((row), (column))
#define EDDY_PG_BY_(row, way)                                                                      \
    _Generic((row), eddy_pg_row : eddy_pg_field_##way, default : eddy_pg_first_##way##_)

/* By the type of a pointer to a variable: all that may be read, and what outlives the result. */
#define EDDY_PG_READER_(variable)                                                                  \
    _Generic((variable),                                                                           \
        const char **: eddy_pg_get_text_,                                                          \
        eddy_pg_bytes *: eddy_pg_read_bytes,                                                       \
        eddy_pg_bits *: eddy_pg_read_bits,                                                         \
        eddy_pg_field *: eddy_pg_read_field_,                                                      \
        eddy_pg_array_view *: eddy_pg_read_array,                                                  \
        eddy_pg_composite_view *: eddy_pg_read_composite,                                          \
        eddy_pg_range_view *: eddy_pg_read_range,                                                  \
        EDDY_PG_OWNED_READERS_)
#define EDDY_PG_OWNED_READER_(variable) _Generic((variable), EDDY_PG_OWNED_READERS_)
/* clang-format off */
#define EDDY_PG_OWNED_READERS_                                                                     \
    bool *: eddy_pg_read_bool,                                                                     \
    signed char *: eddy_pg_read_int8,                                                              \
    unsigned char *: eddy_pg_read_uint8,                                                           \
    short *: eddy_pg_read_int16,                                                                   \
    unsigned short *: eddy_pg_read_uint16,                                                         \
    int *: eddy_pg_get_int32_,                                                                     \
    unsigned int *: eddy_pg_read_uint32,                                                           \
    long *: eddy_pg_get_int64_,                                                                    \
    unsigned long *: eddy_pg_read_uint64,                                                          \
    long long *: eddy_pg_read_long_long_,                                                          \
    unsigned long long *: eddy_pg_read_unsigned_long_long_,                                        \
    float *: eddy_pg_read_float,                                                                   \
    double *: eddy_pg_get_double_,                                                                 \
    char **: eddy_pg_read_copy,                                                                    \
    eddy_pg_date *: eddy_pg_read_date,                                                             \
    eddy_pg_time *: eddy_pg_read_time,                                                             \
    eddy_pg_timestamp *: eddy_pg_get_timestamp_,                                                   \
    eddy_pg_interval *: eddy_pg_read_interval,                                                     \
    eddy_pg_uuid *: eddy_pg_read_uuid,                                                             \
    eddy_pg_inet *: eddy_pg_read_inet,                                                             \
    eddy_pg_mac *: eddy_pg_read_mac
/* clang-format on */
#endif
#endif
