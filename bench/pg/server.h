/* SPDX-License-Identifier: MIT */
/*
 * The server that is asked, in the working directory:
 *
 *     data, .s.PGSQL.5432    its files and its socket; the environment (PGHOST, ...) leads there
 *     link/.s.PGSQL.5432     the same over a link of a round trip of a millisecond
 *     rows.txt               what the table "readings" has, as COPY writes it
 *
 * readings (id int4, name text, at timestamptz, value float8) has its rows, an index of id, and no
 * more to be written to the disk; "copies" is of the same columns, and empty.
 */
#ifndef BENCH_PG_SERVER_H
#define BENCH_PG_SERVER_H

#include <stdbool.h>

/* Finds the programs of the newest server; false where there is none. */
bool server_find(void);

/* Makes and starts one in the folder, which is the working directory, with so many rows. It ends
 * with this process. Exits if it cannot. */
void server_start(const char *folder, unsigned rows);

/* Has psql run a statement; exits if it fails. */
void server_run(const char *sql);

/* Which way programs that are started go from here on: directly, or over the link. */
void server_use_link(const char *folder, bool link);

#endif
