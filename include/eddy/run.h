/* SPDX-License-Identifier: MIT */
/*
 * Running a program.
 *
 *     static int amain(void);
 *     EDDY_ASYNC(amain);
 *     EDDY_MAIN(amain)
 *
 * The environment chooses: EDDY_ENGINE=uring|epoll (else io_uring where the
 * kernel allows it), EDDY_CLOCK=virtual, EDDY_SEED=N (shuffles the order of
 * ready tasks, the same way for the same N), EDDY_DEBUG=1 (debug mode, see
 * eddy/debug.h), EDDY_STATS=1 (counters at exit), EDDY_FAULT=op:error:nth[,...]
 * (injected faults), EDDY_GUARD=1 (the library's memory between guard pages).
 */
#ifndef EDDY_RUN_H
#define EDDY_RUN_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/loop.h"

EDDY_BEGIN_DECLS

/*
 * asyncio.run: opens a loop, runs f(arguments...[, &out]) as its main task, and
 * cleans up: cancels the tasks that are left and waits for their clean-up, ends
 * the default executor after its jobs, abandoned ones aside, closes the loop.
 * eddy_run_call takes the call as a value.
 *
 * In the process's main thread, while SIGINT has its default action, the first
 * SIGINT cancels the main task, a second one pierces its shields, and a third
 * takes the default action.
 *
 * Returns what the main task returned; -EINTR when it ended because of SIGINT;
 * -ESHUTDOWN when eddy_loop_stop ended the run before it;
 * -EDEADLK, after a report that names each task and what it waits for, when
 * nothing could wake any task, and then all have been cancelled; -EBUSY when a
 * loop runs in this thread; -ENOMEM or an error of the kernel's when no loop
 * could be opened.
 */
#define eddy_run(f, ...) eddy_run_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_run_call(eddy_call call);

/*
 * Defines main() as a run of f(void). An error is printed to standard error and
 * exits with status 1, a positive return is the exit status. EDDY_MAIN_ARGS is
 * for f(int argc, char **argv). Dies of SIGINT as a shell expects.
 */
#define EDDY_MAIN(f)                                                                               \
    int main(void)                                                                                 \
    {                                                                                              \
        return eddy_main_(EDDY_CALL(f));                                                           \
    }
#define EDDY_MAIN_ARGS(f)                                                                          \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return eddy_main_(EDDY_CALL(f, argc, argv));                                               \
    }

/*
 * asyncio.Runner: eddy_run in steps. Several runs share one loop and its
 * task-local values; tasks that a run leaves behind go on in the next, and are
 * cancelled at the close.
 */
typedef struct eddy_runner {
    eddy_loop *loop;          /* opened by the first run */
    struct ed_locals *locals; /* what the runs have set */
    int error;                /* why it could not be opened */
    bool closed;
} eddy_runner;
/* clang-format off */
#define EDDY_RUNNER_INIT {NULL, NULL, 0, false}
/* clang-format on */

/* Runs a call as eddy_run does, without the clean-up. -EPERM after close. */
EDDY_NODISCARD EDDY_API int eddy_runner_run(eddy_runner *runner, eddy_call call);
/* Opens the loop if need be, and gives it, borrowed; NULL after close. */
EDDY_API eddy_loop *eddy_runner_get_loop(eddy_runner *runner);
/* Cleans up and closes. Idempotent. */
EDDY_API void eddy_runner_close(eddy_runner *runner);

EDDY_API int eddy_main_(eddy_call call);

EDDY_END_DECLS
#endif
