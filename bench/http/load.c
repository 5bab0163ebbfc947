/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contest/fail.h"

#define PORT 18380 /* of Eddy; nginx has the next one */
#define REST 4     /* seconds until an idle connection's memory is looked at */

static FILE *create(const char *name)
{
    FILE *file = fopen(build_path(name), "w");

    if (!file)
        fail(name, errno);
    return file;
}

static void write_nginx_configuration(void)
{
    FILE *file = create("http-nginx.conf");
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", build_path("http-www"));
    fprintf(file,
            "worker_processes 1; daemon off; pid %s.pid; error_log /dev/null crit;\n"
            "events { worker_connections 20000; }\n"
            "http { access_log off; sendfile on; keepalive_requests 1000000000;\n"
            "  open_file_cache max=100; client_body_temp_path %s.1; proxy_temp_path %s.2;\n"
            "  fastcgi_temp_path %s.3; uwsgi_temp_path %s.4; scgi_temp_path %s.5;\n"
            "  server { listen 127.0.0.1:%d;\n"
            "    location = / { default_type text/plain; return 200 \"Hello, World!\"; }\n"
            "    location /json/ { default_type application/json; return 200 \"%0200d\"; }\n"
            "    location /files/ { alias %s/; } } }\n",
            folder, folder, folder, folder, folder, folder, PORT + 1, 0, folder);
    fclose(file);
}

void http_prepare(void)
{
    struct rlimit limit;
    FILE *file;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* what is not enough shows later */
    }
    (void)mkdir(build_path("http-www"), 0755); /* it may be there */
    file = create("http-www/4k");
    for (int i = 0; i < 4096; i++)
        fputc('a' + i % 26, file);
    fclose(file);
    file = create("http-pipeline.lua");
    fputs("init = function(args) local r = {} for i = 1, tonumber(args[1]) do "
          "r[i] = wrk.format() end all = table.concat(r) end\n"
          "request = function() return all end\n",
          file);
    fclose(file);
    write_nginx_configuration();
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* One request on an open connection. */
static bool ask(int fd)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[1024];

    return send(fd, text, sizeof text - 1, 0) > 0 && recv(fd, answer, sizeof answer, 0) > 0;
}

/* The process that serves: nginx's is the child of the one that was started. */
static pid_t find_worker(pid_t parent)
{
    char path[64];
    FILE *file;
    int child = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &child) != 1)
        child = (int)parent;
    if (file)
        fclose(file);
    return child;
}

bool http_server_start(const struct competitor *competitor, unsigned routes,
                       struct http_server *out)
{
    bool nginx = strcmp(competitor->name, "nginx") == 0;
    char port[16], number[16], folder[PATH_MAX];
    const char *more[] = {port, folder, NULL}, *configured[] = {"-c", folder, NULL};

    out->port = nginx ? PORT + 1 : PORT;
    snprintf(port, sizeof port, "%u", out->port);
    snprintf(number, sizeof number, "%u", routes);
    snprintf(folder, sizeof folder, "%s", build_path(nginx ? "http-nginx.conf" : "http-www"));
    setenv("ROUTES", number, 1);
    out->process = competitor_start(competitor, nginx ? configured : more, 0);
    for (int i = 0; i < 500; i++) {
        int fd = connect_to(out->port);

        if (fd >= 0) {
            close(fd);
            out->worker = find_worker(out->process.pid);
            return true;
        }
        usleep(10000);
    }
    fprintf(stderr, "http: %s does not get ready\n", competitor->name);
    http_server_stop(out);
    return false;
}

void http_server_stop(struct http_server *server)
{
    kill(server->process.pid, SIGTERM);
    (void)process_wait(&server->process); /* it has been measured, however it ends */
}

/* What wrk prints: "  123 requests in ..." and "Requests/sec:   123.4". */
static bool parse_wrk(FILE *from, double *requests, double *rate)
{
    char line[256], *end;
    bool failed = false;

    *requests = *rate = 0;
    while (fgets(line, sizeof line, from)) {
        double number = strtod(line, &end);

        if (strncmp(end, " requests in", 12) == 0)
            *requests = number;
        else if (strncmp(line, "Requests/sec:", 13) == 0)
            *rate = strtod(line + 13, NULL);
        else if (strstr(line, "Socket errors") || strstr(line, "Non-2xx"))
            failed = true;
    }
    return !failed && *requests > 0;
}

bool http_measure_load(const struct http_server *server, const char *path, unsigned connections,
                       unsigned pipelined, double seconds, double *figures)
{
    char url[128], number[16], times[16], script[PATH_MAX], depth[16];
    const char *words[] = {"wrk", "-t1",  "-c", number, "-d",  times,
                           "-s",  script, url,  "--",   depth, NULL};
    const char *plain[] = {"wrk", "-t1", "-c", number, "-d", times, url, NULL};
    struct process wrk;
    double before, requests, rate;
    bool complete;

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server->port, path);
    snprintf(number, sizeof number, "%u", connections);
    snprintf(times, sizeof times, "%.0fs", seconds < 1 ? 1 : seconds);
    snprintf(script, sizeof script, "%s", build_path("http-pipeline.lua"));
    snprintf(depth, sizeof depth, "%u", pipelined);
    before = process_cpu(server->worker);
    wrk = process_start(pipelined > 1 ? words : plain, NULL, 1);
    complete = parse_wrk(wrk.out, &requests, &rate);
    complete &= process_wait(&wrk) == 0;
    if (!complete)
        return false;
    figures[0] = (process_cpu(server->worker) - before) * 1e6 / requests;
    figures[1] = rate / 1000;
    return true;
}

bool http_measure_idle(const struct http_server *server, unsigned connections, double *figures)
{
    double before = process_memory(server->worker);
    int *fds = calloc(connections, sizeof *fds);
    unsigned open = 0;
    bool complete = fds != NULL;

    while (complete && open < connections) {
        fds[open] = connect_to(server->port);
        complete = fds[open] >= 0 && ask(fds[open]);
        open += fds[open] >= 0;
    }
    if (complete)
        sleep(REST);
    figures[0] = (process_memory(server->worker) - before) / connections;
    while (open > 0)
        close(fds[--open]);
    free(fds);
    return complete;
}
