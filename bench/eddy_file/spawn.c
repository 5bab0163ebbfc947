/* SPDX-License-Identifier: MIT */
#include "job.h"

static int spawn_one(struct job *job, unsigned number)
{
    EDDY_PROCESS process = NULL;

    (void)job, (void)number;
    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("/bin/true"), NULL, &process));
    return eddy_process_check(process);
}

int spawn_often(const struct order *order)
{
    struct job job = {order, spawn_one, NULL, 0, 0};

    return job_play(&job);
}
