/* SPDX-License-Identifier: MIT */
/* What the benchmarks of eddy-pg have in common: see pg/server.h for the tables. */
#ifndef BENCH_EDDY_PG_JOB_H
#define BENCH_EDDY_PG_JOB_H

#include <eddy.h>
#include <eddy/pg.h>

#include "contest/fail.h"
#include "contest/stopwatch.h"

#define CONNECTIONS 10
#define DEPTH 100 /* statements in a batch, tasks in a pipeline */
#define POINT "SELECT name, value FROM readings WHERE id = $1"

/* The id of a row that is asked for. */
static inline int point_id(unsigned number)
{
    return (int)(number % 1000 + 1);
}

/* The benchmarks. */
EDDY_AWAITS int fetch_rows(unsigned count);
EDDY_AWAITS int fetch_rows_decoded(unsigned count);
EDDY_AWAITS int stream_rows(unsigned count);
EDDY_AWAITS int ask_points(unsigned count);
EDDY_AWAITS int ask_points_by_text(unsigned count);
EDDY_AWAITS int ask_one_by_one(unsigned count);
EDDY_AWAITS int ask_in_batches(unsigned count);
EDDY_AWAITS int ask_in_tasks(unsigned count);
EDDY_AWAITS int copy_records(unsigned count);
EDDY_AWAITS int copy_file(unsigned count);
EDDY_AWAITS int execute_many(unsigned count);
EDDY_AWAITS int acquire_and_release(unsigned count);

#endif
