/* SPDX-License-Identifier: MIT */
/*
 * Transactions, and savepoints where one is within another.
 *
 * The handles of a connection are a list, the outermost first; only the last may commit or roll
 * back. What the server says of its state is believed before what the list says: a transaction that
 * was ended by hand, or with a COMMIT that failed, is not ended again.
 *
 * Rolling back is clean-up: nothing cuts it short but the connection's close_timeout, behind which
 * the connection is closed. So is what follows a BEGIN that was cancelled: it may have been done.
 */
#include "eddy/pg_transaction.h"

#include <stdio.h>
#include <string.h>

#include "eddy/error.h"
#include "eddy/scope.h"
#include "eddy/wait.h"
#include "pg/query.h"
#include "task/task.h"

struct eddy_pg_transaction {
    struct pg_handle handle;
    eddy_pg_transaction_options options;
    bool nested;
    char savepoint[32]; /* its name */
};

static eddy_pg_transaction *transaction_of(struct eddy_link_ *link)
{
    return link ? ed_container_of(link, eddy_pg_transaction, handle.link) : NULL;
}

static PGTransactionStatusType transaction_status(eddy_pg_connection *connection)
{
    return PQtransactionStatus(pg_connection_libpq(connection));
}

static bool transaction_is_open(eddy_pg_connection *connection)
{
    PGTransactionStatusType status = transaction_status(connection);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

/* Runs a command within the caller's operation. Suspends. */
static EDDY_AWAITS int transaction_command(struct pg_operation *operation, const char *sql)
{
    struct pg_query query = {.sql = sql, .script = true};

    return pg_query_in_operation(operation, &query);
}

static int transaction_leave(struct pg_operation *operation, int rc)
{
    struct pg_statements *statements = *pg_connection_statements(operation->connection);

    if (statements)
        pg_statements_note_ready(statements);
    return pg_operation_end(operation, rc);
}

/* Rolling back --------------------------------------------------------------------------- */

/* Ends a transaction on the server, or goes back to a savepoint and ends that; nothing where none
 * is open. */
static EDDY_AWAITS int undo_now(eddy_pg_connection *connection, const char *savepoint)
{
    struct pg_operation operation;
    char sql[128] = "ROLLBACK";
    int rc;

    if (savepoint)
        snprintf(sql, sizeof sql, "ROLLBACK TO SAVEPOINT %s; RELEASE SAVEPOINT %s", savepoint,
                 savepoint);
    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    rc = transaction_is_open(connection) ? transaction_command(&operation, sql) : 0;
    return transaction_leave(&operation, rc);
}

/* The same as clean-up: a server that does not answer in time loses its connection. */
static EDDY_AWAITS int undo(eddy_pg_connection *connection, const char *savepoint)
{
    int rc;

    EDDY_SHIELD(clean_up);
    EDDY_TIMEOUT(limit, pg_connection_options(connection)->close_timeout);
    pg_connection_ref(connection);
    rc = undo_now(connection, savepoint);
    if (rc < 0 && eddy_timeout_expired(&limit))
        pg_connection_break(connection);
    pg_connection_unref(connection);
    return rc;
}

/* The same behind an error, whose text stays. */
static EDDY_AWAITS void undo_quietly(eddy_pg_connection *connection, const char *savepoint)
{
    struct ed_error *error = eddy_error_set_aside_();

    (void)undo(connection, savepoint); /* the error that led here is told */
    eddy_error_put_back_(error);
}

/* Those within it have ended, and it has. */
static void transaction_has_ended(eddy_pg_transaction *transaction)
{
    while (transaction->handle.connection &&
           transaction->handle.list->last != &transaction->handle.link)
        pg_handle_leave(&transaction_of(transaction->handle.list->last)->handle);
    pg_handle_leave(&transaction->handle);
}

/* Beginning ---------------------------------------------------------------------------------- */

static const char *const isolation_names[] = {
    [EDDY_PG_DEFAULT_ISOLATION] = NULL,          [EDDY_PG_READ_UNCOMMITTED] = "READ UNCOMMITTED",
    [EDDY_PG_READ_COMMITTED] = "READ COMMITTED", [EDDY_PG_REPEATABLE_READ] = "REPEATABLE READ",
    [EDDY_PG_SERIALIZABLE] = "SERIALIZABLE",
};

static void begin_text(const eddy_pg_transaction_options *options, char *sql, size_t size)
{
    const char *isolation = isolation_names[options->isolation];

    snprintf(sql, size, "BEGIN%s%s%s%s", isolation ? " ISOLATION LEVEL " : "",
             isolation ? isolation : "", options->read_only ? " READ ONLY" : "",
             options->deferrable ? " DEFERRABLE" : "");
}

/* A savepoint has the options of its transaction, and can have no others (P-TX-2). */
static int
options_check(const eddy_pg_transaction_options *options, const eddy_pg_transaction *outer)
{
    if (options->isolation >= ED_ARRAY_LENGTH(isolation_names))
        return eddy_raise(-EINVAL, "%d is no isolation level", (int)options->isolation);
    if (!outer)
        return 0;
    if (options->isolation && options->isolation != outer->options.isolation)
        return eddy_raise(EDDY_EPG_USE,
                          "a transaction within another cannot have an isolation level of its own");
    if ((options->read_only && !outer->options.read_only) ||
        (options->deferrable && !outer->options.deferrable))
        return eddy_raise(
            EDDY_EPG_USE,
            "a transaction within another cannot be read-only or deferrable by itself");
    return 0;
}

/* What stands in the way of one, when the server is ready. */
static int begin_check(eddy_pg_connection *connection, const eddy_pg_transaction *outer)
{
    bool open = transaction_is_open(connection);

    if (!outer && open)
        return eddy_raise(EDDY_EPG_USE, "a transaction was begun by hand before");
    if (outer && !open)
        return eddy_raise(EDDY_EPG_USE, "the transaction around this one was ended by hand");
    return 0;
}

static EDDY_AWAITS int begin_run(eddy_pg_connection *connection, eddy_pg_transaction *transaction,
                                 const eddy_pg_transaction *outer)
{
    struct pg_operation operation;
    char sql[128];
    int rc;

    EDDY_TIMEOUT(limit, pg_command_time(connection));
    if (outer)
        snprintf(sql, sizeof sql, "SAVEPOINT %s", transaction->savepoint);
    else
        begin_text(&transaction->options, sql, sizeof sql);
    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    rc = begin_check(connection, outer);
    if (rc == 0)
        rc = transaction_command(&operation, sql);
    return transaction_leave(&operation, rc);
}

static eddy_pg_transaction *transaction_new(struct pg_statements *statements,
                                            const eddy_pg_transaction_options *options,
                                            const eddy_pg_transaction *outer)
{
    eddy_pg_transaction *transaction = eddy_alloc_(sizeof *transaction);

    if (!transaction)
        return NULL;
    transaction->options = outer ? outer->options : *options;
    transaction->nested = outer != NULL;
    snprintf(transaction->savepoint, sizeof transaction->savepoint, "eddy_savepoint_%llu",
             (unsigned long long)++statements->named);
    return transaction;
}

/* The caller refers to the connection. */
static EDDY_AWAITS int begin(eddy_pg_connection *connection,
                             const eddy_pg_transaction_options *options, eddy_pg_transaction **out)
{
    struct pg_statements *statements = pg_statements_of(connection);
    eddy_pg_transaction *outer, *transaction;
    int rc;

    if (!statements)
        return -ENOMEM;
    outer = transaction_of(statements->transactions.last);
    EDDY_TRY(options_check(options, outer));
    transaction = transaction_new(statements, options, outer);
    if (!transaction)
        return -ENOMEM;
    rc = begin_run(connection, transaction, outer);
    if (rc < 0) {
        if (!outer && (rc == -ECANCELED || rc == -ETIMEDOUT || rc == -ENOMEM))
            undo_quietly(connection, NULL); /* it may have been begun */
        eddy_free(transaction);
        return rc;
    }
    pg_handle_join(&transaction->handle, &statements->transactions, connection, NULL);
    *out = transaction;
    return 0;
}

int eddy_pg_begin(eddy_pg_connection *connection, const eddy_pg_transaction_options *options,
                  eddy_pg_transaction **out)
{
    static const eddy_pg_transaction_options defaults;
    int rc;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    pg_connection_ref(connection);
    rc = begin(connection, options ? options : &defaults, out);
    pg_connection_unref(connection);
    return rc;
}

/* Ending ------------------------------------------------------------------------------------- */

static int end_check(eddy_pg_transaction *transaction, eddy_pg_connection **out)
{
    if (!transaction)
        return eddy_raise(EDDY_EPG_USE, "there is no transaction: NULL");
    if (!transaction->handle.connection)
        return eddy_raise(EDDY_EPG_USE, "the transaction has ended before");
    EDDY_TRY(pg_handle_connection(&transaction->handle, "transaction", out));
    if (transaction->handle.list->last != &transaction->handle.link)
        return eddy_raise(EDDY_EPG_USE, "a transaction within this one has not ended");
    return 0;
}

/* The server answers a COMMIT of what has failed by a ROLLBACK, and not by an error (P-TX-7). */
static int commit_judge(eddy_pg_connection *connection)
{
    if (strcmp(eddy_pg_last_tag(connection), "ROLLBACK") != 0)
        return 0;
    return eddy_raise(
        EDDY_EPG_ROLLED_BACK,
        "the transaction was rolled back, not committed: a statement of it had failed");
}

static EDDY_AWAITS int
commit_run(struct pg_operation *operation, eddy_pg_transaction *transaction, const char *sql)
{
    eddy_pg_connection *connection = operation->connection;
    int rc;

    if (!transaction_is_open(connection)) {
        transaction_has_ended(transaction);
        return eddy_raise(EDDY_EPG_USE, "the transaction was ended by hand");
    }
    rc = transaction_command(operation, sql);
    if (rc == 0 && !transaction->nested)
        rc = commit_judge(connection);
    if (rc == 0 || transaction_status(connection) == PQTRANS_IDLE)
        transaction_has_ended(transaction);
    return rc;
}

int eddy_pg_commit(eddy_pg_transaction *transaction)
{
    eddy_pg_connection *connection;
    struct pg_operation operation;
    char sql[64] = "COMMIT";
    int rc;

    EDDY_TRY(end_check(transaction, &connection));
    EDDY_TIMEOUT(limit, pg_command_time(connection));
    if (transaction->nested)
        snprintf(sql, sizeof sql, "RELEASE SAVEPOINT %s", transaction->savepoint);
    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    return transaction_leave(&operation, commit_run(&operation, transaction, sql));
}

int eddy_pg_rollback(eddy_pg_transaction *transaction)
{
    eddy_pg_connection *connection;

    EDDY_TRY(end_check(transaction, &connection));
    transaction_has_ended(transaction);
    return undo(connection, transaction->nested ? transaction->savepoint : NULL);
}

void eddy_pg_transaction_end_scope_(eddy_pg_transaction **transaction)
{
    eddy_pg_transaction *ending = *transaction;
    eddy_pg_connection *connection;

    *transaction = NULL;
    if (!ending)
        return;
    if (ending->handle.connection)
        (void)pg_statements_of(ending->handle.connection); /* a pool may have had it meanwhile */
    connection = ending->handle.connection;
    if (connection && !eddy_pg_is_closed(connection)) {
        transaction_has_ended(ending);
        undo_quietly(connection, ending->nested ? ending->savepoint : NULL);
    }
    pg_handle_leave(&ending->handle);
    eddy_free(ending);
}

int eddy_pg_in_transaction(eddy_pg_connection *connection,
                           const eddy_pg_transaction_options *options, eddy_call call)
{
    EDDY_PG_TRANSACTION transaction = NULL;

    EDDY_TRY(eddy_pg_begin(connection, options, &transaction));
    EDDY_TRY(eddy_wait_for_call(call, EDDY_FOREVER));
    return eddy_pg_commit(transaction);
}
