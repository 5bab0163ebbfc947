/* SPDX-License-Identifier: MIT */
/* Logging in: what libpq's trace tells of it, and errors of it. */
#ifndef ED_PG_LOGIN_H
#define ED_PG_LOGIN_H

#include <libpq-fe.h>
#include <stdio.h>

#include "eddy/compat.h"

/* Reads the trace of a login as it is written. */
struct pg_login {
    FILE *trace;
    char line[160]; /* as far as it is there; what is longer is not looked at */
    size_t length;
    int pid, key;
    bool has_key;
};

/* Begins to trace; without memory for it nothing is learned. */
void pg_login_begin(struct pg_login *login, PGconn *libpq);
/* Ends it. libpq's object must still be there. */
void pg_login_end(struct pg_login *login, PGconn *libpq);
/* Raises why there is no connection, of what libpq and the server have said. */
int pg_login_fail(PGconn *libpq);
/* Takes out of one of libpq's texts what it quotes, which may be a part of a secret. */
void pg_login_conceal(const char *message, char *text, size_t size);

#endif
