/* SPDX-License-Identifier: MIT */
/*
 * Parallel work: a loop in each thread. Tasks of one loop take turns, tasks of
 * two loops run at the same time; nothing is shared between the loops.
 */
#include <eddy.h>
#include <pthread.h>
#include <stdio.h>

enum { WORKERS = 4, REQUESTS = 250 };

struct worker {
    pthread_t thread;
    int served;
    int rc; /* of its run */
};

static int serve_one(struct worker *worker)
{
    EDDY_TRY(eddy_sleep(0.1));
    worker->served++; /* no lock: all tasks of this worker run in one thread */
    return 0;
}
EDDY_ASYNC(serve_one, struct worker *);

static int serve(struct worker *worker)
{
    EDDY_GROUP(group);

    for (int i = 0; i < REQUESTS; i++)
        eddy_group_create_task(&group, serve_one, worker);
    return eddy_group_join(&group);
}
EDDY_ASYNC(serve, struct worker *);

static void *run_loop(void *argument)
{
    struct worker *worker = argument;

    worker->rc = eddy_run(serve, worker);
    return NULL;
}

int main(void)
{
    struct worker workers[WORKERS] = {{0}};
    int failed = 0;

    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&workers[i].thread, NULL, run_loop, &workers[i]) != 0)
            return 1;
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("loop %d served %d requests\n", i, workers[i].served);
        failed |= workers[i].rc < 0;
    }
    return failed;
}
