/* SPDX-License-Identifier: MIT */
/*
 * Preparing statements on the server, and closing them.
 *
 * Parse, Describe and Sync go out together, in libpq's pipeline mode, which is left again before
 * anything else is done: one round trip. Statements that nobody wants any more are closed in front
 * of them, between syncs of their own, so that what goes wrong there concerns nobody. libpq 15 has
 * no Close message; DEALLOCATE it is. Inside a transaction it is left for later: it would fail with
 * the transaction, or make it fail.
 */
#include <string.h>

#include "eddy/task.h"
#include "pg/session.h"
#include "pg/types.h"

#define CLOSE_MOST 64 /* statements closed together */

bool pg_is_stale(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *routine = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    if (!state)
        return false;
    return strcmp(state, "26000") == 0 || (strcmp(state, "0A000") == 0 && routine &&
                                           strcmp(routine, "RevalidateCachedQuery") == 0);
}

/* Describing --------------------------------------------------------------------------------- */

static size_t names_size(const PGresult *description, int columns)
{
    size_t size = 0;

    for (int i = 0; i < columns; i++)
        size += strlen(PQfname(description, i)) + 1;
    return size;
}

int pg_statement_describe(struct pg_statement *statement, const PGresult *description)
{
    int parameters = PQnparams(description), columns = PQnfields(description);
    size_t types = (size_t)(parameters + columns) * sizeof(uint32_t);
    char *block = eddy_alloc_(types + names_size(description, columns) + 1);
    uint32_t *type = (uint32_t *)(void *)block;
    char *name = block + types;

    if (!block)
        return -ENOMEM;
    eddy_free(statement->description);
    statement->description = block;
    statement->parameters = (size_t)parameters;
    statement->columns = (size_t)columns;
    statement->parameter_types = type;
    statement->column_types = type + parameters;
    statement->column_names = name;
    for (int i = 0; i < parameters; i++)
        *type++ = PQparamtype(description, i);
    for (int i = 0; i < columns; i++) {
        size_t size = strlen(PQfname(description, i)) + 1;

        *type++ = PQftype(description, i);
        memcpy(name, PQfname(description, i), size);
        name += size;
    }
    return 0;
}

static bool types_known(const struct pg_types *types, const uint32_t *oids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!pg_types_find(types, oids[i]))
            return false;
    }
    return true;
}

bool pg_statement_finish(struct pg_statement *statement)
{
    struct pg_types *types = pg_connection_types(statement->cache->connection);

    if (!types_known(types, statement->parameter_types, statement->parameters + statement->columns))
        return false;
    statement->binary = pg_types_binary(types, statement->column_types, statement->columns);
    statement->prepared = eddy_time();
    statement->state = PG_STATEMENT_READY;
    return true;
}

/* Closing ---------------------------------------------------------------------------------- */

int pg_statements_send_close(struct pg_statements *statements)
{
    PGconn *pg = pg_connection_libpq(statements->connection);
    char command[64] = "DEALLOCATE ";
    int sent = 0;

    if (PQtransactionStatus(pg) == PQTRANS_INTRANS || PQtransactionStatus(pg) == PQTRANS_INERROR)
        return 0;
    ED_LIST_FOR_EACH(link, &statements->closing) {
        const struct pg_statement *statement = ed_container_of(link, struct pg_statement, link);

        memcpy(command + strlen("DEALLOCATE "), statement->name, sizeof statement->name);
        if (!PQsendQueryParams(pg, command, 0, NULL, NULL, NULL, NULL, 0))
            return -1;
        if (++sent == CLOSE_MOST)
            break;
    }
    return sent;
}

void pg_statements_take_close(struct pg_statements *statements, const PGresult *result)
{
    struct eddy_link_ *first = statements->closing.first;
    ExecStatusType status = PQresultStatus(result);

    if (!first || status == PGRES_PIPELINE_ABORTED)
        return; /* one before it was not there; this one is asked for again */
    ed_list_remove(&statements->closing, first);
    pg_statement_free(ed_container_of(first, struct pg_statement, link));
}

/* In pipeline mode: what came for one kind of command up to its sync. */
static EDDY_AWAITS int closes_receive(struct pg_operation *operation)
{
    struct pg_statements *statements = pg_statements_of(operation->connection);
    bool synced = false;

    while (!synced) {
        PGresult *result;
        int rc = pg_next_result(operation->connection, &result);

        if (rc < 0)
            return rc;
        if (!result)
            continue;
        synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!synced)
            pg_statements_take_close(statements, result);
        PQclear(result);
    }
    return 0;
}

int pg_statements_close_unused(struct pg_operation *operation)
{
    eddy_pg_connection *connection = operation->connection;
    struct pg_statements *statements = pg_statements_of(connection);
    PGconn *pg = pg_connection_libpq(connection);
    int sent, rc;

    if (!statements || ed_list_empty(&statements->closing) ||
        PQtransactionStatus(pg) != PQTRANS_IDLE)
        return 0;
    if (!PQenterPipelineMode(pg) || (sent = pg_statements_send_close(statements)) < 0 ||
        !PQpipelineSync(pg))
        return pg_raise_failure(connection, "DEALLOCATE");
    rc = pg_flush(connection);
    if (rc == 0)
        rc = closes_receive(operation);
    if (rc == 0 && !PQexitPipelineMode(pg))
        rc = pg_raise_failure(connection, "DEALLOCATE");
    return rc;
}

/* Preparing ---------------------------------------------------------------------------------- */

static int
prepare_send(struct pg_operation *operation, struct pg_statement *statement, bool *closes)
{
    PGconn *pg = pg_connection_libpq(operation->connection);
    int sent;

    if (!PQenterPipelineMode(pg))
        return pg_raise_failure(operation->connection, statement->sql);
    sent = pg_statements_send_close(statement->cache);
    *closes = sent > 0;
    statement->known = statement->name[0] != '\0';
    if (sent < 0 || (sent && !PQpipelineSync(pg)) ||
        !PQsendPrepare(pg, statement->name, statement->sql, 0, NULL) ||
        !PQsendDescribePrepared(pg, statement->name) || !PQpipelineSync(pg))
        return pg_raise_failure(operation->connection, statement->sql);
    return 0;
}

/* The second result without an error is the description; *failed is the first error. */
static int prepare_take(struct pg_operation *operation, struct pg_statement *statement,
                        PGresult *result, int *good, int *failed)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK: return ++*good == 2 ? pg_statement_describe(statement, result) : 0;
    case PGRES_PIPELINE_ABORTED:
    case PGRES_PIPELINE_SYNC: return 0;
    default:
        if (*failed == 0)
            *failed = pg_raise_result(operation->connection, result, statement->sql);
        return 0;
    }
}

static EDDY_AWAITS int
prepare_receive(struct pg_operation *operation, struct pg_statement *statement, int *failed)
{
    bool synced = false;
    int good = 0, rc = 0;

    while (!synced) {
        PGresult *result;
        int next = pg_next_result(operation->connection, &result);

        if (next < 0)
            return next;
        if (!result)
            continue;
        synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        next = prepare_take(operation, statement, result, &good, failed);
        rc = rc ? rc : next;
        PQclear(result);
    }
    return rc;
}

/* One round trip: closes what is to be closed, prepares and describes. */
static EDDY_AWAITS int
prepare_exchange(struct pg_operation *operation, struct pg_statement *statement)
{
    bool closes = false;
    int failed = 0, rc = prepare_send(operation, statement, &closes);

    if (rc == 0)
        rc = pg_flush(operation->connection);
    if (rc == 0 && closes)
        rc = closes_receive(operation);
    if (rc == 0)
        rc = prepare_receive(operation, statement, &failed);
    if (rc < 0 && rc != -ENOMEM)
        return rc; /* still in the middle of it: it is settled with the operation */
    if (!PQexitPipelineMode(pg_connection_libpq(operation->connection)))
        return rc < 0 ? rc : pg_raise_failure(operation->connection, statement->sql);
    if (failed < 0)
        statement->known = false;
    return failed < 0 ? failed : rc;
}

int pg_statement_learn(struct pg_operation *operation, struct pg_statement *statement)
{
    int rc = pg_types_learn(operation, statement->parameter_types,
                            statement->parameters + statement->columns);

    if (rc == 0 && !pg_statement_finish(statement))
        rc = eddy_raise(EDDY_EPG_PROTOCOL, "the server does not know the types of %s",
                        statement->sql);
    return rc;
}

int pg_statement_prepare(struct pg_operation *operation, struct pg_statement *statement)
{
    int rc = prepare_exchange(operation, statement);

    if (rc < 0 || pg_statement_finish(statement))
        return rc;
    rc = pg_statement_learn(operation, statement);
    if (rc == 0 && !statement->name[0]) /* which asking for types has replaced */
        rc = prepare_exchange(operation, statement);
    return rc;
}

static EDDY_AWAITS ED_NOINLINE int
statement_make(struct pg_operation *operation, const char *sql, struct pg_statement **out)
{
    struct pg_statements *statements = pg_statements_of(operation->connection);
    struct pg_statement *statement = statements ? pg_statement_new(statements, sql, false) : NULL;
    int rc;

    if (!statement)
        return -ENOMEM;
    rc = pg_statement_prepare(operation, statement);
    if (rc < 0) {
        pg_statement_unref(statement);
        return rc;
    }
    pg_statement_keep(statement);
    *out = statement;
    return 0;
}

int pg_statement_get(struct pg_operation *operation, const char *sql, struct pg_statement **out)
{
    struct pg_statements *statements = pg_statements_of(operation->connection);
    struct pg_statement *found =
        statements ? pg_statement_find(statements, sql, operation->begun) : NULL;
    int rc;

    if (ed_unlikely(!found))
        return statement_make(operation, sql, out);
    if (ed_unlikely(!ed_list_empty(&statements->closing))) {
        rc = pg_statements_close_unused(operation);
        if (rc < 0) {
            pg_statement_unref(found);
            return rc;
        }
    }
    *out = found;
    return 0;
}
