/* SPDX-License-Identifier: MIT */
/*
 * Types: a table of the built-in ones, which a number finds by its place in an array of bytes; and
 * for each connection a hash table of others, of open addresses, at most half full, which grows and
 * never loses one.
 */
#include "pg/types.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/stream_class.h"

#define TYPES_FIRST_SIZE 32 /* places, a power of two */
#define TYPES_DEPTH 32      /* types within types */

/* Of each built-in type its number, its array's number, its kind and name; of ranges also what they
 * are made of (src/include/catalog/pg_type.dat and pg_range.dat of PostgreSQL). */
#define TYPES_BUILT_IN(X, XR)                                                                      \
    X(16, 1000, BOOL, "bool")                                                                      \
    X(17, 1001, BYTEA, "bytea")                                                                    \
    X(18, 1002, CHAR, "\"char\"")                                                                  \
    X(19, 1003, TEXT, "name")                                                                      \
    X(20, 1016, INT8, "int8")                                                                      \
    X(21, 1005, INT2, "int2")                                                                      \
    X(23, 1007, INT4, "int4")                                                                      \
    X(24, 1008, FOREIGN, "regproc")                                                                \
    X(25, 1009, TEXT, "text")                                                                      \
    X(26, 1028, OID, "oid")                                                                        \
    X(27, 1010, TID, "tid")                                                                        \
    X(28, 1011, OID, "xid")                                                                        \
    X(29, 1012, OID, "cid")                                                                        \
    X(114, 199, TEXT, "json")                                                                      \
    X(142, 143, TEXT, "xml")                                                                       \
    X(600, 1017, FOREIGN, "point")                                                                 \
    X(601, 1018, FOREIGN, "lseg")                                                                  \
    X(602, 1019, FOREIGN, "path")                                                                  \
    X(603, 1020, FOREIGN, "box")                                                                   \
    X(604, 1027, FOREIGN, "polygon")                                                               \
    X(628, 629, FOREIGN, "line")                                                                   \
    X(650, 651, CIDR, "cidr")                                                                      \
    X(700, 1021, FLOAT4, "float4")                                                                 \
    X(701, 1022, FLOAT8, "float8")                                                                 \
    X(718, 719, FOREIGN, "circle")                                                                 \
    X(774, 775, MACADDR8, "macaddr8")                                                              \
    X(790, 791, FOREIGN, "money")                                                                  \
    X(829, 1040, MACADDR, "macaddr")                                                               \
    X(869, 1041, INET, "inet")                                                                     \
    X(1033, 1034, FOREIGN, "aclitem")                                                              \
    X(1042, 1014, TEXT, "bpchar")                                                                  \
    X(1043, 1015, TEXT, "varchar")                                                                 \
    X(1082, 1182, DATE, "date")                                                                    \
    X(1083, 1183, TIME, "time")                                                                    \
    X(1114, 1115, TIMESTAMP, "timestamp")                                                          \
    X(1184, 1185, TIMESTAMPTZ, "timestamptz")                                                      \
    X(1186, 1187, INTERVAL, "interval")                                                            \
    X(1266, 1270, TIMETZ, "timetz")                                                                \
    X(1560, 1561, BIT, "bit")                                                                      \
    X(1562, 1563, BIT, "varbit")                                                                   \
    X(1700, 1231, NUMERIC, "numeric")                                                              \
    X(1790, 2201, TEXT, "refcursor")                                                               \
    X(2202, 2207, FOREIGN, "regprocedure")                                                         \
    X(2203, 2208, FOREIGN, "regoper")                                                              \
    X(2204, 2209, FOREIGN, "regoperator")                                                          \
    X(2205, 2210, FOREIGN, "regclass")                                                             \
    X(2206, 2211, FOREIGN, "regtype")                                                              \
    X(2249, 2287, FOREIGN, "record")                                                               \
    X(2275, 1263, TEXT, "cstring")                                                                 \
    X(2950, 2951, UUID, "uuid")                                                                    \
    X(2970, 2949, FOREIGN, "txid_snapshot")                                                        \
    X(3220, 3221, LSN, "pg_lsn")                                                                   \
    X(3614, 3643, FOREIGN, "tsvector")                                                             \
    X(3615, 3645, FOREIGN, "tsquery")                                                              \
    X(3734, 3735, FOREIGN, "regconfig")                                                            \
    X(3769, 3770, FOREIGN, "regdictionary")                                                        \
    X(3802, 3807, JSONB, "jsonb")                                                                  \
    X(4072, 4073, JSONB, "jsonpath")                                                               \
    X(4089, 4090, FOREIGN, "regnamespace")                                                         \
    X(4096, 4097, FOREIGN, "regrole")                                                              \
    X(4191, 4192, FOREIGN, "regcollation")                                                         \
    X(5038, 5039, FOREIGN, "pg_snapshot")                                                          \
    X(5069, 271, XID8, "xid8")                                                                     \
    XR(3904, 3905, 23, 4451, 6150, "int4")                                                         \
    XR(3906, 3907, 1700, 4532, 6151, "num")                                                        \
    XR(3908, 3909, 1114, 4533, 6152, "ts")                                                         \
    XR(3910, 3911, 1184, 4534, 6153, "tstz")                                                       \
    XR(3912, 3913, 1082, 4535, 6155, "date")                                                       \
    XR(3926, 3927, 20, 4536, 6157, "int8")

/* Places in the table, from 1. */
enum {
    TYPES_PLACE_NONE,
    TYPES_PLACE_UNKNOWN,
    TYPES_PLACE_VOID,
    TYPES_PLACE_INT2VECTOR,
    TYPES_PLACE_OIDVECTOR,
#define X(oid, array, kind, name) TYPES_PLACE_##oid, TYPES_PLACE_##array,
#define XR(oid, array, element, multi, multi_array, name)                                          \
    TYPES_PLACE_##oid, TYPES_PLACE_##array, TYPES_PLACE_##multi, TYPES_PLACE_##multi_array,
    TYPES_BUILT_IN(X, XR)
#undef X
#undef XR
        TYPES_PLACES
};
static_assert(TYPES_PLACES <= 256, "a place is a byte");

static const struct pg_type types_table[] = {
    [TYPES_PLACE_UNKNOWN] = {705, 0, PG_KIND_TEXT, ',', "unknown", 0, NULL},
    [TYPES_PLACE_VOID] = {2278, 0, PG_KIND_TEXT, ',', "void", 0, NULL},
    [TYPES_PLACE_INT2VECTOR] = {22, 21, PG_KIND_ARRAY, ',', "int2vector", 0, NULL},
    [TYPES_PLACE_OIDVECTOR] = {30, 26, PG_KIND_ARRAY, ',', "oidvector", 0, NULL},
#define X(oid, array, kind, name)                                                                  \
    [TYPES_PLACE_##oid] = {oid, 0, PG_KIND_##kind, oid == 603 ? ';' : ',', name, 0, NULL},         \
    [TYPES_PLACE_##array] = {array, oid, PG_KIND_ARRAY, ',', name "[]", 0, NULL},
#define XR(oid, array, element, multi, multi_array, name)                                          \
    [TYPES_PLACE_##oid] = {oid, element, PG_KIND_RANGE, ',', name "range", 0, NULL},               \
    [TYPES_PLACE_##array] = {array, oid, PG_KIND_ARRAY, ',', name "range[]", 0, NULL},             \
    [TYPES_PLACE_##multi] = {multi, oid, PG_KIND_MULTIRANGE, ',', name "multirange", 0, NULL},     \
    [TYPES_PLACE_##                                                                                \
        multi_array] = {multi_array, multi, PG_KIND_ARRAY, ',', name "multirange[]", 0, NULL},
    TYPES_BUILT_IN(X, XR)
#undef X
#undef XR
};

static const uint8_t types_places[] = {[705] = TYPES_PLACE_UNKNOWN,
                                       [2278] = TYPES_PLACE_VOID,
                                       [22] = TYPES_PLACE_INT2VECTOR,
                                       [30] = TYPES_PLACE_OIDVECTOR,
#define X(oid, array, kind, name) [oid] = TYPES_PLACE_##oid, [array] = TYPES_PLACE_##array,
#define XR(oid, array, element, multi, multi_array, name)                                          \
    [oid] = TYPES_PLACE_##oid, [array] = TYPES_PLACE_##array, [multi] = TYPES_PLACE_##multi,       \
    [multi_array] = TYPES_PLACE_##multi_array,
                                       TYPES_BUILT_IN(X, XR)
#undef X
#undef XR
};

struct pg_types {
    unsigned references;
    struct pg_type **places; /* `size` of them, NULL: free */
    size_t size, count;
};

struct pg_types *pg_types_new(void)
{
    struct pg_types *types = eddy_alloc_(sizeof *types);

    if (types)
        types->references = 1;
    return types;
}

struct pg_types *pg_types_ref(struct pg_types *types)
{
    types->references++;
    return types;
}

void pg_types_unref(struct pg_types *types)
{
    if (!types || --types->references > 0)
        return;
    for (size_t i = 0; i < types->size; i++)
        eddy_free(types->places[i]);
    eddy_free(types->places);
    eddy_free(types);
}

/* Where a type is, or belongs. */
static struct pg_type **types_place(const struct pg_types *types, uint32_t oid)
{
    size_t at = oid * UINT32_C(2654435769) >> 7;

    while (types->places[at & (types->size - 1)] &&
           types->places[at & (types->size - 1)]->oid != oid)
        at++;
    return &types->places[at & (types->size - 1)];
}

const struct pg_type *pg_types_find(const struct pg_types *types, uint32_t oid)
{
    if (ed_likely(oid < sizeof types_places && types_places[oid] != TYPES_PLACE_NONE))
        return &types_table[types_places[oid]];
    return types && types->size > 0 ? *types_place(types, oid) : NULL;
}

static int types_grow(struct pg_types *types)
{
    size_t size = types->size ? types->size * 2 : TYPES_FIRST_SIZE;
    struct pg_types larger = {.places = eddy_alloc_(size * sizeof *larger.places), .size = size};

    if (!larger.places)
        return -ENOMEM;
    for (size_t i = 0; i < types->size; i++)
        if (types->places[i])
            *types_place(&larger, types->places[i]->oid) = types->places[i];
    eddy_free(types->places);
    types->places = larger.places;
    types->size = size;
    return 0;
}

/* A copy in one block, its fields and name behind it. */
static struct pg_type *types_copy(const struct pg_type *type)
{
    size_t fields = type->count * sizeof *type->fields, name = strlen(type->name) + 1;
    struct pg_type *copy = eddy_alloc_(sizeof *copy + fields + name);

    if (!copy)
        return NULL;
    *copy = *type;
    copy->fields = (void *)(copy + 1);
    copy->name = (const char *)(copy->fields + type->count);
    if (fields > 0)
        memcpy(copy + 1, type->fields, fields);
    memcpy((char *)(copy + 1) + fields, type->name, name);
    return copy;
}

int pg_types_add(struct pg_types *types, const struct pg_type *type)
{
    struct pg_type *copy;

    if (pg_types_find(types, type->oid))
        return 0;
    if (2 * (types->count + 1) > types->size && types_grow(types) < 0)
        return -ENOMEM;
    copy = types_copy(type);
    if (!copy)
        return -ENOMEM;
    *types_place(types, type->oid) = copy;
    types->count++;
    return 0;
}

static bool types_is_binary(const struct pg_types *types, uint32_t oid, int depth)
{
    const struct pg_type *type = pg_types_find(types, oid);

    if (!type || depth > TYPES_DEPTH)
        return false;
    switch (type->kind) {
    case PG_KIND_FOREIGN: return false;
    case PG_KIND_ARRAY:
    case PG_KIND_RANGE:
    case PG_KIND_MULTIRANGE: return types_is_binary(types, type->element, depth + 1);
    case PG_KIND_COMPOSITE:
        for (size_t i = 0; i < type->count; i++)
            if (!types_is_binary(types, type->fields[i], depth + 1))
                return false;
        return true;
    default: return true;
    }
}

bool pg_types_binary(const struct pg_types *types, const uint32_t *oids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!types_is_binary(types, oids[i], 0))
            return false;
    return true;
}
