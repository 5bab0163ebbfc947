/* SPDX-License-Identifier: MIT */
#include "job.h"

static int work(struct job *job)
{
    while (job->next < job->order->count)
        EDDY_TRY(job->step(job, job->next++));
    return 0;
}
EDDY_ASYNC(work, struct job *);

static int work_together(struct job *job)
{
    EDDY_GROUP(group);

    for (unsigned i = 0; i < job->order->depth; i++)
        EDDY_TRY(eddy_group_create_task(&group, work, job));
    return eddy_group_join(&group);
}

int job_play(struct job *job)
{
    struct stopwatch start = stopwatch_start();

    EDDY_TRY(job->order->depth > 1 ? work_together(job) : work(job));
    stopwatch_report(&start, job->order->count, 0);
    return 0;
}
