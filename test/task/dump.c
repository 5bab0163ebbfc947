/* SPDX-License-Identifier: MIT */
/*
 * The tree of tasks and the deadlock report: rules A-INTRO-1 to -4, -6, -9, and the
 * await edges of CPython #156523, #157259, #156980.
 */
#include "harness.h"

#include <stdlib.h>

static char dump[16384];

static const char *take_dump(void)
{
    FILE *stream = fmemopen(dump, sizeof dump, "w");

    eddy_dump_tasks(stream);
    fclose(stream);
    return dump;
}

/* The line of the dump that begins (behind its indent) with `name`. */
static const char *line_of(const char *text, const char *name)
{
    static char line[512];
    const char *found = text;
    size_t length;

    do {
        found = strstr(found, name);
        if (!found)
            return "(no such line)";
        if (found > text && found[-1] == ' ' && found[strlen(name)] == ',')
            break;
        found++;
    } while (true);
    while (found > text && found[-1] != '\n')
        found--;
    length = strcspn(found, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, found);
    return line;
}

static int depth_of(const char *text, const char *name)
{
    return ((int)strspn(line_of(text, name), " ") - 2) / 4;
}

static int sleeps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleeps, double);

static int awaits(eddy_task *task)
{
    return eddy_await(task);
}
EDDY_ASYNC(awaits, eddy_task *);

#define NAMED(text, ...) eddy_create_task_with((&(eddy_task_options){.name = (text)}), __VA_ARGS__)

/* A-INTRO-1, -3: name, function, place and state of each task. */
TEST(a_dump_tells_what_each_task_does)
{
    eddy_task_set_name(eddy_current_task(), "main");
    EDDY_TASK asleep = NAMED("asleep", sleeps, 5.0);

    CHECK_OK(eddy_sleep(0));
    EDDY_TASK ready = NAMED("fresh", sleeps, 5.0);
    CHECK(asleep && ready);
    CHECK(strncmp(take_dump(), "3 tasks:\n", 9) == 0);
    CHECK_HAS(line_of(dump, "main"), "runs");
    CHECK_HAS(line_of(dump, "asleep"), "asleep, sleeps() created at ");
    CHECK_HAS(line_of(dump, "asleep"), "dump.c:");
    CHECK_HAS(line_of(dump, "asleep"), "waits in sleep");
    CHECK_HAS(line_of(dump, "fresh"), "is ready");
}

/* A pending cancel is shown. */
TEST(a_dump_shows_a_pending_cancel)
{
    EDDY_TASK asleep = NAMED("doomed", sleeps, 5.0);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(asleep);
    CHECK_HAS(line_of(take_dump(), "doomed"), "is ready, cancelled");
}

/* A-INTRO-2: outside a loop there is nothing to show. */
RAW_TEST(outside_a_loop_a_dump_says_so)
{
    CHECK_STR(take_dump(), "no tasks: no loop runs in this thread\n");
}

/* A-INTRO-4, -6: who is awaited stands under who awaits. */
TEST(a_dump_shows_the_edge_of_an_await)
{
    EDDY_TASK inner = NAMED("inner", sleeps, 5.0);
    EDDY_TASK middle = NAMED("middle", awaits, inner);
    EDDY_TASK outer = NAMED("outer", awaits, middle);

    CHECK(outer);
    CHECK_OK(eddy_sleep(0));
    take_dump();
    CHECK_EQ(depth_of(dump, "outer"), 0);
    CHECK_EQ(depth_of(dump, "middle"), 1);
    CHECK_EQ(depth_of(dump, "inner"), 2);
    CHECK_HAS(line_of(dump, "outer"), "waits in await for middle");
    CHECK_HAS(line_of(dump, "middle"), "waits in await for inner");
}

static int named_sleep(const char *name)
{
    eddy_task_set_name(eddy_current_task(), name);
    return eddy_sleep(5);
}
EDDY_ASYNC(named_sleep, const char *);

static int gathers(void)
{
    return eddy_gather(EDDY_CALL(named_sleep, "one"), EDDY_CALL(named_sleep, "two"));
}
EDDY_ASYNC(gathers);

/* A-INTRO-4: of gather, each child. */
TEST(a_dump_shows_the_edges_of_gather)
{
    EDDY_TASK parent = NAMED("gatherer", gathers);

    CHECK(parent);
    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_sleep(0));
    take_dump();
    CHECK_EQ(depth_of(dump, "gatherer"), 0);
    CHECK_EQ(depth_of(dump, "one"), 1);
    CHECK_EQ(depth_of(dump, "two"), 1);
    CHECK(strstr(dump, "one,") < strstr(dump, "two,"));
}

static int groups(void)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, named_sleep, "left"));
    EDDY_TRY(eddy_group_create_task(&group, named_sleep, "right"));
    EDDY_TRY(eddy_sleep(1));
    return eddy_group_join(&group);
}
EDDY_ASYNC(groups);

/* A-INTRO-4: of a group, also before it is joined. */
TEST(a_dump_shows_the_edges_of_a_group)
{
    EDDY_TASK parent = NAMED("owner", groups);

    CHECK(parent);
    CHECK_OK(eddy_sleep(0.5));
    take_dump();
    CHECK_HAS(line_of(dump, "owner"), "waits in sleep");
    CHECK_EQ(depth_of(dump, "left"), 1);
    CHECK_EQ(depth_of(dump, "right"), 1);
    CHECK_OK(eddy_sleep(1));
    take_dump();
    CHECK_HAS(line_of(dump, "owner"), "waits in group.join for left");
    CHECK_EQ(depth_of(dump, "right"), 1);
}

static int waits_for_all(eddy_task *const *tasks)
{
    return eddy_wait(tasks, 2, EDDY_ALL_COMPLETED, EDDY_FOREVER);
}
EDDY_ASYNC(waits_for_all, eddy_task *const *);

static int iterates(eddy_task *const *tasks)
{
    eddy_task *ended;

    EDDY_AS_COMPLETED(iterator, tasks, 2, EDDY_FOREVER);
    return eddy_as_completed_next(&iterator, &ended);
}
EDDY_ASYNC(iterates, eddy_task *const *);

/* A-INTRO-4: of wait. */
TEST(a_dump_shows_an_edge_of_wait)
{
    EDDY_TASK a = NAMED("first", sleeps, 5.0);
    EDDY_TASK b = NAMED("second", sleeps, 6.0);
    eddy_task *const both[] = {a, b};
    EDDY_TASK waiter = NAMED("waiter", waits_for_all, both);

    CHECK(waiter);
    CHECK_OK(eddy_sleep(1));
    CHECK_HAS(line_of(take_dump(), "waiter"), "waits in wait for first");
    CHECK_EQ(depth_of(dump, "first"), 1);
}

/* A-INTRO-4: of as_completed. */
TEST(a_dump_shows_an_edge_of_as_completed)
{
    EDDY_TASK a = NAMED("first", sleeps, 5.0);
    EDDY_TASK b = NAMED("second", sleeps, 6.0);
    eddy_task *const both[] = {a, b};
    EDDY_TASK waiter = NAMED("iterator", iterates, both);

    CHECK(waiter);
    CHECK_OK(eddy_sleep(1));
    CHECK_HAS(line_of(take_dump(), "iterator"), "waits in as_completed.next for first");
    CHECK_EQ(depth_of(dump, "first"), 1);
}

static int limits(eddy_task *task)
{
    return eddy_wait_for(task, 50.0);
}
EDDY_ASYNC(limits, eddy_task *);

static int shields(void)
{
    return eddy_shield(EDDY_CALL(named_sleep, "sheltered"));
}
EDDY_ASYNC(shields);

/* A-INTRO-4: of wait_for and shield. */
TEST(a_dump_shows_the_edges_of_wait_for_and_shield)
{
    EDDY_TASK limited = NAMED("limited", sleeps, 5.0);
    EDDY_TASK limiter = NAMED("limiter", limits, limited);
    EDDY_TASK shelter = NAMED("shelter", shields);

    CHECK(limiter && shelter);
    CHECK_OK(eddy_sleep(1));
    CHECK_HAS(line_of(take_dump(), "limiter"), "for limited");
    CHECK_EQ(depth_of(dump, "limited"), 1);
    CHECK_HAS(line_of(dump, "shelter"), "for sheltered");
    CHECK_EQ(depth_of(dump, "sheltered"), 1);
}

static int locks(eddy_lock *lock, double seconds)
{
    EDDY_TRY(eddy_lock_acquire(lock));
    EDDY_DEFER(eddy_lock_release, lock);
    return eddy_sleep(seconds);
}
EDDY_ASYNC(locks, eddy_lock *, double);

static int gets_one(eddy_queue *queue)
{
    int item;

    return eddy_queue_get(queue, &item);
}
EDDY_ASYNC(gets_one, eddy_queue *);

/* Who holds what a task waits for: the owner of a lock. Of a queue: which queue. */
TEST(a_dump_shows_who_holds_a_lock)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    EDDY_QUEUE(queue, int, 1);
    EDDY_TASK holder = NAMED("holder", locks, &lock, 5.0);
    EDDY_TASK blocked = NAMED("blocked", locks, &lock, 5.0);
    EDDY_TASK getter = NAMED("getter", gets_one, &queue);
    char place[32];

    CHECK(holder && blocked && getter);
    CHECK_OK(eddy_sleep(1));
    snprintf(place, sizeof place, "queue.get of %p", (void *)&queue);
    CHECK_HAS(line_of(take_dump(), "blocked"), "waits in lock.acquire for holder");
    CHECK_EQ(depth_of(dump, "holder"), 1);
    CHECK_HAS(line_of(dump, "getter"), place);
}

static int counts(eddy_generator *g, double seconds)
{
    int i = 0;

    EDDY_TRY(eddy_sleep(seconds));
    return eddy_yield(g, &i);
}
EDDY_ASYNC_GENERATOR(int, counts, double);

static int consumes(void)
{
    int rc, value;

    EDDY_FOR_EACH(rc, value, eddy_generate(counts, 5.0))
        (void)value;
    return rc;
}
EDDY_ASYNC(consumes);

/* A generator's body waits in the task that asked it. */
TEST(a_dump_shows_the_wait_of_a_generator)
{
    EDDY_TASK consumer = NAMED("consumer", consumes);

    CHECK(consumer);
    CHECK_OK(eddy_sleep(1));
    CHECK_HAS(line_of(take_dump(), "consumer"), "waits in sleep");
}

static eddy_task *hen, *egg;

static int awaits_egg(void)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_await(egg);
}
EDDY_ASYNC(awaits_egg);

static int awaits_hen(void)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_await(hen);
}
EDDY_ASYNC(awaits_hen);

/* A-INTRO-9: tasks that wait for each other are named as a circle, and each is shown. */
TEST(a_dump_names_a_circle)
{
    hen = NAMED("hen", awaits_egg);
    egg = NAMED("egg", awaits_hen);
    (void)eddy_sleep(2);
    take_dump();
    eddy_cancel(hen);
    eddy_task_release(&egg);
    eddy_task_release(&hen);
    CHECK_HAS(dump, "3 tasks:\n");
    CHECK_HAS(line_of(dump, "hen"), "waits in await for egg");
    CHECK_HAS(line_of(dump, "egg"), "waits in await for hen");
    CHECK_HAS(dump, "(a circle)");
}

static int dumps_from_callback(void *unused)
{
    (void)unused;
    take_dump();
    return 0;
}

/* From a callback, where no task runs. */
TEST(a_dump_can_be_taken_in_a_callback)
{
    eddy_loop_call_soon(eddy_get_running_loop(), dumps_from_callback, NULL);
    eddy_task_set_name(eddy_current_task(), "main");
    CHECK_OK(eddy_sleep(1));
    CHECK(strncmp(dump, "1 task:\n", 8) == 0);
    CHECK_HAS(line_of(dump, "main"), "waits in sleep");
}

/* Ten thousand tasks in one dump (tokio #6035). */
TEST(a_dump_of_many_tasks_lists_each_once)
{
    size_t count = test_is_slow() ? 200 : 10000, lines = 0, size = 0;
    char *text = NULL;
    FILE *stream;
    {
        EDDY_TASKS(tasks, count);

        CHECK(tasks);
        for (size_t i = 0; i < count; i++)
            tasks[i] =
                i % 100 ? eddy_create_task(awaits, tasks[i - 1]) : eddy_create_task(sleeps, 5.0);
        CHECK_OK(eddy_sleep(1));
        stream = open_memstream(&text, &size);
        eddy_dump_tasks(stream);
        fclose(stream);
    }
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    free(text);
    CHECK_EQ(lines, count + 2);
}

/* A million tasks make no readable report: it is cut, and says so. The list of what a task
 * awaits was walked to its end for each of them. */
TEST(a_dump_of_too_many_tasks_says_how_many_it_leaves_out)
{
    size_t lines = 0, size = 0;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);
    {
        EDDY_GROUP(group);

        for (int i = 0; i < 12000; i++)
            (void)eddy_group_create_task(&group, sleeps, 5.0);
        (void)eddy_sleep(1);
        eddy_dump_tasks(stream);
        fclose(stream);
        eddy_group_cancel(&group);
    }
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    bool told = strstr(text, "\n  and 2001 more\n") != NULL;
    free(text);
    CHECK(told);
    CHECK_EQ(lines, 10000 + 2);
}
