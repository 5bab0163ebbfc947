/* SPDX-License-Identifier: MIT */
/*
 * What the parts of Eddy cost: micro NAME [N] prints `NAME: VALUE UNIT`.
 *
 * A measurement is a function that does about so many operations and says how
 * many it did and how long they took, setting up and cleaning up outside that
 * time. Its caller raises the number until a run takes SECONDS, then takes the
 * median of RUNS runs. Everything that depends on an operation having happened
 * is checked afterwards, so that neither an error nor an optimiser can make a
 * figure look better than it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <eddy.h>

#include "contest/stopwatch.h"
#include "micro/switch.h"

#define SECONDS 0.3 /* a run takes at least this long */
#define RUNS 5      /* odd, for the median */

/* One run of a measurement. */
struct run {
    size_t n;       /* tasks, children, timers: the N of the command line */
    uint64_t count; /* operations wanted; on return those that were done */
    double seconds; /* that they took */
};

typedef int measurement(struct run *run);

/* 0 if so much work was done as there should be, else an error. */
static int expect(uint64_t done, uint64_t wanted)
{
    if (done == wanted)
        return 0;
    return eddy_raise(-EPROTO, "%" PRIu64 " done, %" PRIu64 " expected", done, wanted);
}

/* How often n goes into the wanted operations, at least once; corrects them. */
static uint64_t rounds_of(struct run *run)
{
    uint64_t rounds = run->count > run->n ? run->count / run->n : 1;

    run->count = rounds * run->n;
    return rounds;
}

/* The sum 0 + 1 + … + (count - 1), modulo 2^64. */
static uint64_t sum_below(uint64_t count)
{
    return count % 2 ? (count - 1) / 2 * count : count / 2 * (count - 1);
}

/* Switches. */

static int measure_unit(struct run *run)
{
    double start = now();

    run->count = unit_play(run->count);
    run->seconds = now() - start;
    return 0;
}

static int measure_bare(struct run *run)
{
    double start = now();

    run->count = bare_play(run->count);
    run->seconds = now() - start;
    return 0;
}

/* Tasks. */

static int yield_often(uint64_t rounds, uint64_t *done)
{
    for (uint64_t i = 0; i < rounds; i++) {
        EDDY_TRY(eddy_sleep(0));
        ++*done;
    }
    return 0;
}
EDDY_ASYNC(yield_often, uint64_t, uint64_t *);

static int measure_yield(struct run *run)
{
    uint64_t rounds = rounds_of(run), done = 0;
    EDDY_GROUP(group);

    for (size_t i = 0; i < run->n; i++)
        EDDY_TRY(eddy_group_create_task(&group, yield_often, rounds, &done));
    double start = now();
    EDDY_TRY(eddy_group_join(&group));
    run->seconds = now() - start;
    return expect(done, run->count);
}

static int add_one(uint64_t *done)
{
    ++*done;
    return 0;
}
EDDY_ASYNC(add_one, uint64_t *);

static int measure_spawn(struct run *run)
{
    uint64_t done = 0;
    double start = now();

    for (uint64_t i = 0; i < run->count; i++) {
        EDDY_TASK task = eddy_create_task(add_one, &done);
        EDDY_TRY(eddy_await(task));
    }
    run->seconds = now() - start;
    return expect(done, run->count);
}

/* The same in debug mode, which is to be cheap enough to stay on. */
static int measure_debug(struct run *run, measurement *measure)
{
    eddy_loop *loop = eddy_get_running_loop();

    eddy_loop_set_debug(loop, true);
    int rc = measure(run);
    eddy_loop_set_debug(loop, false);
    return rc;
}

static int measure_debug_yield(struct run *run)
{
    return measure_debug(run, measure_yield);
}

static int measure_debug_spawn(struct run *run)
{
    return measure_debug(run, measure_spawn);
}

/* One of several threads that spawn at the same time, each in a loop of its own. */
struct spawner {
    pthread_barrier_t *start;
    uint64_t count;
    double seconds; /* of its processor time */
    int rc;
};

static int spawn_often(struct spawner *spawner)
{
    struct run run = {.count = spawner->count};
    struct timespec before, after;

    pthread_barrier_wait(spawner->start);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    EDDY_TRY(measure_spawn(&run));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    spawner->seconds =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    return 0;
}
EDDY_ASYNC(spawn_often, struct spawner *);

static void *spawner_main(void *argument)
{
    struct spawner *spawner = argument;

    spawner->rc = eddy_run(spawn_often, spawner);
    return NULL;
}

/* Processor time, the mean of the loops: it stays where it is if they share nothing,
 * also where there are more loops than processors. */
static int measure_loops(struct run *run)
{
    struct spawner spawners[64];
    pthread_t threads[64];
    pthread_barrier_t start;
    size_t n = run->n;
    int rc = n > 64 ? -EINVAL : -pthread_barrier_init(&start, NULL, (unsigned)n);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        spawners[i] = (struct spawner){.start = &start, .count = run->count};
        if (pthread_create(&threads[i], NULL, spawner_main, &spawners[i]) != 0)
            return eddy_raise(-EAGAIN, "no thread number %zu", i); /* the others wait for it */
    }
    run->seconds = 0;
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        run->seconds += spawners[i].seconds / (double)n;
        rc = spawners[i].rc < 0 ? spawners[i].rc : rc;
    }
    pthread_barrier_destroy(&start);
    return rc;
}

static int give_back(uint64_t number, uint64_t *result)
{
    *result = number;
    return 0;
}
EDDY_ASYNC_RESULT(uint64_t, give_back, uint64_t);

/* Gathers n calls again and again. Making the calls counts, as it would in a
 * program. */
static int gather_often(struct run *run, eddy_call *calls, uint64_t *results)
{
    uint64_t rounds = rounds_of(run), sum = 0;
    double start = now();

    for (uint64_t i = 0; i < rounds; i++) {
        for (size_t j = 0; j < run->n; j++)
            calls[j] = EDDY_CALL(give_back, i + j, &results[j]);
        EDDY_TRY(eddy_gather_calls(calls, run->n));
        for (size_t j = 0; j < run->n; j++)
            sum += results[j] - i;
    }
    run->seconds = now() - start;
    return expect(sum, rounds * sum_below(run->n));
}

static int measure_gather(struct run *run)
{
    eddy_call *calls = aligned_alloc(alignof(eddy_call), run->n * sizeof *calls);
    uint64_t *results = calloc(run->n, sizeof *results);
    int rc = calls && results ? gather_often(run, calls, results) : -ENOMEM;

    free(results);
    free(calls);
    return rc;
}

static int count_up(eddy_generator *g, uint64_t end)
{
    for (uint64_t i = 0; i < end; i++)
        EDDY_TRY(eddy_yield(g, &i));
    return 0;
}
EDDY_ASYNC_GENERATOR(uint64_t, count_up, uint64_t);

static int measure_generator(struct run *run)
{
    uint64_t value, sum = 0;
    int rc;
    double start = now();

    EDDY_FOR_EACH(rc, value, eddy_generate(count_up, run->count))
        sum += value;
    run->seconds = now() - start;
    EDDY_TRY(rc);
    return expect(sum, sum_below(run->count));
}

/* Queues and locks. */

static int put_often(eddy_queue *queue, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        EDDY_TRY(eddy_queue_put(queue, &i));
    return 0;
}
EDDY_ASYNC(put_often, eddy_queue *, uint64_t);

/* From task to task through one slot: every item costs a switch. */
static int measure_handoff(struct run *run)
{
    uint64_t item, sum = 0;
    EDDY_QUEUE(queue, uint64_t, 1);
    EDDY_TASK producer = eddy_create_task(put_often, &queue, run->count);
    double start = now();

    for (uint64_t i = 0; i < run->count; i++) {
        EDDY_TRY(eddy_queue_get(&queue, &item));
        sum += item;
    }
    run->seconds = now() - start;
    EDDY_TRY(eddy_await(producer));
    return expect(sum, sum_below(run->count));
}

/* In and out of a queue that is neither full nor empty: nobody waits. */
static int measure_queue(struct run *run)
{
    uint64_t item = 0, sum = 0;
    EDDY_QUEUE(queue, uint64_t, 64);

    for (int i = 0; i < 8; i++)
        EDDY_TRY(eddy_queue_put(&queue, &item));
    double start = now();
    for (uint64_t i = 0; i < run->count; i++) {
        EDDY_TRY(eddy_queue_put(&queue, &i));
        EDDY_TRY(eddy_queue_get(&queue, &item));
        sum += item;
    }
    run->seconds = now() - start;
    while (eddy_queue_get_nowait(&queue, &item) == 0)
        sum += item;
    return expect(sum, sum_below(run->count));
}

static int measure_lock(struct run *run)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    uint64_t done = 0;
    double start = now();

    for (uint64_t i = 0; i < run->count; i++) {
        EDDY_TRY(eddy_lock_acquire(&lock));
        done += eddy_lock_locked(&lock);
        EDDY_TRY(eddy_lock_release(&lock));
    }
    run->seconds = now() - start;
    return expect(done, run->count);
}

/* Timers. */

#define DEADLINES 4096 /* precomputed; they take 32 KiB, a power of two */

/* A random time from 100 to 1,100 seconds: none comes due in a run. */
static double random_delay(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return 100 + 1e-6 * (double)(*state % 1000000000);
}

static int never_due(void *argument)
{
    (void)argument;
    return eddy_raise(-EPROTO, "a timer fired that was cancelled or far away");
}

/* Starts and cancels one timer after the other. The loop gets its turn in
 * between, so that work which it puts off is paid for as well. */
static int churn_timers(struct run *run, eddy_loop *loop, uint64_t *state)
{
    double deadlines[DEADLINES], base = eddy_loop_time(loop);
    uint64_t done = 0;

    for (size_t i = 0; i < DEADLINES; i++)
        deadlines[i] = base + random_delay(state);
    double start = now();
    for (uint64_t i = 0; i < run->count; i++) {
        eddy_handle timer = eddy_loop_call_at(loop, deadlines[i % DEADLINES], never_due, NULL);
        if (timer.handle == NULL)
            return -ENOMEM;
        done += eddy_handle_cancel(timer);
        if (i % 1000 == 999)
            EDDY_TRY(eddy_sleep(0));
    }
    run->seconds = now() - start;
    return expect(done, run->count);
}

static int measure_timers(struct run *run)
{
    eddy_loop *loop = eddy_get_running_loop();
    eddy_handle *pending = calloc(run->n, sizeof *pending);
    uint64_t state = 0x9e3779b97f4a7c15;
    size_t started = 0;
    int rc = pending ? 0 : -ENOMEM;

    while (rc == 0 && started < run->n) {
        pending[started] = eddy_loop_call_later(loop, random_delay(&state), never_due, NULL);
        if (pending[started].handle == NULL)
            rc = -ENOMEM;
        else
            started++;
    }
    if (rc == 0)
        rc = churn_timers(run, loop, &state);
    while (started > 0) {
        if (!eddy_handle_cancel(pending[--started]) && rc == 0)
            rc = -EPROTO;
    }
    free(pending);
    return rc;
}

/* Threads. */

static int measure_thread(struct run *run)
{
    uint64_t done = 0;
    double start = now();

    for (uint64_t i = 0; i < run->count; i++)
        EDDY_TRY(eddy_to_thread(add_one, &done));
    run->seconds = now() - start;
    return expect(done, run->count);
}

/* A thread that wakes a task each time it is asked to. */
struct waker {
    eddy_loop *loop;
    eddy_post post; /* its callback sets `woken` */
    eddy_event *woken;
    sem_t asked;
    uint64_t count; /* times to be asked */
    int rc;         /* of the thread, once it has ended */
};

static int wake_up(void *argument)
{
    eddy_event_set(((struct waker *)argument)->woken);
    return 0;
}

static void *waker_main(void *argument)
{
    struct waker *waker = argument;

    for (uint64_t i = 0; i < waker->count; i++) {
        while (sem_wait(&waker->asked) != 0 && errno == EINTR)
            continue;
        int rc = eddy_loop_post(waker->loop, &waker->post);
        if (rc < 0)
            waker->rc = rc;
    }
    return NULL;
}

static int wake_often(struct waker *waker)
{
    for (uint64_t i = 0; i < waker->count; i++) {
        if (sem_post(&waker->asked) != 0)
            return -errno;
        EDDY_TRY(eddy_event_wait(waker->woken));
        eddy_event_clear(waker->woken);
    }
    return 0;
}

/* There by a semaphore, back by the loop's inbox: both sides sleep and are
 * woken by the kernel once a round. */
static int measure_wake(struct run *run)
{
    eddy_event woken = EDDY_EVENT_INIT;
    struct waker waker = {
        .loop = eddy_get_running_loop(),
        .post = EDDY_POST_INIT(wake_up, &waker),
        .woken = &woken,
        .count = run->count,
    };
    pthread_t thread;

    if (sem_init(&waker.asked, 0, 0) != 0)
        return -errno;
    int rc = pthread_create(&thread, NULL, waker_main, &waker);
    if (rc != 0)
        return -rc;
    eddy_loop_hold(waker.loop);
    double start = now();
    rc = wake_often(&waker);
    run->seconds = now() - start;
    eddy_loop_release(waker.loop);
    for (uint64_t i = 0; rc < 0 && i < waker.count; i++)
        (void)sem_post(&waker.asked); /* so that the thread ends, whatever happened here */
    pthread_join(thread, NULL);
    sem_destroy(&waker.asked);
    return rc < 0 ? rc : waker.rc;
}

static void *add_one_thread(void *done)
{
    ++*(uint64_t *)done;
    return NULL;
}

static int measure_pthread(struct run *run)
{
    uint64_t done = 0;
    double start = now();

    for (uint64_t i = 0; i < run->count; i++) {
        pthread_t thread;
        int rc = pthread_create(&thread, NULL, add_one_thread, &done);
        if (rc == 0)
            rc = pthread_join(thread, NULL);
        if (rc != 0)
            return -rc;
    }
    run->seconds = now() - start;
    return expect(done, run->count);
}

/* Memory. */

/* Bytes that the process occupies, with its page tables; -1 if unknown. */
static double occupied(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    long rss = -1, tables = -1;
    char line[128];

    if (status == NULL)
        return -1;
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            rss = strtol(line + 6, NULL, 10);
        else if (strncmp(line, "VmPTE:", 6) == 0)
            tables = strtol(line + 6, NULL, 10);
    }
    (void)fclose(status); /* it was only read */
    return rss < 0 || tables < 0 ? -1 : 1024.0 * (double)(rss + tables);
}

static int sleep_long(size_t *asleep)
{
    ++*asleep;
    return eddy_sleep(1e6);
}
EDDY_ASYNC(sleep_long, size_t *);

/* Bytes a sleeping task, and the seconds that all took to start and to end. */
static int report_sleepers(size_t n)
{
    size_t asleep = 0;
    double before = occupied(), start = now();
    EDDY_GROUP(group);

    for (size_t i = 0; i < n; i++)
        EDDY_TRY(eddy_group_create_task(&group, sleep_long, &asleep));
    while (asleep < n)
        EDDY_TRY(eddy_sleep(0));
    double started = now(), after = occupied();
    eddy_group_cancel(&group);
    EDDY_TRY(eddy_group_join(&group));
    double ended = now(), left = occupied();
    if (before < 0 || after < 0)
        return eddy_raise(-ENODATA, "no VmRSS and VmPTE in /proc/self/status");
    printf("sleepers: %.0f bytes\n", (after - before) / (double)n);
    printf("sleepers-start: %.3f s\n", started - start);
    printf("sleepers-end: %.3f s\n", ended - started);
    printf("sleepers-left: %.0f bytes\n", left > before ? left - before : 0.0);
    return 0;
}

/* What the threads of report_pthread share. */
struct sleeping_threads {
    sem_t awake, end;
};

static void *thread_asleep(void *argument)
{
    struct sleeping_threads *threads = argument;

    sem_post(&threads->awake);
    while (sem_wait(&threads->end) != 0 && errno == EINTR)
        continue;
    return NULL;
}

/* Bytes a sleeping thread; the kernel's own stack for it, 16 KiB, not counted. */
static int report_pthread(size_t n)
{
    struct sleeping_threads shared;
    pthread_t *threads = calloc(n, sizeof *threads);
    size_t started = 0;
    int rc = 0;
    double before = occupied();

    if (threads == NULL || sem_init(&shared.awake, 0, 0) || sem_init(&shared.end, 0, 0)) {
        free(threads);
        return -ENOMEM;
    }
    while (started < n && rc == 0) {
        rc = pthread_create(&threads[started], NULL, thread_asleep, &shared);
        started += rc == 0;
    }
    for (size_t i = 0; i < started; i++) {
        while (sem_wait(&shared.awake) != 0 && errno == EINTR)
            continue;
    }
    double after = occupied();
    for (size_t i = 0; i < started; i++)
        sem_post(&shared.end);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    if (rc == 0)
        printf("pthread: %.0f bytes\n", (after - before) / (double)n);
    return -rc;
}

/* The command. */

/* One name of the command line. */
struct bench {
    const char *name;
    const char *text;        /* what one operation is */
    size_t n;                /* where none is given; 0: none is needed */
    bool in_loop;            /* runs as the main task of a loop */
    measurement *measure;    /* of nanoseconds, or NULL */
    int (*report)(size_t n); /* of memory, where there is an n; or NULL */
};

static const struct bench benches[] = {
    {"unit", "a bare switch of this program, the unit of the goals", 0, false, measure_unit, NULL},
    {"bare", "the library's switch", 0, false, measure_bare, NULL},
    {"yield", "a sleep(0) of one of N tasks", 2, true, measure_yield, NULL},
    {"spawn", "create, await and free an empty task", 0, true, measure_spawn, NULL},
    {"debug-yield", "the same in debug mode", 2, true, measure_debug_yield, NULL},
    {"debug-spawn", "the same in debug mode", 0, true, measure_debug_spawn, NULL},
    {"loops", "spawn in each of N loops in N threads, processor time", 1, false, measure_loops,
     NULL},
    {"handoff", "an item to another task, by a queue of one slot", 0, true, measure_handoff, NULL},
    {"queue", "a put and a get that need not wait", 0, true, measure_queue, NULL},
    {"lock", "an acquire and a release that need not wait", 0, true, measure_lock, NULL},
    {"timers", "start and cancel a timer while N are pending", 1000, true, measure_timers, NULL},
    {"gather", "one of N children of a gather", 10, true, measure_gather, NULL},
    {"generator", "a value of an async generator", 0, true, measure_generator, NULL},
    {"thread", "an empty function in a thread, there and back", 0, true, measure_thread, NULL},
    {"wake", "asking another thread to wake a task, and waking", 0, true, measure_wake, NULL},
    {"pthread", "start and join a thread; with N: memory of each of N", 0, false, measure_pthread,
     report_pthread},
    {"sleepers", "memory of each of N sleeping tasks, and their end", 100000, true, NULL,
     report_sleepers},
};
#define BENCHES (sizeof benches / sizeof *benches)

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* How many operations would fill a run, judged by a shorter run; at most a
 * hundred times as many, since the first runs are poor judges. */
static uint64_t fill_run(const struct run *run)
{
    double factor = run->seconds > 0 ? 1.2 * SECONDS / run->seconds : 100;

    factor = factor > 100 ? 100 : factor < 1.5 ? 1.5 : factor;
    return (uint64_t)(factor * (double)run->count) + 1;
}

/* Prints the median of nanoseconds an operation. */
static int measure_median(const struct bench *bench, size_t n)
{
    struct run run = {.n = n, .count = 100};
    double ns[RUNS];

    EDDY_TRY(bench->measure(&run));
    while (run.seconds < SECONDS) {
        run.count = fill_run(&run);
        EDDY_TRY(bench->measure(&run));
    }
    for (int i = 0; i < RUNS; i++) {
        EDDY_TRY(bench->measure(&run));
        ns[i] = 1e9 * run.seconds / (double)run.count;
    }
    qsort(ns, RUNS, sizeof *ns, compare_doubles);
    printf("%s: %.*f ns\n", bench->name, ns[RUNS / 2] < 1000 ? 2 : 0, ns[RUNS / 2]);
    return 0;
}

/* Runs one benchmark; returns the exit status. */
static int play(const struct bench *bench, size_t n)
{
    int rc = bench->report && n > 0 ? bench->report(n) : measure_median(bench, n);

    if (rc < 0)
        fprintf(stderr, "micro: %s: %s\n", bench->name, eddy_error_message(rc));
    return rc < 0;
}
EDDY_ASYNC(play, const struct bench *, size_t);

/* Without a name: what there is. */
static int list_benches(void)
{
    puts("usage: micro NAME [N]\n");
    for (size_t i = 0; i < BENCHES; i++) {
        printf("  %-11s %s", benches[i].name, benches[i].text);
        if (benches[i].n > 0)
            printf(" (N: %zu)", benches[i].n);
        puts("");
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct bench *bench = benches, *end = benches + BENCHES;

    if (argc < 2)
        return list_benches();
    while (bench < end && strcmp(bench->name, argv[1]) != 0)
        bench++;
    if (bench == end) {
        fprintf(stderr, "micro: no benchmark '%s'; without arguments I list them\n", argv[1]);
        return 2;
    }
    bool takes_n = bench->n > 0 || bench->report;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : bench->n;
    if (argc > 3 || (argc == 3 && (n == 0 || !takes_n))) {
        fprintf(stderr, "micro: %s takes %s\n", argv[1], takes_n ? "one number" : "no number");
        return 2;
    }
    int rc = bench->in_loop ? eddy_run(play, bench, n) : play(bench, n);
    if (rc < 0)
        fprintf(stderr, "micro: %s: %s\n", argv[1], eddy_strerror(rc));
    return rc != 0;
}
