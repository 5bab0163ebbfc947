/* SPDX-License-Identifier: MIT */
/* One statement on its way through a connection, with or without a pipeline. */
#ifndef ED_PG_QUERY_H
#define ED_PG_QUERY_H

#include "pg/session.h"

enum pg_want {
    PG_WANT_NOTHING, /* but how many rows it was */
    PG_WANT_ROW,     /* the first one */
    PG_WANT_ALL,
};

struct pg_query {
    const char *sql;
    const eddy_pg_value *values;
    size_t count;
    enum pg_want want;
    bool script;                    /* by the simple protocol: several statements, no values */
    struct pg_statement *statement; /* borrowed; NULL: that of `sql`, from the cache */

    PGresult *result; /* the caller's to clear */
    int64_t affected;
    bool stale; /* the error says that the statement is out of date */
};

/* How long an operation may take: seconds, or EDDY_FOREVER. */
double pg_command_time(eddy_pg_connection *connection);

/* Runs it: within an operation of its own, and the command_timeout of the connection, or in the
 * pipeline that is open. A statement of the cache that has got stale is prepared and run again,
 * outside of a transaction. Suspends. */
EDDY_AWAITS int pg_query_run(eddy_pg_connection *connection, struct pg_query *query);
/* The same in the caller's operation, once; to be settled with it after an error. Suspends. */
EDDY_AWAITS int pg_query_in_operation(struct pg_operation *operation, struct pg_query *query);
/* Encodes the values of a statement into the connection's room. 0, EDDY_EPG_VALUE, -ENOMEM. */
int pg_query_encode(struct pg_statements *statements, const struct pg_statement *statement,
                    const eddy_pg_value *values, size_t count);
/* Gives an encoded statement to libpq. 0, or what was raised of libpq's failure. */
int pg_query_send(eddy_pg_connection *connection, const struct pg_statement *statement);
/* Takes a result that came, which is its own from then on: 0, or an error that was raised. */
int pg_query_take(eddy_pg_connection *connection, struct pg_query *query, PGresult *result);
/* Takes and drops what follows an error, up to the server's being ready: the error, whose text
 * stays, also where the server then ends the connection; or one of the task's. Suspends. */
EDDY_AWAITS int pg_query_end(eddy_pg_connection *connection, int failed);
/* Takes results until the server is ready. The first error is that of the query. Suspends. */
EDDY_AWAITS int pg_query_receive(eddy_pg_connection *connection, struct pg_query *query);
/* Makes *out of what came. 0, EDDY_EPG_NO_ROW where a row was wanted, -ENOMEM. */
int pg_query_result(eddy_pg_connection *connection, struct pg_query *query, eddy_pg_result **out);

/* Runs a statement, NULL: that of `sql`, for each row of an array. Suspends. */
EDDY_AWAITS int pg_execute_many(eddy_pg_connection *connection, struct pg_statement *statement,
                                const char *sql, const eddy_pg_value *values, size_t rows,
                                size_t columns);

#endif
