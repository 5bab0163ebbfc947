/* SPDX-License-Identifier: MIT */
#include "job.h"

struct random_file {
    eddy_stream *file;
    uint32_t block; /* that is read next */
};

static int read_block(struct job *job, unsigned number)
{
    struct random_file *random = job->argument;
    uint32_t block = random->block;
    char data[BLOCK];

    (void)number;
    random->block = block_behind(block);
    ssize_t size = eddy_pread(random->file, data, sizeof data, (int64_t)block * BLOCK);
    if (size < 0)
        return (int)size;
    expect((uint64_t)size, BLOCK);
    block_check(data, block);
    return 0;
}

int read_random(const struct order *order)
{
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open("big", "r", &file));
    struct random_file random = {file, 0};
    struct job job = {order, read_block, &random, 0, 0};
    return job_play(&job);
}
