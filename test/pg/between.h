/* SPDX-License-Identifier: MIT */
/* What stands between a client and its server: proxies that cut, delay and split, and servers that
 * do not speak the protocol. All of them run in the test's own loop. */
#ifndef PG_BETWEEN_H
#define PG_BETWEEN_H

#include "harness.h"

/* A proxy to the shared server. */
struct pg_proxy {
    size_t piece;  /* bytes that go on at a time; 0: as they come */
    double delay;  /* seconds that each waits */
    long cut;      /* bytes from the server after which the connection breaks; 0: never */
    size_t passed; /* from the server, of the last connection */
    int connections;
    eddy_server *server;
    char dsn[200];
};
int pg_proxy_open(struct pg_proxy *proxy);
void pg_proxy_close(struct pg_proxy *proxy); /* for EDDY_DEFER */

/* A server that logs everybody in, and answers each query with these bytes. */
struct pg_fake {
    const char *login; /* in the place of its own login, or NULL */
    size_t login_size;
    const char *answer;
    size_t answer_size;
    bool keeps; /* the connection stays open behind the answer */
    eddy_server *server;
    char dsn[200];
};
int pg_fake_open(struct pg_fake *fake);
void pg_fake_close(struct pg_fake *fake);

#endif
