/* SPDX-License-Identifier: MIT */
/*
 * COPY, from and to streams: files, sockets, pipes, memory (eddy/stream.h).
 *
 *     EDDY_STREAM file = NULL;
 *     EDDY_TRY(eddy_open("users.csv", "r", &file));
 *     rows = eddy_pg_copy_in(db, "users", &(eddy_pg_copy_options){.format = "csv"}, file);
 *
 * A slow side slows the other one down, both ways. An error on either side, a cancel, or the end of
 * the time, ends the COPY as if it had not been (P-COPY-5), and the connection can be used again.
 */
#ifndef EDDY_PG_COPY_H
#define EDDY_PG_COPY_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/pg_query.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/* COPY's own options (PostgreSQL, COPY); all zero: the server's defaults. Names are quoted. Lists
 * of columns are ended by NULL. */
typedef struct eddy_pg_copy_options {
    const char *schema;
    const char *const *columns; /* NULL: all; of a table, and with records */
    const char *format;         /* "text", "csv", "binary"; NULL: "text" */
    const char *delimiter, *null, *quote, *escape, *encoding;
    bool header;
    const char *const *force_quote; /* columns; the one name "*": all of them */
    const char *const *force_not_null, *const *force_null;
    const char *where; /* into a table: an SQL condition, not quoted; PostgreSQL 12 */
} eddy_pg_copy_options;

/*
 * Out of a table into a stream, which is not closed. Suspends until all has been written: while the
 * stream takes nothing, nothing is read from the server.
 *
 * Returns how many rows, or an error: of the server, of the stream, -EINVAL for options that do not
 * belong there or are not UTF-8, -ENOMEM, -ECANCELED, -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_copy_out(eddy_pg_connection *connection,
                                                             const char *table,
                                                             const eddy_pg_copy_options *options,
                                                             eddy_stream *to);

/*
 * The same of a query: eddy_pg_copy_query_out(connection, options, stream, sql, values...). With
 * values it is prepared, and the server makes literals of them, since COPY takes no parameters;
 * nothing of a value is ever read as SQL.
 */
#define eddy_pg_copy_query_out(connection, options, to, ...)                                       \
    eddy_pg_copy_query_out_values((connection), (options), (to), EDDY_PG_SQL_(__VA_ARGS__))
/* The function under it. Suspends, and returns, as eddy_pg_copy_out does; EDDY_EPG_VALUE for a
 * value that is not of its parameter's type. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_copy_query_out_values(
    eddy_pg_connection *connection, const eddy_pg_copy_options *options, eddy_stream *to,
    const char *sql, const eddy_pg_value *values, size_t count);

/*
 * What a stream gives, to its end, into a table. Suspends; the stream is read as fast as the server
 * takes it, and no longer when the server refuses.
 *
 * Returns how many rows, or an error as eddy_pg_copy_out does; then the table is as it was.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_copy_in(eddy_pg_connection *connection,
                                                            const char *table,
                                                            const eddy_pg_copy_options *options,
                                                            eddy_stream *from);

/*
 * Rows of values into a table in binary form, checked against the types of its columns: `columns`
 * to a row, one row after the other in `values`. Generated columns take none. Suspends.
 *
 * Returns how many rows, or an error as eddy_pg_copy_in does; EDDY_EPG_VALUE for a value that is
 * not of its column's type, with a text that names its row, from 1, and column (P-COPY-6).
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_copy_records(
    eddy_pg_connection *connection, const char *table, const eddy_pg_copy_options *options,
    const eddy_pg_value *values, size_t rows, size_t columns);
/* The same from a generator of `const eddy_pg_value *`, each of which has a value for each column;
 * it may wait, and is taken and closed. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t
eddy_pg_copy_records_from(eddy_pg_connection *connection, const char *table,
                          const eddy_pg_copy_options *options, eddy_generator *records);

/*
 * A COPY statement of one's own, by hand: a stream of its own, of the kind "copy", to read from for
 * COPY ... TO STDOUT, to write to for COPY ... FROM STDIN. The connection is busy until the stream
 * is closed, or what was written is finished.
 *
 * Suspends. Returns 0, and *out is the caller's: EDDY_STREAM; or an error: EDDY_EPG_USE for a
 * statement that is no such COPY.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_copy_open(eddy_pg_connection *connection, const char *sql, eddy_stream **out);
/* Ends what was written, as eddy_write_eof does too; a close without either is as if nothing had
 * been. Suspends. Returns how many rows, also when it is called again, and for what was read to its
 * end; or the server's refusal; EDDY_EPG_USE for another stream. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_pg_copy_finish(eddy_stream *copy);

EDDY_END_DECLS
#endif
