/* SPDX-License-Identifier: MIT */
/* Structs from rows: each column is looked up once, then each row goes through the table. */
#include "eddy/pg_struct.h"

#include <errno.h>
#include <string.h>

#include "base/compat.h"
#include "base/die.h"
#include "eddy/error.h"
#include "eddy/stream_class.h"

#define STRUCT_NO_FLAG UINT32_MAX

/* What is between the kinds of members and their readers. */
#define STRUCT_KINDS(X)                                                                            \
    X(BOOL, bool, bool)                                                                            \
    X(INT8, int8_t, int8)                                                                          \
    X(UINT8, uint8_t, uint8)                                                                       \
    X(INT16, int16_t, int16)                                                                       \
    X(UINT16, uint16_t, uint16)                                                                    \
    X(INT32, int32_t, int32)                                                                       \
    X(UINT32, uint32_t, uint32)                                                                    \
    X(INT64, int64_t, int64)                                                                       \
    X(UINT64, uint64_t, uint64)                                                                    \
    X(FLOAT, float, float)                                                                         \
    X(DOUBLE, double, double)                                                                      \
    X(TEXT, const char *, text)                                                                    \
    X(BYTES, eddy_pg_bytes, bytes)                                                                 \
    X(BITS, eddy_pg_bits, bits)                                                                    \
    X(DATE, eddy_pg_date, date)                                                                    \
    X(TIME, eddy_pg_time, time)                                                                    \
    X(TIMESTAMP, eddy_pg_timestamp, timestamp)                                                     \
    X(INTERVAL, eddy_pg_interval, interval)                                                        \
    X(UUID, eddy_pg_uuid, uuid)                                                                    \
    X(INET, eddy_pg_inet, inet)                                                                    \
    X(MAC, eddy_pg_mac, mac)

static int struct_read(enum eddy_pg_member_kind_ kind, eddy_pg_field field, void *place)
{
    switch (kind) {
#define X(name, type, reader)                                                                      \
    case EDDY_PG_MEMBER_##name##_: return eddy_pg_read_##reader(field, place);
        STRUCT_KINDS(X)
#undef X
    }
    ed_die("no kind of a struct's member: %d", (int)kind);
}

static size_t struct_size(enum eddy_pg_member_kind_ kind)
{
    static const uint8_t sizes[] = {
#define X(name, type, reader) [EDDY_PG_MEMBER_##name##_] = sizeof(type),
        STRUCT_KINDS(X)
#undef X
    };

    return sizes[kind];
}

static int struct_fill_member(const eddy_pg_member *member, eddy_pg_field field, char *place)
{
    bool is_null = field.size == EDDY_EPG_NULL && !field.data;

    if (member->flag != STRUCT_NO_FLAG)
        *(bool *)(place + member->flag) = !is_null;
    if (is_null && (member->flag != STRUCT_NO_FLAG || member->kind == EDDY_PG_MEMBER_TEXT_)) {
        memset(place + member->offset, 0, struct_size(member->kind));
        return 0;
    }
    return struct_read(member->kind, field, place + member->offset);
}

/* Says in which row an error is. */
static ED_COLD int struct_refuse(size_t row, int code)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s", eddy_error_message(code));
    return eddy_raise(code, "row %zu: %s", row, text);
}

static int
struct_find(const eddy_pg_result *result, const eddy_pg_member *members, size_t many, int *columns)
{
    for (size_t i = 0; i < many; i++) {
        columns[i] = eddy_pg_column_index(result, members[i].column);
        if (columns[i] < 0)
            return eddy_raise(columns[i], "no column \"%s\"", members[i].column);
    }
    return 0;
}

int64_t eddy_pg_fill_structs(const eddy_pg_result *result, const eddy_pg_member *members,
                             size_t many, void *structs, size_t size, size_t count)
{
    int *columns = eddy_realloc_(NULL, (many > 0 ? many : 1) * sizeof *columns);
    size_t rows = eddy_pg_rows_count(result), row = 0;
    int rc = columns ? struct_find(result, members, many, columns) : -ENOMEM;

    for (; rc == 0 && row < rows && row < count; row++) {
        eddy_pg_row from = eddy_pg_row_at(result, (ptrdiff_t)row);

        for (size_t i = 0; rc == 0 && i < many; i++)
            rc = struct_fill_member(&members[i], eddy_pg_field_at(from, columns[i]),
                                    (char *)structs + row * size);
        if (rc < 0)
            rc = struct_refuse(row, rc);
    }
    eddy_free(columns);
    return rc < 0 ? rc : (int64_t)row;
}
