/* SPDX-License-Identifier: MIT */
/*
 * Semaphores, locks, conditions and barriers against models: thousands of random
 * operations. A wait runs in a task of its own, so that it can be cancelled;
 * everything else is done by the driver, often several in one tick, so that
 * cancels meet waiters that were just granted.
 */
#include "harness.h"

#define OPS 600
#define PENDING 1000

struct op {
    int rc, expected; /* PENDING, or what it must end with at the next settle */
    bool ended;
    eddy_task *task;
};

static struct op ops[OPS];
static struct op *waiting[OPS]; /* in order */
static int op_count, waiters;
static unsigned random_state;

static union {
    eddy_semaphore semaphore;
    struct {
        eddy_lock lock;
        eddy_condition condition;
    };
    eddy_barrier barrier;
} object;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (unsigned)(((uint64_t)random_state * limit) >> 32);
}

static struct op *op_new(void)
{
    struct op *op = &ops[op_count++];

    *op = (struct op){.expected = PENDING};
    return op;
}

static void op_wait(struct op *op)
{
    waiting[waiters++] = op;
}

static struct op *op_take_waiter(void)
{
    struct op *op = waiters ? waiting[0] : NULL;

    if (op)
        memmove(waiting, waiting + 1, (size_t)--waiters * sizeof op);
    return op;
}

/* Cancels any op: one that waits ends with -ECANCELED, a granted one as granted. */
static void op_cancel_some(void)
{
    struct op *op = op_count ? &ops[random_below((unsigned)op_count)] : NULL;

    if (!op || op->ended)
        return;
    for (int i = 0; i < waiters; i++) {
        if (waiting[i] != op)
            continue;
        memmove(&waiting[i], &waiting[i + 1], (size_t)(--waiters - i) * sizeof op);
        op->expected = -ECANCELED;
    }
    (void)eddy_cancel(op->task);
}

static void ops_check(void)
{
    test_settle();
    for (int i = 0; i < op_count; i++) {
        struct op *op = &ops[i];

        if (op->task)
            CHECK_EQ(op->ended, op->expected != PENDING);
        if (!op->ended || !op->task)
            continue;
        CHECK_EQ(op->rc, op->expected);
        eddy_task_release(&op->task);
    }
}

static void ops_release(void *unused)
{
    (void)unused;
    for (int i = 0; i < op_count; i++)
        if (ops[i].task)
            eddy_task_release(&ops[i].task);
}

static void ops_begin(unsigned seed)
{
    op_count = waiters = 0;
    random_state = seed;
    memset(&object, 0, sizeof object);
}

/* Semaphores and locks -------------------------------------------------------- */

static int run_acquire(struct op *op)
{
    op->rc = eddy_semaphore_acquire(&object.semaphore);
    op->ended = true;
    return 0;
}
EDDY_ASYNC(run_acquire, struct op *);

static int run_lock(struct op *op)
{
    op->rc = eddy_lock_acquire(&object.lock);
    op->ended = true;
    return 0;
}
EDDY_ASYNC(run_lock, struct op *);

/* A lock is a bounded semaphore of 1 with other codes. */
static void step_permits(bool lock, long bound, long *left)
{
    unsigned choice = random_below(100);

    if (choice < 35 && waiters < 10) {
        struct op *op = op_new();

        if (*left > 0)
            op->expected = 0, --*left;
        else
            op_wait(op);
        op->task = lock ? eddy_create_task(run_lock, op) : eddy_create_task(run_acquire, op);
        test_settle();
    } else if (choice < 45) {
        int rc = *left > 0 ? 0 : -EAGAIN;

        *left -= rc == 0;
        CHECK_EQ(lock ? eddy_lock_acquire_nowait(&object.lock)
                      : eddy_semaphore_acquire_nowait(&object.semaphore),
                 rc);
    } else if (choice < 80) {
        int rc = *left < bound ? 0 : lock ? -EPERM : -EOVERFLOW;
        struct op *next = rc == 0 ? op_take_waiter() : NULL;

        if (next)
            next->expected = 0; /* handed over: `left` is unchanged */
        else if (rc == 0)
            ++*left;
        CHECK_EQ(lock ? eddy_lock_release(&object.lock) : eddy_semaphore_release(&object.semaphore),
                 rc);
    } else {
        op_cancel_some();
    }
    CHECK_EQ(lock ? eddy_lock_locked(&object.lock) : eddy_semaphore_locked(&object.semaphore),
             *left == 0);
    CHECK(*left >= 0 && (waiters == 0 || *left == 0));
}

static void run_permits(bool lock, long bound, unsigned seed)
{
    long left = bound;

    ops_begin(seed);
    EDDY_DEFER(ops_release, NULL);
    if (!lock)
        object.semaphore = (eddy_semaphore)EDDY_BOUNDED_SEMAPHORE_INIT(bound);
    for (int i = 0; i < OPS && !test_is_cancelled(); i++) {
        step_permits(lock, bound, &left);
        if (random_below(3) == 0)
            ops_check();
    }
    ops_check();
}

/* A-SEM-2 to A-SEM-7: no permit is lost or doubled, FIFO, no barging. */
TEST(semaphore_does_what_its_model_says)
{
    for (unsigned seed = 1; seed <= 10; seed++)
        for (long bound = 1; bound <= 4; bound++)
            run_permits(false, bound, seed);
}

/* A-LOCK-1 to A-LOCK-5: one holder, FIFO, no barging, never lost. */
TEST(lock_does_what_its_model_says)
{
    for (unsigned seed = 1; seed <= 20; seed++)
        run_permits(true, 1, seed);
}

/* Conditions ------------------------------------------------------------------ */

static int run_wait(struct op *op)
{
    op->rc = eddy_lock_acquire(&object.lock);
    if (op->rc == 0) {
        op->rc = eddy_condition_wait(&object.condition);
        if (!eddy_lock_locked(&object.lock))
            test_fail(__FILE__, __LINE__, "condition.wait returned without its lock");
        (void)eddy_lock_release(&object.lock); /* held, as was just checked */
    }
    op->ended = true;
    return 0;
}
EDDY_ASYNC(run_wait, struct op *);

static void step_condition(void)
{
    unsigned choice = random_below(100);

    if (choice < 50 && waiters < 10) {
        struct op *op = op_new();

        op_wait(op);
        op->task = eddy_create_task(run_wait, op);
        test_settle(); /* it is in the wait now */
    } else if (choice < 80) {
        size_t count = random_below(3);
        bool settle = random_below(2);

        test_settle();
        CHECK_OK(eddy_lock_acquire_nowait(&object.lock));
        CHECK_OK(eddy_condition_notify(&object.condition, count));
        for (struct op *op; count > 0 && (op = op_take_waiter()); count--)
            op->expected = 0;
        op_cancel_some(); /* perhaps one that was just notified */
        if (settle)
            test_settle(); /* those that are awake queue for the lock */
        op_cancel_some();
        CHECK_OK(eddy_lock_release(&object.lock));
    } else {
        op_cancel_some();
    }
}

/* A-COND-2 to A-COND-5: each notify wakes one waiter, in order, cancels or not. */
TEST(condition_does_what_its_model_says)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        ops_begin(seed);
        EDDY_DEFER(ops_release, NULL);
        object.condition.lock = &object.lock;
        for (int i = 0; i < OPS && !test_is_cancelled(); i++) {
            step_condition();
            if (random_below(3) == 0)
                ops_check();
        }
        ops_check();
        CHECK(!eddy_lock_locked(&object.lock));
    }
}

/* Barriers -------------------------------------------------------------------- */

static int run_meet(struct op *op)
{
    op->rc = eddy_barrier_wait(&object.barrier);
    op->ended = true;
    return 0;
}
EDDY_ASYNC(run_meet, struct op *);

static void barrier_end(int rc)
{
    struct op *op;
    int place = 0;

    while ((op = op_take_waiter()))
        op->expected = rc < 0 ? rc : place++;
}

static void step_barrier(int parties, bool *broken)
{
    unsigned choice = random_below(100);

    if (choice < 70) {
        struct op *op = op_new();

        if (*broken) {
            op->expected = -EOWNERDEAD;
        } else if (waiters + 1 == parties) {
            barrier_end(0);
            op->expected = parties - 1;
        } else {
            op_wait(op);
        }
        op->task = eddy_create_task(run_meet, op);
        test_settle();
    } else if (choice < 94) {
        op_cancel_some();
    } else {
        *broken = choice < 97;
        barrier_end(-EOWNERDEAD);
        if (*broken)
            eddy_barrier_abort(&object.barrier);
        else
            eddy_barrier_reset(&object.barrier);
    }
    CHECK_EQ(object.barrier.arrived, waiters);
}

static void run_barrier(int parties, unsigned seed)
{
    bool broken = false;

    ops_begin(seed);
    EDDY_DEFER(ops_release, NULL);
    object.barrier = (eddy_barrier)EDDY_BARRIER_INIT(parties);
    for (int i = 0; i < OPS && !test_is_cancelled(); i++) {
        step_barrier(parties, &broken);
        if (random_below(3) == 0)
            ops_check();
    }
}

/* A-BARR-1 to A-BARR-7: rounds are complete, places distinct, cancels break nothing. */
TEST(barrier_does_what_its_model_says)
{
    for (unsigned seed = 1; seed <= 6; seed++)
        for (int parties = 1; parties <= 5; parties++)
            run_barrier(parties, seed);
}
