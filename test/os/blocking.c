/* SPDX-License-Identifier: MIT */
/*
 * Blocking functions over values (F-41): what a cancelled caller leaves, and what becomes of that.
 * Jobs stand at a gate until the test opens it.
 */
#include "os/blocking.h"

#include <stdlib.h>

#include "base/memory.h"
#include "os/gate.h"
#include "os/place.h"
#include "task/task.h"

static int destroyed, ended; /* atomic: results, and shared objects */

struct notes {
    struct ed_shared shared;
    int count;
};

static void notes_end(struct ed_shared *shared)
{
    ed_free(ed_container_of(shared, struct notes, shared));
    __atomic_add_fetch(&ended, 1, __ATOMIC_ACQ_REL);
}

static void text_drop(void *result)
{
    ed_free(*(char **)result);
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_ACQ_REL);
}

/* Stands at the gate that numbers[0] says, and gives "path|other|data". */
static int join_run(const struct ed_blocking *b, void *result)
{
    char *text = ed_alloc(64);

    if (b->numbers[0] >= 0)
        stand_at_gate((int)b->numbers[0]);
    if (!text)
        return ed_blocking_fail(b, -ENOMEM);
    snprintf(text, 64, "%s|%s|%.*s", b->path, b->other ? b->other : "", (int)b->size,
             b->data ? (const char *)b->data : "");
    if (b->shared)
        ed_container_of(b->shared, struct notes, shared)->count++;
    *(char **)result = text;
    return ed_job_is_abandoned();
}

static struct ed_blocking join_call(const char *path, int which)
{
    return (struct ed_blocking){"join",
                                join_run,
                                path,
                                .numbers = {which},
                                .result_size = sizeof(char *),
                                .destroy = text_drop};
}

TEST(blocking_function_gets_copies_and_gives_its_result)
{
    struct ed_blocking b = join_call("p", -1);
    char *text = NULL;

    CHECK_EQ(ed_blocking_run(&b, &text), 0);
    CHECK_STR(text, "p||");
    ed_free(text);
    b.other = "other path";
    b.data = "12345";
    b.size = 3;
    CHECK_EQ(ed_blocking_run(&b, &text), 0);
    CHECK_STR(text, "p|other path|123");
    ed_free(text);
    CHECK_EQ(ed_blocking_run(&b, NULL), 0); /* nobody wants it */
    CHECK_EQ(destroyed, 1);
}

static int fail_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return ed_blocking_fail(b, (int)b->numbers[0]);
}

/* The text travels from the thread to the task. */
TEST(blocking_error_brings_its_text_with_it)
{
    char path[1000];
    struct ed_blocking b = {"do", fail_run, "a", .numbers = {-EACCES}};

    CHECK_EQ(ed_blocking_run(&b, NULL), -EACCES);
    CHECK_STR(eddy_error_message(-EACCES), "do \"a\": Permission denied");
    b.other = "b";
    CHECK_EQ(ed_blocking_run(&b, NULL), -EACCES);
    CHECK_STR(eddy_error_message(-EACCES), "do \"a\" to \"b\": Permission denied");
    memset(path, '/', sizeof path);
    snprintf(path + sizeof path - 4, 4, "end");
    b.path = b.other = path;
    CHECK_EQ(ed_blocking_run(&b, NULL), -EACCES);
    CHECK_HAS(eddy_error_message(-EACCES), "///end\" to \"...///");
    CHECK_HAS(eddy_error_message(-EACCES), "///end\": Permission denied");
}

static int joins(int which, struct notes *notes)
{
    struct ed_blocking b = join_call("p", which);
    char *text = NULL;
    int rc;

    b.shared = notes ? &notes->shared : NULL;
    rc = ed_blocking_run(&b, &text);
    ed_free(text);
    return rc;
}
EDDY_ASYNC(joins, int, struct notes *);

static struct notes *notes_new(void)
{
    struct notes *notes = ed_alloc_zero(sizeof *notes);

    ed_share_open(&notes->shared, notes_end);
    return notes;
}

static void wait_for(const int *count, int wanted)
{
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < wanted || threads() > 0)
        usleep(100);
}

static int leaves_one_running(void)
{
    struct notes *notes = notes_new();
    EDDY_TASK caller = eddy_create_task(joins, 0, notes);

    EDDY_TRY(until_running(1));
    REQUIRE(eddy_cancel(caller) == 0);
    REQUIRE(eddy_await(caller) == -ECANCELED); /* the gate is shut */
    ed_share_close(&notes->shared);
    return ended == 0 ? 0 : -EDOM;
}
EDDY_ASYNC(leaves_one_running);

/* F-31: the caller is released at once, and the job goes on with what is the library's. */
RAW_TEST(blocking_call_that_runs_is_left_at_once_and_its_result_destroyed)
{
    CHECK_OK(eddy_run(leaves_one_running));
    CHECK_EQ(destroyed, 0);
    open_gate(0);
    wait_for(&destroyed, 1);
    CHECK_EQ(destroyed, 1);
    CHECK_EQ(ended, 1);
}

/* As many jobs as the pool has threads stand at the gate. */
static int fill_pool(eddy_group *group)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN) + 4;

    if (count > 32)
        count = 32;
    for (long i = 0; i < count; i++)
        EDDY_TRY(eddy_group_start(group, EDDY_CALL(joins, 0, NULL)));
    return until_running((int)count);
}

static int makes_a_folder(const char *path)
{
    return eddy_mkdir(path, 0777);
}
EDDY_ASYNC(makes_a_folder, const char *);

/* F-32: a cancelled job that has not begun does not happen. */
TEST(blocking_call_that_waits_for_a_thread_is_withdrawn)
{
    struct notes *notes = notes_new();
    size_t blocks;

    PLACE;
    EDDY_GROUP(group);
    EDDY_DEFER(open_all, NULL);
    CHECK_OK(fill_pool(&group));
    EDDY_TASK queued = eddy_create_task(makes_a_folder, "folder");
    EDDY_TASK shares = eddy_create_task(joins, 0, notes);
    test_settle();
    CHECK_OK(eddy_cancel(queued));
    CHECK_EQ(eddy_await(queued), -ECANCELED);
    CHECK_EQ(notes->shared.refs, 2);
    blocks = ed_memory_blocks();
    CHECK_OK(eddy_cancel(shares));
    CHECK_EQ(eddy_await(shares), -ECANCELED);
    CHECK(ed_memory_blocks() < blocks); /* freed at once */
    CHECK_EQ(notes->shared.refs, 1);    /* the job has given up its own */
    CHECK_EQ(notes->count, 0);
    ed_share_close(&notes->shared);
    CHECK_EQ(ended, 1);
    open_all(NULL);
    CHECK_OK(eddy_group_join(&group));
    CHECK(!is_there("folder"));
}

static int times_out(void)
{
    EDDY_TIMEOUT(limit, 0.01);
    return joins(0, NULL);
}
EDDY_ASYNC(times_out);

RAW_TEST(blocking_call_is_left_when_its_time_is_up)
{
    setenv("EDDY_CLOCK", "real", 1);
    CHECK_EQ(eddy_run(times_out), -ETIMEDOUT);
    open_gate(0);
    wait_for(&destroyed, __atomic_load_n(&running, __ATOMIC_ACQUIRE));
}

static int leaves_what_is_shared(void)
{
    (void)notes_new();
    return 0;
}
EDDY_ASYNC(leaves_what_is_shared);

RAW_TEST(blocking_share_ends_with_the_loop)
{
    CHECK_OK(eddy_run(leaves_what_is_shared));
    CHECK_EQ(ended, 1);
}

static int shuts_down(void)
{
    struct notes *notes = notes_new();
    EDDY_TASK task = eddy_create_task(joins, 0, notes);

    EDDY_TRY(until_running(1));
    ed_share_close(&notes->shared);
    open_gate(0);
    return eddy_await(task);
}
EDDY_ASYNC(shuts_down);

RAW_TEST(blocking_share_lives_until_its_job_has_ended)
{
    CHECK_OK(eddy_run(shuts_down));
    CHECK_EQ(ended, 1);
    CHECK_EQ(destroyed, 0);
}

static int shares_without_a_thread(void)
{
    struct notes *notes = notes_new();

    REQUIRE(joins(-1, notes) == -EAGAIN);
    REQUIRE(notes->shared.refs == 1 && notes->count == 0); /* the job has given up its own */
    ed_share_close(&notes->shared);
    return 0;
}
EDDY_ASYNC(shares_without_a_thread);

RAW_TEST(blocking_call_without_a_thread_is_refused)
{
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_OK(eddy_run(shares_without_a_thread));
    CHECK_EQ(ended, 1);
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_EQ(eddy_run(makes_a_folder, "/dev/null/x"), -EAGAIN);
    CHECK_HAS(eddy_error_message(-EAGAIN), "mkdir() cannot be run in a thread");
}

RAW_TEST(blocking_call_outside_a_task_is_refused)
{
    CHECK_EQ(eddy_mkdir("/dev/null/x", 0777), -EPERM);
}

/* One of each kind of call, behind which nothing must be left, whichever fails. */
static int does_everything(void)
{
    char *text = NULL, **names = NULL;
    struct stat known;
    eddy_dir_entry entry;
    eddy_walk_entry found;
    int rc;

    EDDY_TRY(eddy_makedirs("a/b/c", 0777, true));
    EDDY_TRY(eddy_replace_file("a/b/file", "text", 4, 0));
    rc = (int)eddy_copy_file("a/b/file", "a/b/copy");
    EDDY_TRY(rc);
    EDDY_TRY(eddy_stat("a/b/copy", &known));
    EDDY_TRY(eddy_listdir("a/b", &names, NULL));
    eddy_free(names);
    EDDY_TRY(eddy_realpath("a", &text));
    eddy_free(text);
    EDDY_FOR_EACH(rc, entry, eddy_scandir("a/b"))
        EDDY_TRY(eddy_expect(entry.inode != 0));
    EDDY_TRY(rc);
    EDDY_FOR_EACH(rc, found, eddy_walk("a"))
        EDDY_TRY(found.error);
    EDDY_TRY(rc);
    EDDY_TRY(eddy_renames("a/b/file", "x/y/file"));
    return eddy_rmtree("x");
}
EDDY_ASYNC(does_everything);

static void clear(void)
{
    nftw("a", place_remove, 32, FTW_DEPTH | FTW_PHYS);
    nftw("x", place_remove, 32, FTW_DEPTH | FTW_PHYS);
}

RAW_TEST(blocking_calls_survive_the_failure_of_each_allocation)
{
    eddy_test_plan plan = {.fail_allocation = 1};

    place_enter();
    do {
        CHECK_OK(eddy_test_run(&plan, EDDY_CALL(does_everything)));
        clear();
    } while (plan.reached && ++plan.fail_allocation < 2000);
    CHECK(plan.fail_allocation > 20);
    place_leave(NULL);
}

/* What has begun goes on, so that the next run may find anything. */
RAW_TEST(blocking_calls_may_be_cancelled_wherever_they_wait)
{
    eddy_test_plan plan = {.cancel_at = 1};

    for (int late = 0; late < 2; late++) {
        plan.cancel_late = late;
        plan.cancel_at = 1;
        do {
            place_enter();
            CHECK_OK(eddy_test_run(&plan, EDDY_CALL(does_everything)));
            place_leave(NULL);
        } while (plan.reached && ++plan.cancel_at < 2000);
        CHECK(plan.cancel_at > 10);
    }
}

/* The seam that a cancelled job looks through. */
TEST(blocking_job_is_not_abandoned_while_its_caller_waits)
{
    struct ed_blocking b = join_call("p", -1);
    char *text = NULL;

    CHECK(!ed_job_is_abandoned()); /* no job at all */
    CHECK_EQ(ed_blocking_run(&b, &text), 0);
    ed_free(text);
}
