/* SPDX-License-Identifier: MIT */
/*
 * What is to be learned of a login.
 *
 * libpq keeps the secret of a cancel request to itself; its trace, a text with a line for each
 * message, has it:
 *
 *     B\t12\tBackendKeyData\t 4711 815
 *
 * It is written to a stream of our own, which looks at the beginning of each line and keeps
 * nothing: messages of a login have passwords in them. The SQLSTATE of a refusal is in no result
 * either, but in libpq's text, if that is to be verbose; it has a line or more for each address
 * that was tried:
 *
 *     connection to server at "::1", port 5432 failed: FATAL:  28P01: password authentication ...
 *     LOCATION:  auth_failed, auth.c:334
 */
#include "pg/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "pg/handle.h"

/* The trace ---------------------------------------------------------------------- */

/* The last field of a line that begins with these: what stands behind them; NULL: another line. */
static const char *login_field(const char *line, const char *name)
{
    const char *at = line[0] == 'B' ? strchr(line + 1, '\t') : NULL; /* behind the direction */

    at = at ? strchr(at + 1, '\t') : NULL; /* and the length */
    return at && strncmp(at + 1, name, strlen(name)) == 0 ? at + 1 + strlen(name) : NULL;
}

static void login_take_line(struct pg_login *login)
{
    const char *key = login_field(login->line, "BackendKeyData\t");
    char *end;

    if (!key)
        return;
    login->pid = (int)strtol(key, &end, 10);
    login->key = (int)strtol(end, &end, 10);
    login->has_key = *end == '\0';
}

static ssize_t login_write(void *cookie, const char *data, size_t size)
{
    struct pg_login *login = cookie;

    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            login_take_line(login);
            login->length = 0;
            login->line[0] = '\0';
        } else if (login->length + 1 < sizeof login->line) {
            login->line[login->length++] = data[i];
            login->line[login->length] = '\0';
        }
    }
    return (ssize_t)size;
}

void pg_login_begin(struct pg_login *login, PGconn *libpq)
{
    memset(login, 0, sizeof *login);
    (void)PQsetErrorVerbosity(libpq, PQERRORS_VERBOSE);
    login->trace = fopencookie(login, "w", (cookie_io_functions_t){.write = login_write});
    if (!login->trace)
        return;
    setvbuf(login->trace, NULL, _IONBF, 0);
    PQtrace(libpq, login->trace);
    PQsetTraceFlags(libpq, PQTRACE_SUPPRESS_TIMESTAMPS);
}

void pg_login_end(struct pg_login *login, PGconn *libpq)
{
    (void)PQsetErrorVerbosity(libpq, PQERRORS_DEFAULT);
    if (!login->trace)
        return;
    PQuntrace(libpq);
    fclose(login->trace);
    login->trace = NULL;
    explicit_bzero(login->line, sizeof login->line);
}

/* Errors ------------------------------------------------------------------------- */

/* Where a text has the last "SEVERITY:  28P01: ", at its state; NULL: nowhere. */
static const char *login_state(const char *text)
{
    const char *last = NULL;

    while ((text = strstr(text, ":  "))) {
        text += 3;
        if (strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && text[5] == ':')
            last = text;
    }
    return last;
}

/* The error of connect(2) and the like that a text names last, behind `from`; 0: none of them. */
static int login_errno(const char *from)
{
    static const int errors[] = {ECONNREFUSED, ENOENT,     EACCES,   EHOSTUNREACH, ENETUNREACH,
                                 ETIMEDOUT,    ECONNRESET, EPIPE,    EMFILE,       EADDRNOTAVAIL,
                                 EHOSTDOWN,    ENFILE,     ENOTSOCK, ENAMETOOLONG};
    const char *last = NULL;
    int found = 0;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(errors); i++) {
        char buffer[100];
        const char *name = strerror_r(errors[i], buffer, sizeof buffer), *at = from;

        while ((at = strstr(at, name))) {
            if (!last || at > last) {
                last = at;
                found = -errors[i];
            }
            at++;
        }
    }
    return found;
}

/* libpq's text in one line. Advice of its own (behind a tab) is left out, the place in the server's
 * source, and the state, which comes first. */
static void login_text(const char *message, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    while (*message && length < size) {
        int line = (int)strcspn(message, "\n");
        const char *state = login_state(message);
        int before = state && state < message + line ? (int)(state - message) : line;
        int behind = before < line ? before + 7 : line;

        if (line > 0 && message[0] != '\t' && strncmp(message, "LOCATION:", 9) != 0) {
            int written = snprintf(text + length, size - length, "%s%.*s%.*s", length ? "; " : "",
                                   before, message, line - behind, message + behind);

            length += written > 0 ? (size_t)written : 0;
        }
        message += line + (message[line] == '\n');
    }
}

int pg_login_fail(PGconn *libpq)
{
    const char *message = PQerrorMessage(libpq), *state = login_state(message);
    int code = login_errno(state ? state : message);
    char text[480], name[6];

    login_text(message, text, sizeof text);
    if (strstr(text, "out of memory"))
        return eddy_raise(-ENOMEM, "no memory for a connection");
    if (state && !code) {
        snprintf(name, sizeof name, "%.5s", state);
        return eddy_raise(pg_state_code(name), "%s: %s", name, text);
    }
    if (PQconnectionNeedsPassword(libpq))
        return eddy_raise(EDDY_EPG_CONNECT, "the server wants a password, and there is none: %s",
                          text);
    return eddy_raise(code ? code : EDDY_EPG_CONNECT, "%s", text);
}

/* A quoted part of a text, with its quotes; 0: none begins here. */
static size_t login_quoted(const char *text)
{
    const char *end = *text == '"' ? strchr(text + 1, '"') : NULL;

    return end ? (size_t)(end + 1 - text) : 0;
}

void pg_login_conceal(const char *message, char *text, size_t size)
{
    bool named = strncmp(message, "invalid connection option ", 26) == 0 ||
                 strncmp(message, "invalid URI query parameter", 27) == 0;
    size_t length = 0;

    while (*message && *message != '\n' && length + 5 < size) {
        size_t quoted = named ? 0 : login_quoted(message), copied = quoted == 3 ? 3 : 1;

        if (quoted > 3) {
            memcpy(text + length, "\"...\"", 5);
            length += 5;
            message += quoted;
        } else {
            memcpy(text + length, message, copied); /* a single character says nothing */
            length += copied;
            message += copied;
        }
    }
    text[length] = '\0';
}
