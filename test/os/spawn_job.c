/* SPDX-License-Identifier: MIT */
/* Starting programs from tasks: in a thread, and cut short at any moment. */
#include "base/fault.h"
#include "loop/loop.h"
#include "os/child.h"
#include "os/executor.h"
#include "os/gate.h"
#include "os/spawn.h"

static const char *const sleeper[] = {"sleep", "100", NULL};
static const char *const usual[] = {"PATH=/usr/bin:/bin", NULL};
static const struct ed_spawn sleeping = {.argv = sleeper, .env = usual};

static void undo(struct ed_child *child)
{
    ed_spawn_undo(child);
}

static int start(struct ed_child *out)
{
    return ed_spawn_await(&sleeping, out);
}
EDDY_ASYNC_OWNED(struct ed_child, undo, start);

TEST(spawn_job_starts_a_program_from_a_task)
{
    struct ed_child child;

    CHECK_OK(start(&child));
    CHECK(child_lives(child.pid));
    ed_spawn_undo(&child);
    CHECK(no_child_is_left());
}

TEST(spawn_job_brings_the_error_with_its_text)
{
    static const char *const argv[] = {"/nowhere/nothing", NULL};
    struct ed_spawn spawn = {.argv = argv, .env = usual};
    struct ed_child child;

    CHECK_FAILS(ed_spawn_await(&spawn, &child), -ENOENT, "cannot run /nowhere/nothing: No such");
    CHECK(no_child_is_left());
}

static int stand(void)
{
    stand_at_gate(0);
    return 0;
}
EDDY_ASYNC(stand);

static int hold_a_thread(void)
{
    return ed_executor_run(ED_POOL_FILES, &stand_eddy_async, NULL, NULL);
}
EDDY_ASYNC(hold_a_thread);

/* A slow disk holds up other files, and no loop; a start that waits for a thread is taken back. */
TEST(spawn_job_that_has_not_begun_is_taken_back)
{
    uint64_t before = ed_fault_count(ED_FAULT_SPAWN);
    EDDY_GROUP(group);
    struct ed_child child;
    int rc;

    EDDY_DEFER(open_all, NULL);
    for (int i = 0; i < 40; i++)
        CHECK_OK(eddy_group_create_task(&group, hold_a_thread));
    CHECK_OK(until_running(3));
    {
        EDDY_TIMEOUT(limit, 0);
        rc = start(&child);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(ed_fault_count(ED_FAULT_SPAWN), before);
    CHECK(no_child_is_left());
}

/* A-SUBP-10: whatever the moment, nobody is left. */
TEST(spawn_job_that_is_cancelled_leaves_no_process)
{
    for (int i = 0; i < 60; i++) {
        double began = real_time();
        eddy_task *task = eddy_create_task(start);
        EDDY_DEFER(eddy_task_end_scope_, &task);

        CHECK(task != NULL);
        do
            CHECK_OK(eddy_sleep(0));
        while (real_time() < began + i * 20e-6 && !eddy_task_done(task));
        (void)eddy_cancel(task); /* may have ended */
        (void)eddy_await(task);
    }
    CHECK(no_child_is_left());
}

static int stop_at_once(void)
{
    eddy_loop_stop(eddy_get_running_loop());
    return 0;
}
EDDY_ASYNC(stop_at_once);

/* A loop that is closed while a start is under way. */
RAW_TEST(spawn_job_of_a_loop_that_closes_leaves_no_process)
{
    for (int i = 0; i < 10; i++) {
        eddy_loop *loop;
        eddy_task *task;

        CHECK_OK(eddy_loop_new(&loop));
        test_watch_reports(loop);
        task = eddy_loop_create_task(loop, EDDY_CALL(start));
        eddy_task_detach(&task);
        task = eddy_loop_create_task(loop, EDDY_CALL(stop_at_once));
        eddy_task_detach(&task);
        CHECK_OK(eddy_loop_run_forever(loop));
        usleep((useconds_t)i * 200);
        eddy_loop_free(loop);
        CHECK(no_child_is_left());
        CHECK_HAS(test_report(), "start()");
    }
}

static int start_and_undo(void)
{
    struct ed_child child;

    EDDY_TRY(start(&child));
    ed_spawn_undo(&child);
    return 0;
}
EDDY_ASYNC(start_and_undo);

RAW_TEST(spawn_job_survives_every_cancel_and_every_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(start_and_undo));
    CHECK_OK(eddy_test_allocations(start_and_undo));
    CHECK(no_child_is_left());
}

/* A cancel that comes when the child is there, but has not called execve(2), or stands in it. */
RAW_TEST(spawn_job_is_interrupted_before_its_exec)
{
    struct ed_spawn_stop stop = ED_SPAWN_STOP_INIT;
    struct ed_spawn spawn = sleeping;
    struct ed_child child;

    if (test_is_on_valgrind())
        test_skip("valgrind knows no signals by a pidfd");
    spawn.stop = &stop;
    ed_spawn_interrupt(&stop); /* there is no child yet: it will look */
    CHECK_EQ(ed_spawn(&spawn, &child), -ECANCELED);
    CHECK(stop.stopped && stop.pidfd == -1);
    stop.stopped = 0;
    CHECK_OK(ed_spawn(&spawn, &child));
    ed_spawn_interrupt(&stop); /* too late: it is killed */
    CHECK(child_dies(child.pid));
    ed_spawn_undo(&child);
    CHECK(no_child_is_left());
}
