/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL: asyncpg's capability. This header is all of it; link with libeddy-pg.
 *
 *     EDDY_PG_CONNECTION db = NULL;
 *     EDDY_PG_RESULT users = NULL;
 *     eddy_pg_row user;
 *     const char *name;
 *
 *     EDDY_TRY(eddy_pg_connect("postgresql://ann@localhost/shop", NULL, &db));
 *     EDDY_TRY(eddy_pg_fetch(db, &users, "SELECT * FROM users WHERE age > $1", 30));
 *     EDDY_PG_FOR_EACH(user, users) {
 *         EDDY_TRY(eddy_pg_get(user, "name", &name));
 *         puts(name);
 *     }
 */
#ifndef EDDY_PG_H
#define EDDY_PG_H

#include "eddy/pg_connection.h"
#include "eddy/pg_copy.h"
#include "eddy/pg_cursor.h"
#include "eddy/pg_field.h"
#include "eddy/pg_listen.h"
#include "eddy/pg_pipeline.h"
#include "eddy/pg_pool.h"
#include "eddy/pg_query.h"
#include "eddy/pg_result.h"
#include "eddy/pg_struct.h"
#include "eddy/pg_transaction.h"
#include "eddy/pg_type.h"
#include "eddy/pg_value.h"

#endif
