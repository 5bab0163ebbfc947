/* SPDX-License-Identifier: MIT */
#include "benchmark.h"

#define PYTHON "/usr/bin/python3" /* the one that python3-asyncpg is for */
#define ASYNCPG(name, loop)                                                                        \
    {PYTHON, BENCH_PEERS "/asyncpg_bench.py", name, loop}, .module = "asyncpg"

static struct competitor rows[] = {
    {.name = "libpq, not decoded", NULL, {"floor-pg", "rows"}},
    {.name = "Eddy, io_uring, not decoded",
     "libpq, not decoded",
     {"eddy-pg", "rows"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, epoll, not decoded",
     "libpq, not decoded",
     {"eddy-pg", "rows"},
     .engine = "epoll",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, io_uring",
     "asyncpg, uvloop",
     {"eddy-pg", "rows-decoded"},
     .engine = "uring",
     .bars = {{.least = 2.5}}},
    {.name = "Eddy, epoll",
     "asyncpg, uvloop",
     {"eddy-pg", "rows-decoded"},
     .engine = "epoll",
     .bars = {{.least = 2.5}}},
    {.name = "Eddy, io_uring, one by one",
     "asyncpg, uvloop",
     {"eddy-pg", "rows-streamed"},
     .engine = "uring"},
    {.name = "asyncpg, uvloop", NULL, ASYNCPG("rows", "uvloop"), .peer = true},
    {.name = "asyncpg, asyncio", "asyncpg, uvloop", ASYNCPG("rows", "asyncio"), .peer = true},
    {0},
};

static struct competitor point[] = {
    {.name = "Eddy, io_uring",
     "asyncpg, uvloop",
     {"eddy-pg", "point"},
     .engine = "uring",
     .bars = {{.most = 0.5}}},
    {.name = "Eddy, epoll",
     "asyncpg, uvloop",
     {"eddy-pg", "point"},
     .engine = "epoll",
     .bars = {{.most = 0.5}}},
    {.name = "Eddy, io_uring, by its text",
     "asyncpg, uvloop",
     {"eddy-pg", "point-text"},
     .engine = "uring"},
    {.name = "libpq and epoll", "asyncpg, uvloop", {"floor-pg", "point"}},
    {.name = "asyncpg, uvloop", NULL, ASYNCPG("point", "uvloop"), .peer = true},
    {.name = "asyncpg, asyncio", "asyncpg, uvloop", ASYNCPG("point", "asyncio"), .peer = true},
    {0},
};

static struct competitor pipeline[] = {
    {.name = "Eddy, io_uring, 100 in a batch",
     "Eddy, io_uring, one by one",
     {"eddy-pg", "pipeline"},
     .engine = "uring",
     .bars = {{.least = 5}}},
    {.name = "Eddy, epoll, 100 in a batch",
     "Eddy, epoll, one by one",
     {"eddy-pg", "pipeline"},
     .engine = "epoll",
     .bars = {{.least = 5}}},
    {.name = "Eddy, io_uring, 100 tasks",
     "Eddy, io_uring, one by one",
     {"eddy-pg", "pipeline-tasks"},
     .engine = "uring",
     .bars = {{.least = 5}}},
    {.name = "Eddy, io_uring, one by one", NULL, {"eddy-pg", "single"}, .engine = "uring"},
    {.name = "Eddy, epoll, one by one", NULL, {"eddy-pg", "single"}, .engine = "epoll"},
    {.name = "libpq, 100 in a pipeline", "Eddy, io_uring, one by one", {"floor-pg", "pipeline"}},
    {.name = "asyncpg, uvloop",
     "Eddy, io_uring, one by one",
     ASYNCPG("single", "uvloop"),
     .peer = true},
    {0},
};

/* psql reads a file; the others have the rows in memory. */
static struct competitor copy[] = {
    {.name = "psql \\copy", NULL, {"floor-pg", "copy"}},
    {.name = "Eddy, io_uring, binary",
     "psql \\copy",
     {"eddy-pg", "copy"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, epoll, binary",
     "psql \\copy",
     {"eddy-pg", "copy"},
     .engine = "epoll",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, io_uring, the file",
     "psql \\copy",
     {"eddy-pg", "copy-file"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, io_uring, executemany",
     "psql \\copy",
     {"eddy-pg", "executemany"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "libpq, INSERTs in a pipeline", "psql \\copy", {"floor-pg", "executemany"}},
    {.name = "asyncpg, uvloop, binary", "psql \\copy", ASYNCPG("copy", "uvloop"), .peer = true},
    {.name = "asyncpg, uvloop, executemany",
     "psql \\copy",
     ASYNCPG("executemany", "uvloop"),
     .peer = true},
    {0},
};

static struct competitor pool[] = {
    {.name = "Eddy, io_uring",
     NULL,
     {"eddy-pg", "pool"},
     .engine = "uring",
     .bars = {{.most = 200, .alone = true}}},
    {.name = "Eddy, epoll",
     NULL,
     {"eddy-pg", "pool"},
     .engine = "epoll",
     .bars = {{.most = 200, .alone = true}}},
    {0},
};

static void convert_rate(const struct reading *reading, double *figures)
{
    figures[0] = reading->count / reading->wall / 1e6;
    figures[1] = 1e9 * reading->cpu / reading->count;
}

static void convert_microseconds(const struct reading *reading, double *figures)
{
    figures[0] = 1e6 * reading->cpu / reading->count;
    figures[1] = reading->count / reading->wall / 1e3;
}

static void convert_thousands(const struct reading *reading, double *figures)
{
    figures[0] = reading->count / reading->wall / 1e3;
    figures[1] = 1e6 * reading->cpu / reading->count;
}

static void convert_seconds(const struct reading *reading, double *figures)
{
    figures[0] = 1e9 * reading->cpu / reading->count;
    figures[1] = 1e9 * reading->wall / reading->count;
}

const struct benchmark benchmarks[] = {
    {
        .name = "rows",
        .text = "all rows of int4, text, timestamptz, float8, fetched",
        .competitors = rows,
        .figures = {{"million rows/s", 2}, {"CPU ns/row", 0}},
        .convert = convert_rate,
    },
    {
        .name = "point",
        .text = "a row by its index, by prepared statements, over 10 connections",
        .competitors = point,
        .rate = 20000,
        .figures = {{"CPU us/query", 2}, {"1,000/s", 1}},
        .convert = convert_microseconds,
    },
    {
        .name = "pipeline",
        .text = "statements over a link with a round trip of 1 ms",
        .competitors = pipeline,
        .rate = 1000,
        .link = true,
        .figures = {{"1,000/s", 2}, {"CPU us each", 2}},
        .convert = convert_thousands,
    },
    {
        .name = "copy",
        .text = "all rows into an empty table",
        .competitors = copy,
        .prepare = "TRUNCATE copies; CHECKPOINT",
        .figures = {{"CPU ns/row", 0}, {"ns/row", 0}},
        .convert = convert_seconds,
    },
    {
        .name = "pool",
        .text = "a connection acquired and released, without waiting",
        .competitors = pool,
        .rate = 5000000,
        .figures = {{"CPU ns each", 1}, {"ns each", 1}},
        .convert = convert_seconds,
    },
    {0},
};
