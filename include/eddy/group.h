/* SPDX-License-Identifier: MIT */
/*
 * Groups and gather: children that never outlive their block.
 *
 *     EDDY_GROUP(group);
 *     for (int i = 0; i < n; i++)
 *         eddy_group_create_task(&group, fetch, urls[i], &pages[i]);
 *     EDDY_TRY(eddy_group_join(&group));
 *
 * The first child that fails aborts the group: its siblings are cancelled, and
 * every suspending call in the group's block returns the child's error, with
 * its text, so that the error leaves the block by itself. A child that ends
 * with -ECANCELED has not failed. A block that is left without a join cancels
 * its children, and waits for them.
 *
 * Declare a group behind everything that its children use: what is declared
 * later in the same block ends before the group does.
 */
#ifndef EDDY_GROUP_H
#define EDDY_GROUP_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/scope.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

/* asyncio's TaskGroup. Not movable while its block is open.
 * The members are the library's. */
typedef struct eddy_group {
    struct eddy_scope_ scope;
    struct eddy_list_ children;    /* not ended */
    struct eddy_list_ failed;      /* ended with an error, in this order */
    size_t alive;                  /* how many are in children */
    size_t failures;               /* how many are in failed */
    int *outcomes;                 /* gather's, or NULL */
    void *joiner;                  /* the owner's wait, while it joins */
    bool gathering;                /* a gather: a cancelled child has failed too */
    bool collecting;               /* failures do not abort */
    bool no_memory;                /* a child could not be made */
    struct eddy_link_ cancel_link; /* while its cancel waits for others */
    bool cancelling;
    bool cut;    /* the join was cut short by a cancel or timeout */
    bool closed; /* joined or aborted: no more children */
} eddy_group;

/* Declares a group that holds to the end of the block, on every way out. */
#define EDDY_GROUP(name)                                                                           \
    EDDY_CLEANUP_(eddy_group_exit) eddy_group name;                                                \
    eddy_group_enter(&name, EDDY_HERE_)

/*
 * Starts f(arguments...[, &out]) as a child. `out` is written when the child
 * succeeds, and must outlive the group's block.
 *
 * Returns 0; the error of the child that failed, once it has aborted the group, in the
 * group's own task; -ESHUTDOWN once the group is joined or cancelled; or -ENOMEM,
 * which also aborts the group as a failed child does, so that the join tells.
 */
#define eddy_group_create_task(group, f, ...)                                                      \
    eddy_group_start((group), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_API int eddy_group_start(eddy_group *group, eddy_call call);

/* The same for a child that runs at once, up to where it first suspends, as
 * eddy_create_task_eager does. One that fails meanwhile has aborted the group. */
#define eddy_group_create_task_eager(group, f, ...)                                                \
    eddy_group_start_eager((group), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_API int eddy_group_start_eager(eddy_group *group, eddy_call call);

/*
 * Waits for all children, also for those that other children start meanwhile.
 * A cancel, or a timeout around the group or just around the join, cancels the
 * children and still waits for their clean-up: no limit leaves them running.
 * May be called once.
 *
 * Suspends while a child runs.
 *
 * Returns 0, the first child's error, or -ECANCELED or -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_group_join(eddy_group *group);

/* Cancels the children; the group takes no more of them, and ends without an
 * error of its own. Idempotent. */
EDDY_API void eddy_group_cancel(eddy_group *group);

/* How many children failed so far. */
EDDY_API size_t eddy_group_error_count(const eddy_group *group);

/*
 * The error of the failed child number `index`, in the order in which they
 * failed, and in *message (if not NULL) its text, borrowed until the block
 * ends. Returns -ENOENT when there is no such failure.
 */
EDDY_API int eddy_group_error(eddy_group *group, size_t index, const char **message);

/*
 * asyncio.gather: runs the calls concurrently and waits for all of them; each
 * output is written when its call succeeds. The first error, or a cancel of the
 * caller, cancels the others, waits for their clean-up, and is returned. A
 * child that is cancelled by somebody else counts as failed.
 *
 *     EDDY_TRY(eddy_gather(EDDY_CALL(fetch, 1, &one), EDDY_CALL(fetch, 2, &two)));
 *
 * Suspends while a call runs; not for no calls at all.
 *
 * Returns 0 or the first error; -ENOMEM when a child could not be made, and
 * then all others have been cancelled and joined.
 */
#define eddy_gather(...)                                                                           \
    eddy_gather_calls((const eddy_call[]){__VA_ARGS__}, EDDY_CALL_COUNT_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_gather_calls(const eddy_call *calls, size_t count);

/* How many calls there are; the first must be one, not what a plain call returned. */
#define EDDY_CALL_COUNT_(...)                                                                      \
    (sizeof((const eddy_call[]){__VA_ARGS__}) / sizeof(eddy_call) +                                \
     0 * sizeof(char[_Generic((EDDY_FIRST_(__VA_ARGS__ __VA_OPT__(, )(eddy_call){0})),             \
                              eddy_call : 1)]))
#define EDDY_FIRST_(first, ...) first

/*
 * gather(..., return_exceptions=True): waits for every call whatever its
 * siblings do, and writes what call i returned to outcomes[i]. Failures count
 * as read, and their texts are gone: who wants each one's makes tasks, and asks
 * eddy_error_message behind the eddy_await of each, before the next.
 * When the caller is cancelled all are cancelled and waited for.
 *
 * Suspends while a call runs.
 *
 * Returns 0 with all outcomes written, also when calls failed; -ECANCELED,
 * -ETIMEDOUT or -ENOMEM with the outcomes of those that ended.
 */
#define eddy_gather_outcomes(outcomes, ...)                                                        \
    eddy_gather_outcomes_calls((outcomes), (const eddy_call[]){__VA_ARGS__},                       \
                               EDDY_CALL_COUNT_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_gather_outcomes_calls(int *outcomes, const eddy_call *calls, size_t count);

/* The functions under EDDY_GROUP, for bindings and C++: enter is matched by exit;
 * `where` is for reports, and must stay valid. */
EDDY_API void eddy_group_enter(eddy_group *group, const char *where);
/* Ends a group's block: cancels and joins what still runs. Suspends until the
 * children have ended, and is never refused or cut short. */
EDDY_API EDDY_AWAITS void eddy_group_exit(eddy_group *group);

EDDY_END_DECLS
#endif
