/* SPDX-License-Identifier: MIT */
/*
 * A PostgreSQL server for the tests.
 *
 * One is shared by all tests of a run. The first that asks for it starts it, and a keeper beside
 * it, which stops it and removes its files when the runner has gone, however that ended. Tests run
 * side by side: each uses temporary tables, or a schema of its own. A test that stops, kills or
 * freezes a server has a private one.
 *
 * Users: postgres (trusted), and with the password "secret" scram, md5 and clear, named like the
 * way they log in. Over TCP the server has a certificate for localhost.
 */
#ifndef PG_SERVER_H
#define PG_SERVER_H

#include <sys/types.h>

#include "harness.h"

/* The shared server: a DSN that needs no password, over its unix socket. Skips the test where no
 * server is installed. */
const char *pg_test_dsn(void);
/* The same over TCP, as this user; "sslmode=..." and the like may be in `more`. Static. */
const char *pg_test_tcp_dsn(const char *user, const char *more);
int pg_test_port(void);
const char *pg_test_folder(void);    /* of its unix socket */
const char *pg_test_root_file(void); /* the certificate that its own is signed by */

/* A private one; all zero at first. */
struct pg_server {
    pid_t pid; /* 0: it does not run */
    int port;
    char folder[160]; /* of its socket, and data/ */
    char dsn[256];    /* over TCP, trusted, without TLS */
};

/* Starts it, with lines for postgresql.conf, or NULL: none. */
void pg_server_start(struct pg_server *server, const char *settings);
/* Starts it again with its data, at the same place. */
void pg_server_restart(struct pg_server *server);
/* Stops it by a signal: SIGTERM (when all have gone), SIGINT (now), SIGQUIT; waits for it. */
void pg_server_end(struct pg_server *server, int signal);
/* Kills all of it. */
void pg_server_kill(struct pg_server *server);
/* Stops all of its processes where they are, and lets them go on. */
void pg_server_freeze(const struct pg_server *server);
void pg_server_thaw(const struct pg_server *server);
/* For EDDY_DEFER: whatever state it is in. */
void pg_server_close(struct pg_server *server);

#endif
