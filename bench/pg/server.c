/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contest/competitor.h"
#include "contest/fail.h"
#include "contest/process.h"

#define PATIENCE 30 /* seconds in which it is to be ready */
#define SOCKET ".s.PGSQL.5432"

static char programs[PATH_MAX]; /* their folder */
static struct process link_process;

bool server_find(void)
{
    glob_t found;
    int best = 0;

    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int version = (int)strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL, 10);

        if (version < best)
            continue;
        best = version;
        snprintf(programs, sizeof programs, "%s", found.gl_pathv[i]);
        *strrchr(programs, '/') = '\0';
    }
    globfree(&found);
    return best > 0;
}

/* PostgreSQL refuses to run as root. */
static void give_up_root(void)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (user && (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
        fail("user postgres", errno);
}

/* Starts a program of the server's; what it says goes to the file "log". */
static pid_t start(const char *const *argv)
{
    char path[PATH_MAX + 32];
    pid_t pid = fork();

    if (pid < 0)
        fail("fork", errno);
    if (pid > 0)
        return pid;
    give_up_root();
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT); /* an immediate shutdown */
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        fail("log", errno);
    snprintf(path, sizeof path, "%s/%s", programs, argv[0]);
    execv(path, (char *const *)(uintptr_t)argv);
    fail(path, errno);
}

static void enter_environment(const char *folder)
{
    static const char *const others[] = {"PGPORT",    "PGPASSWORD", "PGSERVICE",     "PGOPTIONS",
                                         "PGSSLMODE", "PGHOSTADDR", "PGSERVICEFILE", "PGPASSFILE"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        unsetenv(others[i]);
    setenv("PGHOST", folder, 1);
    setenv("PGUSER", "postgres", 1);
    setenv("PGDATABASE", "postgres", 1);
}

/* psql is the judge of whether it can be asked. */
static bool answers(void)
{
    const char *argv[] = {"psql", "-qXAtc", "SELECT", NULL};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        (void)dup2(null, STDERR_FILENO); /* until it is ready it complains */
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void wait_until_ready(pid_t server)
{
    for (int i = 0; !answers(); i++) {
        if (i == PATIENCE * 10 || waitpid(server, NULL, WNOHANG) == server)
            fail("the server does not start", ETIMEDOUT);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

void server_run(const char *sql)
{
    const char *argv[] = {"psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", sql, NULL};
    struct process psql = process_start(argv, NULL, ANYWHERE);

    if (process_wait(&psql) != 0)
        fail("psql", EIO);
}

static void start_link(const char *folder)
{
    char from[PATH_MAX + 64], to[PATH_MAX + 64];
    const char *argv[] = {NULL, from, to, "0.0005", NULL};

    if (mkdir("link", 0777) < 0)
        fail("link", errno);
    snprintf(from, sizeof from, "unix:%s/link/" SOCKET, folder);
    snprintf(to, sizeof to, "unix:%s/" SOCKET, folder);
    argv[0] = build_path("pg-link");
    link_process = process_start(argv, NULL, ANYWHERE);
    if (getc(link_process.out) == EOF) /* what it prints when it listens */
        fail("pg-link", EIO);
}

static void make_tables(unsigned rows)
{
    char sql[512];

    server_run("CREATE TABLE readings (id int4, name text, at timestamptz, value float8)");
    server_run("CREATE TABLE copies (LIKE readings)");
    snprintf(sql, sizeof sql,
             "INSERT INTO readings SELECT n, 'sensor number ' || n, timestamptz '2026-01-01' "
             "+ n * interval '1 second', n / 7.0 FROM generate_series(1, %u) n",
             rows);
    server_run(sql);
    server_run("CREATE INDEX ON readings (id)");
    server_run("VACUUM (ANALYZE, FREEZE) readings");
    server_run("\\copy readings TO rows.txt");
    server_run("CHECKPOINT");
}

void server_start(const char *folder, unsigned rows)
{
    const char *make[] = {"initdb",          "--pgdata=data", "--username=postgres", "--auth=trust",
                          "--encoding=UTF8", "--locale=C",    "--no-sync",           NULL};
    const char *serve[] = {"postgres", "-D",
                           "data",     "-k",
                           folder,     "-h",
                           "",         "-F",
                           "-c",       "shared_buffers=256MB",
                           "-c",       "autovacuum=off",
                           "-c",       "max_wal_size=8GB",
                           "-c",       "synchronous_commit=off",
                           NULL};
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    int status;

    if (chmod(folder, 0711) < 0 || (user && chown(folder, user->pw_uid, user->pw_gid) < 0))
        fail(folder, errno);
    if (waitpid(start(make), &status, 0) < 0 || status != 0)
        fail("initdb", EIO);
    enter_environment(folder);
    wait_until_ready(start(serve));
    make_tables(rows);
    start_link(folder);
}

void server_use_link(const char *folder, bool link)
{
    char path[PATH_MAX + 8];

    snprintf(path, sizeof path, "%s%s", folder, link ? "/link" : "");
    setenv("PGHOST", path, 1);
}
