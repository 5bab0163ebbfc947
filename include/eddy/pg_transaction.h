/* SPDX-License-Identifier: MIT */
/*
 * Transactions. As a call, which commits when the function returns 0 and rolls back when it returns
 * an error, a cancel too:
 *
 *     static int transfer(eddy_pg_connection *db, int from, int to, int amount);
 *     EDDY_ASYNC(transfer, eddy_pg_connection *, int, int, int);
 *
 *     EDDY_TRY(eddy_pg_in_transaction(db, NULL, EDDY_CALL(transfer, db, 1, 2, 100)));
 *
 * or as a scope, which is rolled back at the end of its block unless it was committed:
 *
 *     EDDY_PG_TRANSACTION transaction = NULL;
 *     EDDY_TRY(eddy_pg_begin(db, NULL, &transaction));
 *     ...
 *     EDDY_TRY(eddy_pg_commit(transaction));
 *
 * One within another is a savepoint (P-TX-2). After an error of the server's nothing works until
 * the innermost is rolled back (P-TX-6).
 */
#ifndef EDDY_PG_TRANSACTION_H
#define EDDY_PG_TRANSACTION_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/pg_connection.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_transaction eddy_pg_transaction;
#define EDDY_PG_TRANSACTION                                                                        \
    EDDY_CLEANUP_(eddy_pg_transaction_end_scope_) __typeof__(eddy_pg_transaction *)

enum eddy_pg_isolation {
    EDDY_PG_DEFAULT_ISOLATION, /* the server's, or the outer transaction's */
    EDDY_PG_READ_UNCOMMITTED,
    EDDY_PG_READ_COMMITTED,
    EDDY_PG_REPEATABLE_READ,
    EDDY_PG_SERIALIZABLE,
};

typedef struct eddy_pg_transaction_options {
    enum eddy_pg_isolation isolation;
    bool read_only, deferrable;
} eddy_pg_transaction_options;

/* Runs a call in a transaction. Suspends. Returns what the call returned, rolled back; or 0,
 * committed; or an error of beginning or committing: EDDY_EPG_ROLLED_BACK when the server rolled
 * back where it was to commit (P-TX-7). */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_in_transaction(eddy_pg_connection *connection, const eddy_pg_transaction_options *options,
                       eddy_call call);

/* Begins. *out is owned by the caller: EDDY_PG_TRANSACTION, or eddy_pg_commit or eddy_pg_rollback.
 * Suspends. Returns 0, or with *out untouched an error: EDDY_EPG_USE for options within another
 * transaction that differ from its own, and where one was begun by hand (P-TX-5). */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_pg_begin(eddy_pg_connection *connection,
                                                      const eddy_pg_transaction_options *options,
                                                      eddy_pg_transaction **out);

/* Commits, or with a savepoint releases it. Once, and the inner ones first: else EDDY_EPG_USE.
 * Behind an error it is still to be rolled back, which the end of its block does, unless the server
 * has done so: EDDY_EPG_ROLLED_BACK, an error of a deferred constraint. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_pg_commit(eddy_pg_transaction *transaction);
/* Rolls it back. Once, and the inner ones first: else EDDY_EPG_USE. Suspends, and is not cut short
 * but by the close_timeout, behind which the connection is closed. */
EDDY_API EDDY_AWAITS int eddy_pg_rollback(eddy_pg_transaction *transaction);

/* Rolls back what has not ended, and frees; never refused. Suspends. */
EDDY_API EDDY_AWAITS void eddy_pg_transaction_end_scope_(eddy_pg_transaction **transaction);

EDDY_END_DECLS
#endif
