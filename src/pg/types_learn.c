/* SPDX-License-Identifier: MIT */
/*
 * Types that are not built in, learned from the server's catalogue (P-PREP-7). A round asks for all
 * that is not known of what is wanted, by numbers, so that no plan of it is costly enough for a
 * just-in-time compiler; what came may be made of other types, which the next round asks for. Types
 * within types are few levels deep.
 *
 * The binary form of a type is what its function for sending makes: by the name of its source, so
 * that an extension's citext, which sends as text does, is a text. A domain is as its base, and
 * becomes known when that is; until then it is kept apart.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "eddy/stream_class.h"
#include "pg/types.h"
#include "pg/wire.h"

#define LEARN_ROUNDS 32          /* types within types */
#define LEARN_MULTIRANGES 140000 /* the first version that has them */

#define LEARN_SQL(multirange)                                                                      \
    "SELECT t.oid, pg_catalog.format_type(t.oid, NULL), t.typtype, t.typbasetype, t.typdelim,"     \
    "  CASE WHEN p.prolang = 12 THEN p.prosrc ELSE '' END,"                                        \
    "  CASE t.typtype WHEN 'r' THEN r.rngsubtype" multirange " ELSE t.typelem END,"                \
    "  (SELECT pg_catalog.string_agg(a.atttypid::pg_catalog.text, ' ' ORDER BY a.attnum)"          \
    "   FROM pg_catalog.pg_attribute a"                                                            \
    "   WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)"                    \
    " FROM pg_catalog.pg_type t"                                                                   \
    " LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typsend"                                         \
    " LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid"                                       \
    " WHERE t.oid = ANY ($1::pg_catalog.oid[])"

/* Columns of it. */
enum {
    LEARN_OID,
    LEARN_NAME,
    LEARN_TYPE,
    LEARN_BASE,
    LEARN_DELIMITER,
    LEARN_SEND,
    LEARN_ELEMENT,
    LEARN_FIELDS
};

/* Which kind a function for sending makes. */
static const struct {
    const char *send;
    enum pg_kind kind;
} learn_kinds[] = {
    {"array_send", PG_KIND_ARRAY},
    {"record_send", PG_KIND_COMPOSITE},
    {"range_send", PG_KIND_RANGE},
    {"multirange_send", PG_KIND_MULTIRANGE},
    {"enum_send", PG_KIND_TEXT},
    {"textsend", PG_KIND_TEXT},
    {"varcharsend", PG_KIND_TEXT},
    {"bpcharsend", PG_KIND_TEXT},
    {"namesend", PG_KIND_TEXT},
    {"json_send", PG_KIND_TEXT},
    {"xml_send", PG_KIND_TEXT},
    {"jsonb_send", PG_KIND_JSONB},
    {"boolsend", PG_KIND_BOOL},
    {"int2send", PG_KIND_INT2},
    {"int4send", PG_KIND_INT4},
    {"int8send", PG_KIND_INT8},
    {"oidsend", PG_KIND_OID},
    {"float4send", PG_KIND_FLOAT4},
    {"float8send", PG_KIND_FLOAT8},
    {"numeric_send", PG_KIND_NUMERIC},
    {"byteasend", PG_KIND_BYTEA},
    {"date_send", PG_KIND_DATE},
    {"time_send", PG_KIND_TIME},
    {"timetz_send", PG_KIND_TIMETZ},
    {"timestamp_send", PG_KIND_TIMESTAMP},
    {"timestamptz_send", PG_KIND_TIMESTAMPTZ},
    {"interval_send", PG_KIND_INTERVAL},
    {"uuid_send", PG_KIND_UUID},
    {"inet_send", PG_KIND_INET},
    {"cidr_send", PG_KIND_CIDR},
    {"bit_send", PG_KIND_BIT},
    {"varbit_send", PG_KIND_BIT},
};

/* Numbers of types; each stands here once. */
struct learn {
    struct pg_types *types;
    uint32_t *oids;
    size_t count, room;
};

static int learn_add(struct learn *learn, uint32_t oid)
{
    for (size_t i = 0; i < learn->count; i++)
        if (learn->oids[i] == oid)
            return 0;
    if (learn->count == learn->room) {
        size_t room = learn->room ? 2 * learn->room : 16;
        uint32_t *oids = eddy_realloc_(learn->oids, room * sizeof *oids);

        if (!oids)
            return -ENOMEM;
        learn->oids = oids;
        learn->room = room;
    }
    learn->oids[learn->count++] = oid;
    return 0;
}

/* Takes in what is not known of a type: it, or what it is made of. */
static int learn_want(struct learn *learn, uint32_t oid, int depth)
{
    const struct pg_type *type = pg_types_find(learn->types, oid);
    int rc = 0;

    if (!type)
        return learn_add(learn, oid);
    if (depth == LEARN_ROUNDS)
        return 0;
    if (type->element != 0)
        rc = learn_want(learn, type->element, depth + 1);
    for (size_t i = 0; rc == 0 && i < type->count; i++)
        rc = learn_want(learn, type->fields[i], depth + 1);
    return rc;
}

static uint32_t learn_number(const PGresult *result, int row, int column)
{
    return (uint32_t)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static enum pg_kind learn_kind(const char *type, const char *send)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(learn_kinds); i++)
        if (*type != 'p' && strcmp(send, learn_kinds[i].send) == 0)
            return learn_kinds[i].kind;
    return PG_KIND_FOREIGN;
}

/* The numbers of a composite's fields, of which there are at most 1600. */
static size_t learn_fields(const char *text, uint32_t *fields, size_t room)
{
    size_t count = 0;
    char *end;

    for (; *text && count < room; text = end) {
        fields[count] = (uint32_t)strtoul(text, &end, 10);
        if (end == text)
            break;
        count++;
    }
    return count;
}

static int learn_take_row(struct pg_types *types, const PGresult *result, int row)
{
    uint32_t fields[1700];
    struct pg_type type = {
        .oid = learn_number(result, row, LEARN_OID),
        .name = PQgetvalue(result, row, LEARN_NAME),
        .delimiter = *PQgetvalue(result, row, LEARN_DELIMITER),
        .kind =
            learn_kind(PQgetvalue(result, row, LEARN_TYPE), PQgetvalue(result, row, LEARN_SEND)),
        .fields = fields,
    };
    const struct pg_type *base;

    if (*PQgetvalue(result, row, LEARN_TYPE) == 'd') {
        base = pg_types_find(types, learn_number(result, row, LEARN_BASE));
        if (!base)
            return 0;
        type.kind = base->kind;
        type.element = base->element;
        type.count = base->count;
        type.fields = base->fields;
    } else if (type.kind >= PG_KIND_ARRAY && type.kind != PG_KIND_FOREIGN) {
        type.element = learn_number(result, row, LEARN_ELEMENT);
        type.count =
            learn_fields(PQgetvalue(result, row, LEARN_FIELDS), fields, ED_ARRAY_LENGTH(fields));
    }
    return pg_types_add(types, &type);
}

/* What the server has nothing to say of is known to be nothing. */
static int learn_take_rest(const struct learn *learn, const PGresult *result)
{
    char name[24];

    for (size_t i = 0; i < learn->count; i++) {
        int row = 0;

        while (row < PQntuples(result) && learn_number(result, row, LEARN_OID) != learn->oids[i])
            row++;
        if (row < PQntuples(result))
            continue;
        (void)snprintf(name, sizeof name, "type %u", learn->oids[i]);
        if (pg_types_add(learn->types, &(struct pg_type){.oid = learn->oids[i],
                                                         .name = name,
                                                         .delimiter = ',',
                                                         .kind = PG_KIND_FOREIGN}) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Takes in rows; of domains whose bases are not known the bases are what the next round wants. */
static int learn_take(struct learn *learn, const PGresult *result)
{
    int rc = 0;

    for (int row = 0; rc == 0 && row < PQntuples(result); row++)
        rc = learn_take_row(learn->types, result, row);
    if (rc == 0)
        rc = learn_take_rest(learn, result);
    learn->count = 0;
    for (int row = 0; rc == 0 && row < PQntuples(result); row++) {
        if (*PQgetvalue(result, row, LEARN_TYPE) == 'd')
            rc = learn_want(learn, learn_number(result, row, LEARN_BASE), 0);
    }
    return rc;
}

/* One round. Suspends. */
static EDDY_AWAITS int learn_ask(struct pg_operation *operation, struct learn *learn)
{
    bool has_multiranges = eddy_pg_server_version(operation->connection) >= LEARN_MULTIRANGES;
    struct eddy_buffer_ list = {.data = NULL};
    const char *parameter;
    PGresult *result = NULL;
    char number[16];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < learn->count; i++) {
        (void)snprintf(number, sizeof number, "%c%u", i == 0 ? '{' : ',', learn->oids[i]);
        rc = pg_append_text(&list, number);
    }
    if (rc == 0)
        rc = ed_buffer_append(&list, "}", 2);
    parameter = ed_buffer_bytes(&list);
    if (rc == 0)
        rc = pg_query_text(operation,
                           has_multiranges
                               ? LEARN_SQL(" WHEN 'm' THEN (SELECT m.rngtypid FROM"
                                           " pg_catalog.pg_range m WHERE m.rngmultitypid = t.oid)")
                               : LEARN_SQL(""),
                           &parameter, 1, &result);
    if (rc == 0)
        rc = learn_take(learn, result);
    PQclear(result);
    ed_buffer_release(&list);
    return rc;
}

EDDY_AWAITS int pg_types_learn(struct pg_operation *operation, const uint32_t *oids, size_t count)
{
    struct learn learn = {.types = pg_connection_types(operation->connection)};
    int rc = 0;

    for (int round = 0; rc == 0; round++) {
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = learn_want(&learn, oids[i], 0);
        if (rc < 0 || learn.count == 0 || round == LEARN_ROUNDS)
            break;
        rc = learn_ask(operation, &learn);
    }
    eddy_free(learn.oids);
    return rc;
}
