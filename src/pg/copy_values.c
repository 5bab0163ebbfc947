/* SPDX-License-Identifier: MIT */
/*
 * A query with values, for COPY, which takes no parameters: they have to become literals.
 *
 * The server itself makes them. The query is prepared, which says of which types its parameters
 * are (and refuses what is no single query); then the values go to the server as parameters of
 * these types, checked as always, and come back as literals of quote_nullable, each with the name
 * of its type: ('it''s'::text).
 *
 * They are put where $1 and its like are parameters: not in strings, quoted identifiers, comments
 * and names, which are told apart as the server does it (src/backend/parser/scan.l): a $1 that is
 * replaced is never inside of something else, or a literal could end it. A string that begins with
 * E has backslashes, and so has its continuation on another line.
 */
#include <stdio.h>
#include <string.h>

#include "pg/copy.h"
#include "pg/encode.h"
#include "pg/statement.h"

/* Scanning -------------------------------------------------------------------------- */

static bool is_name_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_newline(unsigned char c)
{
    return c == '\n' || c == '\r';
}

/* All of these return where what begins at `at` ends; a NUL ends all. */

static const char *skip_line_comment(const char *at)
{
    while (*at && !is_newline((unsigned char)*at))
        at++;
    return at;
}

static const char *skip_block_comment(const char *at)
{
    size_t depth = 0;

    do {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else if (*at) {
            at++;
        }
    } while (*at && depth > 0);
    return at;
}

/* Where a string goes on behind a quote: on another line; NULL: it has ended. */
static const char *find_continuation(const char *at)
{
    bool newline = false;

    for (;; at++) {
        if (at[0] == '-' && at[1] == '-')
            at = skip_line_comment(at);
        if (!*at || !is_space((unsigned char)*at))
            break;
        newline = newline || is_newline((unsigned char)*at);
    }
    return newline && *at == '\'' ? at : NULL;
}

/* 'text', "name", with the quote doubled inside. */
static const char *skip_quoted(const char *at, bool escapes)
{
    char quote = *at++;

    while (*at) {
        if (*at == '\\' && escapes && at[1]) {
            at += 2;
        } else if (*at == quote && at[1] == quote) {
            at += 2;
        } else if (*at == quote) {
            const char *next = quote == '\'' && escapes ? find_continuation(at + 1) : NULL;

            if (!next)
                return at + 1;
            at = next + 1;
        } else {
            at++;
        }
    }
    return at;
}

/* $tag$ text $tag$; NULL: no such string begins here. */
static const char *skip_dollar_quoted(const char *at)
{
    const char *tag = at + 1, *end;
    size_t size;

    if (is_name_start((unsigned char)*tag))
        while (is_name_start((unsigned char)*tag) || is_digit((unsigned char)*tag))
            tag++;
    if (*tag != '$')
        return NULL;
    size = (size_t)(tag + 1 - at);
    for (end = tag + 1; *end; end++)
        if (strncmp(end, at, size) == 0)
            return end + size;
    return end;
}

/* A name, or a prefix of a string. */
static const char *skip_name(const char *at, bool escapes)
{
    const char *end = at;

    if ((*at == 'e' || *at == 'E') && at[1] == '\'')
        return skip_quoted(at + 1, true);
    if (strchr("bBxXnN", *at) && at[1] == '\'')
        return skip_quoted(at + 1, (*at == 'n' || *at == 'N') && escapes);
    if ((*at == 'u' || *at == 'U') && at[1] == '&' && (at[2] == '\'' || at[2] == '"'))
        return skip_quoted(at + 2, false);
    while (is_name_start((unsigned char)*end) || is_digit((unsigned char)*end) || *end == '$')
        end++;
    return end;
}

/* The end of the token at `at`, which is no parameter. */
static const char *skip_token(const char *at, bool escapes)
{
    const char *end = *at == '$' ? skip_dollar_quoted(at) : NULL;

    if (end)
        return end;
    if (*at == '\'')
        return skip_quoted(at, escapes);
    if (*at == '"')
        return skip_quoted(at, false);
    if (at[0] == '-' && at[1] == '-')
        return skip_line_comment(at);
    if (at[0] == '/' && at[1] == '*')
        return skip_block_comment(at);
    if (is_name_start((unsigned char)*at))
        return skip_name(at, escapes);
    return at + 1;
}

static int
put_literal(const char **at, const char *const *literals, size_t count, struct eddy_buffer_ *out)
{
    size_t number = 0;

    for ((*at)++; is_digit((unsigned char)**at); (*at)++)
        number = number < 100000 ? number * 10 + (size_t)(**at - '0') : number;
    if (number == 0 || number > count)
        return eddy_raise(EDDY_EPG_VALUE, "the query has a parameter $%zu, of %zu", number, count);
    return pg_copy_append(out, literals[number - 1]);
}

int pg_copy_substitute(const char *sql, const char *const *literals, size_t count, bool escapes,
                       struct eddy_buffer_ *out)
{
    while (*sql) {
        if (sql[0] == '$' && is_digit((unsigned char)sql[1])) {
            EDDY_TRY(put_literal(&sql, literals, count, out));
        } else {
            const char *end = skip_token(sql, escapes);

            EDDY_TRY(ed_buffer_append(out, sql, (size_t)(end - sql)));
            sql = end;
        }
    }
    return ed_buffer_append(out, "", 1);
}

/* Literals -------------------------------------------------------------------------- */

/* SELECT '(' || quote_nullable($1) || '::' || format_type(23, -1) || ')', ... */
static int literals_query(const struct pg_statement *statement, struct eddy_buffer_ *sql)
{
    EDDY_TRY(pg_copy_append(sql, "SELECT "));
    for (size_t i = 0; i < statement->parameters; i++) {
        char item[200];

        snprintf(item, sizeof item,
                 "%s'(' || pg_catalog.quote_nullable($%zu) || '::' || "
                 "pg_catalog.format_type(%u, -1) || ')'",
                 i ? ", " : "", i + 1, statement->parameter_types[i]);
        EDDY_TRY(pg_copy_append(sql, item));
    }
    return ed_buffer_append(sql, "", 1);
}

/* Asks the server; the one row of texts. */
static int literals_ask(struct pg_operation *operation, const struct pg_statement *statement,
                        const struct pg_parameters *parameters, const char *sql, PGresult **out)
{
    PGconn *libpq = pg_connection_libpq(operation->connection);
    PGresult *result = NULL, *last = NULL;
    int rc = 0;

    if (!PQsendQueryParams(libpq, sql, parameters->count, statement->parameter_types,
                           parameters->values, parameters->lengths, parameters->formats, 0))
        return pg_raise_failure(operation->connection, sql);
    EDDY_TRY(pg_flush(operation->connection));
    while ((rc = pg_next_result(operation->connection, &result)) == 0 && result) {
        PQclear(last);
        last = result;
        result = NULL;
    }
    if (rc == 0)
        rc = pg_raise_result(operation->connection, last, sql);
    if (rc == 0 && PQntuples(last) != 1)
        rc = eddy_raise(EDDY_EPG_PROTOCOL, "the server gave no literals");
    if (rc < 0)
        PQclear(last);
    else
        *out = last;
    return rc;
}

static int literals_put(eddy_pg_connection *connection, const char *sql, const PGresult *row,
                        size_t count, struct eddy_buffer_ *out)
{
    const char *standard =
        PQparameterStatus(pg_connection_libpq(connection), "standard_conforming_strings");
    const char **literals = eddy_alloc_(count * sizeof *literals);
    int rc;

    if (!literals)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        literals[i] = PQgetvalue(row, 0, (int)i);
    rc = pg_copy_substitute(sql, literals, count, !standard || strcmp(standard, "on") != 0, out);
    eddy_free(literals);
    return rc;
}

static int values_of_statement(struct pg_operation *operation, const struct pg_statement *statement,
                               const eddy_pg_value *values, size_t count, struct eddy_buffer_ *out)
{
    eddy_pg_connection *connection = operation->connection;
    struct pg_parameters parameters = {0};
    struct eddy_buffer_ ask = {0};
    PGresult *row = NULL;
    int rc = pg_parameters_encode(&parameters, pg_connection_types(connection),
                                  statement->parameter_types, statement->parameters, values, count);

    if (rc == 0)
        rc = literals_query(statement, &ask);
    if (rc == 0)
        rc = literals_ask(operation, statement, &parameters, ed_buffer_bytes(&ask), &row);
    if (rc == 0)
        rc = literals_put(connection, operation->query, row, count, out);
    PQclear(row);
    ed_buffer_release(&ask);
    pg_parameters_free(&parameters);
    return rc;
}

int pg_copy_values(eddy_pg_connection *connection, const char *sql, const eddy_pg_value *values,
                   size_t count, struct eddy_buffer_ *out)
{
    struct pg_statement *statement = NULL;
    struct pg_operation operation;
    int rc;

    EDDY_TRY(pg_operation_begin(&operation, connection, sql));
    rc = pg_statement_get(&operation, sql, &statement);
    if (rc == 0) {
        rc = values_of_statement(&operation, statement, values, count, out);
        pg_statement_unref(statement);
    }
    return pg_operation_end(&operation, rc);
}
