/* SPDX-License-Identifier: MIT */
/*
 * Deadlocks: promise 8. When nothing can wake any task the run reports each task and
 * what it waits for, cancels all, cleans up, and returns -EDEADLK.
 */
#include "harness.h"

#include <pthread.h>
#include <unistd.h>

static char trace[64];
static char report[4096];

static void note(char word)
{
    trace[strlen(trace)] = word;
}

static void watch(void)
{
    test_watch_reports(eddy_get_running_loop());
}

static const char *take_report(void)
{
    snprintf(report, sizeof report, "%s", test_report());
    return report;
}

static int waits_for_ever(eddy_event *event, char word)
{
    int rc = eddy_event_wait(event);

    note(word);
    return rc;
}
EDDY_ASYNC(waits_for_ever, eddy_event *, char);

static int main_waits(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TASK child =
        eddy_create_task_with((&(eddy_task_options){.name = "child"}), waits_for_ever, &event, 'c');

    watch();
    eddy_task_set_name(eddy_current_task(), "main");
    EDDY_TRY(eddy_await(child));
    return 0;
}
EDDY_ASYNC(main_waits);

/* The report names each task, where it was created, what it waits for and who holds
 * that; everything is cancelled and cleaned up. */
RAW_TEST(a_deadlock_is_reported_and_ends_the_run)
{
    CHECK_EQ(eddy_run(main_waits), -EDEADLK);
    take_report();
    CHECK_HAS(report, "deadlock: no task can go on, and nothing can wake one:\n  main, main_waits()"
                      " created at ");
    CHECK_HAS(report, "deadlock.c:");
    CHECK_HAS(report, "waits in await for child\n      child, waits_for_ever() created at ");
    CHECK_HAS(report, "waits in event.wait of 0x");
    CHECK(report[strlen(report) - 1] != '\n');
    CHECK_STR(test_report(), "");
    CHECK_STR(trace, "c");
}

static int hen_and_egg(eddy_task **other)
{
    int rc;

    EDDY_TRY(eddy_sleep(1));
    rc = eddy_await(*other);
    note('x');
    return rc;
}
EDDY_ASYNC(hen_and_egg, eddy_task **);

static int circle(void)
{
    eddy_task *hen = NULL, *egg = NULL;

    watch();
    hen = eddy_create_task_with((&(eddy_task_options){.name = "hen"}), hen_and_egg, &egg);
    egg = eddy_create_task_with((&(eddy_task_options){.name = "egg"}), hen_and_egg, &hen);
    int rc = eddy_await(hen);
    eddy_task_release(&hen);
    eddy_task_release(&egg);
    return rc;
}
EDDY_ASYNC(circle);

/* A-TASK-11, A-INTRO-9: two tasks that await each other. */
RAW_TEST(tasks_that_await_each_other_are_a_reported_circle)
{
    CHECK_EQ(eddy_run(circle), -EDEADLK);
    take_report();
    CHECK_HAS(report, "hen, hen_and_egg() created at ");
    CHECK_HAS(report, "for egg");
    CHECK_HAS(report, "for hen");
    CHECK_HAS(report, "(a circle)");
    CHECK_STR(trace, "xx");
}

static int takes_both(eddy_lock *first, eddy_lock *second)
{
    EDDY_TRY(eddy_lock_acquire(first));
    EDDY_DEFER(eddy_lock_release, first);
    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_lock_acquire(second));
    EDDY_DEFER(eddy_lock_release, second);
    return 0;
}
EDDY_ASYNC(takes_both, eddy_lock *, eddy_lock *);

static int two_locks(void)
{
    eddy_lock a = EDDY_LOCK_INIT, b = EDDY_LOCK_INIT;

    watch();
    EDDY_TRY(eddy_gather(EDDY_CALL(takes_both, &a, &b), EDDY_CALL(takes_both, &b, &a)));
    return 0;
}
EDDY_ASYNC(two_locks);

/* Two locks in two orders: who holds what is told. */
RAW_TEST(locks_taken_in_two_orders_are_reported)
{
    CHECK_EQ(eddy_run(two_locks), -EDEADLK);
    take_report();
    CHECK_HAS(report, "waits in lock.acquire for Task-");
    CHECK_HAS(report, "waits in group.join");
}

/* What is no deadlock: somebody outside may still wake the loop. */
static eddy_event woken = EDDY_EVENT_INIT;

static int wake(void *unused)
{
    (void)unused;
    eddy_event_set(&woken);
    return 0;
}

static void *wake_from_thread(void *loop)
{
    usleep(3000);
    (void)eddy_loop_call_soon_threadsafe(loop, wake, NULL);
    return NULL;
}

TEST(a_held_loop_is_no_deadlock)
{
    eddy_loop *loop = eddy_get_running_loop();
    pthread_t thread;

    eddy_loop_hold(loop);
    pthread_create(&thread, NULL, wake_from_thread, loop);
    int rc = eddy_event_wait(&woken);
    pthread_join(thread, NULL);
    eddy_loop_release(loop);
    CHECK_EQ(rc, 0);
}

static int works(void)
{
    usleep(3000);
    return 0;
}
EDDY_ASYNC(works);

TEST(a_thread_job_is_no_deadlock)
{
    CHECK_OK(eddy_to_thread(works));
}

static int write_byte(int *fd)
{
    usleep(3000);
    return write(*fd, "x", 1) == 1 ? 0 : -EIO;
}
EDDY_ASYNC(write_byte, int *);

TEST(a_reader_is_no_deadlock)
{
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    eddy_event_clear(&woken);
    int rc = eddy_loop_add_reader(eddy_get_running_loop(), ends[0], wake, NULL);
    (void)write_byte(&ends[1]);
    int waited = eddy_event_wait(&woken);
    eddy_loop_remove_reader(eddy_get_running_loop(), ends[0]);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(rc, 0);
    CHECK_EQ(waited, 0);
}

static void *set_from_thread(void *future)
{
    usleep(3000);
    (void)eddy_future_set_result_threadsafe((eddy_future *)future, &(int){5});
    return NULL;
}

TEST(a_future_that_threads_may_set_is_no_deadlock)
{
    EDDY_THREADSAFE_FUTURE(future, int);
    pthread_t thread;
    int value = 0;

    pthread_create(&thread, NULL, set_from_thread, &future);
    int rc = eddy_await(&future, &value);
    pthread_join(thread, NULL);
    CHECK_EQ(rc, 0);
    CHECK_EQ(value, 5);
}

static int shielded_for_ever(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    int rc;

    {
        EDDY_SHIELD(shield);

        rc = eddy_event_wait(&event);
        note('p');
    }
    return rc;
}
EDDY_ASYNC(shielded_for_ever);

static int leaves_shielded(void)
{
    eddy_task *task = eddy_create_task(shielded_for_ever);

    watch();
    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_shielded);

/* A deadlock in the clean-up, behind a shield: reported, and the shield is pierced. */
RAW_TEST(a_deadlock_of_the_clean_up_pierces_shields)
{
    CHECK_OK(eddy_run(leaves_shielded));
    CHECK_HAS(take_report(), "deadlock: ");
    CHECK_HAS(report, "shielded_for_ever() created at ");
    CHECK_STR(trace, "p");
    CHECK_STR(test_report(), "");
}

static int main_shielded(void)
{
    watch();
    return shielded_for_ever();
}
EDDY_ASYNC(main_shielded);

/* A main task behind a shield: two reports, then it is ended too. */
RAW_TEST(a_deadlock_of_a_shielded_main_task_ends_it)
{
    CHECK_EQ(eddy_run(main_shielded), -EDEADLK);
    CHECK_HAS(take_report(), "deadlock: ");
    CHECK_HAS(take_report(), "deadlock: ");
    CHECK_STR(trace, "p");
}

static int releases(eddy_task **other)
{
    EDDY_TRY(eddy_sleep(1));
    eddy_task_release(other);
    note('r');
    return 0;
}
EDDY_ASYNC(releases, eddy_task **);

static int two_that_release_each_other(void)
{
    static eddy_task *one, *other;

    watch();
    one = eddy_create_task_with((&(eddy_task_options){.name = "one"}), releases, &other);
    other = eddy_create_task_with((&(eddy_task_options){.name = "other"}), releases, &one);
    return eddy_sleep(2);
}
EDDY_ASYNC(two_that_release_each_other);

/* What even that does not end is freed and reported when the loop closes: the run
 * returns in any case. */
RAW_TEST(what_no_cancel_can_end_is_destroyed_with_the_loop)
{
    CHECK_OK(eddy_run(two_that_release_each_other));
    CHECK_HAS(take_report(), "waits in join for other");
    CHECK_HAS(take_report(), "deadlock: ");
    CHECK_HAS(take_report(), "was pending when its loop was closed");
    CHECK_HAS(take_report(), "was pending when its loop was closed");
    CHECK_STR(trace, "");
}

static int fine(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(fine);

/* After a deadlock the next run is as good as any. */
RAW_TEST(after_a_deadlock_another_run_works)
{
    CHECK_EQ(eddy_run(main_waits), -EDEADLK);
    (void)take_report();
    CHECK_OK(eddy_run(fine));
}

/* A runner's loop can be used after a deadlock. */
RAW_TEST(a_runner_survives_a_deadlock)
{
    eddy_runner runner = EDDY_RUNNER_INIT;

    CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(main_waits)), -EDEADLK);
    (void)take_report();
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(fine)));
    eddy_runner_close(&runner);
}

static eddy_lock forgotten = EDDY_LOCK_INIT;

static int forgets_the_release(void)
{
    return eddy_lock_acquire(&forgotten);
}
EDDY_ASYNC(forgets_the_release);

static int ones(eddy_generator *g)
{
    char fill[3000];

    memset(fill, 1, sizeof fill);
    __asm__ volatile("" ::"r"(fill) : "memory");
    return eddy_yield(g, &(int){1});
}
EDDY_ASYNC_GENERATOR(int, ones);

enum { TASKS = 4000, GENERATORS = 1100 };

static int waits_for_the_lock_of_a_freed_task(bool reused)
{
    watch();
    {
        EDDY_TASKS(tasks, TASKS);

        for (int i = 0; i < TASKS; i++)
            tasks[i] = i == (reused ? 0 : 1500) ? eddy_create_task(forgets_the_release)
                                                : eddy_create_task(fine);
        EDDY_TRY(eddy_sleep(2));
    }
    for (int i = 0; reused && i < GENERATORS; i++) {
        eddy_generator *generator = eddy_generate(ones);
        int one;

        EDDY_TRY(eddy_next(generator, &one));
    }
    return eddy_lock_acquire(&forgotten);
}
EDDY_ASYNC(waits_for_the_lock_of_a_freed_task, bool);

/* The report followed the lock to its owner, who had been freed: into memory that was
 * unmapped, or that a generator had by now. */
RAW_TEST(a_lock_whose_owner_is_gone_is_reported_without_it)
{
    CHECK_EQ(eddy_run(waits_for_the_lock_of_a_freed_task, false), -EDEADLK);
    CHECK_HAS(take_report(), "waits in lock.acquire of 0x");
    forgotten = (eddy_lock)EDDY_LOCK_INIT;
    CHECK_EQ(eddy_run(waits_for_the_lock_of_a_freed_task, true), -EDEADLK);
    CHECK_HAS(take_report(), "waits in lock.acquire of 0x");
}

static int takes_forgotten(void)
{
    watch();
    return eddy_lock_acquire(&forgotten);
}
EDDY_ASYNC(takes_forgotten);

/* The same, when the owner's whole loop is gone. */
RAW_TEST(a_lock_of_an_earlier_run_is_reported_without_its_owner)
{
    CHECK_OK(eddy_run(forgets_the_release));
    CHECK_EQ(eddy_run(takes_forgotten), -EDEADLK);
    CHECK_HAS(take_report(), "waits in lock.acquire of 0x");
}
