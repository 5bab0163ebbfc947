/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL by bare libpq, and psql: floor-pg NAME COUNT. The environment names the server; see
 * pg/server.h for its tables. One thread, which waits for libpq, or for epoll where it has more
 * connections than one.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contest/fail.h"
#include "contest/stopwatch.h"

#define CONNECTIONS 10
#define DEPTH 100 /* statements in a pipeline */
#define POINT "SELECT name, value FROM readings WHERE id = $1"

static _Noreturn void fail_pg(PGconn *db)
{
    fputs(PQerrorMessage(db), stderr);
    fail("libpq", EIO);
}

static PGconn *connect_and_prepare(const char *sql)
{
    PGconn *db = PQconnectdb("");

    if (PQstatus(db) != CONNECTION_OK)
        fail_pg(db);
    PGresult *result = PQprepare(db, "s", sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_pg(db);
    PQclear(result);
    return db;
}

static void check_rows(PGconn *db, PGresult *result, unsigned rows)
{
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != (int)rows)
        fail_pg(db);
    PQclear(result);
}

static void fetch_rows(unsigned count)
{
    PGconn *db = connect_and_prepare("SELECT * FROM readings");
    struct stopwatch start = stopwatch_start();
    PGresult *result = PQexecPrepared(db, "s", 0, NULL, NULL, NULL, 1);

    stopwatch_report(&start, count, 0);
    check_rows(db, result, count);
    PQfinish(db);
}

static void ask(PGconn *db, unsigned number)
{
    uint32_t id = htonl(number % 1000 + 1);
    const char *values[] = {(const char *)&id};

    if (!PQsendQueryPrepared(db, "s", 1, values, (const int[]){4}, (const int[]){1}, 1))
        fail_pg(db);
}

/* Takes the whole answer if it is there. */
static bool take(PGconn *db)
{
    PGresult *result;

    if (!PQconsumeInput(db))
        fail_pg(db);
    if (PQisBusy(db))
        return false;
    check_rows(db, PQgetResult(db), 1);
    if ((result = PQgetResult(db)))
        fail_pg(db);
    return true;
}

static void ask_points(unsigned count)
{
    PGconn *dbs[CONNECTIONS];
    struct epoll_event events[CONNECTIONS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    unsigned asked = 0, done = 0;

    for (int i = 0; i < CONNECTIONS; i++) {
        dbs[i] = connect_and_prepare(POINT);
        (void)PQsetnonblocking(dbs[i], 1);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = dbs[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, PQsocket(dbs[i]), &event) < 0)
            fail("epoll_ctl", errno);
    }
    struct stopwatch start = stopwatch_start();
    for (; asked < CONNECTIONS && asked < count; asked++)
        ask(dbs[asked], asked);
    while (done < count) {
        int ready = epoll_wait(epoll, events, CONNECTIONS, -1);

        for (int i = 0; i < ready; i++) {
            if (!take(events[i].data.ptr))
                continue;
            done++;
            if (asked < count)
                ask(events[i].data.ptr, asked++);
        }
    }
    stopwatch_report(&start, count, 0);
}

static void ask_in_pipeline(unsigned count)
{
    PGconn *db = connect_and_prepare(POINT);
    PGresult *result;

    if (!PQenterPipelineMode(db))
        fail_pg(db);
    struct stopwatch start = stopwatch_start();
    for (unsigned done = 0; done < count; done += DEPTH) {
        for (unsigned i = 0; i < DEPTH; i++)
            ask(db, done + i);
        if (!PQpipelineSync(db))
            fail_pg(db);
        for (unsigned i = 0; i < DEPTH; i++) {
            check_rows(db, PQgetResult(db), 1);
            if ((result = PQgetResult(db)))
                fail_pg(db);
        }
        result = PQgetResult(db);
        if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
            fail_pg(db);
        PQclear(result);
    }
    stopwatch_report(&start, count, 0);
}

static void run(PGconn *db, const char *sql)
{
    PGresult *result = PQexec(db, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_pg(db);
    PQclear(result);
}

/* A row of the table in binary form; `name` has room for its text. */
static void send_row(PGconn *db, unsigned number, char *name)
{
    uint32_t id = htonl(number + 1);
    uint64_t at = htobe64((INT64_C(9497) * 86400 + number) * 1000000), bits; /* from 2000 on */
    double real = (number + 1) / 7.0;
    int size = snprintf(name, 32, "sensor number %u", number + 1);

    memcpy(&bits, &real, sizeof bits);
    bits = htobe64(bits);
    if (!PQsendQueryPrepared(db, "s", 4,
                             (const char *const[]){(char *)&id, name, (char *)&at, (char *)&bits},
                             (const int[]){4, size, 8, 8}, (const int[]){1, 1, 1, 1}, 1))
        fail_pg(db);
}

/* Takes so many answers of commands, and that to the sync behind them. */
static void take_commands(PGconn *db, unsigned count)
{
    PGresult *result;

    for (unsigned i = 0; i < count; i++) {
        result = PQgetResult(db);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail_pg(db);
        PQclear(result);
        if ((result = PQgetResult(db)))
            fail_pg(db);
    }
    result = PQgetResult(db);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        fail_pg(db);
    PQclear(result);
}

/* INSERTs of one transaction, so many in flight that neither side waits, nor their answers fill a
 * socket. */
static void insert_rows(unsigned count)
{
    PGconn *db = connect_and_prepare("INSERT INTO copies VALUES ($1, $2, $3, $4)");
    char name[32];

    run(db, "BEGIN");
    if (!PQenterPipelineMode(db))
        fail_pg(db);
    struct stopwatch start = stopwatch_start();
    for (unsigned done = 0; done < count;) {
        unsigned more = count - done < 10 * DEPTH ? count - done : 10 * DEPTH;

        for (unsigned i = 0; i < more; i++)
            send_row(db, done + i, name);
        if (!PQpipelineSync(db))
            fail_pg(db);
        take_commands(db, more);
        done += more;
    }
    if (!PQexitPipelineMode(db))
        fail_pg(db);
    run(db, "COMMIT");
    stopwatch_report(&start, count, 0);
}

/* psql's time is that of a child that has ended. */
static void copy_by_psql(unsigned count)
{
    struct stopwatch start = stopwatch_start();
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execlp("psql", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", "\\copy copies FROM rows.txt",
               (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
        fail("psql", EIO);
    stopwatch_report(&start, count, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(unsigned count);
    } plays[] = {{"rows", fetch_rows},
                 {"point", ask_points},
                 {"pipeline", ask_in_pipeline},
                 {"copy", copy_by_psql},
                 {"executemany", insert_rows}};
    unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

    for (size_t i = 0; count > 0 && i < sizeof plays / sizeof *plays; i++) {
        if (strcmp(plays[i].name, argv[1]) == 0) {
            plays[i].run(count);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s NAME COUNT\n", argv[0]);
    return 2;
}
