/* SPDX-License-Identifier: MIT */
/*
 * The watchdog of debug mode: a thread that looks at its loop's state from outside.
 *
 * A step of the loop has a number: that of the turn, and how many resumes the turn
 * has left. Both change anyway, so that being watched costs the loop nothing. If
 * they stay the same from one look to another, and the loop is not at rest, the same
 * step has lasted as long. When it has ended, a post asks the loop to fetch the report,
 * for the exception handler belongs to the loop's thread.
 *
 * What is looked at belongs to another thread that does not know of it. A wrong
 * glance costs nothing: the next one corrects it. The task itself, though, may be
 * gone in the next moment, with its stack; so the kernel reads it, by a write to a
 * file in memory, which fails where a load would fault.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/time.h"
#include "eddy/debug.h"
#include "task/debug.h"

#define WATCHDOG_LOOKS 4  /* in the time that a step may take */
#define WATCHDOG_STUCK 10 /* times that long: said at once */

/* One step of the loop. */
struct step {
    uint64_t turn;
    int turns;
    eddy_task *task; /* or NULL: a callback */
    eddy_callback *callback;
};

struct ed_watchdog {
    eddy_loop *loop;
    const struct eddy_thread_ *loop_thread; /* what runs there */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ending;             /* under the mutex */
    int expected;            /* atomic: a dump was asked for and has not come */
    struct step step;        /* that was seen last, */
    int64_t since;           /* and when it was seen first */
    bool slow, told, dumped; /* what is known and was said of it */
    int file;                /* what was read of the task: */
    const char *page;        /* one page of it */
    char who[256];           /* once it is slow */
    char report[384];        /* for the loop, or "" */
};

/* Looking -------------------------------------------------------------------------- */

__attribute__((no_sanitize("thread"))) static bool
watchdog_look(const struct ed_watchdog *dog, struct step *step)
{
    const volatile eddy_loop *loop = dog->loop;
    const volatile struct eddy_thread_ *thread = dog->loop_thread;

    step->turn = loop->turn;
    step->turns = loop->turns;
    step->task = thread->task;
    step->callback = loop->callback;
    return !loop->resting;
}

/* Copies up to `size` bytes from an address that may be nobody's; 0 where it is. */
static size_t watchdog_read(const struct ed_watchdog *dog, const void *from, void *to, size_t size)
{
    long count;

    ed_valgrind_look_away(); /* not all of a task is set */
    /* by number: sanitizers look at what the function is given */
    count = syscall(SYS_pwrite64, dog->file, from, size, 0L);
    ed_valgrind_look_again();

    if (count <= 0)
        return 0;
    memcpy(to, dog->page, (size_t)count);
    return (size_t)count;
}

static void
watchdog_read_text(const struct ed_watchdog *dog, const char *from, char *to, size_t size)
{
    size_t count = watchdog_read(dog, from, to, size - 1);

    to[count] = '\0';
    if (!count)
        snprintf(to, size, "?");
}

/* Writes who is in the step. */
static void watchdog_name(struct ed_watchdog *dog)
{
    char function_name[64], where[96], name[32];
    struct eddy_async function = {NULL, NULL, NULL, 0, 0};
    eddy_task copy;
    Dl_info info;

    if (!dog->step.task) {
        if (dladdr((void *)dog->step.callback, &info) && info.dli_fname)
            snprintf(dog->who, sizeof dog->who, "the callback %s (%s+0x%zx)",
                     info.dli_sname ? info.dli_sname : "?", info.dli_fname,
                     (size_t)((char *)dog->step.callback - (char *)info.dli_fbase));
        else
            snprintf(dog->who, sizeof dog->who, "the callback %p", (void *)dog->step.callback);
        return;
    }
    if (watchdog_read(dog, dog->step.task, &copy, sizeof copy) != sizeof copy) {
        snprintf(dog->who, sizeof dog->who, "a task");
        return;
    }
    (void)watchdog_read(dog, copy.function, &function, sizeof function);
    watchdog_read_text(dog, function.name, function_name, sizeof function_name);
    watchdog_read_text(dog, copy.where, where, sizeof where);
    memcpy(name, copy.name, sizeof name);
    if (!name[0])
        snprintf(name, sizeof name, "Task-%llu", (unsigned long long)copy.id);
    snprintf(dog->who, sizeof dog->who, "task %.31s, %s() created at %s,", name, function_name,
             where);
}

/* Reporting ------------------------------------------------------------------------- */

/* On the loop's thread: hands over what is to be reported. */
static void watchdog_hand_over(struct ed_watchdog *dog)
{
    char report[sizeof dog->report];

    pthread_mutex_lock(&dog->mutex);
    memcpy(report, dog->report, sizeof report);
    dog->report[0] = '\0';
    pthread_mutex_unlock(&dog->mutex);
    if (report[0])
        ed_loop_report(dog->loop, EDDY_REPORT_SLOW, 0, NULL, "%s", report);
}

static int watchdog_deliver(void *loop)
{
    struct ed_watchdog *dog = ((eddy_loop *)loop)->watchdog;

    if (dog)
        watchdog_hand_over(dog);
    return 0;
}

static double watchdog_seconds(const struct ed_watchdog *dog, int64_t now)
{
    return (double)(now - dog->since) / 1e9;
}

/* The slow step has ended. A report that has not been taken yet is replaced. */
static void watchdog_report(struct ed_watchdog *dog, int64_t now)
{
    snprintf(dog->report, sizeof dog->report, "%s held the loop for about %.3f seconds", dog->who,
             watchdog_seconds(dog, now));
    (void)eddy_loop_post(dog->loop, &dog->loop->tasks->slow); /* open, as long as it is watched */
}

/* The step goes on, and somebody wants to know it now. */
static void watchdog_tell(struct ed_watchdog *dog, int64_t now)
{
    if (!dog->slow)
        watchdog_name(dog);
    fprintf(stderr, "eddy: %s has held the loop of thread %d for %.1f seconds so far\n", dog->who,
            (int)dog->loop->thread_id, watchdog_seconds(dog, now));
}

static void watchdog_check(struct ed_watchdog *dog)
{
    int64_t now = ed_time_monotonic(), slow = __atomic_load_n(&dog->loop->slow, __ATOMIC_RELAXED);
    struct step step;
    bool busy = watchdog_look(dog, &step);
    bool expected = __atomic_load_n(&dog->expected, __ATOMIC_ACQUIRE);

    if (!busy || step.turn != dog->step.turn || step.turns != dog->step.turns ||
        step.task != dog->step.task) {
        if (dog->slow)
            watchdog_report(dog, now);
        dog->step = step;
        dog->since = now;
        dog->slow = dog->told = dog->dumped = false;
        return;
    }
    if (expected && !dog->dumped && now - dog->since >= slow) {
        watchdog_tell(dog, now);
        dog->dumped = true;
    }
    if (now - dog->since < slow)
        return;
    if (!dog->slow)
        watchdog_name(dog);
    dog->slow = true;
    if (!dog->told && (now - dog->since) / WATCHDOG_STUCK >= slow) {
        watchdog_tell(dog, now);
        dog->told = true;
    }
}

/* Its life -------------------------------------------------------------------------- */

static void *watchdog_main(void *argument)
{
    struct ed_watchdog *dog = argument;

    pthread_mutex_lock(&dog->mutex);
    while (!dog->ending) {
        int64_t slow = __atomic_load_n(&dog->loop->slow, __ATOMIC_RELAXED);
        int64_t pause = slow / WATCHDOG_LOOKS < ED_SECOND ? slow / WATCHDOG_LOOKS : ED_SECOND;
        int64_t then = ed_time_monotonic() + pause;
        struct timespec limit = {.tv_sec = then / ED_SECOND, .tv_nsec = then % ED_SECOND};

        if (pthread_cond_clockwait(&dog->changed, &dog->mutex, CLOCK_MONOTONIC, &limit) ==
            ETIMEDOUT)
            watchdog_check(dog);
    }
    pthread_mutex_unlock(&dog->mutex);
    return NULL;
}

/* Where tasks are read to. Without it they have no names. */
static void watchdog_open_file(struct ed_watchdog *dog)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = MAP_FAILED;

    dog->file = memfd_create("eddy-watchdog", MFD_CLOEXEC);
    if (dog->file >= 0 && ftruncate(dog->file, (off_t)size) == 0)
        page = mmap(NULL, size, PROT_READ, MAP_SHARED, dog->file, 0);
    if (page == MAP_FAILED) {
        close(dog->file); /* or -1, which is no descriptor */
        dog->file = -1;
        return;
    }
    dog->page = page;
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
}

static void watchdog_close_file(struct ed_watchdog *dog)
{
    if (dog->file < 0)
        return;
    munmap((void *)(uintptr_t)dog->page, (size_t)sysconf(_SC_PAGESIZE));
    close(dog->file);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
}

static bool watchdog_make_thread(struct ed_watchdog *dog)
{
    sigset_t all, before;
    int error = -ed_fault_check(ED_FAULT_THREAD);

    if (error)
        return false;
    sigfillset(&all); /* signals belong to the program's threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&dog->thread, NULL, watchdog_main, dog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return false;
    pthread_setname_np(dog->thread, "eddy-watchdog");
    ed_stats_add(ED_STAT_THREADS, 1);
    return true;
}

void ed_watchdog_start(eddy_loop *loop)
{
    struct ed_watchdog *dog = loop->watchdog ? NULL : ed_alloc_zero(sizeof *dog);

    if (!dog)
        return;
    dog->loop = loop;
    dog->loop_thread = &eddy_thread_;
    loop->tasks->slow.callback = watchdog_deliver;
    loop->tasks->slow.argument = loop;
    dog->since = ed_time_monotonic();
    pthread_mutex_init(&dog->mutex, NULL);
    pthread_cond_init(&dog->changed, NULL);
    watchdog_open_file(dog);
    if (!watchdog_make_thread(dog)) {
        watchdog_close_file(dog);
        ed_free(dog);
        ed_loop_report(loop, EDDY_REPORT_RESOURCE, -EAGAIN, NULL,
                       "no thread for the watchdog: slow steps are not reported");
        return;
    }
    __atomic_store_n(&loop->watchdog, dog, __ATOMIC_RELEASE); /* for the signal handler */
}

void ed_watchdog_stop(eddy_loop *loop)
{
    struct ed_watchdog *dog = loop->watchdog;

    if (!dog)
        return;
    pthread_mutex_lock(&dog->mutex);
    dog->ending = true;
    pthread_cond_signal(&dog->changed);
    pthread_mutex_unlock(&dog->mutex);
    pthread_join(dog->thread, NULL);
    ed_stats_add(ED_STAT_THREADS, -1);
    if (dog->slow) /* the step in which the run ends */
        watchdog_report(dog, ed_time_monotonic());
    __atomic_store_n(&loop->watchdog, NULL, __ATOMIC_RELEASE); /* the handler may come by here */
    watchdog_hand_over(dog);
    watchdog_close_file(dog);
    pthread_cond_destroy(&dog->changed);
    pthread_mutex_destroy(&dog->mutex);
    ed_free(dog);
}

void ed_watchdog_look(eddy_loop *loop)
{
    struct ed_watchdog *dog = loop->watchdog;

    if (!dog)
        return;
    pthread_mutex_lock(&dog->mutex);
    pthread_cond_signal(&dog->changed);
    pthread_mutex_unlock(&dog->mutex);
}

void ed_watchdog_expect(eddy_loop *loop, bool expect)
{
    struct ed_watchdog *dog = __atomic_load_n(&loop->watchdog, __ATOMIC_ACQUIRE);

    if (dog)
        __atomic_store_n(&dog->expected, expect, __ATOMIC_RELEASE);
}
