/* SPDX-License-Identifier: MIT */
/*
 * What a connection is made with, as libpq wants it: names and values. What a program says by
 * options is stronger than the DSN, and that than the environment and service files, which libpq
 * reads itself (P-CONN-1). Passwords are among it, so that every copy is wiped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/stream_class.h"
#include "pg/hosts.h"
#include "pg/login.h"

/* Dates and intervals in the form that is read here. A program's own settings come behind. */
#define PARAMETERS_STYLES "-c datestyle=ISO -c intervalstyle=postgres"

static void parameter_wipe(const char *value)
{
    if (value)
        explicit_bzero((char *)(uintptr_t)value, strlen(value));
    eddy_free((void *)(uintptr_t)value);
}

static size_t parameter_find(const struct pg_parameters_set *set, const char *name)
{
    size_t i = 0;

    while (i < set->count && strcmp(set->names[i], name) != 0)
        i++;
    return i;
}

int pg_parameters_put(struct pg_parameters_set *set, const char *name, const char *value)
{
    size_t i = parameter_find(set, name);
    const char *copy = value ? eddy_strdup_(value) : NULL;

    if (!value)
        return 0;
    if (!copy || i == PG_PARAMETERS) {
        parameter_wipe(copy);
        return eddy_raise(-ENOMEM, "no memory for the parameters of a connection");
    }
    if (i == set->count) {
        set->count++;
        set->names[i] = name;
        set->values[i] = NULL;
    }
    parameter_wipe(set->values[i]);
    set->values[i] = copy;
    return 0;
}

void pg_parameters_clear(struct pg_parameters_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        parameter_wipe(set->values[i]);
    set->count = 0;
}

/* The DSN ------------------------------------------------------------------------ */

/* A scheme that is not PostgreSQL's would be taken for a keyword. */
static int dsn_check_scheme(const char *dsn)
{
    size_t length =
        strspn(dsn, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    if (strncmp(dsn + length, "://", 3) != 0 ||
        (length == 10 && memcmp(dsn, "postgresql", 10) == 0) ||
        (length == 8 && memcmp(dsn, "postgres", 8) == 0))
        return 0;
    return eddy_raise(-EINVAL, "a DSN of PostgreSQL begins with postgresql://, not with %.*s://",
                      (int)length, dsn);
}

/* The names are libpq's own constants, which stay. */
static int dsn_take(struct pg_parameters_set *set, const PQconninfoOption *options)
{
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (option->val)
            EDDY_TRY(pg_parameters_put(set, option->keyword, option->val));
    return 0;
}

static int dsn_read(struct pg_parameters_set *set, const char *dsn)
{
    PQconninfoOption *options;
    char *message = NULL, text[200];
    int rc = dsn_check_scheme(dsn);

    if (rc < 0)
        return rc;
    options = PQconninfoParse(dsn, &message);
    if (!options) {
        pg_login_conceal(message ? message : "no memory", text, sizeof text);
        PQfreemem(message);
        return eddy_raise(message ? -EINVAL : -ENOMEM, "not a valid DSN: %s", text);
    }
    rc = dsn_take(set, options);
    for (PQconninfoOption *option = options; option->keyword; option++)
        if (option->val)
            explicit_bzero(option->val, strlen(option->val));
    PQconninfoFree(options);
    return rc;
}

/* Settings ----------------------------------------------------------------------- */

/* Appends " -c name=value" in the form of the parameter `options`: blanks and backslashes behind a
 * backslash. Returns the length; writes where there is room. */
static size_t setting_write(char *to, const char *name, const char *value)
{
    const char *parts[] = {name, "=", value};
    size_t length = 4;

    if (to)
        memcpy(to, " -c ", 4);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(parts); i++) {
        for (const char *at = parts[i]; *at; at++) {
            bool marked = strchr(" \t\n\r\f\v\\", *at) != NULL;

            if (to && marked)
                to[length] = '\\';
            if (to)
                to[length + marked] = *at;
            length += 1 + marked;
        }
    }
    return length;
}

static int settings_put(struct pg_parameters_set *set, const char *const *settings)
{
    size_t i = parameter_find(set, "options"), length = strlen(PARAMETERS_STYLES);
    const char *given = i < set->count ? set->values[i] : getenv("PGOPTIONS");
    char *text;
    int rc;

    for (const char *const *at = settings; at && at[0]; at += 2)
        length += setting_write(NULL, at[0], at[1]);
    length += given ? 1 + strlen(given) : 0;
    text = eddy_alloc_(length + 1);
    if (!text)
        return eddy_raise(-ENOMEM, "no memory for the settings of a connection");
    length = (size_t)snprintf(text, length + 1, "%s%s%s", PARAMETERS_STYLES, given ? " " : "",
                              given ? given : "");
    for (const char *const *at = settings; at && at[0]; at += 2)
        length += setting_write(text + length, at[0], at[1]);
    rc = pg_parameters_put(set, "options", text);
    eddy_free(text);
    return rc;
}

/* Even names, and each with its value. */
static int settings_check(const char *const *settings)
{
    for (const char *const *at = settings; at && at[0]; at += 2)
        if (!at[1] || !at[0][0] || strpbrk(at[0], "= \t\n"))
            return eddy_raise(-EINVAL, "a setting is a name and a value: \"%s\" is none", at[0]);
    return 0;
}

/* All of it ---------------------------------------------------------------------- */

static int options_put(struct pg_parameters_set *set, const eddy_pg_options *options)
{
    char port[16];

    if (options->port > 65535)
        return eddy_raise(-EINVAL, "%u is no port", options->port);
    snprintf(port, sizeof port, "%u", options->port);
    if (options->host) /* an address that the DSN has for another host */
        EDDY_TRY(pg_parameters_put(set, "hostaddr", ""));
    EDDY_TRY(pg_parameters_put(set, "host", options->host));
    EDDY_TRY(pg_parameters_put(set, "port", options->port ? port : NULL));
    EDDY_TRY(pg_parameters_put(set, "user", options->user));
    EDDY_TRY(pg_parameters_put(set, "password", options->password));
    EDDY_TRY(pg_parameters_put(set, "dbname", options->database));
    EDDY_TRY(pg_parameters_put(set, "passfile", options->passfile));
    EDDY_TRY(pg_parameters_put(set, "sslmode", options->sslmode));
    EDDY_TRY(pg_parameters_put(set, "application_name", options->application_name));
    return settings_check(options->settings);
}

static double parameters_timeout(const struct pg_parameters_set *set)
{
    size_t i = parameter_find(set, "connect_timeout");
    const char *text = i < set->count ? set->values[i] : getenv("PGCONNECT_TIMEOUT");

    return text ? (double)strtol(text, NULL, 10) : 0;
}

int pg_parameters_read(struct pg_parameters_set *set, const char *dsn,
                       const eddy_pg_options *options)
{
    if (dsn && *dsn)
        EDDY_TRY(dsn_read(set, dsn));
    if (options)
        EDDY_TRY(options_put(set, options));
    if (parameter_find(set, "gssencmode") == set->count && !getenv("PGGSSENCMODE"))
        EDDY_TRY(pg_parameters_put(set, "gssencmode", "disable")); /* it would block */
    EDDY_TRY(pg_parameters_put(set, "client_encoding", "UTF8"));
    set->timeout = parameters_timeout(set);
    return settings_put(set, options ? options->settings : NULL);
}
