/* SPDX-License-Identifier: MIT */
/*
 * Cursors: the rows of a query (SELECT, VALUES) in batches, within a transaction; other statements
 * may run between two of them, and several may be open together.
 *
 *     EDDY_FOR_EACH(rc, row, eddy_pg_cursor_rows(db, 50, "SELECT * FROM log WHERE day = $1", day))
 *         ...
 */
#ifndef EDDY_PG_CURSOR_H
#define EDDY_PG_CURSOR_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/pg_query.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_cursor eddy_pg_cursor;
#define EDDY_PG_CURSOR EDDY_CLEANUP_(eddy_pg_cursor_end_scope_) __typeof__(eddy_pg_cursor *)

/* Opens a cursor: eddy_pg_cursor_open(connection, &cursor, sql, values...); owned by the caller:
 * EDDY_PG_CURSOR. Suspends. EDDY_PG_SQLSTATE of 25P01 outside a transaction, before anything is
 * sent (P-CUR-1). It ends with its transaction: then EDDY_EPG_USE. */
#define eddy_pg_cursor_open(connection, out, ...)                                                  \
    eddy_pg_cursor_open_values((connection), (out), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_cursor_open_values(eddy_pg_connection *connection, eddy_pg_cursor **out, const char *sql,
                           const eddy_pg_value *values, size_t count);

/* Fetches at most `rows`, from 1 on; *out is the caller's, and has none behind the last. Suspends.
 * Returns 0; -EINVAL for 0 rows. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_cursor_fetch(eddy_pg_cursor *cursor, size_t rows, eddy_pg_result **out);
/* Skips at most `rows`. Suspends. Returns how many. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_cursor_forward(eddy_pg_cursor *cursor,
                                                                   size_t rows);
/* Suspends, is never refused, and is no error behind the end of the transaction. */
EDDY_API EDDY_AWAITS void eddy_pg_cursor_end_scope_(eddy_pg_cursor **cursor);

/* The rows as a generator of eddy_pg_row, valid until the next, of which `batch` are fetched at a
 * time; 0: 50. */
#define eddy_pg_cursor_rows(connection, batch, ...)                                                \
    eddy_pg_cursor_rows_values((connection), (batch), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API eddy_generator *
eddy_pg_cursor_rows_values(eddy_pg_connection *connection, size_t batch, const char *sql,
                           const eddy_pg_value *values, size_t count);

EDDY_END_DECLS
#endif
