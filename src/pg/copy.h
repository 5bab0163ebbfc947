/* SPDX-License-Identifier: MIT */
/* COPY inside: one that runs, and the texts of its statements. See copy.c. */
#ifndef ED_PG_COPY_H
#define ED_PG_COPY_H

#include "base/buffer.h"
#include "eddy/pg_copy.h"
#include "eddy/stream_class.h"
#include "pg/connection.h"

#define PG_COPY_CHUNK ((size_t)64 * 1024) /* bytes that are read together */
#define PG_COPY_PIECE                                                                              \
    ((size_t)8000) /* bytes that libpq is given, which it keeps until it is told */

/* A COPY that runs: an operation that has its connection. */
struct pg_copy {
    struct pg_operation operation;
    eddy_pg_connection *connection;
    PGconn *libpq;
    bool in;      /* FROM STDIN */
    bool stopped; /* the server has said why it takes no more */
    bool ended;   /* its results are read */
    int64_t rows; /* then */
};

/* Begins one. 0, and it is to be ended by pg_copy_end; or an error. Suspends. */
EDDY_AWAITS int
pg_copy_begin(struct pg_copy *copy, eddy_pg_connection *connection, const char *sql);

/* The next piece of what comes, as a rule a row, to be freed by PQfreemem. Its size; 0 at the end;
 * an error; with `wait` false -EAGAIN. Suspends with `wait`. */
EDDY_AWAITS ssize_t pg_copy_receive(struct pg_copy *copy, char **data, bool wait);

/* Sends bytes, and waits until libpq keeps none of them. 0; 1: the server takes no more, and says
 * why in pg_copy_end; or an error. Suspends. */
EDDY_AWAITS int pg_copy_send(struct pg_copy *copy, const void *data, size_t size);

/* The two halves of it: gives at most a piece to libpq, without waiting, and sends what it
 * keeps. */
int pg_copy_put(struct pg_copy *copy, const void *data, size_t size);
EDDY_AWAITS int pg_copy_flush(struct pg_copy *copy);

/* Ends it with the outcome `rc`: 0, and it is done, or undone by the server; below 0, and it is as
 * if it had not been. How many rows, or an error. Suspends for 0. */
EDDY_AWAITS int64_t pg_copy_end(struct pg_copy *copy, int rc);

/* The first bytes that have come, as the protocol has them, without taking them: how many; 0: none,
 * or that cannot be told; -1: none will come (peek.c). */
ssize_t pg_peek(PGconn *libpq, unsigned char *bytes, size_t size);
/* Whether these are the first bytes of an error message of the server's: 1, 0, or -1: they may
 * be. */
int pg_copy_is_error(const unsigned char *bytes, size_t size);

/* Texts of statements (copy_sql.c): 0, -ENOMEM, -EINVAL. The NUL behind is in the buffer. */
int pg_copy_sql_out(struct eddy_buffer_ *sql, const char *table,
                    const eddy_pg_copy_options *options);
int pg_copy_sql_query(struct eddy_buffer_ *sql, const char *query,
                      const eddy_pg_copy_options *options);
int pg_copy_sql_in(struct eddy_buffer_ *sql, const char *table,
                   const eddy_pg_copy_options *options);
/* "schema"."table" */
int pg_copy_sql_table(struct eddy_buffer_ *sql, const char *table, const char *schema);
int pg_copy_append(struct eddy_buffer_ *sql, const char *text);

/* A statement with literals in the place of its parameters (copy_values.c): 0, or an error.
 * Suspends. */
EDDY_AWAITS int pg_copy_values(eddy_pg_connection *connection, const char *sql,
                               const eddy_pg_value *values, size_t count, struct eddy_buffer_ *out);
/* Puts literals[n - 1] where $n stands in a statement, and nowhere else. 0, -ENOMEM, EDDY_EPG_VALUE
 * for a number that is not there. `escapes`: backslashes escape in plain strings too. */
int pg_copy_substitute(const char *sql, const char *const *literals, size_t count, bool escapes,
                       struct eddy_buffer_ *out);

#endif
