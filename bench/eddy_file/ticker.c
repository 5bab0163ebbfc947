/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "contest/process.h"
#include "job.h"

/* What the tasks share. */
struct load {
    const struct order *order;
    eddy_stream *big;
    unsigned position;
    uint64_t finished; /* ticks, reads, and writes with fsync */
    double worst;
};

/* Whoever has been round takes the file out of the page cache. */
static int read_often(struct load *load)
{
    char data[BLOCK];

    for (;;) {
        unsigned number = load->position++ % BLOCKS;
        int64_t block = 25173 * (int64_t)number % BLOCKS;
        ssize_t size = eddy_pread(load->big, data, sizeof data, block * BLOCK);

        if (size < 0)
            return (int)size;
        if (number == BLOCKS - 1)
            EDDY_TRY(eddy_file_advise(load->big, 0, 0, POSIX_FADV_DONTNEED));
        load->finished++;
    }
}
EDDY_ASYNC(read_often, struct load *);

/* Each reads a part of its own again and again, and takes all out of the page cache. */
static int read_through(struct load *load, unsigned number)
{
    static char data[PIECE];
    int64_t size = (int64_t)BIG_SIZE / load->order->depth / PIECE * PIECE, begin = size * number;
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open("big", "r", &file));
    for (int64_t left = 0;; left -= PIECE) {
        if (left == 0) {
            EDDY_TRY(eddy_file_advise(file, 0, 0, POSIX_FADV_DONTNEED));
            int64_t position = eddy_seek(file, begin, SEEK_SET);
            if (position < 0)
                return (int)position;
            left = size;
        }
        EDDY_TRY(eddy_read_exactly(file, data, PIECE));
        load->finished++;
    }
}
EDDY_ASYNC(read_through, struct load *, unsigned);

static int write_often(struct load *load, int number)
{
    static const char data[WRITE_SIZE];
    EDDY_STREAM file = NULL;
    char path[16];

    snprintf(path, sizeof path, "write-%d", number);
    EDDY_TRY(eddy_open(path, "w", &file));
    for (int64_t offset = 0;; offset = (offset + WRITE_SIZE) % WRITE_END) {
        EDDY_TRY(eddy_pwrite(file, data, sizeof data, offset));
        EDDY_TRY(eddy_fsync(file));
        load->finished++;
    }
}
EDDY_ASYNC(write_often, struct load *, int);

static int open_fifo(void)
{
    EDDY_STREAM fifo = NULL;

    return eddy_open("fifo", "w", &fifo);
}
EDDY_ASYNC(open_fifo);

/* Delays while others had the processor are no delays of ours. */
static int tick(struct load *load, unsigned seconds)
{
    double begin = now(), last = begin, waited = thread_waited();

    while (last < begin + seconds) {
        EDDY_TRY(eddy_sleep(TICK));
        double others = thread_waited(), time = now();
        double late = time - last - TICK - (others - waited);

        load->worst = late > load->worst ? late : load->worst;
        waited = others;
        last = time;
        load->finished++;
    }
    return 0;
}

static int tick_in_group(struct load *load, const struct order *order)
{
    EDDY_GROUP(group);

    for (unsigned i = 0; i < order->depth; i++)
        EDDY_TRY(reads_through(order) ? eddy_group_create_task(&group, read_through, load, i)
                                      : eddy_group_create_task(&group, read_often, load));
    for (int i = 0; order->depth > 0 && i < WRITERS; i++)
        EDDY_TRY(eddy_group_create_task(&group, write_often, load, i));
    if (order->depth > 0)
        EDDY_TRY(eddy_group_create_task(&group, open_fifo));
    EDDY_TRY(tick(load, order->count));
    eddy_group_cancel(&group);
    return eddy_group_join(&group);
}

int tick_beside(const struct order *order)
{
    struct stopwatch start = stopwatch_start();
    EDDY_STREAM big = NULL;

    EDDY_TRY(eddy_open("big", "r", &big));
    if (is_advised(order))
        EDDY_TRY(eddy_file_advise(big, 0, 0, POSIX_FADV_RANDOM));
    struct load load = {.order = order, .big = big};
    EDDY_TRY(tick_in_group(&load, order));
    stopwatch_report(&start, load.finished, load.worst);
    return 0;
}
