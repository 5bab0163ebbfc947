/* SPDX-License-Identifier: MIT */
/*
 * A connection to a PostgreSQL server: asyncpg.connect.
 *
 *     EDDY_PG_CONNECTION db = NULL;
 *     EDDY_TRY(eddy_pg_connect("postgresql://ann:secret@db.example/shop", NULL, &db));
 *
 * One operation runs on a connection at a time; a second one gets -EBUSY and does not disturb the
 * first (P-Q-12). Use a pool for more, or a pipeline (eddy/pg_pipeline.h).
 *
 * Cancellation and time. An operation that is cancelled, or whose time is up, returns at once. The
 * server is asked to stop it over a connection of its own (which has no TLS: it says a number that
 * the server gave us, and nothing else); the next operation waits until the server has done so, so
 * that a late cancel never hits it (P-TMO-2, -3). Where the server does not answer, it waits for as
 * long as its own limits allow. A limit of 0 seconds is an event of the loop, as everywhere: the
 * query goes out, and is stopped.
 *
 * Errors. What the server refuses is EDDY_PG_SQLSTATE of its five characters, with a text such as
 * "23505: duplicate key value violates unique constraint "users_pkey" (Key (id)=(1) already
 * exists.)"; eddy_pg_last_error has its parts. Besides:
 *   EDDY_EPG_CLOSED     the connection is closed, or was lost before
 *   EDDY_EPG_LOST       it was lost with this operation: it may have been done, or not
 *   EDDY_EPG_PROTOCOL   the server sent what cannot be understood; the connection is closed
 *   EDDY_EPG_VALUE      a parameter is not of its type; nothing was sent
 *   EDDY_EPG_USE        a call that does not belong here: the text says why
 *   -EBUSY, -ENOMEM, -ECANCELED, -ETIMEDOUT
 */
#ifndef EDDY_PG_CONNECTION_H
#define EDDY_PG_CONNECTION_H

#include "eddy/compat.h"
#include "eddy/error.h"
#include "eddy/pg_value.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_connection eddy_pg_connection;
struct eddy_resolver;

/* Declares an owning handle, closed at the end of its block. */
#define EDDY_PG_CONNECTION                                                                         \
    EDDY_CLEANUP_(eddy_pg_connection_end_scope_) __typeof__(eddy_pg_connection *)

/* A message of the server's: an error, or a notice. Texts are "" where there is none. */
typedef struct eddy_pg_message {
    const char *severity; /* "ERROR", "NOTICE", ..., never translated */
    const char *sqlstate; /* five characters */
    const char *message, *detail, *hint;
    int position;          /* in the statement, in characters from 1; 0: none */
    int internal_position; /* in internal_query */
    const char *internal_query, *context;
    const char *schema, *table, *column, *data_type, *constraint;
    const char *file, *line, *routine; /* of the server's source */
    const char *query;                 /* the statement */
} eddy_pg_message;

/* All zero means the defaults. Texts are copied. */
typedef struct eddy_pg_options {
    /* As in the URI, and stronger than it; NULL or 0: what the URI, the environment (PGHOST, ...),
     * or a service file says, else libpq's default. */
    const char *host, *user, *password, *database, *passfile, *sslmode;
    unsigned port;
    /* Asked for a password each time that a connection is made (P-CONN-8); may suspend. Writes it,
     * NUL-terminated, and returns 0 or an error. */
    int (*get_password)(char *password, size_t size, void *argument);
    void *get_password_argument;
    double timeout;         /* seconds for connecting, with names, TLS and authentication; 0: the
                               connect_timeout of the DSN, else 60 */
    double command_timeout; /* seconds of an operation; 0: no limit */
    double close_timeout;   /* seconds that closing may wait; 0: 10 */
    const char *const
        *settings; /* names and values in turn, ended by NULL: "search_path", "a", ... */
    const char *application_name;
    size_t statement_cache;          /* statements; 0: 100; SIZE_MAX: none are kept */
    double statement_cache_lifetime; /* seconds; 0: 300 */
    size_t statement_cache_size;     /* bytes of a statement that is kept; 0: 15 KiB */
    struct eddy_resolver *resolver;  /* for host names; NULL: the loop's */
} eddy_pg_options;

/*
 * Connects: postgresql://user:password@host:port,host2/database?sslmode=verify-full, or libpq's
 * "host=... dbname=..." (libpq, 34.1.1: all of its parameters). Names are resolved by Eddy, and
 * each address of each host is tried in turn (P-CONN-6).
 *
 * dsn       NULL or "": the environment alone
 * options   NULL: the defaults; borrowed until the call returns
 * out       owned by the caller: EDDY_PG_CONNECTION, or eddy_pg_close() it
 *
 * Suspends until the server is ready for queries.
 *
 * Returns 0; or with *out untouched, and nothing left open:
 *   -EINVAL                        a DSN or option that is none
 *   EDDY_EDNS_..., -ECONNREFUSED, ...   of the last address; the text tells of all
 *   EDDY_EPG_INVALID_PASSWORD, EDDY_EPG_TOO_MANY_CONNECTIONS, ...   what the server says
 *   EDDY_EPG_CONNECT               another failure: no password, no fitting server, TLS, ...
 *   -ETIMEDOUT, -ECANCELED, -ENOMEM
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_connect(const char *dsn, const eddy_pg_options *options, eddy_pg_connection **out);

/* Closes a connection and sets the handle to NULL; NULL is left alone. A query that another task
 * runs is stopped on the server first, for close_timeout at most; its caller gets EDDY_EPG_CLOSED,
 * or what the server says of the cancel. Suspends, and is never refused. */
EDDY_API EDDY_AWAITS void eddy_pg_close(eddy_pg_connection **connection);
/* The same, without a word to the server and without waiting; also behind the end of its loop. */
EDDY_API void eddy_pg_terminate(eddy_pg_connection **connection);

/* A connection that is given back to its pool, or closed, can do nothing more. */
EDDY_API bool eddy_pg_is_closed(const eddy_pg_connection *connection);
EDDY_API bool eddy_pg_is_in_transaction(const eddy_pg_connection *connection);
EDDY_API int eddy_pg_server_version(const eddy_pg_connection *connection); /* 150004 is 15.4 */
EDDY_API int eddy_pg_server_pid(const eddy_pg_connection *connection);
/* A setting that the server reports, such as "TimeZone"; NULL: it does not. */
EDDY_API const char *eddy_pg_setting(const eddy_pg_connection *connection, const char *name);
EDDY_API bool eddy_pg_uses_tls(const eddy_pg_connection *connection);

/* The parts of the last error of the server's on this connection; NULL: there was none. Borrowed
 * until the next operation. */
EDDY_API const eddy_pg_message *eddy_pg_last_error(const eddy_pg_connection *connection);

/* A name as an identifier, "quoted", and a text as a 'literal', for the rare statement that takes
 * no parameter. Owned by the caller: eddy_free() them. NULL when memory is short, or for a text
 * that is not UTF-8. */
EDDY_NODISCARD EDDY_API char *eddy_pg_quote_identifier(const char *name);
EDDY_NODISCARD EDDY_API char *eddy_pg_quote_literal(const char *text);

/* For the macro above. Suspends. */
EDDY_API EDDY_AWAITS void eddy_pg_connection_end_scope_(eddy_pg_connection **connection);

EDDY_END_DECLS
#endif
