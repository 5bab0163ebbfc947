/* SPDX-License-Identifier: MIT */
/*
 * Rows as C structs: a table says which member a column is read into.
 *
 *     struct user {
 *         int id;
 *         const char *name;
 *         bool has_born;
 *         eddy_pg_date born;
 *     };
 *     static const eddy_pg_member user_members[] = {
 *         EDDY_PG_MEMBER(struct user, id),
 *         EDDY_PG_MEMBER(struct user, name),
 *         EDDY_PG_MEMBER_OR_NULL(struct user, born, has_born),
 *     };
 *
 *     struct user users[100];
 *     int64_t count = eddy_pg_fill(result, user_members, users, 100);
 *
 * The types of members are those of eddy_pg_get, but for char * and the views. Texts and bytes are
 * borrowed from the result. Nothing here suspends.
 */
#ifndef EDDY_PG_STRUCT_H
#define EDDY_PG_STRUCT_H

#include "eddy/compat.h"
#include "eddy/pg_result.h"

EDDY_BEGIN_DECLS

/* What a member is. The library's. */
enum eddy_pg_member_kind_ {
    EDDY_PG_MEMBER_BOOL_,
    EDDY_PG_MEMBER_INT8_,
    EDDY_PG_MEMBER_UINT8_,
    EDDY_PG_MEMBER_INT16_,
    EDDY_PG_MEMBER_UINT16_,
    EDDY_PG_MEMBER_INT32_,
    EDDY_PG_MEMBER_UINT32_,
    EDDY_PG_MEMBER_INT64_,
    EDDY_PG_MEMBER_UINT64_,
    EDDY_PG_MEMBER_FLOAT_,
    EDDY_PG_MEMBER_DOUBLE_,
    EDDY_PG_MEMBER_TEXT_,
    EDDY_PG_MEMBER_BYTES_,
    EDDY_PG_MEMBER_BITS_,
    EDDY_PG_MEMBER_DATE_,
    EDDY_PG_MEMBER_TIME_,
    EDDY_PG_MEMBER_TIMESTAMP_,
    EDDY_PG_MEMBER_INTERVAL_,
    EDDY_PG_MEMBER_UUID_,
    EDDY_PG_MEMBER_INET_,
    EDDY_PG_MEMBER_MAC_,
};

/* A column and its member; made by the macros below, or filled in by hand in C++. */
typedef struct eddy_pg_member {
    const char *column;
    enum eddy_pg_member_kind_ kind;
    uint32_t offset;
    uint32_t flag; /* the offset of a bool that says whether it is not NULL; UINT32_MAX: none */
} eddy_pg_member;

/*
 * Fills structs from the rows of a result, of which the first goes into the first; columns are
 * found by their names, once. A NULL makes a text NULL; for another member it is an error, unless
 * the member has a flag, which is then false, and the member all zero.
 *
 * count    how many structs there are: so many rows at most are taken
 *
 * Returns how many were filled; -ENOENT for a column that is not there; or an error of eddy_pg_get,
 * whose text names the row, with some of them filled.
 */
EDDY_NODISCARD EDDY_API int64_t eddy_pg_fill_structs(const eddy_pg_result *result,
                                                     const eddy_pg_member *members, size_t many,
                                                     void *structs, size_t size, size_t count);
#define eddy_pg_fill(rows, members, structs, count)                                                \
    eddy_pg_fill_structs((rows), (members), sizeof(members) / sizeof *(members), (structs),        \
                         sizeof *(structs), (count))

EDDY_END_DECLS

#ifndef __cplusplus
/* A member of the name of its column; of another column; and with a flag, a bool member. */
#define EDDY_PG_MEMBER(type, member) EDDY_PG_MEMBER_OF(type, member, #member)
#define EDDY_PG_MEMBER_OF(type, member, column)                                                    \
    {                                                                                              \
        (column), EDDY_PG_MEMBER_KIND_(((type *)0)->member), offsetof(type, member), UINT32_MAX    \
    }
#define EDDY_PG_MEMBER_OR_NULL(type, member, is_set)                                               \
    {                                                                                              \
#member, EDDY_PG_MEMBER_KIND_(((type *)0)->member), offsetof(type, member),                \
            offsetof(type, is_set)                                                                 \
    }
#define EDDY_PG_MEMBER_KIND_(member)                                                               \
    _Generic((member),                                                                             \
        bool: EDDY_PG_MEMBER_BOOL_,                                                                \
        signed char: EDDY_PG_MEMBER_INT8_,                                                         \
        unsigned char: EDDY_PG_MEMBER_UINT8_,                                                      \
        short: EDDY_PG_MEMBER_INT16_,                                                              \
        unsigned short: EDDY_PG_MEMBER_UINT16_,                                                    \
        int: EDDY_PG_MEMBER_INT32_,                                                                \
        unsigned int: EDDY_PG_MEMBER_UINT32_,                                                      \
        long: EDDY_PG_MEMBER_INT64_,                                                               \
        unsigned long: EDDY_PG_MEMBER_UINT64_,                                                     \
        long long: EDDY_PG_MEMBER_INT64_,                                                          \
        unsigned long long: EDDY_PG_MEMBER_UINT64_,                                                \
        float: EDDY_PG_MEMBER_FLOAT_,                                                              \
        double: EDDY_PG_MEMBER_DOUBLE_,                                                            \
        const char *: EDDY_PG_MEMBER_TEXT_,                                                        \
        eddy_pg_bytes: EDDY_PG_MEMBER_BYTES_,                                                      \
        eddy_pg_bits: EDDY_PG_MEMBER_BITS_,                                                        \
        eddy_pg_date: EDDY_PG_MEMBER_DATE_,                                                        \
        eddy_pg_time: EDDY_PG_MEMBER_TIME_,                                                        \
        eddy_pg_timestamp: EDDY_PG_MEMBER_TIMESTAMP_,                                              \
        eddy_pg_interval: EDDY_PG_MEMBER_INTERVAL_,                                                \
        eddy_pg_uuid: EDDY_PG_MEMBER_UUID_,                                                        \
        eddy_pg_inet: EDDY_PG_MEMBER_INET_,                                                        \
        eddy_pg_mac: EDDY_PG_MEMBER_MAC_)
#endif
#endif
