/* SPDX-License-Identifier: MIT */
/*
 * Files by plain blocking calls, one after the other: what a program costs that does nothing
 * else meanwhile.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contest/stopwatch.h"
#include "file/work.h"

static char buffer[2 * SMALL_SIZE];

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);

    if (fd < 0)
        fail(path, errno);
    return fd;
}

/* A read that returns 0 is the end; nothing else is. */
static uint64_t read_to_end(const char *path)
{
    int fd = open_file(path, O_RDONLY);
    uint64_t bytes = 0;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        bytes += (uint64_t)n;
    if (n < 0)
        fail(path, errno);
    close(fd);
    return bytes;
}

static void read_small_files(const struct order *order)
{
    struct small_name *names = small_names(order->count);
    uint64_t bytes = 0;
    struct stopwatch start = stopwatch_start();

    for (unsigned i = 0; i < order->count; i++)
        bytes += read_to_end(names[i].text);
    stopwatch_report(&start, order->count, 0);
    expect(bytes, (uint64_t)order->count * SMALL_SIZE);
    free(names);
}

/* In the kernel. */
static void copy_in_kernel(int from, int to)
{
    ssize_t n;

    while ((n = copy_file_range(from, NULL, to, NULL, BIG_SIZE, 0)) > 0)
        continue;
    if (n < 0)
        fail("copy_file_range", errno);
}

static void copy_by_hand(int from, int to)
{
    static char bytes[128 << 10];
    ssize_t n;

    while ((n = read(from, bytes, sizeof bytes)) > 0) {
        if (write(to, bytes, (size_t)n) != n)
            fail("write", errno);
    }
    if (n < 0)
        fail("read", errno);
}

static void copy_big(const struct order *order, void (*copy)(int from, int to))
{
    struct stopwatch start = stopwatch_start();
    int from = open_file("big", O_RDONLY), to = open_file("copy", O_WRONLY | O_CREAT | O_TRUNC);

    copy(from, to);
    uint64_t size = (uint64_t)lseek(to, 0, SEEK_END);
    close(from);
    close(to);
    stopwatch_report(&start, order->count, 0);
    expect(size, BIG_SIZE);
}

static void read_lines(const struct order *order)
{
    struct stopwatch start = stopwatch_start();
    FILE *in = fopen("lines", "re");
    uint64_t count = 0, bytes = 0;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    if (!in)
        fail("lines", errno);
    while (count < order->count && (size = getline(&line, &room, in)) > 0) {
        bytes += (uint64_t)size;
        count++;
    }
    free(line);
    (void)fclose(in); /* it was only read */
    stopwatch_report(&start, count, 0);
    expect(count, order->count);
    if (bytes < 20 * count)
        fail("lines", EPROTO);
}

static void spawn_often(const struct order *order)
{
    static char *const argv[] = {"/bin/true", NULL};
    struct stopwatch start = stopwatch_start();
    int status;

    for (unsigned i = 0; i < order->count; i++) {
        pid_t pid;
        int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

        if (error)
            fail(argv[0], error);
        if (waitpid(pid, &status, 0) < 0)
            fail("waitpid", errno);
        expect((uint64_t)status, 0);
    }
    stopwatch_report(&start, order->count, 0);
}

int main(int argc, char **argv)
{
    struct order order = order_parse(argc, argv);

    if (strcmp(order.name, "small-files") == 0)
        read_small_files(&order);
    else if (strcmp(order.name, "lines") == 0)
        read_lines(&order);
    else if (strcmp(order.name, "spawn") == 0)
        spawn_often(&order);
    else if (strcmp(order.name, "copy") == 0)
        copy_big(&order, copy_in_kernel);
    else if (strcmp(order.name, "copy-by-hand") == 0)
        copy_big(&order, copy_by_hand);
    else
        fail(order.name, EINVAL);
    return 0;
}
