/* SPDX-License-Identifier: MIT */
/* The testing kit: it passes what is right, and says of what is wrong what and where. */
#include <eddy/test.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "harness.h"

/* What passes ------------------------------------------------------------------- */

static int put_some(eddy_queue *queue, int count)
{
    for (int i = 0; i < count; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_queue_put(queue, &i));
    }
    eddy_queue_shutdown(queue, false);
    return 0;
}
EDDY_ASYNC(put_some, eddy_queue *, int);

static int take_all(eddy_queue *queue, int *sum)
{
    int item, rc;

    *sum = 0;
    while ((rc = eddy_queue_get(queue, &item)) == 0)
        *sum += item;
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC_RESULT(int, take_all, eddy_queue *);

/* A program of several tasks that is right whatever happens to it. */
static int good_body(int count)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 2);
    EDDY_DEFER(eddy_queue_deinit, &queue);
    int sum = 0;

    EDDY_TRY(eddy_gather(EDDY_CALL(put_some, &queue, count), EDDY_CALL(take_all, &queue, &sum)));
    EDDY_TRY(eddy_sleep(0));
    return eddy_expect(sum == count * (count - 1) / 2);
}
EDDY_ASYNC(good_body, int);

RAW_TEST(kit_passes_what_is_right_in_every_way)
{
    CHECK_OK(eddy_test(good_body, 5));
    CHECK_OK(eddy_test_seeds(1, 20, good_body, 5));
    CHECK_OK(eddy_test_cancels(good_body, 5));
    CHECK_OK(eddy_test_allocations(good_body, 5));
    CHECK_OK(eddy_test_thoroughly(good_body, 5));
}

/* How a run went ---------------------------------------------------------------- */

static double ended_at;

static int three_suspensions(void)
{
    EDDY_TRY(eddy_sleep(100));
    EDDY_TRY(eddy_sleep(0));
    EDDY_TRY(eddy_sleep(1e6));
    ended_at = eddy_time();
    return 0;
}
EDDY_ASYNC(three_suspensions);

RAW_TEST(kit_counts_suspensions_and_says_whether_the_cancel_was_reached)
{
    for (unsigned k = 1; k <= 5; k++) {
        for (int late = 0; late < 2; late++) {
            eddy_test_plan plan = {.cancel_at = k, .cancel_late = late};

            ended_at = 0;
            CHECK_OK(eddy_test_run(&plan, EDDY_CALL(three_suspensions)));
            CHECK_EQ(plan.reached, k <= 3);
            CHECK_EQ(plan.suspensions, k < 3 ? k : 3);
            /* cancelled just after the last wait it is too late to fail */
            CHECK_EQ(ended_at, k > 3 || (k == 3 && late) ? 1000100 : 0);
        }
    }
}

RAW_TEST(kit_counts_allocations_and_says_whether_one_failed)
{
    eddy_test_plan plan = {.fail_allocation = 1000};
    uint64_t all;

    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 3)));
    all = plan.allocations;
    CHECK(all > 4); /* the loop, and the stacks of three tasks */
    CHECK(!plan.reached);
    plan.fail_allocation = all;
    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 3)));
    CHECK(plan.reached);
    plan.fail_allocation = all + 1;
    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 3)));
    CHECK(!plan.reached);
}

/* The clock is virtual, whatever the environment says, unless the plan says no. */
RAW_TEST(kit_chooses_the_clock)
{
    eddy_test_plan plan = {.real_clock = true};
    double start = eddy_time();

    unsetenv("EDDY_CLOCK");
    CHECK_OK(eddy_test(three_suspensions));
    CHECK_EQ(ended_at, 1000100);
    CHECK(eddy_time() - start < 60);
    ended_at = 0;
    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 0)));
}

static char order[8];

static int note(int letter)
{
    order[strlen(order)] = (char)letter;
    return 0;
}
EDDY_ASYNC(note, int);

static int four_notes(void)
{
    memset(order, 0, sizeof order);
    return eddy_gather(EDDY_CALL(note, 'a'), EDDY_CALL(note, 'b'), EDDY_CALL(note, 'c'),
                       EDDY_CALL(note, 'd'));
}
EDDY_ASYNC(four_notes);

RAW_TEST(kit_seeds_shuffle_and_repeat)
{
    char first[8];
    int different = 0;

    CHECK_OK(eddy_test(four_notes));
    CHECK_STR(order, "abcd");
    for (uint64_t seed = 1; seed <= 20; seed++) {
        CHECK_OK(eddy_test_seeds(seed, 1, four_notes));
        memcpy(first, order, sizeof first);
        CHECK_OK(eddy_test_seeds(seed, 1, four_notes));
        CHECK_STR(order, first);
        different += strcmp(order, "abcd") != 0;
    }
    CHECK(different > 10);
}

static int succeeds_soon(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(succeeds_soon);

static int is_number_one(void)
{
    return eddy_expect(strcmp(eddy_task_name(eddy_current_task()), "Task-1") == 0);
}
EDDY_ASYNC(is_number_one);

RAW_TEST(kit_numbers_tasks_alike_in_each_run)
{
    CHECK_OK(eddy_test_seeds(1, 5, is_number_one));
}

/* What does not pass ------------------------------------------------------------ */

static int expect_equal(int a, int b)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_expect(a == b);
}
EDDY_ASYNC(expect_equal, int, int);

static int raises(void)
{
    return eddy_raise(-EIO, "the disk is wet");
}
EDDY_ASYNC(raises);

RAW_TEST(kit_repeats_the_expectation_and_the_error_with_its_place)
{
    CHECK_OK(eddy_test(expect_equal, 1, 1));
    CHECK_FAILS(eddy_test(expect_equal, 1, 2), EDDY_ETEST,
                "expect_equal(): a == b does not hold (EDDY_ETEST, ");
    CHECK_HAS(eddy_error_origin(EDDY_ETEST), "test/task/test.c:");
    CHECK_FAILS(eddy_test(raises), -EIO, "raises(): the disk is wet (EIO, ");
    CHECK_HAS(eddy_error_origin(-EIO), "test/task/test.c:");
}

static int succeeds(void)
{
    return eddy_expect_error(eddy_sleep(0), -EIO);
}
EDDY_ASYNC(succeeds);

static int fails_as_expected(int code)
{
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_expect_error(raises(), code));
    return eddy_sleep(1);
}
EDDY_ASYNC(fails_as_expected, int);

RAW_TEST(kit_expects_an_error_and_lets_others_pass)
{
    CHECK_FAILS(eddy_test(succeeds), EDDY_ETEST, "eddy_sleep(0) succeeds, instead of EIO");
    CHECK_OK(eddy_test_thoroughly(fails_as_expected, -EIO));
    CHECK_FAILS(eddy_test(fails_as_expected, -EPIPE), -EIO, "the disk is wet");
}

/* Wrong in one order of two: a seed finds it, and its text names the seed. */
static int depends_on_order(void)
{
    EDDY_TRY(four_notes());
    return eddy_expect(strchr(order, 'b') > strchr(order, 'a'));
}
EDDY_ASYNC(depends_on_order);

RAW_TEST(kit_names_the_seed_that_fails)
{
    uint64_t seed;
    const char *named;

    CHECK_OK(eddy_test(depends_on_order));
    CHECK_FAILS(eddy_test_seeds(1, 100, depends_on_order), EDDY_ETEST, "depends_on_order(), seed ");
    named = strstr(eddy_error_message(EDDY_ETEST), "seed ");
    seed = strtoull(named + 5, NULL, 10);
    CHECK_FAILS(eddy_test_seeds(seed, 1, depends_on_order), EDDY_ETEST, "does not hold");
    CHECK_FAILS(eddy_test_thoroughly(depends_on_order), EDDY_ETEST, "seed ");
}

static eddy_lock lock;

/* Leaves the lock behind when it is cancelled in its second wait. */
static int forgets_the_lock(void)
{
    EDDY_TRY(eddy_lock_acquire(&lock));
    int rc = eddy_sleep(1);
    if (rc < 0) {
        lock = (eddy_lock)EDDY_LOCK_INIT; /* for the next run */
        EDDY_TRY(eddy_expect(rc != -ECANCELED));
        return rc;
    }
    (void)eddy_lock_release(&lock);
    return 0;
}
EDDY_ASYNC(forgets_the_lock);

static int hides_the_cancel(void)
{
    return eddy_sleep(1) < 0 ? eddy_raise(-EIO, "the sleep failed") : 0;
}
EDDY_ASYNC(hides_the_cancel);

static int sleeps_twice(int *log)
{
    EDDY_TRY(eddy_sleep(1));
    *log += 1;
    return eddy_sleep(1);
}
EDDY_ASYNC(sleeps_twice, int *);

/* Its work is half done when it is cancelled behind the first sleep. */
static int half_done(void)
{
    int log = 0, rc = sleeps_twice(&log);

    EDDY_TRY(eddy_expect(rc == 0 || log == 0));
    return rc;
}
EDDY_ASYNC(half_done);

RAW_TEST(kit_finds_what_a_cancel_breaks_and_names_the_suspension)
{
    CHECK_OK(eddy_test(forgets_the_lock));
    CHECK_FAILS(eddy_test_cancels(forgets_the_lock), EDDY_ETEST,
                "forgets_the_lock(), cancelled at suspension 1, in sleep: rc != -ECANCELED");
    CHECK_FAILS(eddy_test_cancels(hides_the_cancel), -EIO,
                "hides_the_cancel(), cancelled at suspension 1, in sleep: the sleep failed");
    CHECK_FAILS(eddy_test_cancels(half_done), EDDY_ETEST,
                "half_done(), cancelled at suspension 2, in sleep: rc == 0 || log == 0");
}

static int moves(int *from, int *to)
{
    --*from;
    EDDY_TRY(eddy_sleep(0)); /* whoever cancels here loses one */
    ++*to;
    return 0;
}
EDDY_ASYNC(moves, int *, int *);

static int moves_in_children(void)
{
    int from = 3, to = 0;
    int rc = eddy_gather(EDDY_CALL(moves, &from, &to), EDDY_CALL(moves, &from, &to));

    EDDY_TRY(eddy_expect_equal(from + to, 3));
    return rc;
}
EDDY_ASYNC(moves_in_children);

static int moves_in_a_task(void)
{
    int from = 3, to = 0, rc;
    {
        EDDY_TASK task = eddy_create_task(moves, &from, &to);

        rc = eddy_await(task);
    }
    EDDY_TRY(eddy_expect_equal(from + to, 3));
    return rc;
}
EDDY_ASYNC(moves_in_a_task);

static int moves_behind_a_wait(int *from, int *to)
{
    EDDY_TRY(eddy_sleep(1)); /* cancelled here, it does nothing */
    return moves(from, to);
}
EDDY_ASYNC(moves_behind_a_wait, int *, int *);

static int moves_late(void)
{
    int from = 1, to = 0;
    int rc = eddy_gather(EDDY_CALL(moves_behind_a_wait, &from, &to));

    EDDY_TRY(eddy_expect_equal(from + to, 1));
    return rc;
}
EDDY_ASYNC(moves_late);

/* Where the test's own task suspends only once, its children are cut short all the same. */
RAW_TEST(kit_cancels_where_children_wait)
{
    CHECK_OK(eddy_test(moves_in_children));
    CHECK_FAILS(eddy_test_cancels(moves_in_children), EDDY_ETEST,
                "cancelled at suspension 1, in group.join: from + to == 3 does not hold: 1 and 3");
    CHECK_FAILS(eddy_test_cancels(moves_in_a_task), EDDY_ETEST, "does not hold: 2 and 3");
    CHECK_FAILS(eddy_test_cancels(moves_late), EDDY_ETEST, "of Task-2 in sleep(0): from + to == 1");
}

static int makes_without_looking(void)
{
    eddy_task *task = eddy_create_task(moves, &(int){1}, &(int){0});

    (void)eddy_cancel(task);
    EDDY_TRY(eddy_expect(task != NULL));
    eddy_task_release(&task);
    return 0;
}
EDDY_ASYNC(makes_without_looking);

/* Stacks come from a slab; each can be refused all the same. */
RAW_TEST(kit_refuses_the_stack_of_each_task)
{
    CHECK_OK(eddy_test_cancels(makes_without_looking));
    CHECK_FAILS(eddy_test_allocations(makes_without_looking), EDDY_ETEST,
                "task != NULL does not hold");
}

static int forgets_a_handle(void)
{
    return eddy_await(eddy_create_task(succeeds_soon));
}
EDDY_ASYNC(forgets_a_handle);

static int numbers(eddy_generator *g)
{
    int i = 1;

    return eddy_yield(g, &i);
}
EDDY_ASYNC_GENERATOR(int, numbers);

static int forgets_a_generator(void)
{
    int value;

    return eddy_next(eddy_generate(numbers), &value) < 0 ? -EIO : 0;
}
EDDY_ASYNC(forgets_a_generator);

static int comes_back(void *argument)
{
    (void)argument;
    return 0;
}

static int forgets_a_timer(void)
{
    return eddy_loop_call_later(eddy_get_running_loop(), 9, comes_back, NULL).handle ? 0 : -ENOMEM;
}
EDDY_ASYNC(forgets_a_timer);

static int forgets_a_reader(int fd)
{
    return eddy_loop_add_reader(eddy_get_running_loop(), fd, comes_back, NULL);
}
EDDY_ASYNC(forgets_a_reader, int);

RAW_TEST(kit_reports_forgotten_timers_and_readers)
{
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    CHECK_FAILS(eddy_test(forgets_a_timer), EDDY_ETEST, "left behind: 1 timer");
    CHECK_FAILS(eddy_test(forgets_a_reader, ends[0]), EDDY_ETEST, "1 reader or writer");
    close(ends[0]);
    close(ends[1]);
}

RAW_TEST(kit_reports_forgotten_handles_and_generators)
{
    CHECK_FAILS(eddy_test(forgets_a_handle), EDDY_ETEST, "left behind: 1 task handle");
    CHECK_FAILS(eddy_test(forgets_a_generator), EDDY_ETEST, "left behind: 1 generator");
}

static int never_ends(void)
{
    for (;;)
        EDDY_TRY(eddy_sleep(1));
}
EDDY_ASYNC(never_ends);

static int ignores_its_cancel(void)
{
    int rc;

    do
        rc = eddy_sleep(1);
    while (rc <= 0);
    return rc;
}
EDDY_ASYNC(ignores_its_cancel);

static int has_a_stubborn_child(void)
{
    EDDY_TASK child = eddy_create_task(ignores_its_cancel);

    (void)child;
    return eddy_sleep(1);
}
EDDY_ASYNC(has_a_stubborn_child);

RAW_TEST(kit_gives_up_a_run_that_does_not_end)
{
    CHECK_FAILS(eddy_test(never_ends), -ELOOP, "does not end: it was given up after 1000000 turns");
    CHECK_FAILS(eddy_test(has_a_stubborn_child), -ELOOP, "does not end");
    CHECK_HAS(eddy_error_message(-ELOOP), "was pending when its loop was closed");
}

static void *kept;
static eddy_queue static_queue;

/* Fine as long as there is memory. */
static int keeps_when_short(void)
{
    int rc = 0;

    static_queue = (eddy_queue)EDDY_QUEUE_INIT(int, 0);
    for (int i = 0; i < 20 && rc == 0; i++)
        rc = eddy_queue_put(&static_queue, &i);
    if (rc == 0)
        eddy_queue_deinit(&static_queue);
    return rc;
}
EDDY_ASYNC(keeps_when_short);

static int says_something_else(void)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 0);
    EDDY_DEFER(eddy_queue_deinit, &queue);
    int rc = 0;

    for (int i = 0; i < 20 && rc == 0; i++)
        rc = eddy_queue_put(&queue, &i);
    return rc < 0 ? -EPIPE : 0;
}
EDDY_ASYNC(says_something_else);

static int asks_for_memory(void)
{
    kept = eddy_test_refuses_allocation() ? NULL : malloc(10);
    EDDY_TRY(eddy_expect(kept != NULL));
    free(kept);
    return 0;
}
EDDY_ASYNC(asks_for_memory);

RAW_TEST(kit_finds_what_a_lack_of_memory_breaks_and_names_the_allocation)
{
    CHECK_OK(eddy_test(keeps_when_short));
    CHECK_FAILS(eddy_test_allocations(keeps_when_short), EDDY_ETEST, ": left behind: 1 block");
    CHECK_HAS(eddy_error_message(EDDY_ETEST), "keeps_when_short(), without its allocation ");
    eddy_queue_deinit(&static_queue);
    CHECK_FAILS(eddy_test_allocations(says_something_else), -EPIPE, "EPIPE");
    CHECK_FAILS(eddy_test_allocations(asks_for_memory), EDDY_ETEST, "kept != NULL does not hold");
    CHECK(!eddy_test_refuses_allocation());
}

/* What is left behind ------------------------------------------------------------- */

static int descriptor;

static int opens(void)
{
    descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return descriptor < 0 ? -errno : 0;
}
EDDY_ASYNC(opens);

static int fills_a_queue(void)
{
    for (int i = 0; i < 20; i++)
        EDDY_TRY(eddy_queue_put(&static_queue, &i));
    return 0;
}
EDDY_ASYNC(fills_a_queue);

static eddy_loop *other_loop;

static int opens_a_loop(void)
{
    return eddy_loop_new(&other_loop);
}
EDDY_ASYNC(opens_a_loop);

RAW_TEST(kit_says_what_is_left_behind)
{
    CHECK_FAILS(eddy_test(opens), EDDY_ETEST, "opens(): left behind: 1 descriptor");
    close(descriptor);
    static_queue = (eddy_queue)EDDY_QUEUE_INIT(int, 0);
    CHECK_FAILS(eddy_test(fills_a_queue), EDDY_ETEST, "fills_a_queue(): left behind: 1 block");
    CHECK_OK(eddy_test(fills_a_queue)); /* only more than before counts */
    eddy_queue_deinit(&static_queue);
    CHECK_FAILS(eddy_test(opens_a_loop), EDDY_ETEST, "left behind: 1 loop");
    eddy_loop_free(other_loop);
}

static int leaves_an_error(void)
{
    eddy_task *task = eddy_create_task(raises);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_an_error);

static int waits_for_ever(void)
{
    eddy_event never = EDDY_EVENT_INIT;

    return eddy_event_wait(&never);
}
EDDY_ASYNC(waits_for_ever);

static void heard(eddy_loop *loop, const eddy_report *report, void *argument)
{
    (void)loop;
    *(int *)argument += report->code == -EIO;
}

static int expects_a_report(void)
{
    int reports = 0;

    eddy_loop_set_exception_handler(eddy_get_running_loop(), heard, &reports);
    EDDY_TRY(leaves_an_error());
    return eddy_expect(reports == 1);
}
EDDY_ASYNC(expects_a_report);

RAW_TEST(kit_fails_on_reports_that_the_test_does_not_take)
{
    CHECK_FAILS(eddy_test(leaves_an_error), EDDY_ETEST, "nobody read its error: the disk is wet");
    CHECK_FAILS(eddy_test(waits_for_ever), -EDEADLK, "waits in event.wait");
    CHECK_OK(eddy_test(expects_a_report));
}

/* In the test --------------------------------------------------------------------- */

static int count_to(int *count, int limit)
{
    for (; *count < limit; ++*count)
        EDDY_TRY(eddy_sleep(0));
    EDDY_TRY(eddy_sleep(10));
    *count = -1;
    return 0;
}
EDDY_ASYNC(count_to, int *, int);

static int settles(void)
{
    int count = 0;
    EDDY_TASK counter = eddy_create_task(count_to, &count, 1000);

    EDDY_TRY(eddy_test_settle());
    EDDY_TRY(eddy_expect(count == 1000 && eddy_time() == 0));
    EDDY_TRY(eddy_sleep(10));
    EDDY_TRY(eddy_test_settle());
    EDDY_TRY(eddy_expect(count == -1));
    return eddy_await(counter);
}
EDDY_ASYNC(settles);

static int never_settles(void)
{
    int count = 0;
    EDDY_TASK counter = eddy_create_task(count_to, &count, 1000000000);

    EDDY_TRY(eddy_expect(eddy_test_settle() == -ELOOP));
    return eddy_cancel(counter);
}
EDDY_ASYNC(never_settles);

RAW_TEST(kit_settles_until_only_the_caller_is_left)
{
    CHECK_OK(eddy_test(settles));
    CHECK_OK(eddy_test(never_settles));
}

static int tests_in_a_test(void)
{
    return eddy_test(good_body, 1);
}
EDDY_ASYNC(tests_in_a_test);

static void *tests_beside(void *rc)
{
    *(int *)rc = eddy_test(good_body, 1);
    return NULL;
}

static int starts_a_thread(int *rc)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, tests_beside, rc) == 0)
        pthread_join(thread, NULL);
    return 0;
}
EDDY_ASYNC(starts_a_thread, int *);

RAW_TEST(kit_beside_itself_in_another_thread_is_refused)
{
    int rc = 0;

    CHECK_OK(eddy_test(starts_a_thread, &rc));
    CHECK_EQ(rc, -EBUSY);
}

/* What the environment has planned goes on as if the kit had not been there. */
RAW_TEST(kit_leaves_planned_faults_and_the_guard_as_they_were)
{
    bool guarded = ed_memory_guarded();
    void *memory;

    ed_fault_set(ED_FAULT_ALLOC, 100000, -ENOMEM);
    uint64_t before = ed_fault_count(ED_FAULT_ALLOC);
    CHECK_OK(eddy_test_allocations(good_body, 1));
    CHECK(ed_fault_count(ED_FAULT_ALLOC) >= before);
    for (uint64_t i = ed_fault_count(ED_FAULT_ALLOC) + 1; i < 100000; i++)
        ed_free(ed_alloc(1));
    memory = ed_alloc(1);
    CHECK(memory == NULL);
    CHECK_EQ(ed_memory_guarded(), guarded);
    eddy_test_plan plan = {.guard = true};
    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 3)));
    CHECK_EQ(ed_memory_guarded(), guarded);
    plan = (eddy_test_plan){.cancel_at = 3, .fail_allocation = 5};
    CHECK_OK(eddy_test_run(&plan, EDDY_CALL(good_body, 3)));
}

RAW_TEST(kit_inside_a_loop_is_refused)
{
    CHECK_FAILS(eddy_run(tests_in_a_test), -EBUSY, "a loop runs in this thread already");
}
