/* SPDX-License-Identifier: MIT */
/*
 * A testing kit for code that waits, for use inside any test framework.
 *
 *     static int test_transfer(void)
 *     {
 *         struct bank bank = {.mine = 100};
 *         int rc = transfer(&bank, 30);
 *
 *         EDDY_TRY(eddy_expect(bank.mine + bank.yours == 100));  whatever happened
 *         EDDY_TRY(rc);
 *         return eddy_expect(bank.yours == 30);
 *     }
 *     EDDY_ASYNC(test_transfer);
 *
 *     int rc = eddy_test_thoroughly(test_transfer);
 *     if (rc < 0)
 *         puts(eddy_error_message(rc));
 *
 * A test is an async function that returns 0, or an error. The kit runs it again
 * and again, each time on a loop of its own under the virtual clock, in which
 * sleeping costs no time; and it checks after each run whether anything was left:
 * task handles, generators, timers, readers, operations, descriptors, threads, stacks,
 * memory of the library's, or a stream, datagram endpoint, server or process that was not
 * closed.
 * (For memory of your own: AddressSanitizer or valgrind.)
 * Anything that the loop reports meanwhile, such as an error that nobody read, fails
 * the test, unless the test has set a handler of its own. A run that has not ended
 * after a million turns of its loop is given up and fails, with -ELOOP.
 *
 * Everything here is for one thread at a time, in which no loop runs (-EBUSY), and not
 * beside loops of other threads: the counters are those of the process. So an
 * abandoned thread job that still runs counts as left, too.
 */
#ifndef EDDY_TEST_H
#define EDDY_TEST_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/error.h"

EDDY_BEGIN_DECLS

/*
 * An expectation, for EDDY_TRY or return: 0 when it holds, else EDDY_ETEST with a
 * text that repeats it. Evaluates the condition once.
 */
#define eddy_expect(condition)                                                                     \
    (EDDY_LIKELY_(condition) ? 0 : eddy_raise(EDDY_ETEST, "%s does not hold", #condition))

/* The expectation that two integers are equal, whose text has both values. Evaluates
 * each once. */
#define eddy_expect_equal(a, b)                                                                    \
    eddy_expect_equal_((long long)(a), (long long)(b), #a, #b, EDDY_HERE_)
EDDY_NODISCARD EDDY_API int eddy_expect_equal_(long long a, long long b, const char *text_a,
                                               const char *text_b, const char *where);

/*
 * The expectation that a call fails with this code: 0 when it does, EDDY_ETEST when
 * it succeeds, and any other error as it is, so that a cancel goes its way.
 */
#define eddy_expect_error(call, code) eddy_expect_error_((call), (code), #call, EDDY_HERE_)
EDDY_NODISCARD EDDY_API int
eddy_expect_error_(long rc, int code, const char *text, const char *where);

/*
 * Runs f(arguments...) once, in the order in which programs run.
 *
 * Returns 0; what f returned, with its text; or EDDY_ETEST with a text that tells
 * what was left behind or reported. Thread jobs that were abandoned get two seconds
 * to end before that is looked at.
 */
#define eddy_test(f, ...) eddy_test_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_test_call(eddy_call call);

/*
 * Runs it `count` times, with the order of ready tasks shuffled by the seeds
 * `first`, `first` + 1, ... (first of all at least 1). Ends at the first failure,
 * whose text names the seed: eddy_test_seeds(17, 1, f) repeats it.
 */
#define eddy_test_seeds(first, count, f, ...)                                                      \
    eddy_test_seeds_call((first), (count), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_test_seeds_call(uint64_t first, size_t count, eddy_call call);

/*
 * Runs it once, and then again for each suspension, the 1st, the 2nd and so on, of its
 * own task or any other, at which its own is cancelled: in the moment in which the
 * task suspended, and in another run just before that task goes on, when it has been
 * given what it waited for. So what the test starts by gather, in groups and as tasks
 * is cut short at each place where it waits, by way of its owner.
 *
 * A cancelled run must return 0 or -ECANCELED (an error that hides the cancel is
 * a failure, a failed expectation too) and leave nothing behind. Errors of other
 * tasks that nobody came to read are no failures then.
 */
#define eddy_test_cancels(f, ...) eddy_test_cancels_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_test_cancels_call(eddy_call call);

/*
 * Runs it once, and then again for each allocation of the library, the 1st, the
 * 2nd and so on, which fails; the stack of a task or generator counts as one. Such a
 * run must return 0 or -ENOMEM, and leave nothing behind. Memory that the program
 * allocates itself takes part if its allocator asks eddy_test_refuses_allocation.
 */
#define eddy_test_allocations(f, ...)                                                              \
    eddy_test_allocations_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_test_allocations_call(eddy_call call);

/* Counts one allocation of the program's own, and tells whether it is the one that
 * has to fail; false outside a test. Any thread. */
EDDY_API bool eddy_test_refuses_allocation(void);

/* All of the above: once, every cancel, 100 seeds, every allocation. */
#define eddy_test_thoroughly(f, ...)                                                               \
    eddy_test_thoroughly_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_test_thoroughly_call(eddy_call call);

/*
 * In a test: lets everything that is ready run, until only the caller is left.
 * Time stands still meanwhile. (To let time pass as well: eddy_sleep.)
 *
 * Suspends. Returns 0, -ECANCELED or -ETIMEDOUT; -ELOOP when after 100,000 turns
 * something is still ready.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_test_settle(void);

/* One run by hand: how, and afterwards what was seen. All zero is eddy_test(f). */
typedef struct eddy_test_plan {
    uint64_t seed;            /* of the order of ready tasks; 0: first come, first served */
    unsigned cancel_at;       /* the suspension to cancel at, from 1; 0: none */
    bool cancel_late;         /* just before the task goes on, not as it suspends */
    uint64_t fail_allocation; /* the allocation that fails, from 1; 0: none */
    bool real_clock;          /* sleeping takes time */
    bool guard;               /* the library's memory stands on pages of its own, between
                                 guard pages, and is never used again: see EDDY_GUARD */

    unsigned suspensions; /* of all tasks, as far as they were counted */
    uint64_t allocations; /* and, where one is to fail, stacks */
    bool reached;         /* the cancel or the failure took place */
} eddy_test_plan;

/* Runs a call once as the plan says. Returns as eddy_test_call does; 0 also where
 * the text of eddy_test_cancels or eddy_test_allocations allows another code. */
EDDY_NODISCARD EDDY_API int eddy_test_run(eddy_test_plan *plan, eddy_call call);

EDDY_END_DECLS
#endif
