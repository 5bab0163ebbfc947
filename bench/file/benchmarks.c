/* SPDX-License-Identifier: MIT */
#include "benchmark.h"

#include "data.h"

#define PYTHON "/usr/bin/python3" /* the one that python3-aiofiles is for */
#define AIOFILES BENCH_PEERS "/aiofiles_bench.py"

static struct competitor small_files[] = {
    {.name = "plain loop", NULL, {"floor-files", "small-files", "10000"}},
    {.name = "Eddy, io_uring",
     "plain loop",
     {"eddy-file", "small-files", "10000"},
     .engine = "uring",
     .bars = {{.most = 1.1}}},
    {.name = "Eddy, io_uring, 64 tasks",
     "plain loop",
     {"eddy-file", "small-files", "10000", "64"},
     .engine = "uring",
     .bars = {{.most = 1.1}}},
    {.name = "Eddy, io_uring, eddy_read_file",
     "plain loop",
     {"eddy-file", "whole-files", "10000"},
     .engine = "uring",
     .bars = {{.most = 1.1}}},
    {.name = "Eddy, epoll", "plain loop", {"eddy-file", "small-files", "10000"}, .engine = "epoll"},
    {.name = "Eddy, epoll, 64 tasks",
     "plain loop",
     {"eddy-file", "small-files", "10000", "64"},
     .engine = "epoll"},
    {.name = "aiofiles",
     "plain loop",
     {PYTHON, AIOFILES, "small-files", "1000"},
     .module = "aiofiles",
     .peer = true},
    {.name = "aiofiles, 64 tasks",
     "plain loop",
     {PYTHON, AIOFILES, "small-files", "1000", "64"},
     .module = "aiofiles",
     .peer = true},
    {0},
};

/* Wall time is what a depth is for: the disk has something to do all the time. */
static struct competitor small_files_cold[] = {
    {.name = "plain loop", NULL, {"floor-files", "small-files", "10000"}},
    {.name = "Eddy, io_uring",
     "plain loop",
     {"eddy-file", "small-files", "10000"},
     .engine = "uring"},
    {.name = "Eddy, io_uring, 64 tasks",
     "plain loop",
     {"eddy-file", "small-files", "10000", "64"},
     .engine = "uring",
     .bars = {{0}, {.most = 1}}},
    {.name = "Eddy, epoll, 64 tasks",
     "plain loop",
     {"eddy-file", "small-files", "10000", "64"},
     .engine = "epoll",
     .bars = {{0}, {.most = 1}}},
    {.name = "aiofiles, 64 tasks",
     "plain loop",
     {PYTHON, AIOFILES, "small-files", "1000", "64"},
     .module = "aiofiles",
     .peer = true},
    {0},
};

static struct competitor random_reads[] = {
    {.name = "Eddy, io_uring",
     "floor-random",
     {"eddy-file", "random", "400000", "64"},
     .engine = "uring",
     .bars = {{.least = 0.9}}},
    {.name = "floor-random", NULL, {"floor-random", "random", "400000", "64"}},
    {.name = "Eddy, epoll",
     "floor-random",
     {"eddy-file", "random", "400000", "64"},
     .engine = "epoll"},
    {0},
};

/* Each block once: what was read before is in the page cache. */
static struct competitor random_cold[] = {
    {.name = "Eddy, io_uring",
     "floor-random",
     {"eddy-file", "random", "30000", "64"},
     .engine = "uring",
     .bars = {{.least = 0.9}}},
    {.name = "floor-random", NULL, {"floor-random", "random", "30000", "64"}},
    {.name = "Eddy, epoll",
     "floor-random",
     {"eddy-file", "random", "30000", "64"},
     .engine = "epoll"},
    {0},
};

static struct competitor lines[] = {
    {.name = "getline", NULL, {"floor-files", "lines", "1000000"}},
    {.name = "Eddy, io_uring",
     "getline",
     {"eddy-file", "lines", "1000000"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.5}}},
    {.name = "Eddy, epoll",
     "getline",
     {"eddy-file", "lines", "1000000"},
     .engine = "epoll",
     .bars = {{0}, {.most = 1.5}}},
    {.name = "aiofiles",
     "getline",
     {PYTHON, AIOFILES, "lines", "10000"},
     .module = "aiofiles",
     .peer = true},
    {0},
};

static struct competitor copy[] = {
    {.name = "copy_file_range", NULL, {"floor-files", "copy", "1"}},
    {.name = "read and write", "copy_file_range", {"floor-files", "copy-by-hand", "1"}},
    {.name = "Eddy, io_uring", "copy_file_range", {"eddy-file", "copy", "1"}, .engine = "uring"},
    {.name = "Eddy, epoll", "copy_file_range", {"eddy-file", "copy", "1"}, .engine = "epoll"},
    {0},
};

static struct competitor spawn[] = {
    {.name = "posix_spawn", NULL, {"floor-files", "spawn", "500"}},
    {.name = "Eddy, io_uring",
     "posix_spawn",
     {"eddy-file", "spawn", "500"},
     .engine = "uring",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, epoll",
     "posix_spawn",
     {"eddy-file", "spawn", "500"},
     .engine = "epoll",
     .bars = {{0}, {.most = 1.1}}},
    {.name = "Eddy, io_uring, 8 tasks",
     "posix_spawn",
     {"eddy-file", "spawn", "500", "8"},
     .engine = "uring"},
    {.name = "Eddy, epoll, 8 tasks",
     "posix_spawn",
     {"eddy-file", "spawn", "500", "8"},
     .engine = "epoll"},
    {.name = "asyncio",
     "posix_spawn",
     {PYTHON, AIOFILES, "spawn", "100"},
     .module = "aiofiles",
     .peer = true},
    {.name = "asyncio, 8 tasks",
     "posix_spawn",
     {PYTHON, AIOFILES, "spawn", "100", "8"},
     .module = "aiofiles",
     .peer = true},
    {0},
};

static struct competitor ticker[] = {
    {.name = "nanosleep, alone", NULL, {"floor-ticker", "ticker-random", "3", "0"}},
    {.name = "nanosleep, threads", NULL, {"floor-ticker", "ticker-random", "3", "16"}},
    {.name = "Eddy, io_uring, alone",
     NULL,
     {"eddy-file", "ticker-random", "3", "0"},
     .engine = "uring"},
    {.name = "Eddy, io_uring",
     "nanosleep, threads",
     {"eddy-file", "ticker-random", "3", "16"},
     .engine = "uring",
     .bars = {{.most = 5, .alone = true}}},
    {.name = "Eddy, io_uring, unadvised",
     "nanosleep, threads",
     {"eddy-file", "ticker-unadvised", "3", "16"},
     .engine = "uring",
     .bars = {{.most = 5, .alone = true}}},
    {.name = "Eddy, epoll",
     "nanosleep, threads",
     {"eddy-file", "ticker-random", "3", "16"},
     .engine = "epoll",
     .bars = {{.most = 5, .alone = true}}},
    {0},
};

static struct competitor ticker_through[] = {
    {.name = "nanosleep, threads", NULL, {"floor-ticker", "ticker-through", "3", "16"}},
    {.name = "Eddy, io_uring",
     "nanosleep, threads",
     {"eddy-file", "ticker-through", "3", "16"},
     .engine = "uring",
     .bars = {{.most = 5, .alone = true}}},
    {.name = "Eddy, epoll",
     "nanosleep, threads",
     {"eddy-file", "ticker-through", "3", "16"},
     .engine = "epoll",
     .bars = {{.most = 5, .alone = true}}},
    {0},
};

static void convert_microseconds(const struct reading *reading, double *figures)
{
    figures[0] = 1e6 * reading->cpu / reading->count;
    figures[1] = 1e6 * reading->wall / reading->count;
}

static void convert_milliseconds(const struct reading *reading, double *figures)
{
    figures[0] = 1e3 * reading->cpu / reading->count;
    figures[1] = 1e3 * reading->wall / reading->count;
}

static void convert_nanoseconds(const struct reading *reading, double *figures)
{
    figures[0] = 1e9 * reading->cpu / reading->count;
    figures[1] = 1e9 * reading->wall / reading->count;
}

static void convert_rate(const struct reading *reading, double *figures)
{
    figures[0] = reading->count / reading->wall;
    figures[1] = 1e6 * reading->cpu / reading->count;
}

static void convert_ticks(const struct reading *reading, double *figures)
{
    figures[0] = 1e3 * reading->worst;
    figures[1] = reading->count / reading->wall;
}

/* The ticker's, which begins with a file that is not in memory. */
static void make_for_ticker(void)
{
    data_make_big();
    data_make_fifo();
}

const struct benchmark benchmarks[] = {
    {
        .name = "small-files",
        .text = "10,000 files of 4 KiB opened, read to the end and closed; in the page cache",
        .competitors = small_files,
        .make = data_make_small,
        .prepare = data_warm_small,
        .figures = {{"CPU us each", 2}, {"us each", 2}},
        .convert = convert_microseconds,
    },
    {
        .name = "small-files",
        .text = "the same from the disk",
        .competitors = small_files_cold,
        .make = data_make_small,
        .prepare = data_evict_small,
        .figures = {{"CPU us each", 2}, {"us each", 2}},
        .convert = convert_microseconds,
    },
    {
        .name = "random",
        .text = "4 KiB from anywhere in 256 MiB, 64 at a time; in the page cache",
        .competitors = random_reads,
        .make = data_make_big,
        .prepare = data_warm_big,
        .figures = {{"IO/s", 0}, {"CPU us each", 3}},
        .convert = convert_rate,
    },
    {
        .name = "random",
        .text = "the same from the disk",
        .competitors = random_cold,
        .make = data_make_big,
        .prepare = data_evict_big,
        .figures = {{"IO/s", 0}, {"CPU us each", 3}},
        .convert = convert_rate,
    },
    {
        .name = "lines",
        .text = "a million lines of 20 to 120 bytes",
        .competitors = lines,
        .make = data_make_lines,
        .prepare = data_warm_lines,
        .figures = {{"CPU ns each", 1}, {"ns each", 1}},
        .convert = convert_nanoseconds,
    },
    {
        .name = "copy",
        .text = "256 MiB copied, in the page cache",
        .competitors = copy,
        .make = data_make_big,
        .prepare = data_prepare_copy,
        .figures = {{"CPU ms", 2}, {"ms", 2}},
        .convert = convert_milliseconds,
    },
    {
        .name = "spawn",
        .text = "a process of `true`, started and waited for",
        .competitors = spawn,
        .figures = {{"CPU us each", 1}, {"us each", 1}},
        .convert = convert_microseconds,
    },
    {
        .name = "ticker",
        .text = "1 ms ticks beside 16 random readers from the disk, 4 writers with fsync, a FIFO",
        .competitors = ticker,
        .make = make_for_ticker,
        .prepare = data_evict_big,
        .figures = {{"longest delay, ms", 3}, {"ticks, reads, writes/s", 0}},
        .convert = convert_ticks,
    },
    {
        .name = "ticker",
        .text = "the same beside 16 who read files through",
        .competitors = ticker_through,
        .make = make_for_ticker,
        .prepare = data_evict_big,
        .figures = {{"longest delay, ms", 3}, {"ticks, reads, writes/s", 0}},
        .convert = convert_ticks,
    },
    {0},
};
