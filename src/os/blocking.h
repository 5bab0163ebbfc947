/* SPDX-License-Identifier: MIT */
/*
 * Blocking functions over values: what a call of the file system is made of.
 *
 *     static int rename_run(const struct ed_blocking *b, void *result)          in a thread
 *     {
 *         int rc = (int)ED_SYSTEM(ED_FAULT_RENAME, rename(b->path, b->other));
 *
 *         return rc < 0 ? ed_blocking_fail(b, rc) : 0;
 *     }
 *     ...
 *     return ed_blocking_run(&(struct ed_blocking){"rename", rename_run, from, .other = to}, NULL);
 */
#ifndef ED_OS_BLOCKING_H
#define ED_OS_BLOCKING_H

#include <errno.h>

#include "base/compat.h"
#include "base/fault.h"
#include "loop/loop.h"
#include "os/job.h"

/* What a job and its caller use both: it ends when each has let go of it, the caller by
 * ed_share_close, or for him the loop that closes. */
struct ed_shared {
    int refs; /* atomic */
    void (*end)(struct ed_shared *shared);
    eddy_loop *loop;
    struct ed_resource resource;
};

/* For an object of the running task's. */
void ed_share_open(struct ed_shared *shared, void (*end)(struct ed_shared *shared));
void ed_share_close(struct ed_shared *shared);

struct ed_blocking {
    const char *name; /* of the operation, for texts; not copied */
    int (*run)(const struct ed_blocking *b, void *result); /* in a thread, with copies: */
    const char *path, *other;                              /* or NULL */
    const void *data;                                      /* of any alignment up to 16 */
    size_t size;
    long numbers[2];
    struct ed_shared *shared; /* or NULL; held until the job has ended */
    size_t result_size;
    void (*destroy)(void *result); /* of a success that nobody takes, or NULL */
};

/*
 * Runs it in a thread of the loop's, by way of ed_executor_run_caring. A cancelled caller
 * leaves at once: a job that has not begun never does, and one that runs goes on by itself.
 * Suspends. Returns what `run` did, with its text; -ENOMEM, -EAGAIN, -ECANCELED, ...
 */
int ed_blocking_run(const struct ed_blocking *b, void *out);

/* In the job: raises 'rename "from" to "to": Permission denied', or 'rename "path": ...' */
int ed_blocking_fail(const struct ed_blocking *b, int code);
int ed_blocking_fail_at(const struct ed_blocking *b, const char *path, int code);

/* A system call's answer, or the error that is injected in its place: a negative code. */
#define ED_SYSTEM(fault, call)                                                                     \
    __extension__({                                                                                \
        long ed_answer = ed_fault_check(fault);                                                    \
        if (ed_answer >= 0) {                                                                      \
            ed_answer = (long)(call);                                                              \
            if (ed_answer < 0)                                                                     \
                ed_answer = -errno;                                                                \
        }                                                                                          \
        ed_answer;                                                                                 \
    })

#endif
