/* SPDX-License-Identifier: MIT */
/*
 * Connecting: names first, by Eddy's resolver, then libpq from address to address, step by step
 * (PQconnectPoll), between which this task waits for the socket that libpq has just then. All of it
 * has one limit of time. Whatever cuts it short, libpq's object is freed, and with it the socket.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/scope.h"
#include "eddy/sock.h"
#include "pg/handle.h"
#include "pg/hosts.h"
#include "pg/login.h"

static int connect_ask_password(struct pg_parameters_set *set, const eddy_pg_options *options)
{
    char password[PG_PASSWORD] = "";
    int rc = options->get_password(password, sizeof password, options->get_password_argument);

    password[sizeof password - 1] = '\0';
    if (rc >= 0)
        rc = pg_parameters_put(set, "password", password);
    explicit_bzero(password, sizeof password);
    return rc < 0 ? rc : 0;
}

/* Steps libpq until it is connected or has failed. */
static int connect_steps(PGconn *libpq)
{
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;

    while (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING) {
        int fd = PQsocket(libpq);

        if (PQstatus(libpq) == CONNECTION_BAD || fd < 0)
            break;
        EDDY_TRY(
            eddy_poll_(fd, step == PGRES_POLLING_READING ? EDDY_POLL_IN_ : EDDY_POLL_OUT_, false));
        step = PQconnectPoll(libpq);
    }
    return step == PGRES_POLLING_OK ? 0 : pg_login_fail(libpq);
}

/* Parameters that libpq refuses are the caller's mistake, and all else a failure to connect. */
static int connect_refused(const PGconn *libpq, int rc)
{
    char text[200];

    if (strncmp(PQerrorMessage(libpq), "invalid ", 8) != 0)
        return rc;
    pg_login_conceal(PQerrorMessage(libpq), text, sizeof text);
    return eddy_raise(-EINVAL, "%s", text);
}

static int connect_start(struct pg_parameters_set *set, struct pg_login *login, PGconn **out)
{
    PGconn *libpq;
    int rc;

    set->names[set->count] = set->values[set->count] = NULL;
    libpq = PQconnectStartParams(set->names, set->values, 0);
    if (!libpq)
        return eddy_raise(-ENOMEM, "no memory for a connection");
    pg_login_begin(login, libpq);
    rc = connect_steps(libpq);
    pg_login_end(login, libpq);
    if (rc == EDDY_EPG_CONNECT)
        rc = connect_refused(libpq, rc);
    if (rc < 0)
        PQfinish(libpq);
    else
        *out = libpq;
    return rc;
}

/* All that takes time. */
static int connect_in_time(struct pg_parameters_set *set, const eddy_pg_options *options,
                           struct pg_login *login, PGconn **out)
{
    double seconds = options && options->timeout > 0 ? options->timeout
                     : set->timeout > 0              ? set->timeout
                                                     : PG_CONNECT_TIMEOUT;
    int rc = 0;
    EDDY_TIMEOUT(limit, seconds);

    if (options && options->get_password)
        rc = connect_ask_password(set, options);
    if (rc == 0)
        rc = pg_hosts_resolve(set, options ? options->resolver : NULL);
    if (rc == 0)
        rc = connect_start(set, login, out);
    if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
        return eddy_raise(rc, "no connection to the server within %g s", seconds);
    return rc;
}

/* The object around libpq's, which it takes in any case. */
static int connect_wrap(PGconn *libpq, const eddy_pg_options *options, const struct pg_login *login,
                        eddy_pg_connection **out)
{
    eddy_pg_connection *connection =
        PQsetnonblocking(libpq, 1) == 0 ? pg_connection_new(libpq, options) : NULL;

    if (!connection) {
        PQfinish(libpq);
        return eddy_raise(-ENOMEM, "no memory for a connection");
    }
    connection->pid = PQbackendPID(libpq);
    connection->key = login->key;
    connection->has_key = login->has_key && login->pid == connection->pid;
    *out = connection;
    return 0;
}

int eddy_pg_connect(const char *dsn, const eddy_pg_options *options, eddy_pg_connection **out)
{
    struct pg_parameters_set set = {.count = 0};
    struct pg_login login;
    PGconn *libpq = NULL;
    int rc = pg_pending();

    if (rc == 0)
        rc = pg_parameters_read(&set, dsn, options);
    if (rc == 0)
        rc = connect_in_time(&set, options, &login, &libpq);
    pg_parameters_clear(&set);
    return rc < 0 ? rc : connect_wrap(libpq, options, &login, out);
}
