/* SPDX-License-Identifier: MIT */
/*
 * Prepared statements and the cache of them: least recently used of 100, 300 s, texts up to 15 KiB
 * (P-PREP-1 to -4). A statement in use is never closed under its user: counted references. With
 * them is kept what else of a session has handles: transactions, cursors, the last command's tag.
 */
#ifndef ED_PG_STATEMENT_H
#define ED_PG_STATEMENT_H

#include "base/compat.h"
#include "base/list.h"
#include "pg/connection.h"
#include "eddy/stream_class.h"
#include "eddy/sync.h"
#include "pg/encode.h"

enum pg_statement_state {
    PG_STATEMENT_NEW,
    PG_STATEMENT_PREPARING, /* by a pipeline */
    PG_STATEMENT_LEARNING,  /* described, but for its types; by a pipeline */
    PG_STATEMENT_READY,
    PG_STATEMENT_FAILED,
};

struct pg_statement {
    struct eddy_link_ link;      /* in the order of use; or of those to be closed */
    struct pg_statement *next;   /* in its bucket */
    struct pg_statements *cache; /* NULL: the connection is gone */
    unsigned references;         /* users, and the cache */
    uint32_t hash;
    enum pg_statement_state state;
    bool cached;     /* in the cache */
    bool known;      /* the server may have it under its name */
    double prepared; /* when: eddy_time() */
    size_t size;     /* of sql */
    char name[24];   /* "": the unnamed one */
    size_t parameters, columns;
    const uint32_t *parameter_types, *column_types; /* all known to the connection's types */
    const char *column_names;                       /* one behind the other, each with its NUL */
    void *description;                              /* the block of the three */
    bool binary;                                    /* how results travel */
    /* While a pipeline prepares it: who waits, and the error that it ended with. */
    eddy_event settled;
    PGresult *error;
    char sql[];
};

struct pg_statements {
    eddy_pg_connection *connection;
    /* the cache */
    struct pg_statement **buckets;
    size_t bucket_count; /* a power of two */
    size_t count, most, most_size;
    double lifetime;
    struct eddy_list_ used;    /* the cached ones; the least recently used first */
    struct eddy_list_ closing; /* known to the server, and wanted by nobody */
    uint64_t named;            /* names given so far, to statements, savepoints and cursors */
    struct pg_parameters room; /* of the operation that runs */

    /* handles that a program holds: told when the connection goes */
    struct eddy_list_ prepared, transactions, cursors;
    uint64_t generation;  /* of the connection, when these were begun */
    uint64_t transaction; /* moves on when a transaction was seen to end */
    char tag[64];
};

/* What the connection has of this, made when there is none; what ended with its generation is
 * forgotten. NULL: no memory. */
struct pg_statements *pg_statements_of(eddy_pg_connection *connection);

/* statement.c: the cache */

/* Finds one, which the caller unrefs; NULL: it is not there, or too old at `now`, of eddy_time().
 * */
struct pg_statement *
pg_statement_find(struct pg_statements *statements, const char *sql, double now);
/* One that is not prepared, the caller's; NULL: no memory. With a name where it is cached, and with
 * `named`. */
struct pg_statement *
pg_statement_new(struct pg_statements *statements, const char *sql, bool named);
/* Puts it into the cache, if it may go there. */
void pg_statement_keep(struct pg_statement *statement);
/* Takes it out of the cache. */
void pg_statement_forget(struct pg_statement *statement);
void pg_statement_unref(struct pg_statement *statement);
/* One that nobody refers to, and the server does not know. */
void pg_statement_free(struct pg_statement *statement);
/* Forgets all of a connection: behind a changed schema, or a reload. */
void pg_statements_forget(eddy_pg_connection *connection);
void pg_statements_free(struct pg_statements *statements);

/* What a command said that it did: keeps the tag, and follows what it means for statements and
 * transactions. */
void pg_statements_note_tag(struct pg_statements *statements, const char *tag);
/* To be called whenever the server is ready: whether a transaction has ended. */
void pg_statements_note_ready(struct pg_statements *statements);

/* prepare.c: on the server */

/* Finds a statement in the cache, or prepares and describes it, within the caller's operation; the
 * caller unrefs it. Suspends. */
EDDY_AWAITS int
pg_statement_get(struct pg_operation *operation, const char *sql, struct pg_statement **out);
/* Prepares one that is new. Suspends. */
EDDY_AWAITS int
pg_statement_prepare(struct pg_operation *operation, struct pg_statement *statement);
/* Takes what the server says of it. 0, -ENOMEM. */
int pg_statement_describe(struct pg_statement *statement, const PGresult *description);
/* Learns its types, and decides how results travel; a pipeline is not open. Suspends. */
EDDY_AWAITS int pg_statement_learn(struct pg_operation *operation, struct pg_statement *statement);
/* Whether all of its types are known; then it is ready. */
bool pg_statement_finish(struct pg_statement *statement);
/* Has the server close those that nobody wants, where it can now. Suspends. */
EDDY_AWAITS int pg_statements_close_unused(struct pg_operation *operation);
/* The same as commands in libpq's queue, in pipeline mode: how many, or -1 for a failure of
 * libpq's. A sync of their own has to follow. */
int pg_statements_send_close(struct pg_statements *statements);
/* What the server said of the first of them. */
void pg_statements_take_close(struct pg_statements *statements, const PGresult *result);
/* Whether an error says that a prepared statement is none any more, or does not fit its tables:
 * "cached plan must not change result type", "prepared statement ... does not exist". */
bool pg_is_stale(const PGresult *result);

#endif
