/* SPDX-License-Identifier: MIT */
/*
 * What a server says of an error or of anything else, as a struct of texts, and errors of it.
 *
 * The code of an error is its SQLSTATE. An error without one is libpq's own: of a server that has
 * gone, or that does not speak the protocol, which libpq tells apart in words alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/handle.h"

/* The texts of a message, and where they are in the struct. */
static const struct message_field {
    int field;
    size_t offset;
} message_fields[] = {
    {PG_DIAG_SEVERITY_NONLOCALIZED, offsetof(eddy_pg_message, severity)},
    {PG_DIAG_SQLSTATE, offsetof(eddy_pg_message, sqlstate)},
    {PG_DIAG_MESSAGE_PRIMARY, offsetof(eddy_pg_message, message)},
    {PG_DIAG_MESSAGE_DETAIL, offsetof(eddy_pg_message, detail)},
    {PG_DIAG_MESSAGE_HINT, offsetof(eddy_pg_message, hint)},
    {PG_DIAG_INTERNAL_QUERY, offsetof(eddy_pg_message, internal_query)},
    {PG_DIAG_CONTEXT, offsetof(eddy_pg_message, context)},
    {PG_DIAG_SCHEMA_NAME, offsetof(eddy_pg_message, schema)},
    {PG_DIAG_TABLE_NAME, offsetof(eddy_pg_message, table)},
    {PG_DIAG_COLUMN_NAME, offsetof(eddy_pg_message, column)},
    {PG_DIAG_DATATYPE_NAME, offsetof(eddy_pg_message, data_type)},
    {PG_DIAG_CONSTRAINT_NAME, offsetof(eddy_pg_message, constraint)},
    {PG_DIAG_SOURCE_FILE, offsetof(eddy_pg_message, file)},
    {PG_DIAG_SOURCE_LINE, offsetof(eddy_pg_message, line)},
    {PG_DIAG_SOURCE_FUNCTION, offsetof(eddy_pg_message, routine)},
};

static const char *message_text(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    if (!text && field == PG_DIAG_SEVERITY_NONLOCALIZED) /* before 9.6 */
        text = PQresultErrorField(result, PG_DIAG_SEVERITY);
    return text ? text : "";
}

static int message_number(const PGresult *result, int field)
{
    return (int)strtol(message_text(result, field), NULL, 10);
}

/* Copies a text to *room, which moves behind it. */
static const char *message_copy(const char *text, char **room)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*room, text, size);

    *room += size;
    return copy;
}

struct pg_message *pg_message_new(const PGresult *result, const char *query)
{
    struct pg_message *message;
    size_t size = strlen(query ? query : "") + 1;
    char *room;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(message_fields); i++)
        size += strlen(message_text(result, message_fields[i].field)) + 1;
    message = eddy_alloc_(sizeof *message + size);
    if (!message)
        return NULL;
    message->size = size;
    room = (char *)(message + 1);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(message_fields); i++) {
        const char *copy = message_copy(message_text(result, message_fields[i].field), &room);

        memcpy((char *)&message->parts + message_fields[i].offset, &copy, sizeof copy);
    }
    message->parts.query = message_copy(query ? query : "", &room);
    message->parts.position = message_number(result, PG_DIAG_STATEMENT_POSITION);
    message->parts.internal_position = message_number(result, PG_DIAG_INTERNAL_POSITION);
    return message;
}

/* Errors ------------------------------------------------------------------------- */

static bool is_state(const char *state)
{
    size_t length = strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return length == 5 && state[5] == '\0';
}

int pg_state_code(const char *state)
{
    if (!is_state(state))
        return EDDY_EPG_PROTOCOL;
    return EDDY_PG_STATE(state[0], state[1], state[2], state[3], state[4]);
}

const char *pg_first_line(const char *message, char *line, size_t size)
{
    int length = (int)strcspn(message, "\n");

    snprintf(line, size, "%.*s", length, message);
    return line;
}

/* What the server says, in one line. */
static int message_raise(const PGresult *result, const char *state)
{
    const char *detail = message_text(result, PG_DIAG_MESSAGE_DETAIL);

    return eddy_raise(pg_state_code(state), "%s: %s%s%s%s", state,
                      message_text(result, PG_DIAG_MESSAGE_PRIMARY), *detail ? " (" : "", detail,
                      *detail ? ")" : "");
}

/* What libpq says, which gives no codes of its own. */
static int message_failure(eddy_pg_connection *connection, const char *text)
{
    bool lost = PQstatus(connection->libpq) != CONNECTION_OK;
    char line[160];

    pg_first_line(text, line, sizeof line);
    if (strstr(line, "out of memory"))
        return eddy_raise(-ENOMEM, "no memory for an answer of the server's");
    if (lost && !strstr(line, "lost synchronization")) {
        pg_connection_lose(connection, line);
        return eddy_raise(EDDY_EPG_LOST, "the connection was lost: %s", line);
    }
    pg_connection_lose(connection, line);
    return eddy_raise(EDDY_EPG_PROTOCOL, "the server sent what cannot be understood: %s", line);
}

int pg_raise_result(eddy_pg_connection *connection, const PGresult *result, const char *query)
{
    ExecStatusType status = PQresultStatus(result);
    const char *state;

    if (ed_likely(status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE))
        return 0;
    state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state)
        return connection->closed ? pg_connection_refuse(connection)
                                  : message_failure(connection, PQresultErrorMessage(result));
    eddy_free(connection->error);
    connection->error = pg_message_new(result, query); /* none, where memory is short */
    return message_raise(result, state);
}

int pg_raise_failure(eddy_pg_connection *connection, const char *query)
{
    (void)query;
    if (connection->closed)
        return pg_connection_refuse(connection);
    return message_failure(connection, PQerrorMessage(connection->libpq));
}

const eddy_pg_message *eddy_pg_last_error(const eddy_pg_connection *connection)
{
    return connection->error ? &connection->error->parts : NULL;
}
