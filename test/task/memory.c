/* SPDX-License-Identifier: MIT */
/*
 * Memory failing at every place: one program that uses all of the runtime runs with its
 * first, second, ... allocation failing, until a run needs no more. Each run succeeds or
 * says -ENOMEM, leaves nothing behind, and the library works as before (promise 1).
 */
#include "harness.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"

static int sleeps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleeps, double);

static int answers(int number, int *out)
{
    EDDY_TRY(eddy_sleep(number % 3));
    *out = number;
    return 0;
}
EDDY_ASYNC_RESULT(int, answers, int);

static int fails(int code)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_raise(code, "failed on purpose");
}
EDDY_ASYNC(fails, int);

/* Whether this failure is the one that was planned. */
static int expect(int rc, int planned)
{
    return rc == planned ? 0 : rc < 0 ? rc : -EINVAL;
}

static int uses_tasks(void)
{
    EDDY_TASK named = eddy_create_task_with(
        (&(eddy_task_options){.name = "named", .stack_size = 300000}), answers, 4);
    EDDY_TASK failing = eddy_create_task(fails, -EIO);
    eddy_task *alone = eddy_create_task(sleeps, 1.0);
    int value = 0;

    eddy_task_detach(&alone);
    EDDY_TRY(eddy_await(named, &value));
    EDDY_TRY(expect(eddy_await(failing), -EIO));
    EDDY_TASK cancelled = eddy_create_task(sleeps, 100.0);
    if (!cancelled)
        return -ENOMEM;
    EDDY_TRY(eddy_sleep(0));
    eddy_cancel(cancelled);
    EDDY_TRY(expect(eddy_await(cancelled), -ECANCELED));
    EDDY_TASKS(tasks, 5);
    if (!tasks)
        return -ENOMEM;
    for (int i = 0; i < 5; i++)
        tasks[i] = eddy_create_task(answers, i);
    for (int i = 0; i < 5; i++)
        EDDY_TRY(eddy_await(tasks[i]));
    return value == 4 ? 0 : -EINVAL;
}

static int uses_groups(void)
{
    int a = 0, b = 0, outcomes[2] = {1, 1};

    EDDY_TRY(eddy_gather(EDDY_CALL(answers, 1, &a), EDDY_CALL(answers, 2, &b)));
    EDDY_TRY(expect(eddy_gather(EDDY_CALL(fails, -EIO), EDDY_CALL(sleeps, 9.0)), -EIO));
    EDDY_TRY(eddy_gather_outcomes(outcomes, EDDY_CALL(fails, -EIO), EDDY_CALL(answers, 1, &a)));
    REQUIRE(outcomes[0] == -EIO && outcomes[1] == 0);
    EDDY_GROUP(group);
    EDDY_TRY(eddy_group_create_task(&group, answers, 3, &b));
    EDDY_TRY(eddy_group_create_task(&group, sleeps, 2.0));
    EDDY_TRY(eddy_group_join(&group));
    return a == 1 && b == 3 ? 0 : -EINVAL;
}

static int uses_waits(void)
{
    EDDY_TASK a = eddy_create_task(answers, 1);
    EDDY_TASK b = eddy_create_task(answers, 2);
    eddy_task *both[] = {a, b}, *ended;
    int rc, seen = 0, value = 0;

    rc = eddy_wait(both, 2, EDDY_FIRST_COMPLETED, 5.0);
    if (rc < 0)
        return rc;
    EDDY_AS_COMPLETED(iterator, both, 2, EDDY_FOREVER);
    while ((rc = eddy_as_completed_next(&iterator, &ended)) > 0)
        seen++;
    EDDY_TRY(rc);
    EDDY_TRY(eddy_wait_for(EDDY_CALL(answers, 5, &value), 10.0));
    EDDY_TRY(expect(eddy_wait_for(EDDY_CALL(sleeps, 9.0), 1.0), -ETIMEDOUT));
    EDDY_TRY(eddy_shield(EDDY_CALL(answers, 7, &value)));
    return seen == 2 && value == 7 ? 0 : -EINVAL;
}

static int compare(const void *a, const void *b)
{
    return *(const long *)a < *(const long *)b ? -1 : *(const long *)a > *(const long *)b;
}

static int puts_items(eddy_queue *queue, long count)
{
    for (long i = 0; i < count; i++)
        EDDY_TRY(eddy_queue_put(queue, &i));
    return 0;
}
EDDY_ASYNC(puts_items, eddy_queue *, long);

static int gets_items(eddy_queue *queue, long count)
{
    long item;

    for (long i = 0; i < count; i++) {
        EDDY_TRY(eddy_queue_get(queue, &item));
        eddy_queue_task_done(queue);
    }
    return 0;
}
EDDY_ASYNC(gets_items, eddy_queue *, long);

static int uses_queues(void)
{
    EDDY_QUEUE(fifo, long, 10);
    EDDY_LIFO_QUEUE(lifo, long, 0);
    EDDY_PRIORITY_QUEUE(priority, long, 0, compare);
    eddy_queue *queues[] = {&fifo, &lifo, &priority};

    for (int i = 0; i < 3; i++) {
        EDDY_TRY(eddy_gather(EDDY_CALL(puts_items, queues[i], 100L),
                             EDDY_CALL(gets_items, queues[i], 100L)));
        EDDY_TRY(eddy_queue_join(queues[i]));
    }
    return 0;
}

static int locks(eddy_lock *lock, eddy_semaphore *semaphore, eddy_barrier *barrier)
{
    EDDY_TRY(eddy_lock_acquire(lock));
    EDDY_DEFER(eddy_lock_release, lock);
    EDDY_TRY(eddy_semaphore_acquire(semaphore));
    EDDY_DEFER(eddy_semaphore_release, semaphore);
    EDDY_TRY(eddy_sleep(1));
    (void)barrier;
    return 0;
}
EDDY_ASYNC(locks, eddy_lock *, eddy_semaphore *, eddy_barrier *);

static int meets(eddy_barrier *barrier, eddy_event *event)
{
    int rc = eddy_barrier_wait(barrier);

    if (rc == 0)
        eddy_event_set(event);
    return rc < 0 ? rc : 0;
}
EDDY_ASYNC(meets, eddy_barrier *, eddy_event *);

static int uses_locks(void)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(1);
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);
    eddy_event event = EDDY_EVENT_INIT;

    EDDY_TRY(eddy_gather(EDDY_CALL(locks, &lock, &semaphore, &barrier),
                         EDDY_CALL(locks, &lock, &semaphore, &barrier),
                         EDDY_CALL(meets, &barrier, &event), EDDY_CALL(meets, &barrier, &event)));
    return eddy_event_wait(&event);
}

static int calls_back(void *future)
{
    (void)eddy_future_set_result((eddy_future *)future, &(int){3});
    return 0;
}

static int called_done;

static int done(void *unused)
{
    (void)unused;
    called_done++;
    return 0;
}

static int uses_callbacks(void)
{
    eddy_loop *loop = eddy_get_running_loop();
    eddy_future soon = EDDY_FUTURE_INIT(int), later = EDDY_FUTURE_INIT(int);
    int value = 0;

    if (!eddy_loop_call_later(loop, 1, calls_back, &later).handle)
        return -ENOMEM;
    EDDY_TRY(eddy_future_add_done_callback(&later, done, NULL));
    EDDY_TRY(eddy_await(&later, &value));
    if (!eddy_loop_call_soon(loop, calls_back, &soon).handle)
        return -ENOMEM;
    EDDY_TRY(eddy_await(&soon, &value));
    EDDY_TRY(eddy_loop_call_soon_threadsafe(loop, done, NULL));
    EDDY_TRY(eddy_sleep(1));
    return value == 3 ? 0 : -EINVAL;
}

static int readable(void *event)
{
    eddy_event_set(event);
    return 0;
}

static int uses_reader(const int *ends)
{
    eddy_loop *loop = eddy_get_running_loop();
    eddy_event event = EDDY_EVENT_INIT;
    int rc = eddy_loop_add_reader(loop, ends[0], readable, &event);

    if (rc == 0)
        rc = write(ends[1], "x", 1) == 1 ? eddy_event_wait(&event) : -EIO;
    eddy_loop_remove_reader(loop, ends[0]);
    return rc;
}

static int uses_readers(void)
{
    int ends[2], rc;

    if (pipe(ends) < 0)
        return -errno;
    rc = uses_reader(ends);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

static int squares(int number, int *out)
{
    *out = number * number;
    return number < 0 ? eddy_raise(-EDOM, "%d is negative", number) : 0;
}
EDDY_ASYNC_RESULT(int, squares, int);

static int uses_threads(void)
{
    static const eddy_executor_options options = {.name = "squares", .threads = 1};
    EDDY_EXECUTOR(executor, &options);
    EDDY_TASK task = eddy_run_in_executor(NULL, squares, 3);
    int a = 0, b = 0;

    EDDY_TRY(eddy_to_executor(executor, squares, 2, &a));
    EDDY_TRY(eddy_gather(EDDY_ABANDONABLE_CALL(executor, squares, 5, &a),
                         EDDY_ABANDONABLE_CALL(NULL, squares, 6, &b)));
    EDDY_TRY(eddy_executor_join(executor));
    EDDY_TRY(expect(eddy_to_thread_abandonable(squares, -1, &a), -EDOM));
    EDDY_TRY(eddy_to_thread(squares, 4, &a));
    EDDY_TRY(eddy_await(task, &b));
    EDDY_TRY(expect(eddy_to_thread(squares, -1, &a), -EDOM));
    return a == 16 && b == 9 ? 0 : -EINVAL;
}

static int counts(eddy_generator *g, int n)
{
    for (int i = 0; i < n; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_yield(g, &i));
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, counts, int);

static int uses_generators(void)
{
    int rc, value, sum = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(counts, 4))
        sum += value;
    EDDY_TRY(rc);
    return sum == 6 ? 0 : -EINVAL;
}

static int adds(eddy_generator *g)
{
    int rc, sum = 0, number = 0;

    while ((rc = eddy_yield_receive(g, &sum, &number)) > 0)
        sum += number;
    return rc;
}
EDDY_ASYNC_GENERATOR(int, adds);

static int uses_sends(void)
{
    EDDY_GENERATOR g = eddy_generate(adds);
    int sum = 0;

    EDDY_TRY(expect(eddy_send(g, &(int){1}, &sum), g ? -EINVAL : -ENOMEM));
    EDDY_TRY(eddy_next(g, &sum));
    for (int i = 1; i <= 3; i++)
        EDDY_TRY(eddy_send(g, &i, &sum));
    EDDY_TRY(expect(eddy_throw(g, eddy_raise(-EIO, "thrown"), &sum), -EIO));
    return sum == 6 ? 0 : -EINVAL;
}

static int uses_scopes_and_locals(void)
{
    static eddy_local local = EDDY_LOCAL_INIT("local", NULL);
    eddy_local_token token;
    EDDY_TIMEOUT(limit, 5.0);
    EDDY_SHIELD(shield);

    EDDY_TRY(eddy_local_set(&local, "value", &token));
    EDDY_TASK inherits = eddy_create_task(sleeps, 1.0);
    EDDY_TRY(eddy_await(inherits));
    EDDY_TRY(eddy_local_reset(&local, &token));
    return eddy_raise(-EDOM, "the end, on purpose");
}

static int leaves(int *left)
{
    ++*left;
    return eddy_sleep(1);
}

static int fills(int *left, int count, eddy_exit_stack *out)
{
    EDDY_EXIT_STACK(stack);

    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_exit_stack_callback(&stack, leaves, left));
    return eddy_exit_stack_pop_all(&stack, out);
}

static int uses_exit_stacks(void)
{
    EDDY_EXIT_STACK(stack);
    int left = 0;

    EDDY_TRY(fills(&left, 10, &stack));
    EDDY_TRY(fills(&left, 20, &stack));
    EDDY_TRY(eddy_exit_stack_close(&stack, 0));
    return left == 30 ? 0 : -EINVAL;
}

static void watch_nothing(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)report, (void)unused;
}

static int uses_everything(void)
{
    eddy_loop_set_exception_handler(eddy_get_running_loop(), watch_nothing, NULL);
    EDDY_TRY(uses_tasks());
    EDDY_TRY(uses_groups());
    EDDY_TRY(uses_waits());
    EDDY_TRY(uses_queues());
    EDDY_TRY(uses_locks());
    EDDY_TRY(uses_callbacks());
    EDDY_TRY(uses_readers());
    EDDY_TRY(uses_threads());
    EDDY_TRY(uses_generators());
    EDDY_TRY(uses_sends());
    EDDY_TRY(uses_exit_stacks());
    return expect(uses_scopes_and_locals(), -EDOM);
}
EDDY_ASYNC(uses_everything);

/* Takes all stacks of the first slab but `left`, and the address space for another. */
static int uses_everything_but(int left)
{
    enum { SLOTS = 1024 };
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *file;

    for (int i = -1; i < SLOTS - 1 - left; i++) { /* one has a slab of its own */
        eddy_task *task = eddy_create_task_with(
            (&(eddy_task_options){.stack_size = i < 0 ? 300000 : 0}), sleeps, EDDY_FOREVER);

        eddy_task_detach(&task);
    }
    EDDY_TRY(eddy_sleep(0));
    file = fopen("/proc/self/statm", "r");
    REQUIRE(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = pages * 4096 + ((rlim_t)128 << 20);
    setrlimit(RLIMIT_AS, &limit);
    return uses_everything();
}
EDDY_ASYNC(uses_everything_but, int);

static int works(void)
{
    int value = 0;

    EDDY_TRY(eddy_gather(EDDY_CALL(answers, 5, &value), EDDY_CALL(sleeps, 1.0)));
    return value == 5 ? 0 : -EINVAL;
}
EDDY_ASYNC(works);

static void check_nothing_left(uint64_t nth)
{
    static const eddy_stats none;
    eddy_stats s;

    eddy_get_stats(&s);
    CHECK_THAT(memcmp(&s, &none, sizeof s) == 0,
               "allocation %llu: loops %zu, tasks %zu, generators %zu, timers %zu, operations %zu, "
               "descriptors %zu, threads %zu, stacks %zu, blocks %zu are left",
               (unsigned long long)nth, s.loops, s.tasks, s.generators, s.timers, s.operations,
               s.descriptors, s.threads, s.stacks, s.blocks);
}

/* The 1st, 2nd, ... n-th failure of `kind`, until a run has no more of them. */
static void sweep(enum ed_fault kind, int code)
{
    for (uint64_t nth = 1;; nth++) {
        uint64_t counted;
        int rc;

        ed_fault_set(kind, nth, code);
        rc = eddy_run(uses_everything);
        counted = ed_fault_set(kind, 0, 0);
        CHECK_THAT(rc == 0 || rc == code, "failure %llu of %llu: %s (%s)", (unsigned long long)nth,
                   (unsigned long long)counted, eddy_error_message(rc), eddy_error_name(rc));
        check_nothing_left(nth);
        CHECK_OK(eddy_run(works));
        if (counted < nth) {
            CHECK_EQ(rc, 0);
            return;
        }
        CHECK(nth < 5000);
    }
}

/* SQLite's way: every allocation fails once. */
RAW_TEST(each_allocation_may_fail_without_a_leak)
{
    sweep(ED_FAULT_ALLOC, -ENOMEM);
}

/* The same for threads that cannot be made. */
RAW_TEST(each_thread_may_fail_to_start_without_a_leak)
{
    sweep(ED_FAULT_THREAD, -EAGAIN);
}

/* The same for tasks and generators: with k stacks left the next one cannot be made. */
RAW_TEST(each_task_may_find_no_stack_without_a_leak)
{
    struct rlimit unlimited;
    int rc = -ENOMEM;

    if (test_is_slow())
        return; /* sanitizers need terabytes of address space */
    getrlimit(RLIMIT_AS, &unlimited);
    for (int left = 0; rc != 0; left++) {
        rc = eddy_run(uses_everything_but, left);
        setrlimit(RLIMIT_AS, &unlimited);
        CHECK_THAT(rc == 0 || rc == -ENOMEM, "with %d stacks left: %s", left,
                   eddy_error_message(rc));
        check_nothing_left((uint64_t)left);
        CHECK_OK(eddy_run(works));
        CHECK(left < 100);
        CHECK(left > 0 || rc == -ENOMEM);
    }
}
