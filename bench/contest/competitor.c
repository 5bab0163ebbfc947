/* SPDX-License-Identifier: MIT */
#include "competitor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

#define ARGUMENTS 12 /* of a command, at most */

const char *build_path(const char *name)
{
    static char path[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

    if (length < 0)
        fail("/proc/self/exe", errno);
    while (length > 0 && path[length - 1] != '/')
        length--;
    snprintf(path + length, sizeof path - (size_t)length, "%s", name);
    return path;
}

/* Runs a command that is to be silent and quick; true if it went well. */
static bool succeeds(const char *const *argv)
{
    struct process process = process_start(argv, NULL, 0);

    return process_wait(&process) == 0;
}

/* Go has no part in our build: it builds its program now, with a cache of its own. */
static bool build_go(const char *program)
{
    char output[2 * PATH_MAX];

    snprintf(output, sizeof output, "%s", build_path(program));
    (void)mkdir(build_path("peers"), 0777); /* it may be there; else go will tell */
    setenv("GOCACHE", build_path("peers/go-cache"), 0);
    const char *argv[] = {"go", "build", "-o", output, BENCH_PEERS "/go/echo/main.go", NULL};
    return succeeds(argv);
}

static bool competitor_find(const struct competitor *competitor)
{
    const char *program = competitor->command[0], *module = competitor->module;

    if (strcmp(competitor->name, "Go") == 0)
        return build_go(program);
    if (!module && *program == '/')
        return access(program, X_OK) == 0;
    if (!module)
        return access(build_path(program), X_OK) == 0;
    const char *argv[] = {
        program, "-c",
        "import importlib.util as util, sys; sys.exit(not util.find_spec(sys.argv[1]))", module,
        NULL};
    return succeeds(argv);
}

void competitors_find(struct competitor *competitors, size_t count, bool peers)
{
    for (struct competitor *c = competitors; c < competitors + count; c++) {
        if (c->peer && !peers)
            continue;
        c->present = competitor_find(c);
        if (!c->present)
            fprintf(stderr, "%s is missing (%s); measuring the rest\n", c->name,
                    c->module ? c->module : c->command[0]);
    }
}

struct process
competitor_start(const struct competitor *competitor, const char *const *more, int core)
{
    const char *argv[ARGUMENTS + 1] = {0}, *program = competitor->command[0];
    size_t count = 0;

    while (competitor->command[count]) {
        argv[count] = competitor->command[count];
        count++;
    }
    if (access(build_path(program), X_OK) == 0)
        argv[0] = build_path(program);
    while (more && *more && count < ARGUMENTS)
        argv[count++] = *more++;
    return process_start(argv, competitor->engine, core);
}
