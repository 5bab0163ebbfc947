/* SPDX-License-Identifier: MIT */
#include "job.h"

static int read_to_end(struct job *job, unsigned number)
{
    const struct small_name *names = job->argument;
    char data[2 * SMALL_SIZE];
    EDDY_STREAM file = NULL;
    ssize_t size;

    EDDY_TRY(eddy_open(names[number].text, "r", &file));
    while ((size = eddy_read(file, data, sizeof data)) > 0)
        job->bytes += (uint64_t)size;
    return (int)size;
}

static int read_whole(struct job *job, unsigned number)
{
    const struct small_name *names = job->argument;
    char *data;
    size_t size;

    EDDY_TRY(eddy_read_file(names[number].text, 0, &data, &size));
    job->bytes += size;
    eddy_free(data);
    return 0;
}

static int read_all(const struct order *order, int (*step)(struct job *job, unsigned number))
{
    struct small_name *names = small_names(order->count);
    struct job job = {order, step, names, 0, 0};

    EDDY_TRY(job_play(&job)); /* the names end with the process */
    expect(job.bytes, (uint64_t)order->count * SMALL_SIZE);
    free(names);
    return 0;
}

int read_small_files(const struct order *order)
{
    return read_all(order, read_to_end);
}

int read_whole_files(const struct order *order)
{
    return read_all(order, read_whole);
}
