/* SPDX-License-Identifier: MIT */
/* The errors of a PostgreSQL server: SQLSTATEs as codes, see EDDY_PG_SQLSTATE. */
#ifndef ED_BASE_SQLSTATE_H
#define ED_BASE_SQLSTATE_H

#include "eddy/error.h"

/* Writes the five characters of a code and a NUL. Whether it is such a code. */
bool ed_sqlstate_write(int code, char state[6]);

/* What it means; NULL: it is no such code. */
const char *ed_sqlstate_text(int code);

#endif
