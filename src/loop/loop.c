/* SPDX-License-Identifier: MIT */
/*
 * The loop's life and its turn. See loop.h for the picture.
 *
 * A stop is a node in the ready queue: what stands before it runs, what comes
 * behind it stays for the next run. Waiting is a deadlock when there is no
 * timer, no operation in flight but quiet ones, no job and no hold: then nobody can
 * ever put anything into the queue.
 */
#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/stats.h"

static pthread_mutex_t loops_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct eddy_list_ loops;

static void loop_run_stop(struct ed_ready *node)
{
    eddy_loop *loop = ed_container_of(node, eddy_loop, stop);

    loop->stop_asked = loop->stop_queued = false;
    loop->stopped = true;
}

/* Fork. What a loop has in the kernel is shared with a child, which must not touch it;
 * its threads are the parent's alone. So all loops are closed in the child, by closing
 * its descriptors only: nothing of them runs there, and their memory stays. */
static struct eddy_list_ loops_abandoned;

static void loop_lock_all(void)
{
    pthread_mutex_lock(&loops_mutex);
}

static void loop_unlock_all(void)
{
    pthread_mutex_unlock(&loops_mutex);
}

static void loop_abandon_all(void)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&loops))) {
        eddy_loop *loop = ed_container_of(link, eddy_loop, link);

        loop->running = false;
        loop->closed = loop->stopped = loop->abandoned = true;
        ed_loop_abandon_inbox(loop);
        ed_engine_abandon(loop->engine);
        ed_list_append(&loops_abandoned, link);
    }
    ed_flights = 0; /* in the parent's kernel objects */
    ed_guard_forget();
    ed_stats_reset(ED_STAT_LOOPS);
    ed_stats_reset(ED_STAT_THREADS);
    eddy_thread_ = (struct eddy_thread_){.credit = 0};
    loop_unlock_all();
}

static void loop_watch_forks(void)
{
    pthread_atfork(loop_lock_all, loop_unlock_all, loop_abandon_all);
}

static void loop_read_environment(eddy_loop *loop)
{
    const char *clock = getenv("EDDY_CLOCK"), *seed = getenv("EDDY_SEED");
    const char *debug = getenv("EDDY_DEBUG");

    ed_loop_set_order(loop, clock && strcmp(clock, "virtual") == 0,
                      seed ? strtoull(seed, NULL, 0) : 0);
    loop->shuffled = seed && *seed;
    loop->debug = debug && strcmp(debug, "1") == 0;
    loop->slow = ED_SECOND / 10;
    if (loop->debug)
        ed_flight_watch(true);
}

void ed_loop_set_order(eddy_loop *loop, bool virtual_clock, uint64_t seed)
{
    loop->virtual_clock = virtual_clock;
    loop->shuffled = seed != 0;
    loop->seed = seed;
    ed_timer_init(&loop->timers, ed_loop_now(loop));
}

int eddy_loop_new(eddy_loop **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    eddy_loop *loop = ed_alloc_zero(sizeof *loop);
    int rc;

    if (!loop)
        return -ENOMEM;
    pthread_once(&once, loop_watch_forks);
    ed_loop_watch_stats();
    rc = ed_engine_open(&loop->engine);
    if (rc < 0) {
        ed_free(loop);
        return rc;
    }
    loop_read_environment(loop);
    loop->ready_end = &loop->ready;
    loop->thread = pthread_self();
    loop->thread_id = gettid();
    loop->stop.run = loop_run_stop;
    loop->next_handle = 1;
    loop->turns_max = UINT64_MAX;
    pthread_mutex_lock(&loops_mutex);
    ed_list_append(&loops, &loop->link);
    pthread_mutex_unlock(&loops_mutex);
    ed_stats_add(ED_STAT_LOOPS, 1);
    *out = loop;
    return 0;
}

/* Waits until nothing of ours is in the kernel any more; all has been
 * cancelled. */
static void loop_drain_engine(eddy_loop *loop)
{
    while (loop->engine->in_flight > 0)
        (void)ed_engine_wait(loop->engine, ED_SECOND); /* an error leaves them in flight: again */
}

bool ed_loop_describe_left(eddy_loop *loop, char *text, size_t size)
{
    ED_LIST_FOR_EACH(link, &loop->resources) {
        struct ed_resource *resource = ed_container_of(link, struct ed_resource, link);

        if (resource->describe) {
            resource->describe(resource, text, size);
            return true;
        }
    }
    return false;
}

static void loop_close_resources(eddy_loop *loop)
{
    ED_LIST_FOR_EACH(link, &loop->resources) {
        struct ed_resource *resource = ed_container_of(link, struct ed_resource, link);
        char text[ED_RESOURCE_TEXT];

        if (resource->describe) {
            resource->describe(resource, text, sizeof text);
            ed_loop_report(loop, EDDY_REPORT_RESOURCE, 0, NULL, "%s was not closed", text);
        }
        resource->close(resource, false);
    }
}

static void loop_free_resources(eddy_loop *loop)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&loop->resources))) {
        struct ed_resource *resource = ed_container_of(link, struct ed_resource, link);

        resource->close(resource, true);
    }
}

int eddy_loop_close(eddy_loop *loop)
{
    if (loop->running || loop->reporting)
        return -EBUSY;
    if (loop->closed)
        return 0;
    loop->closed = true;
    pthread_mutex_lock(&loops_mutex);
    ed_list_remove(&loops, &loop->link);
    pthread_mutex_unlock(&loops_mutex);
    if (loop->tasks)
        loop->tasks_stop(loop);
    if (loop->names)
        loop->names_close(loop);
    if (loop->executors)
        loop->executors_close(loop);
    ed_loop_close_inbox(loop);
    ed_loop_close_readers(loop);
    loop_close_resources(loop);
    loop_drain_engine(loop);
    ed_loop_close_handles(loop);
    ed_timer_init(&loop->timers, 0); /* what is left belongs to tasks that end now */
    if (loop->tasks)
        loop->tasks_close(loop);
    loop_free_resources(loop);
    ed_loop_close_owners(loop);
    loop->ready = NULL;
    loop->ready_end = &loop->ready;
    ed_engine_close(loop->engine);
    loop->engine = NULL;
    ed_stats_add(ED_STAT_LOOPS, -1);
    return 0;
}

void eddy_loop_free(eddy_loop *loop)
{
    if (!loop || loop->abandoned)
        return;
    if (eddy_loop_close(loop) < 0)
        ed_die("eddy_loop_free: the loop is running, or calls its exception handler");
    ed_loop_free_handles(loop);
    ed_free(loop);
}

int64_t ed_loop_now(const eddy_loop *loop)
{
    return ed_unlikely(loop->virtual_clock) ? loop->virtual_now : ed_time_monotonic();
}

double eddy_loop_time(const eddy_loop *loop)
{
    return ed_time_to_seconds(ed_loop_now(loop));
}

bool eddy_loop_is_running(const eddy_loop *loop)
{
    return loop->running;
}

bool eddy_loop_is_closed(const eddy_loop *loop)
{
    return loop->closed;
}

eddy_loop *eddy_get_running_loop(void)
{
    return eddy_thread_.loop;
}

static void loop_queue_stop(eddy_loop *loop)
{
    if (loop->stop_queued)
        return;
    loop->stop_queued = true;
    ed_loop_ready(loop, &loop->stop);
}

void eddy_loop_stop(eddy_loop *loop)
{
    ed_loop_check_thread(loop, "eddy_loop_stop");
    if (loop->stop_asked || loop->closed)
        return;
    loop->stop_asked = true;
    if (loop->running)
        loop_queue_stop(loop);
}

void eddy_loop_hold(eddy_loop *loop)
{
    ed_loop_check_thread(loop, "eddy_loop_hold");
    loop->holds++;
}

void eddy_loop_release(eddy_loop *loop)
{
    ed_loop_check_thread(loop, "eddy_loop_release");
    if (loop->holds == 0)
        ed_die("eddy_loop_release: the loop is not held");
    loop->holds--;
}

static void loop_fire_timers(eddy_loop *loop)
{
    struct eddy_timer_ *timer;
    int64_t now;

    if (!loop->timers.count)
        return;
    now = ed_loop_now(loop);
    while ((timer = ed_timer_take_due(&loop->timers, now)))
        timer->fire(timer);
}

/* Takes in what other threads posted, and what is due. */
static void loop_collect(eddy_loop *loop)
{
    ed_loop_take_inbox(loop);
    loop_fire_timers(loop);
}

/* Whether somebody outside can still make something ready. */
static bool loop_can_wake(const eddy_loop *loop)
{
    return ed_timer_next(&loop->timers) != ED_NEVER || loop->engine->in_flight > loop->quiet ||
           loop->jobs || loop->holds || __atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE);
}

/* How long the engine may wait under the virtual clock: the time to the next timer passes at
 * once, unless a thread is at work, or a program, whose time is the real one. */
static int64_t loop_virtual_timeout(const eddy_loop *loop, int64_t next)
{
    if (next <= loop->virtual_now)
        return 0;
    if (loop->programs && !loop->jobs && next != ED_NEVER)
        return next - loop->virtual_now;
    return next != ED_NEVER && !loop->jobs ? 0 : ED_NEVER;
}

/* Time passes under the virtual clock behind a wait for a timer at `next`, which took `waited` ns
 * if that counts, else it is -1. */
static void loop_virtual_pass(eddy_loop *loop, int64_t next, int64_t waited)
{
    if (next == ED_NEVER || loop->jobs || next <= loop->virtual_now)
        return;
    if (waited >= 0)
        loop->virtual_now = waited < next - loop->virtual_now ? loop->virtual_now + waited : next;
    else if (!loop->ready && !__atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE))
        loop->virtual_now = next;
}

/* Waits for the kernel with nothing ready. */
static int loop_sleep(eddy_loop *loop)
{
    int64_t next, timeout, began = 0;
    int rc;

    ed_engine_flush(loop->engine);
    timeout = next = ed_timer_next(&loop->timers); /* a completion may have started one */
    if (loop->ready)
        timeout = 0;
    else if (__atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE))
        timeout = 0;
    else if (loop->virtual_clock)
        timeout = loop_virtual_timeout(loop, next);
    else if (next != ED_NEVER)
        timeout = next - ed_loop_now(loop);
    if (ed_unlikely(loop->virtual_clock && loop->programs))
        began = ed_time_monotonic();
    loop->resting = true;
    rc = ed_engine_wait(loop->engine, timeout > 0 ? timeout : 0);
    loop->resting = false;
    if (loop->virtual_clock)
        loop_virtual_pass(loop, next, began ? ed_time_monotonic() - began : -1);
    return rc;
}

/* The turn of a test that looks at every step: no task switches to the next. */
ED_COLD static void loop_run_stepped(eddy_loop *loop)
{
    int left = loop->shuffled ? ed_loop_shuffle(loop) : ED_TURN;

    for (; (left > 0 || loop->eager > 0) && loop->ready && !loop->stopped; left--) {
        struct ed_ready *node = ed_loop_take_ready(loop);

        loop->turns = 0;
        if (loop->step)
            loop->step(loop, node, true);
        node->run(node);
        if (loop->step)
            loop->step(loop, node, false);
        if (loop->turns <= ED_HURRY)
            left = 0;
    }
}

static void loop_run_ready(eddy_loop *loop)
{
    loop->turn++;
    if (ed_unlikely(loop->step != NULL)) {
        loop_run_stepped(loop);
        return;
    }
    loop->turns = 1 + (ed_unlikely(loop->shuffled) ? ed_loop_shuffle(loop) : ED_TURN);
    while ((loop->turns > 1 || loop->eager > 0) && loop->ready && !loop->stopped) {
        struct ed_ready *node = ed_loop_take_ready(loop);

        loop->turns--;
        node->run(node);
    }
}

int ed_loop_run(eddy_loop *loop, bool until_idle)
{
    struct eddy_thread_ outside = eddy_thread_;
    int rc = 0;

    loop->running = true;
    loop->stopped = false;
    eddy_thread_ = (struct eddy_thread_){.loop = loop};
    if (loop->tasks)
        loop->tasks_run(loop, true);
    if (loop->stop_asked) { /* one turn, which looks at everything */
        rc = ed_engine_wait(loop->engine, 0);
        loop_collect(loop);
        loop_queue_stop(loop);
    }
    while (rc == 0) {
        loop_run_ready(loop);
        if (loop->stopped)
            break;
        if (ed_unlikely(loop->turn >= loop->turns_max))
            rc = -ELOOP;
        else if (!loop->ready && until_idle && !loop_can_wake(loop))
            rc = -EDEADLK;
        else if (!loop->ready)
            rc = loop_sleep(loop);
        else if (loop->engine->in_flight)
            rc = ed_engine_wait(loop->engine, 0);
        loop_collect(loop);
    }
    if (ed_unlikely(loop->abandoned))
        ed_die("what a loop ran has returned in a child of fork(2), where the loop is closed: "
               "end the child by _exit(2)");
    if (loop->tasks)
        loop->tasks_run(loop, false);
    eddy_thread_ = outside;
    loop->running = false;
    return rc;
}

void ed_loop_check_thread(const eddy_loop *loop, const char *what)
{
    if (ed_unlikely(!pthread_equal(loop->thread, pthread_self())))
        ed_die("%s is called from another thread than its loop's: see "
               "eddy_loop_call_soon_threadsafe",
               what);
}

int ed_loop_check_run(const eddy_loop *loop)
{
    if (loop->closed || !pthread_equal(loop->thread, pthread_self()))
        return -EPERM;
    return loop->running || eddy_thread_.loop ? -EBUSY : 0;
}

int eddy_loop_run_forever(eddy_loop *loop)
{
    int rc = ed_loop_check_run(loop);

    return rc < 0 ? rc : ed_loop_run(loop, false);
}

void ed_loop_for_each(void (*visit)(eddy_loop *loop, void *argument), void *argument)
{
    pthread_mutex_lock(&loops_mutex);
    ED_LIST_FOR_EACH(link, &loops)
        visit(ed_container_of(link, eddy_loop, link), argument);
    pthread_mutex_unlock(&loops_mutex);
}

const char *eddy_engine_info(void)
{
    static __thread char info[96];
    struct ed_engine *engine;

    if (eddy_thread_.loop)
        return eddy_thread_.loop->engine->info;
    if (ed_engine_open(&engine) < 0)
        return "none";
    memcpy(info, engine->info, sizeof info);
    ed_engine_close(engine);
    return info;
}
