/* SPDX-License-Identifier: MIT */
/* The pool of threads. Real time passes here: threads know no other. */
#include "engine/pool.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/stats.h"
#include "harness.h"

struct work {
    struct ed_job job;
    int number;
};

static struct work works[200];
static int order[200], done_count; /* under the mutex */
static int running, most_running;  /* atomic */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t gate, ended;
static struct ed_pool *claims_pool;
static pid_t worker; /* that ran the last job */
static sigset_t worker_mask;

static void work_run(struct ed_job *job)
{
    struct work *work = ed_container_of(job, struct work, job);
    int now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);

    pthread_mutex_lock(&mutex);
    if (now > most_running)
        most_running = now;
    order[done_count++] = work->number;
    worker = gettid();
    pthread_sigmask(SIG_SETMASK, NULL, &worker_mask);
    pthread_mutex_unlock(&mutex);
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    sem_post(&ended);
}

/* Holds its thread until the test opens the gate. */
static void work_wait(struct ed_job *job)
{
    int now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);

    pthread_mutex_lock(&mutex);
    if (now > most_running)
        most_running = now;
    pthread_mutex_unlock(&mutex);
    while (sem_wait(&gate) < 0)
        ;
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    work_run(job);
}

static struct ed_pool *pool_begin_with(size_t limit, size_t queue_limit)
{
    sem_init(&gate, 0, 0);
    sem_init(&ended, 0, 0);
    for (int i = 0; i < 200; i++)
        works[i] = (struct work){.job.run = work_run, .number = i};
    return ed_pool_new(&(struct ed_pool_options){
        .name = "a pool of test threads", .threads = limit, .queue_limit = queue_limit});
}

static struct ed_pool *pool_begin(size_t limit)
{
    return pool_begin_with(limit, 0);
}

/* Until so many jobs stand at the gate. */
static void wait_running(int count)
{
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < count)
        usleep(1000);
}

static void wait_ended(int count)
{
    while (count > 0)
        count -= sem_wait(&ended) == 0;
}

/* Until the thread that ran the last job sleeps, waiting for another. */
static void wait_idle(void)
{
    char path[64], state = '?';

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)worker);
    while (state != 'S') {
        FILE *file = fopen(path, "r");

        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = '?';
        if (file)
            fclose(file);
        usleep(1000);
    }
}

RAW_TEST(pool_makes_no_thread_before_there_is_a_job)
{
    struct ed_pool *pool = pool_begin(4);

    CHECK(pool);
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 0);
    ed_pool_free(pool);
    ed_pool_free(NULL);
}

/* A-EXEC: first come, first served. */
RAW_TEST(pool_of_one_thread_runs_jobs_in_their_order)
{
    struct ed_pool *pool = pool_begin(1);

    works[0].job.run = work_wait;
    for (int i = 0; i < 200; i++)
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 1);
    sem_post(&gate);
    wait_ended(200);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(order[i], i);
    CHECK_EQ(most_running, 1);
    ed_pool_free(pool);
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 0);
}

RAW_TEST(pool_makes_no_second_thread_while_one_is_idle)
{
    struct ed_pool *pool = pool_begin(4);

    for (int i = 0; i < 20; i++) {
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
        wait_ended(1);
        wait_idle();
        CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 1);
    }
    ed_pool_free(pool);
}

RAW_TEST(pool_makes_a_thread_for_each_job_up_to_its_limit)
{
    struct ed_pool *pool = pool_begin(3);

    for (int i = 0; i < 10; i++) {
        works[i].job.run = work_wait;
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
        CHECK_EQ(ed_stats_get(ED_STAT_THREADS), i < 3 ? i + 1 : 3);
    }
    wait_running(3); /* all three are at work at once */
    for (int i = 0; i < 10; i++)
        sem_post(&gate);
    wait_ended(10);
    CHECK_EQ(most_running, 3);
    ed_pool_free(pool);
}

RAW_TEST(pool_job_that_nobody_has_begun_can_be_withdrawn)
{
    struct ed_pool *pool = pool_begin(1);

    works[0].job.run = work_wait;
    for (int i = 0; i < 4; i++)
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    wait_running(1);
    CHECK(ed_pool_withdraw(pool, &works[2].job));
    CHECK(!ed_pool_withdraw(pool, &works[2].job)); /* once */
    CHECK(!ed_pool_withdraw(pool, &works[0].job)); /* it runs */
    sem_post(&gate);
    wait_ended(3);
    CHECK(!ed_pool_withdraw(pool, &works[1].job)); /* it has run */
    CHECK_EQ(order[0], 0);
    CHECK_EQ(order[1], 1);
    CHECK_EQ(order[2], 3);
    CHECK_OK(ed_pool_submit(pool, &works[2].job)); /* may come again */
    wait_ended(1);
    CHECK_EQ(order[3], 2);
    ed_pool_free(pool);
}

/* The end comes after the jobs, also those that no thread has begun. */
RAW_TEST(pool_ends_after_its_queued_jobs)
{
    struct ed_pool *pool = pool_begin(2);

    for (int i = 0; i < 50; i++)
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    ed_pool_free(pool);
    CHECK_EQ(done_count, 50);
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 0);
}

RAW_TEST(pool_without_any_thread_refuses_the_job)
{
    struct ed_pool *pool = pool_begin(2);

    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_EQ(ed_pool_submit(pool, &works[0].job), -EAGAIN);
    CHECK(!ed_pool_withdraw(pool, &works[0].job)); /* it was not taken */
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 0);
    CHECK_OK(ed_pool_submit(pool, &works[0].job));
    wait_ended(1);
    ed_pool_free(pool);
}

RAW_TEST(pool_that_cannot_grow_gives_the_job_to_the_threads_it_has)
{
    struct ed_pool *pool = pool_begin(2);

    works[0].job.run = work_wait;
    CHECK_OK(ed_pool_submit(pool, &works[0].job));
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_OK(ed_pool_submit(pool, &works[1].job));
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 1);
    sem_post(&gate);
    wait_ended(2);
    CHECK_EQ(order[1], 1);
    ed_pool_free(pool);
}

RAW_TEST(pool_without_memory_is_none)
{
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!ed_pool_new(&(struct ed_pool_options){.name = "pool", .threads = 4}));
}

/* Signals belong to the threads of the program. */
RAW_TEST(pool_threads_block_all_signals)
{
    struct ed_pool *pool = pool_begin(1);
    sigset_t mine;

    CHECK_OK(ed_pool_submit(pool, &works[0].job));
    wait_ended(1);
    CHECK_EQ(sigismember(&worker_mask, SIGINT), 1);
    CHECK_EQ(sigismember(&worker_mask, SIGALRM), 1);
    CHECK_EQ(sigismember(&worker_mask, SIGUSR1), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    CHECK_EQ(sigismember(&mine, SIGINT), 0);
    ed_pool_free(pool);
}

static int dropped_count;

static void count_dropped(struct ed_job *job)
{
    (void)job;
    dropped_count++;
}

RAW_TEST(pool_refuses_the_job_that_would_wait_beyond_its_queue_limit)
{
    struct ed_pool *pool = pool_begin_with(2, 3);

    for (int i = 0; i < 5; i++) {
        works[i].job.run = work_wait;
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    }
    CHECK_EQ(ed_pool_submit(pool, &works[5].job), -ENOBUFS);
    CHECK(ed_pool_withdraw(pool, &works[4].job));
    CHECK_OK(ed_pool_submit(pool, &works[5].job)); /* there is room again */
    CHECK_EQ(ed_pool_submit(pool, &works[4].job), -ENOBUFS);
    for (int i = 0; i < 5; i++)
        sem_post(&gate);
    wait_ended(5);
    ed_pool_free(pool);
}

/* A job that an idle thread is about to take does not wait. */
RAW_TEST(pool_with_idle_threads_is_not_full)
{
    struct ed_pool *pool = pool_begin_with(2, 1);

    for (int round = 0; round < 200; round++) {
        CHECK_OK(ed_pool_submit(pool, &works[0].job));
        CHECK_OK(ed_pool_submit(pool, &works[1].job));
        CHECK_OK(ed_pool_submit(pool, &works[2].job));
        wait_ended(3);
        done_count = 0;
        for (int i = 0; i < 3; i++)
            ed_pool_wait(pool, &works[i].job);
    }
    ed_pool_free(pool);
}

RAW_TEST(pool_that_is_shut_runs_what_it_has_and_takes_no_more)
{
    struct ed_pool *pool = pool_begin(1);

    works[0].job.run = work_wait;
    CHECK_OK(ed_pool_submit(pool, &works[0].job));
    CHECK_OK(ed_pool_submit(pool, &works[1].job));
    ed_pool_shut(pool, false);
    CHECK_EQ(ed_pool_submit(pool, &works[2].job), -ESHUTDOWN);
    sem_post(&gate);
    ed_pool_free(pool);
    CHECK_EQ(done_count, 2);
}

RAW_TEST(pool_that_is_shut_at_once_drops_the_jobs_that_wait)
{
    struct ed_pool *pool = pool_begin(1);

    works[0].job.run = work_wait;
    for (int i = 0; i < 4; i++) {
        works[i].job.dropped = count_dropped;
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    }
    wait_running(1);
    ed_pool_shut(pool, false);
    ed_pool_shut(pool, true);
    CHECK_EQ(dropped_count, 3);
    CHECK_EQ(works[3].job.state, ED_JOB_DROPPED);
    CHECK(!ed_pool_withdraw(pool, &works[3].job)); /* it was told */
    sem_post(&gate);
    ed_pool_free(pool);
    CHECK_EQ(done_count, 1);
}

static char thread_names[2][16];

static void work_name(struct ed_job *job)
{
    struct work *work = ed_container_of(job, struct work, job);

    pthread_getname_np(pthread_self(), thread_names[work->number], sizeof thread_names[0]);
    work_wait(job);
}

RAW_TEST(pool_threads_have_its_name_and_a_number)
{
    struct ed_pool *pool = pool_begin(2);

    for (int i = 0; i < 2; i++) {
        works[i].job.run = work_name;
        CHECK_OK(ed_pool_submit(pool, &works[i].job));
    }
    wait_running(2); /* one thread each */
    sem_post(&gate);
    sem_post(&gate);
    ed_pool_free(pool);
    CHECK(strcmp(thread_names[0], thread_names[1]) != 0);
    for (int i = 0; i < 2; i++)
        CHECK(strcmp(thread_names[i], "a pool of tes-1") == 0 ||
              strcmp(thread_names[i], "a pool of tes-2") == 0);
}

/* As an abandonable job does it; number 1 says that somebody waited for it. */
static void work_claim(struct ed_job *job)
{
    struct work *work = ed_container_of(job, struct work, job);

    while (sem_wait(&gate) < 0)
        ;
    work->number = ed_pool_claim(claims_pool, job);
    sem_post(&ended);
}

/* The end does not wait for what nobody waits for; the last thread frees the pool. */
RAW_TEST(pool_ends_while_an_abandoned_job_runs)
{
    claims_pool = pool_begin(2);
    works[0].job.run = work_claim;
    CHECK_OK(ed_pool_submit(claims_pool, &works[0].job));
    CHECK_OK(ed_pool_submit(claims_pool, &works[1].job));
    wait_ended(1); /* the other */
    while (ed_pool_abandon(claims_pool, &works[0].job) == ED_JOB_OUT)
        CHECK_OK(ed_pool_submit(claims_pool, &works[0].job)); /* too early: it is queued */
    ed_pool_free(claims_pool);
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 1);
    sem_post(&gate);
    wait_ended(1);
    CHECK_EQ(works[0].number, 0);
    while (ed_stats_get(ED_STAT_THREADS) > 0)
        usleep(1000);
}

RAW_TEST(pool_job_that_was_claimed_is_not_abandoned)
{
    claims_pool = pool_begin(1);
    works[0].job.run = work_claim;
    CHECK_OK(ed_pool_submit(claims_pool, &works[0].job));
    sem_post(&gate);
    wait_ended(1);
    CHECK_EQ(works[0].number, 1);
    CHECK_EQ(ed_pool_abandon(claims_pool, &works[0].job), ED_JOB_CLAIMED);
    ed_pool_wait(claims_pool, &works[0].job);
    ed_pool_free(claims_pool);
}

static void count_idle(struct ed_pool_watch *watch)
{
    (void)watch;
    sem_post(&ended);
}

RAW_TEST(pool_says_once_that_it_has_no_job_left)
{
    struct ed_pool_watch watch = {.idle = count_idle}, other = {.idle = count_idle};
    struct ed_pool *pool = pool_begin(2);

    CHECK(!ed_pool_watch(pool, &watch)); /* none yet */
    works[0].job.run = works[1].job.run = work_wait;
    CHECK_OK(ed_pool_submit(pool, &works[0].job));
    CHECK_OK(ed_pool_submit(pool, &works[1].job));
    CHECK(ed_pool_watch(pool, &watch));
    CHECK(ed_pool_watch(pool, &other));
    CHECK(ed_pool_unwatch(pool, &other));
    CHECK(!ed_pool_unwatch(pool, &other));
    sem_post(&gate);
    wait_ended(1);
    CHECK(watch.watching);
    sem_post(&gate);
    wait_ended(2); /* the job and the watch, not the other */
    CHECK(!ed_pool_unwatch(pool, &watch));
    ed_pool_free(pool);
}

/* What is taken back leaves the pool at rest too. */
RAW_TEST(pool_is_at_rest_when_its_jobs_are_withdrawn_or_abandoned)
{
    struct ed_pool_watch watch = {.idle = count_idle};

    claims_pool = pool_begin(1);
    works[0].job.run = work_claim;
    CHECK_OK(ed_pool_submit(claims_pool, &works[0].job));
    CHECK_OK(ed_pool_submit(claims_pool, &works[1].job));
    CHECK(ed_pool_watch(claims_pool, &watch));
    CHECK(ed_pool_withdraw(claims_pool, &works[1].job));
    CHECK(watch.watching);
    (void)ed_pool_abandon(claims_pool, &works[0].job); /* queued or running */
    wait_ended(1);                                     /* the watch */
    if (works[0].job.state == ED_JOB_ABANDONED) {
        sem_post(&gate);
        wait_ended(1);
    }
    ed_pool_free(claims_pool);
    while (ed_stats_get(ED_STAT_THREADS) > 0)
        usleep(1000);
}

static void free_own_pool(struct ed_job *job)
{
    (void)job;
    ed_pool_free(claims_pool);
}

static void free_in_a_job(void)
{
    claims_pool = pool_begin(1);
    works[0].job.run = free_own_pool;
    (void)ed_pool_submit(claims_pool, &works[0].job);
    pause();
}

RAW_TEST(pool_cannot_be_freed_by_its_own_job)
{
    CHECK_DIES(free_in_a_job, "the executor a pool of test  is freed by one of its own jobs");
}

static void use_parents_pool(void)
{
    struct ed_pool_watch watch = {.idle = count_idle};
    struct ed_pool *pool = claims_pool;

    if (ed_stats_get(ED_STAT_THREADS) != 0 || !ed_pool_is_foreign(pool))
        _exit(1);
    if (ed_pool_submit(pool, &works[5].job) != -EPERM || ed_pool_watch(pool, &watch))
        _exit(2);
    ed_pool_shut(pool, true);
    ed_pool_wait(pool, &works[0].job);
    if (!ed_pool_withdraw(pool, &works[0].job) ||
        ed_pool_abandon(pool, &works[1].job) != ED_JOB_OUT)
        _exit(3);
    ed_pool_free(pool);
    pool = pool_begin(1);
    if (ed_pool_submit(pool, &works[0].job) < 0)
        _exit(4);
    ed_pool_free(pool);
    _exit(done_count == 1 ? 0 : 5);
}

/* A child of fork(2) has no threads: nothing hangs, and a pool of its own works. */
RAW_TEST(pool_of_the_parent_is_refused_in_a_child)
{
    char text[256];
    int status;

    if (ED_TSAN)
        test_skip("ThreadSanitizer does not let a child of a process with threads make its own");
    claims_pool = pool_begin(2);
    for (int i = 0; i < 5; i++) {
        works[i].job.run = work_wait;
        CHECK_OK(ed_pool_submit(claims_pool, &works[i].job));
    }
    wait_running(2);
    status = test_fork(use_parents_pool, text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    for (int i = 0; i < 5; i++)
        sem_post(&gate);
    ed_pool_free(claims_pool);
    CHECK_EQ(done_count, 5);
}
