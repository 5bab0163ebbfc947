/* SPDX-License-Identifier: MIT */
#include "data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "benchmark.h"
#include "work.h"

#define LINE_LEAST 20 /* bytes, with the newline */
#define LINE_MOST 120

static char buffer[1 << 20];

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);

    if (fd < 0)
        fail(path, errno);
    return fd;
}

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0)
            fail("write", errno);
        bytes += n;
        size -= (size_t)n;
    }
}

/* What is still to be written cannot be evicted, and would be written while we measure. */
static void sync_and_close(int fd)
{
    if (syncfs(fd) < 0)
        fail("syncfs", errno);
    close(fd);
}

void data_make_small(void)
{
    if (access("small", F_OK) == 0)
        return;
    if (mkdir("small", 0777) < 0)
        fail("small", errno);
    struct small_name *names = small_names(SMALL_FILES);
    memset(buffer, 'x', SMALL_SIZE);
    for (unsigned i = 0; i < SMALL_FILES; i++) {
        int fd = open_file(names[i].text, O_WRONLY | O_CREAT | O_TRUNC);

        write_all(fd, buffer, SMALL_SIZE);
        close(fd);
    }
    free(names);
    sync_and_close(open_file("small", O_RDONLY));
}

void data_make_big(void)
{
    if (access("big", F_OK) == 0)
        return;
    int fd = open_file("big", O_WRONLY | O_CREAT);
    memset(buffer, 'x', sizeof buffer);
    for (uint32_t block = 0; block < BLOCKS;) {
        for (size_t at = 0; at < sizeof buffer; at += BLOCK, block++)
            memcpy(buffer + at, &block, sizeof block);
        write_all(fd, buffer, sizeof buffer);
    }
    sync_and_close(fd);
}

void data_make_lines(void)
{
    uint32_t random = 1;

    if (access("lines", F_OK) == 0)
        return;
    FILE *out = fopen("lines", "w");
    if (!out)
        fail("lines", errno);
    memset(buffer, 'x', LINE_MOST);
    for (unsigned i = 0; i < LINES; i++) {
        random = 1664525 * random + 1013904223;
        unsigned size = LINE_LEAST + (random >> 8) % (LINE_MOST - LINE_LEAST + 1);

        if (fwrite(buffer, 1, size - 1, out) != size - 1 || putc('\n', out) == EOF)
            fail("lines", errno);
    }
    if (fclose(out) != 0)
        fail("lines", errno);
    sync_and_close(open_file("lines", O_RDONLY));
}

void data_make_fifo(void)
{
    if (mkfifo("fifo", 0666) < 0 && errno != EEXIST)
        fail("fifo", errno);
}

static void warm(const char *path)
{
    int fd = open_file(path, O_RDONLY);
    ssize_t n;

    do {
        n = read(fd, buffer, sizeof buffer);
    } while (n > 0);
    if (n < 0)
        fail(path, errno);
    close(fd);
}

static void evict(const char *path)
{
    int fd = open_file(path, O_RDONLY), error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

    if (error)
        fail(path, error);
    close(fd);
}

static void for_small(void (*function)(const char *path))
{
    struct small_name *names = small_names(SMALL_FILES);

    for (unsigned i = 0; i < SMALL_FILES; i++)
        function(names[i].text);
    free(names);
}

void data_warm_small(void)
{
    for_small(warm);
}

void data_warm_big(void)
{
    warm("big");
}

void data_prepare_copy(void)
{
    if (unlink("copy") < 0 && errno != ENOENT)
        fail("copy", errno);
    warm("big");
}

void data_warm_lines(void)
{
    warm("lines");
}

void data_evict_small(void)
{
    for_small(evict);
}

void data_evict_big(void)
{
    evict("big");
}
