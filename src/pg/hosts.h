/* SPDX-License-Identifier: MIT */
/* What a connection is made with: parameters for libpq, and the addresses of its hosts. */
#ifndef ED_PG_HOSTS_H
#define ED_PG_HOSTS_H

#include <libpq-fe.h>

#include "eddy/pg_connection.h"

#define PG_PARAMETERS 64 /* libpq 15 knows 40 */
#define PG_PASSWORD 4096 /* bytes, with the NUL: tokens are long */

/* Names and values in the order in which they were set; a later one is stronger. Texts are copies,
 * wiped when they go. */
struct pg_parameters_set {
    const char *names[PG_PARAMETERS + 1], *values[PG_PARAMETERS + 1];
    size_t count;
    double timeout; /* seconds, of connect_timeout; 0: none is given */
};

/* Sets one: copied; without effect for NULL. 0, -ENOMEM. `name` must stay. */
int pg_parameters_put(struct pg_parameters_set *set, const char *name, const char *value);
/* All of a DSN and of options, but for the password of a callable. 0, -EINVAL, -ENOMEM. */
int pg_parameters_read(struct pg_parameters_set *set, const char *dsn,
                       const eddy_pg_options *options);
void pg_parameters_clear(struct pg_parameters_set *set);

/* Finds the addresses of all hosts, and puts them in their place. Suspends. */
EDDY_AWAITS int pg_hosts_resolve(struct pg_parameters_set *set, struct eddy_resolver *resolver);

#endif
