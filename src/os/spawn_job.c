/* SPDX-License-Identifier: MIT */
/*
 * The start of a program in a thread of the loop's, so that a slow disk never stops the loop.
 *
 * The thread works with the caller's memory and descriptors, since the caller waits for it. So a
 * cancel must not leave it standing in an execve(2) that takes long: it kills the child, if there
 * is one, and forbids the exec, if there is none yet (see ed_spawn_interrupt). A child that was
 * faster is killed as well, and the cancel stands: a process that nobody got does not go on.
 */
#include <errno.h>

#include "os/executor.h"
#include "os/spawn.h"
#include "task/park.h"

struct spawn_job {
    struct ed_spawn spawn;
    struct ed_spawn_stop stop;
    struct ed_child child;
};

/* In the thread. */
static int spawn_job_run(void *args, void *result)
{
    struct spawn_job *j = args;

    (void)result;
    return ed_spawn(&j->spawn, &j->child);
}

/* Its loop closes before its task goes on. */
static void spawn_job_drop(void *result)
{
    ed_spawn_undo(&((struct spawn_job *)result)->child);
}

static void spawn_job_interrupt(void *args)
{
    ed_spawn_interrupt(&((struct spawn_job *)args)->stop);
}

/* Why the task was interrupted. */
static int spawn_job_reason(void)
{
    int pending = eddy_thread_.task->pending;

    return pending ? pending : -ECANCELED; /* or it has been withdrawn */
}

int ed_spawn_await(const struct ed_spawn *spawn, struct ed_child *child)
{
    static const struct eddy_async function = {spawn_job_run, "spawn", spawn_job_drop, 0, 0};
    struct spawn_job j = {.spawn = *spawn, .stop = ED_SPAWN_STOP_INIT};
    int rc;

    j.spawn.stop = &j.stop;
    rc = ed_executor_run_interruptible(ED_POOL_FILES, &function, &j, &j, spawn_job_interrupt);
    if (j.stop.stopped) {
        if (rc == 0)
            ed_spawn_undo(&j.child);
        return ed_fail(spawn_job_reason());
    }
    if (rc == 0)
        *child = j.child;
    return rc;
}
