/* SPDX-License-Identifier: MIT */
#include "benchmark.h"

#include <errno.h>
#include <unistd.h>

/* The line of the load generator; the processor time is the server's. */
struct report {
    double count, bytes, seconds, cpu;
};

static struct process
load_start(const char *const *load, const struct settings *settings, const struct server *server)
{
    char port[16], pid[16], seconds[32], connections[16];
    const char *argv[20] = {
        build_path("load"), load[0],    port, "--server", pid, "--seconds", seconds,
        "--connections",    connections};
    size_t count = 9;

    snprintf(port, sizeof port, "%u", server->port);
    snprintf(pid, sizeof pid, "%d", server->process.pid);
    snprintf(seconds, sizeof seconds, "%g", settings->seconds > 0 ? settings->seconds : 1);
    snprintf(connections, sizeof connections, "%u", settings->connections);
    if (settings->cert) {
        argv[count++] = "--ca";
        argv[count++] = settings->cert;
    }
    for (int i = 1; load[i]; i++)
        argv[count++] = load[i];
    return process_start(argv, NULL, 1);
}

static bool load_finish(struct process *process, struct report *out)
{
    bool complete = fscanf(process->out, " count=%lf bytes=%lf seconds=%lf cpu=%lf", &out->count,
                           &out->bytes, &out->seconds, &out->cpu) == 4;

    return process_wait(process) == 0 && complete && out->count > 0;
}

static bool load_run(const char *const *load, const struct settings *settings,
                     const struct server *server, struct report *out)
{
    struct process process = load_start(load, settings, server);

    return load_finish(&process, out);
}

/* Processor µs each, and how many a second. */
static bool measure_count(const struct benchmark *benchmark, const struct settings *settings,
                          const struct server *server, double *figures)
{
    struct report report;

    if (!load_run(benchmark->load, settings, server, &report))
        return false;
    figures[0] = 1e6 * report.cpu / report.count;
    figures[1] = report.count / report.seconds;
    return true;
}

/* The same, and how many times the rate of ping-pong that is. */
static bool measure_pipeline(const struct benchmark *benchmark, const struct settings *settings,
                             const struct server *server, double *figures)
{
    const char *const ping_pong[] = {"echo", NULL};
    struct report report;

    if (!measure_count(benchmark, settings, server, figures) ||
        !load_run(ping_pong, settings, server, &report))
        return false;
    figures[2] = figures[1] / (report.count / report.seconds);
    return true;
}

/* Megabytes a second, and processor ns a KiB. */
static bool measure_bytes(const struct benchmark *benchmark, const struct settings *settings,
                          const struct server *server, double *figures)
{
    struct report report;

    if (!load_run(benchmark->load, settings, server, &report))
        return false;
    figures[0] = 1e-6 * report.bytes / report.seconds;
    figures[1] = 1e9 * report.cpu / (report.bytes / 1024);
    return true;
}

/* Bytes a connection, processor ms and sleeps while nothing happens, seconds to close all. */
static bool measure_idle(const struct benchmark *benchmark, const struct settings *settings,
                         const struct server *server, double *figures)
{
    useconds_t wait = (useconds_t)(1e6 * (settings->seconds > 0 ? settings->seconds : 10));
    pid_t pid = server->process.pid;
    double memory = process_memory(pid);
    struct process load = load_start(benchmark->load, settings, server);
    struct report report;
    char line[16];

    if (fgets(line, sizeof line, load.out)) {
        usleep(500 * 1000); /* for the server to accept the last ones */
        figures[0] = (process_memory(pid) - memory) / settings->connections;
        double cpu = process_cpu(pid), sleeps = process_sleeps(pid);
        usleep(wait);
        figures[1] = 1e3 * (process_cpu(pid) - cpu);
        figures[2] = process_sleeps(pid) - sleeps;
        (void)fputs("close\n", load.in); /* without it, no report comes */
        (void)fflush(load.in);
    }
    if (!load_finish(&load, &report))
        return false;
    figures[3] = report.seconds;
    return true;
}

const struct benchmark benchmarks[] = {
    {
        .name = "echo",
        .text = "64 bytes there and back",
        .connections = {1, 64, 1000},
        .peers = true,
        .figures = {{"CPU us each", 2}, {"round trips/s", 0}},
        .load = {"echo"},
        .measure = measure_count,
    },
    {
        .name = "stream",
        .text = "64 KiB writes to the server",
        .option = "--sink",
        .connections = {1},
        .figures = {{"MB/s", 0}, {"CPU ns/KiB", 1}},
        .load = {"stream"},
        .measure = measure_bytes,
    },
    {
        .name = "stream",
        .text = "64 KiB writes from the server",
        .option = "--source",
        .connections = {1},
        .figures = {{"MB/s", 0}, {"CPU ns/KiB", 1}},
        .load = {"stream", "--receive"},
        .measure = measure_bytes,
    },
    {
        .name = "pipeline",
        .text = "64 bytes there and back, 16 in flight on a connection",
        .connections = {64},
        .peers = true,
        .figures = {{"CPU us each", 2}, {"round trips/s", 0}, {"x ping-pong", 2}},
        .load = {"pipeline"},
        .measure = measure_pipeline,
    },
    {
        .name = "accept",
        .text = "connect and close",
        .option = "--close",
        .connections = {64},
        .figures = {{"CPU us each", 2}, {"connections/s", 0}},
        .load = {"accept"},
        .measure = measure_count,
    },
    {
        .name = "idle",
        .text = "open connections that do nothing",
        .connections = {10000},
        .peers = true,
        .figures = {{"bytes each", 0}, {"CPU ms", 3}, {"sleeps", 0}, {"s to close", 3}},
        .load = {"idle"},
        .measure = measure_idle,
    },
    {
        .name = "tls-handshake",
        .text = "TLS 1.3: connect, shake hands, close",
        .option = "--close",
        .connections = {16},
        .tls = true,
        .figures = {{"CPU us each", 1}, {"handshakes/s", 0}},
        .load = {"tls-handshake"},
        .measure = measure_count,
    },
    {
        .name = "tls-bulk",
        .text = "TLS 1.3: 64 KiB writes to the server",
        .option = "--sink",
        .connections = {1},
        .tls = true,
        .figures = {{"MB/s", 0}, {"CPU ns/KiB", 1}},
        .load = {"tls-bulk"},
        .measure = measure_bytes,
    },
    {
        .name = "tls-bulk",
        .text = "TLS 1.3: 64 KiB writes from the server",
        .option = "--source",
        .connections = {1},
        .tls = true,
        .figures = {{"MB/s", 0}, {"CPU ns/KiB", 1}},
        .load = {"tls-bulk", "--receive"},
        .measure = measure_bytes,
    },
    {0},
};
