/* SPDX-License-Identifier: MIT */
/* Readiness of another library's descriptors. */
#include "eddy/sock.h"

#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

static int write_later(int fd)
{
    usleep(20000);
    return write(fd, "x", 1) == 1 ? 0 : -errno;
}
EDDY_ASYNC(write_later, int);

static void close_pair(int *fds)
{
    eddy_poll_forget_(fds[0]);
    close(fds[0]);
    close(fds[1]);
}

TEST(poll_tells_what_a_descriptor_is_ready_for)
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    EDDY_DEFER(close_pair, fds);
    CHECK_EQ(eddy_poll_(fds[0], EDDY_POLL_IN_ | EDDY_POLL_OUT_, true), EDDY_POLL_OUT_);
    EDDY_TASK job = eddy_run_in_executor(NULL, write_later, fds[1]);
    CHECK_EQ(eddy_poll_(fds[0], EDDY_POLL_IN_, true), EDDY_POLL_IN_);
    CHECK_OK(eddy_await(job));
}

/* The peer is another program: a limit means real time to it, and so it must to us. */
TEST(poll_keeps_the_virtual_clock_at_the_pace_of_the_real_one)
{
    struct timespec before, after;
    int fds[2], rc;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    EDDY_DEFER(close_pair, fds);
    clock_gettime(CLOCK_MONOTONIC, &before);
    {
        EDDY_TIMEOUT(limit, 0.05);
        rc = eddy_poll_(fds[0], EDDY_POLL_IN_, false);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK((double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec) >
          0.049);
}

/* A descriptor that its library closes, and whose number comes back as another. */
TEST(poll_forgets_a_descriptor_whose_number_comes_back)
{
    for (int i = 0; i < 3; i++) {
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        EDDY_DEFER(close_pair, fds);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(eddy_poll_(fds[0], EDDY_POLL_IN_, true), EDDY_POLL_IN_);
    }
}
