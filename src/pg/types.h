/* SPDX-License-Identifier: MIT */
/*
 * What a connection knows of types: the built-in ones from a table, others (enums, domains, arrays,
 * composites, of extensions) from the server's catalogue, asked once (P-PREP-7). Counted
 * references, since a result outlives its connection. Entries are never moved or changed once they
 * are there; a reload makes a new struct.
 */
#ifndef ED_PG_TYPES_H
#define ED_PG_TYPES_H

#include "connection.h"

/* The binary form of a type. */
enum pg_kind {
    PG_KIND_TEXT, /* travels as itself: text, enums, json, unknown */
    PG_KIND_CHAR, /* "char", a byte */
    PG_KIND_BOOL,
    PG_KIND_INT2,
    PG_KIND_INT4,
    PG_KIND_INT8,
    PG_KIND_OID,  /* 32 bits without a sign: also xid, cid */
    PG_KIND_XID8, /* 64 */
    PG_KIND_LSN,
    PG_KIND_TID,
    PG_KIND_FLOAT4,
    PG_KIND_FLOAT8,
    PG_KIND_NUMERIC,
    PG_KIND_BYTEA,
    PG_KIND_JSONB, /* also jsonpath: a text behind its version, 1 */
    PG_KIND_DATE,
    PG_KIND_TIME,
    PG_KIND_TIMETZ,
    PG_KIND_TIMESTAMP,
    PG_KIND_TIMESTAMPTZ,
    PG_KIND_INTERVAL,
    PG_KIND_UUID,
    PG_KIND_INET,
    PG_KIND_CIDR,
    PG_KIND_MACADDR,
    PG_KIND_MACADDR8,
    PG_KIND_BIT,
    PG_KIND_ARRAY,      /* of `element` */
    PG_KIND_COMPOSITE,  /* of `fields` */
    PG_KIND_RANGE,      /* of `element` */
    PG_KIND_MULTIRANGE, /* of ranges, `element` */
    PG_KIND_FOREIGN,    /* no binary form that Eddy knows: everything as text */
};
#define PG_KINDS (PG_KIND_FOREIGN + 1)

struct pg_type {
    uint32_t oid;
    uint32_t element; /* of arrays and ranges; a domain has its base's kind and element */
    enum pg_kind kind;
    char delimiter;   /* between elements of an array of it, in text form */
    const char *name; /* as format_type() or the table says: "int4", "text[]" */
    size_t count;     /* of a composite's fields */
    const uint32_t *fields;
};

struct pg_types *pg_types_new(void); /* NULL: no memory */
struct pg_types *pg_types_ref(struct pg_types *types);
void pg_types_unref(struct pg_types *types);
/* NULL: not known yet. `types` may be NULL: the built-in ones. */
const struct pg_type *pg_types_find(const struct pg_types *types, uint32_t oid);
/* Adds a copy of a type that is not known: 0 or -ENOMEM. */
int pg_types_add(struct pg_types *types, const struct pg_type *type);
/* Asks the server for those of the types, and what they are made of, that are not known. Within the
 * caller's operation. Suspends. */
EDDY_AWAITS int pg_types_learn(struct pg_operation *operation, const uint32_t *oids, size_t count);
/* True when results of these (known) types can travel in binary form. */
bool pg_types_binary(const struct pg_types *types, const uint32_t *oids, size_t count);

#endif
