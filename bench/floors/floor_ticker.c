/* SPDX-License-Identifier: MIT */
/*
 * A ticker by nanosleep(2) in a thread of its own: how late the machine itself is, while other
 * threads read, write and wait for a FIFO by blocking calls. COUNT is the seconds that it takes,
 * DEPTH the number of readers; without readers nothing happens beside it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "contest/process.h"
#include "contest/stopwatch.h"
#include "file/work.h"

static struct order order;
static atomic_uint position;   /* of the readers */
static atomic_ullong finished; /* reads, and writes with fsync */

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);

    if (fd < 0)
        fail(path, errno);
    return fd;
}

/* Whoever has been round takes the file out of the page cache. */
static void *read_often(void *unused)
{
    static char bytes[BLOCK];
    int fd = open_file("big", O_RDONLY);

    (void)unused;
    if (is_advised(&order))
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM); /* without it, it is only slower */
    while (true) {
        unsigned number = atomic_fetch_add(&position, 1) % BLOCKS;
        off_t block = 25173 * (off_t)number % BLOCKS;

        if (pread(fd, bytes, BLOCK, block * BLOCK) != BLOCK)
            fail("pread", errno);
        if (number == BLOCKS - 1)
            (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* it only makes it slower */
        atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

/* Each reads a part of its own again and again, and takes it out of the page cache. */
static void *read_through(void *number)
{
    static char bytes[PIECE];
    int fd = open_file("big", O_RDONLY);
    off_t size = (off_t)BIG_SIZE / order.depth / PIECE * PIECE, begin = size * (intptr_t)number;

    for (off_t offset = 0;; offset = (offset + PIECE) % size) {
        if (offset == 0)
            (void)posix_fadvise(fd, begin, size, POSIX_FADV_DONTNEED); /* see read_often */
        if (pread(fd, bytes, PIECE, begin + offset) != PIECE)
            fail("pread", errno);
        atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

static void *write_often(void *path)
{
    static const char bytes[WRITE_SIZE];
    int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);

    for (off_t offset = 0;; offset = (offset + WRITE_SIZE) % WRITE_END) {
        if (pwrite(fd, bytes, sizeof bytes, offset) != sizeof bytes || fsync(fd) < 0)
            fail("pwrite", errno);
        atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

static void *open_fifo(void *unused)
{
    (void)unused;
    close(open_file("fifo", O_WRONLY));
    return NULL;
}

static void start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);

    if (error)
        fail("pthread_create", error);
}

/* Returns the longest delay that was not the wait for a processor. */
static double tick(unsigned seconds)
{
    const struct timespec interval = {.tv_nsec = (long)(1e9 * TICK)};
    double begin = now(), last = begin, waited = thread_waited(), worst = 0;

    while (last < begin + seconds) {
        nanosleep(&interval, NULL);
        double others = thread_waited(), time = now();
        double late = time - last - TICK - (others - waited);

        worst = late > worst ? late : worst;
        waited = others;
        last = time;
        atomic_fetch_add(&finished, 1);
    }
    return worst;
}

int main(int argc, char **argv)
{
    static char paths[WRITERS][16];
    struct stopwatch start = stopwatch_start();

    order = order_parse(argc, argv);
    for (uintptr_t i = 0; i < order.depth; i++)
        start_thread(reads_through(&order) ? read_through : read_often, (void *)i);
    for (int i = 0; order.depth > 0 && i < WRITERS; i++) {
        snprintf(paths[i], sizeof paths[i], "write-%d", i);
        start_thread(write_often, paths[i]);
    }
    if (order.depth > 0)
        start_thread(open_fifo, NULL);
    double worst = tick(order.count);
    stopwatch_report(&start, finished, worst);
    _exit(0); /* the threads do not end */
}
