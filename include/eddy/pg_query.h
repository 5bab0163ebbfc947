/* SPDX-License-Identifier: MIT */
/*
 * Statements: executed, fetched, prepared. Wherever `db` stands, it is a connection, or a pool, of
 * which a connection is then taken for the one call.
 *
 *     EDDY_TRY(eddy_pg_execute(db, "UPDATE users SET name = $1 WHERE id = $2", "Ann", 7));
 *     EDDY_TRY(eddy_pg_fetchval(db, &count, "SELECT count(*) FROM users"));
 *
 * Values never become part of a statement's text: they travel beside it as its parameters, $1 and
 * on, see eddy/pg_value.h. A statement with parameters, and each one that is fetched, is prepared
 * on first use and kept (P-PREP-1); when a table changes so that a kept one no longer fits, it is
 * prepared and run again, unseen, outside a transaction (P-PREP-4).
 */
#ifndef EDDY_PG_QUERY_H
#define EDDY_PG_QUERY_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/pg_connection.h"
#include "eddy/pg_result.h"
#include "eddy/pg_value.h"

EDDY_BEGIN_DECLS

struct eddy_pg_pool;

/* Whom a statement is for: one of the two. */
typedef struct eddy_pg_target {
    eddy_pg_connection *connection;
    struct eddy_pg_pool *pool;
} eddy_pg_target;

/*
 * Executes, and drops rows that come: eddy_pg_execute(db, sql, values...). Without values the text
 * may be a script of several statements, which run in one transaction of their own unless they say
 * otherwise (P-Q-1).
 *
 * Suspends. Returns how many rows the (last) command inserted, changed, deleted or selected, 0 for
 * one that counts none and for an empty text; or an error, see eddy/pg_connection.h.
 */
#define eddy_pg_execute(db, ...)                                                                   \
    eddy_pg_execute_values(EDDY_PG_TARGET_(db), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_execute_values(eddy_pg_target db,
                                                                   const char *sql,
                                                                   const eddy_pg_value *values,
                                                                   size_t count);

/*
 * Fetches all rows: eddy_pg_fetch(db, &result, sql, values...).
 *
 * out    owned by the caller: EDDY_PG_RESULT, or eddy_pg_result_free() it; untouched with an error
 *
 * Suspends. Returns 0, also for no rows, or an error.
 */
#define eddy_pg_fetch(db, out, ...)                                                                \
    eddy_pg_fetch_values(EDDY_PG_TARGET_(db), (out), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_fetch_values(eddy_pg_target db, eddy_pg_result **out, const char *sql,
                     const eddy_pg_value *values, size_t count);

/* The same for the first row alone; the others come, and are dropped one by one. EDDY_EPG_NO_ROW
 * when there is none. Suspends. */
#define eddy_pg_fetchrow(db, out, ...)                                                             \
    eddy_pg_fetchrow_values(EDDY_PG_TARGET_(db), (out), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_fetchrow_values(eddy_pg_target db, eddy_pg_result **out, const char *sql,
                        const eddy_pg_value *values, size_t count);

/* The first column of the first row: eddy_pg_fetchval(db, &variable, sql, values...), into what
 * eddy_pg_get takes but what is borrowed: a text goes to a char *. EDDY_EPG_NO_ROW, EDDY_EPG_NULL
 * where there is none. Suspends. */
#define eddy_pg_fetchval(db, variable, ...)                                                        \
    ({                                                                                             \
        EDDY_PG_RESULT eddy_result_ = NULL;                                                        \
        int eddy_fetched_ = eddy_pg_fetchrow((db), &eddy_result_, __VA_ARGS__);                    \
        eddy_fetched_ < 0 ? eddy_fetched_                                                          \
                          : EDDY_PG_OWNED_READER_(variable)(                                       \
                                eddy_pg_field_at(eddy_pg_row_at(eddy_result_, 0), 0), (variable)); \
    })

/*
 * Runs one statement once for each of `rows` rows of `columns` values, one row after the other in
 * `values`: asyncpg's executemany. They go out together, in one transaction: all or nothing
 * (P-Q-9). The second form takes the rows from a generator of `const eddy_pg_value *`, which may
 * suspend, and is taken and closed in any case; its error ends everything. Within a transaction an
 * error of the server's makes that fail; a value that does not fit, and an error of the source's,
 * leave it good.
 *
 * Suspends. Returns 0, or an error, whose text names the row, from 0 on, where it is of a value.
 */
#define eddy_pg_executemany(db, sql, values, rows, columns)                                        \
    eddy_pg_executemany_values(EDDY_PG_TARGET_(db), (sql), (values), (rows), (columns))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_executemany_values(eddy_pg_target db, const char *sql, const eddy_pg_value *values,
                           size_t rows, size_t columns);
#define eddy_pg_executemany_from(db, sql, generator)                                               \
    eddy_pg_executemany_generator(EDDY_PG_TARGET_(db), (sql), (generator))
/* The function under it. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_executemany_generator(eddy_pg_target db, const char *sql, eddy_generator *rows);

/*
 * The rows one by one, as values of type eddy_pg_row that are valid until the next: for results
 * that need not fit into memory.
 *
 *     EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT * FROM log WHERE day = $1", today))
 *         ...
 *
 * The connection is busy until the generator is closed; closing it before its end stops the query
 * on the server, which inside a transaction makes the transaction fail: use a cursor there
 * (eddy/pg_cursor.h). Values are copied, texts too. NULL when memory is short; eddy_next says so.
 */
#define eddy_pg_rows(db, ...) eddy_pg_rows_values(EDDY_PG_TARGET_(db), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API eddy_generator *
eddy_pg_rows_values(eddy_pg_target db, const char *sql, const eddy_pg_value *values, size_t count);

/* What the last command on the connection did: "INSERT 0 2"; "" for none. Until the next one. */
EDDY_API const char *eddy_pg_last_tag(const eddy_pg_connection *connection);

/* A statement that is prepared by name. It belongs to its connection, and can do nothing more once
 * that is closed or back in its pool. */
typedef struct eddy_pg_statement eddy_pg_statement;
#define EDDY_PG_STATEMENT EDDY_CLEANUP_(eddy_pg_statement_close) __typeof__(eddy_pg_statement *)

/* Prepares; *out is owned by the caller: EDDY_PG_STATEMENT, or eddy_pg_statement_close() it.
 * Suspends. Returns 0 or an error, with *out untouched. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_prepare(eddy_pg_connection *connection, const char *sql, eddy_pg_statement **out);
/* Frees a statement and sets the handle to NULL; the server forgets it with the next operation. */
EDDY_API void eddy_pg_statement_close(eddy_pg_statement **statement);

/* What a statement takes and gives: how many, the types' numbers, 0 for one that is not there, and
 * names, NULL likewise; borrowed until it is closed. */
EDDY_API size_t eddy_pg_statement_parameters(const eddy_pg_statement *statement);
EDDY_API uint32_t eddy_pg_statement_parameter_type(const eddy_pg_statement *statement,
                                                   size_t index);
EDDY_API size_t eddy_pg_statement_columns(const eddy_pg_statement *statement);
EDDY_API const char *
eddy_pg_statement_column_name(const eddy_pg_statement *statement, size_t index);
EDDY_API uint32_t eddy_pg_statement_column_type(const eddy_pg_statement *statement, size_t index);

/* As eddy_pg_execute, _fetch, _fetchrow and _executemany, with the values alone. Suspends. */
#define eddy_pg_statement_execute(statement, ...)                                                  \
    eddy_pg_statement_execute_values((statement), EDDY_PG_VALUES(__VA_ARGS__),                     \
                                     EDDY_PG_COUNT(__VA_ARGS__))
#define eddy_pg_statement_fetch(statement, out, ...)                                               \
    eddy_pg_statement_fetch_values((statement), (out), EDDY_PG_VALUES(__VA_ARGS__),                \
                                   EDDY_PG_COUNT(__VA_ARGS__))
#define eddy_pg_statement_fetchrow(statement, out, ...)                                            \
    eddy_pg_statement_fetchrow_values((statement), (out), EDDY_PG_VALUES(__VA_ARGS__),             \
                                      EDDY_PG_COUNT(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_statement_execute_values(
    eddy_pg_statement *statement, const eddy_pg_value *values, size_t count);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_statement_fetch_values(eddy_pg_statement *statement, eddy_pg_result **out,
                               const eddy_pg_value *values, size_t count);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_statement_fetchrow_values(eddy_pg_statement *statement, eddy_pg_result **out,
                                  const eddy_pg_value *values, size_t count);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_pg_statement_executemany(eddy_pg_statement *statement,
                                                                      const eddy_pg_value *values,
                                                                      size_t rows, size_t columns);

/* Forgets what the connection knows of types and statements: for schemas that changed (P-PREP-5).
 * Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_pg_reload_schema_state(eddy_pg_connection *connection);

EDDY_END_DECLS

#ifndef __cplusplus
static inline eddy_pg_target eddy_pg_target_connection_(eddy_pg_connection *connection)
{
    return (eddy_pg_target){.connection = connection};
}
static inline eddy_pg_target eddy_pg_target_pool_(struct eddy_pg_pool *pool)
{
    return (eddy_pg_target){.pool = pool};
}

/* A connection or a pool as the one of the two that it is. */
#define EDDY_PG_TARGET_(db)                                                                        \
    _Generic((db), eddy_pg_connection *                                                            \
             : eddy_pg_target_connection_, struct eddy_pg_pool *                                   \
             : eddy_pg_target_pool_)(db)
/* A statement and its values as three arguments. */
#define EDDY_PG_SQL_(sql, ...) (sql), EDDY_PG_VALUES(__VA_ARGS__), EDDY_PG_COUNT(__VA_ARGS__)
#endif
#endif
