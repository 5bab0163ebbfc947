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

static struct ed_pool *pool_begin(size_t limit)
{
    sem_init(&gate, 0, 0);
    sem_init(&ended, 0, 0);
    for (int i = 0; i < 200; i++)
        works[i] = (struct work){.job.run = work_run, .number = i};
    return ed_pool_new(limit);
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
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < 3)
        usleep(1000); /* all three are at work at once */
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
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < 1)
        usleep(1000);
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
    CHECK(!ed_pool_new(4));
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
