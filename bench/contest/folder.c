/* SPDX-License-Identifier: MIT */
#include "folder.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status, (void)type, (void)at;
    if (remove(path) < 0)
        fail(path, errno);
    return 0;
}

/* Processes that the child has left behind have become children of ours; they end too, and may
 * write until then. */
static _Noreturn void clean_up(pid_t child, const char *folder)
{
    int status = 0, other;
    pid_t ended;

    signal(SIGINT, SIG_IGN); /* the child has it too */
    signal(SIGTERM, SIG_IGN);
    while ((ended = wait(&other)) > 0 || errno == EINTR) {
        if (ended == child)
            status = other;
    }
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
        fail(folder, errno);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

const char *folder_enter(const char *parent, const char *name)
{
    static char folder[PATH_MAX];

    if (getenv("TMPDIR"))
        parent = getenv("TMPDIR");
    if (snprintf(folder, sizeof folder, "%s/%s-XXXXXX", parent, name) >= (int)sizeof folder)
        fail(parent, ENAMETOOLONG);
    if (!mkdtemp(folder))
        fail(folder, errno);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child < 0)
        fail("fork", errno);
    if (child > 0)
        clean_up(child, folder);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* without it, we may be left over */
    if (chdir(folder) < 0)
        fail(folder, errno);
    return folder;
}
