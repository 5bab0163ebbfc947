/* SPDX-License-Identifier: MIT */
/*
 * The servers of the tests. The shared one lives in a folder that is named for the runner; whoever
 * makes that folder starts the keeper, a process of its own, and all wait for the file "ready" in
 * it. Private ones are copies of its data from before its first start.
 */
#include "pg/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/tls_certificate.h"

#define PATIENCE 120 /* seconds that a server may take to start */

static struct {
    char folder[128];
    char programs[128]; /* where postgres and initdb are */
    char dsn[256];
    int port;
} shared;

/* Processes ---------------------------------------------------------------------- */

static void find_programs(void)
{
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0)
        snprintf(shared.programs, sizeof shared.programs, "%.*s",
                 (int)strlen(found.gl_pathv[found.gl_pathc - 1]) - (int)strlen("/postgres"),
                 found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    if (!shared.programs[0])
        test_skip("no PostgreSQL server is installed");
}

/* Becomes somebody whom postgres runs for: it does not for root. */
static void drop_root(void)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;

    if (user && (setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
        _exit(126);
}

static void give_away(const char *path)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;

    if (user && chown(path, user->pw_uid, user->pw_gid) < 0)
        test_fail(__FILE__, __LINE__, "chown %s: %s", path, strerror(errno));
}

/* In a child: with a log for all that it says, and no descriptor of the test's. */
_Noreturn static void run_program(char *const *command, const char *log, pid_t parent)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666), null = open("/dev/null", O_RDONLY);

    dup2(null, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    syscall(SYS_close_range, 3, ~0u, 0);
    drop_root();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(125);
    unsetenv("LD_PRELOAD");
    execv(command[0], command);
    _exit(127);
}

static pid_t start_program(char *const *command, const char *log)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        run_program(command, log, parent);
    return pid;
}

/* Runs a program to its end: true when it exits with 0. */
static bool run_to_end(char *const *command, const char *log)
{
    pid_t pid = start_program(command, log);
    int status;

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool remove_folder(const char *folder)
{
    char *command[] = {"/bin/rm", "-rf", (char *)(uintptr_t)folder, NULL};
    pid_t pid = fork();

    if (pid == 0) {
        execv(command[0], command);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid;
}

/* A port that is free just now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        address.sin_port = 0;
    close(fd);
    return ntohs(address.sin_port);
}

/* Files -------------------------------------------------------------------------- */

static void write_file(const char *folder, const char *name, const char *mode, int permissions,
                       const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, mode);
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
    chmod(path, (mode_t)permissions);
    give_away(path);
}

static void write_certificates(const char *data)
{
    const struct certificate *root = certificate_root();
    const struct certificate *own = certificate_make(&(struct certificate_plan){
        .name = "localhost", .names = "DNS:localhost", .usage = "serverAuth", .issuer = root});

    write_file(data, "server.crt", "w", 0644, own->pem);
    write_file(data, "server.key", "w", 0600, own->key_pem);
    write_file(data, "root.crt", "w", 0644, root->pem);
}

static void write_settings(const char *data)
{
    write_file(data, "postgresql.conf", "a", 0600,
               "listen_addresses = '127.0.0.1'\n"
               "fsync = off\n"
               "full_page_writes = off\n"
               "synchronous_commit = off\n"
               "shared_buffers = 16MB\n"
               "max_connections = 60\n"
               "max_prepared_transactions = 4\n"
               "autovacuum = off\n"
               "wal_level = minimal\n"
               "max_wal_senders = 0\n"
               "logging_collector = off\n"
               "log_min_messages = fatal\n"
               "jit = off\n"
               "ssl = on\n");
    write_file(data, "pg_hba.conf", "w", 0600,
               "local all all trust\n"
               "host all scram 127.0.0.1/32 scram-sha-256\n"
               "host all md5 127.0.0.1/32 md5\n"
               "host all clear 127.0.0.1/32 password\n"
               "hostnossl all tls 127.0.0.1/32 reject\n"
               "host all all 127.0.0.1/32 trust\n");
}

/* Makes the data of a server; false: it could not be made. */
static bool make_data(const char *folder, const char *data)
{
    char program[160], log[160];
    char *command[] = {program,      "-D",        (char *)(uintptr_t)data,
                       "-U",         "postgres",  "-A",
                       "trust",      "-E",        "UTF8",
                       "--locale=C", "--no-sync", "--no-instructions",
                       NULL};

    snprintf(program, sizeof program, "%s/initdb", shared.programs);
    snprintf(log, sizeof log, "%s/log", folder);
    if (!run_to_end(command, log))
        return false;
    write_settings(data);
    write_certificates(data);
    return true;
}

/* Starting ----------------------------------------------------------------------- */

static pid_t start_postgres(const char *folder, int port)
{
    char program[160], data[192], log[192], sockets[224], number[16];
    char *command[] = {program, "-D", data, "-p", number, "-c", sockets, NULL};

    snprintf(program, sizeof program, "%s/postgres", shared.programs);
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", folder);
    snprintf(number, sizeof number, "%d", port);
    return start_program(command, log);
}

/* Waits until it takes connections; false: it has ended. */
static bool await_postgres(const char *folder, int port, pid_t pid)
{
    char dsn[256];

    snprintf(dsn, sizeof dsn, "host=%s port=%d user=postgres dbname=postgres", folder, port);
    for (int i = 0; i < PATIENCE * 50; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return false;
        if (PQping(dsn) == PQPING_OK)
            return true;
        usleep(20000);
    }
    return false;
}

/* A port that was free may be another's a moment later. */
static pid_t start_somewhere(const char *folder, int *port)
{
    for (int i = 0; i < 5; i++) {
        pid_t pid;

        *port = free_port();
        pid = start_postgres(folder, *port);
        if (pid > 0 && await_postgres(folder, *port, pid))
            return pid;
    }
    return -1;
}

/* The keeper --------------------------------------------------------------------- */

static bool make_users(const char *folder, int port)
{
    char dsn[256];
    PGconn *libpq;
    PGresult *result;
    bool made;

    snprintf(dsn, sizeof dsn, "host=%s port=%d user=postgres dbname=postgres", folder, port);
    libpq = PQconnectdb(dsn);
    result = PQexec(libpq, "SET password_encryption = 'md5';"
                           "CREATE ROLE md5 LOGIN PASSWORD 'secret';"
                           "SET password_encryption = 'scram-sha-256';"
                           "CREATE ROLE scram LOGIN PASSWORD 'secret';"
                           "CREATE ROLE clear LOGIN PASSWORD 'secret';"
                           "CREATE ROLE tls LOGIN; CREATE ROLE guest LOGIN");
    made = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    PQfinish(libpq);
    return made;
}

static bool copy_data(const char *folder)
{
    char from[160], log[160];
    char to[160];
    char *command[] = {"/bin/cp", "-a", "--reflink=auto", from, to, NULL};

    snprintf(from, sizeof from, "%s/template", shared.folder);
    snprintf(to, sizeof to, "%s/data", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    return run_to_end(command, log);
}

static pid_t keep_start(void)
{
    char template[160];
    pid_t pid;

    snprintf(template, sizeof template, "%s/template", shared.folder);
    if (!make_data(shared.folder, template) || !copy_data(shared.folder))
        return -1;
    pid = start_somewhere(shared.folder, &shared.port);
    return pid > 0 && make_users(shared.folder, shared.port) ? pid : -1;
}

/* The keeper's life: until the runner has gone. */
_Noreturn static void keep(int runner)
{
    struct pollfd gone = {.fd = runner, .events = POLLIN};
    char text[32];
    pid_t pid;

    pid = keep_start();
    snprintf(text, sizeof text, "%d\n", pid > 0 ? shared.port : 0);
    write_file(shared.folder, "ready.new", "w", 0644, text);
    {
        char from[160], to[160];

        snprintf(from, sizeof from, "%s/ready.new", shared.folder);
        snprintf(to, sizeof to, "%s/ready", shared.folder);
        rename(from, to);
    }
    while (poll(&gone, 1, -1) < 0 && errno == EINTR)
        continue;
    if (pid > 0) {
        kill(pid, SIGQUIT);
        waitpid(pid, NULL, 0);
    }
    remove_folder(shared.folder);
    _exit(0);
}

/* The keeper is nobody's child, and has nothing of the test's but a hold of the runner. */
static void start_keeper(pid_t runner)
{
    int fd = (int)syscall(SYS_pidfd_open, runner, 0);
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        if (fork() != 0)
            _exit(0);
        setsid();
        signal(SIGINT, SIG_IGN);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(fd, 3);
        syscall(SYS_close_range, 4, ~0u, 0);
        keep(3);
    }
    waitpid(pid, NULL, 0);
    close(fd);
}

/* When a process was started, which together with its number is its name. */
static unsigned long long start_time(pid_t pid)
{
    char path[64], text[1024] = "";
    const char *at;
    unsigned long long time = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    at = strrchr(text, ')');
    for (int i = 0; at && i < 20; i++)
        at = strchr(at + 1, ' ');
    if (at)
        time = strtoull(at, NULL, 10);
    return time;
}

/* Waits for the file "ready"; returns the port in it, 0 when there is no server. */
static int await_ready(void)
{
    char path[160], text[32] = "";

    snprintf(path, sizeof path, "%s/ready", shared.folder);
    for (int i = 0; i < PATIENCE * 50; i++) {
        FILE *file = fopen(path, "r");

        if (file) {
            if (!fgets(text, sizeof text, file))
                text[0] = '\0';
            fclose(file);
            return (int)strtol(text, NULL, 10);
        }
        usleep(20000);
    }
    return 0;
}

static void shared_find(void)
{
    pid_t runner = getppid();
    const char *place = getenv("TMPDIR");
    unsigned left;

    if (shared.port)
        return;
    find_programs();
    snprintf(shared.folder, sizeof shared.folder, "%s/eddy-pg-%d-%llu", place ? place : "/tmp",
             (int)runner, start_time(runner));
    left = alarm(0); /* it is not this test that is slow */
    if (mkdir(shared.folder, 0755) == 0) {
        give_away(shared.folder);
        start_keeper(runner);
    }
    shared.port = await_ready();
    alarm(left);
    if (!shared.port)
        test_fail(__FILE__, __LINE__, "no server has started: see %s/log", shared.folder);
}

const char *pg_test_dsn(void)
{
    shared_find();
    snprintf(shared.dsn, sizeof shared.dsn, "postgresql://postgres@/postgres?host=%s&port=%d",
             shared.folder, shared.port);
    return shared.dsn;
}

const char *pg_test_tcp_dsn(const char *user, const char *more)
{
    static char dsn[512];

    shared_find();
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=%s dbname=postgres %s", shared.port,
             user, more);
    return dsn;
}

int pg_test_port(void)
{
    shared_find();
    return shared.port;
}

const char *pg_test_folder(void)
{
    shared_find();
    return shared.folder;
}

const char *pg_test_root_file(void)
{
    static char path[160];

    shared_find();
    snprintf(path, sizeof path, "%s/data/root.crt", shared.folder);
    return path;
}

/* Private ones ------------------------------------------------------------------- */

static void server_launch(struct pg_server *server)
{
    unsigned left = alarm(0);

    server->pid = start_postgres(server->folder, server->port);
    if (server->pid <= 0 || !await_postgres(server->folder, server->port, server->pid))
        test_fail(__FILE__, __LINE__, "no server has started in %s", server->folder);
    alarm(left);
}

void pg_server_start(struct pg_server *server, const char *settings)
{
    char data[192];
    unsigned left;

    shared_find();
    left = alarm(0);
    snprintf(server->folder, sizeof server->folder, "%s/private-%d-XXXXXX", shared.folder,
             (int)getpid());
    if (!mkdtemp(server->folder) || chmod(server->folder, 0755) < 0)
        test_fail(__FILE__, __LINE__, "%s: %s", server->folder, strerror(errno));
    give_away(server->folder);
    if (!copy_data(server->folder))
        test_fail(__FILE__, __LINE__, "the data of a server cannot be copied");
    alarm(left);
    snprintf(data, sizeof data, "%s/data", server->folder);
    if (settings)
        write_file(data, "postgresql.conf", "a", 0600, settings);
    server->port = free_port();
    snprintf(server->dsn, sizeof server->dsn,
             "host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", server->port);
    server_launch(server);
}

void pg_server_restart(struct pg_server *server)
{
    server_launch(server);
}

/* The processes that the server has made: how many of them are in `pids`. */
static size_t server_processes(const struct pg_server *server, pid_t *pids, size_t most)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    while (folder && count < most && (entry = readdir(folder))) {
        char path[300], text[512] = "";
        FILE *file;
        int parent = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        if (strrchr(text, ')') && sscanf(strrchr(text, ')'), ") %*c %d", &parent) == 1 &&
            parent == server->pid)
            pids[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    if (folder)
        closedir(folder);
    return count;
}

/* Sends a signal to the server and all processes of its own, which lose their parent when it is
 * gone: it makes no more of them, and is the last. Returns when those that are killed have gone. */
static void server_signal(const struct pg_server *server, int number)
{
    pid_t pids[500];
    size_t count;

    if (number == SIGKILL)
        kill(server->pid, SIGSTOP);
    count = server_processes(server, pids, 500);
    for (size_t i = 0; i < count; i++)
        kill(pids[i], number);
    kill(server->pid, number);
    if (number == SIGKILL)
        waitpid(server->pid, NULL, 0);
    for (size_t i = 0; number == SIGKILL && i < count; i++)
        for (int tries = 0; tries < 500 && kill(pids[i], 0) == 0; tries++)
            usleep(1000); /* until whoever reaps orphans has done so */
}

void pg_server_end(struct pg_server *server, int number)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, number);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void pg_server_kill(struct pg_server *server)
{
    if (server->pid <= 0)
        return;
    server_signal(server, SIGKILL);
    server->pid = 0;
}

void pg_server_freeze(const struct pg_server *server)
{
    server_signal(server, SIGSTOP);
}

void pg_server_thaw(const struct pg_server *server)
{
    server_signal(server, SIGCONT);
}

void pg_server_close(struct pg_server *server)
{
    pg_server_kill(server);
    if (server->folder[0])
        remove_folder(server->folder);
}
