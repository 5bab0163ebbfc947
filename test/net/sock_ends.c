/* SPDX-License-Identifier: MIT */
/* Sockets of one's own: files, readiness, and descriptors that are closed while tasks wait. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "../io/socketpair.h"
#include "base/fault.h"
#include "loop/loop.h"

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define DESCRIPTOR(name) EDDY_CLEANUP_(close_fd) int name

/* A file without a name that holds `size` bytes: 'a' to 'z', again and again. */
static int make_file(size_t size)
{
    char path[] = "/tmp/eddy-sock-XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    for (size_t i = 0; i < size; i++)
        if (pwrite(fd, &"abcdefghijklmnopqrstuvwxyz"[i % 26], 1, (off_t)i) != 1)
            test_fail(__FILE__, __LINE__, "pwrite: %s", strerror(errno));
    return fd;
}

static int receive_one(int fd, char *out)
{
    ssize_t size = eddy_sock_recv(fd, out, 1);

    return size == 1 ? 0 : size < 0 ? (int)size : -EPIPE;
}
EDDY_ASYNC(receive_one, int, char *);

static int wait_and_count(int fd, bool writable, int *count)
{
    EDDY_TRY(writable ? eddy_wait_writable(fd) : eddy_wait_readable(fd));
    ++*count;
    return 0;
}
EDDY_ASYNC(wait_and_count, int, bool, int *);

/* A-SFILE-1, A-SFILE-2 */
TEST(sock_sendfile_sends_what_is_asked_for)
{
    PAIR(pair, SOCK_STREAM);
    DESCRIPTOR(file) = make_file(100);
    off_t offset = 2;
    char got[100];

    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, 3), 3);
    CHECK_EQ(offset, 5);
    CHECK_EQ(eddy_sock_recv(pair.other, got, sizeof got), 3);
    CHECK(memcmp(got, "cde", 3) == 0);
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, SIZE_MAX), 95);
    CHECK_EQ(offset, 100);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 0); /* its position is not used */
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, 1), 0);
    offset = 1000;
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, 1), 0);
    CHECK_EQ(offset, 1000);
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, 0), -EINVAL);
    offset = -1;
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, 1), -EINVAL);
    offset = 0;
    CHECK_EQ(eddy_sock_sendfile(pair.one, pair.one, &offset, 1), -EINVAL);
    CHECK_EQ(eddy_sock_sendfile(pair.one, -1, &offset, 1), -EBADF);
}

/* Also with a peer that reads nothing: the end of the file needs no room. */
TEST(sock_sendfile_ends_with_the_file_although_there_is_no_room)
{
    PAIR(pair, SOCK_STREAM);
    DESCRIPTOR(file) = make_file(26);
    char full[4096] = "";
    off_t offset = 0;

    while (send(pair.one, full, sizeof full, 0) > 0)
        continue;
    offset = 26;
    CHECK_EQ(eddy_sock_sendfile(pair.one, file, &offset, SIZE_MAX), 0);
}

static int send_file(int fd, int file, off_t *offset)
{
    EDDY_TRY(eddy_sock_sendfile(fd, file, offset, SIZE_MAX));
    return 0;
}
EDDY_ASYNC(send_file, int, int, off_t *);

/* A-SFILE-1: also when it is cut short the offset tells how much went. */
TEST(sock_sendfile_that_is_cancelled_tells_how_much_went)
{
    PAIR(pair, SOCK_STREAM);
    DESCRIPTOR(file) = make_file(0);
    const size_t much = 8 << 20;
    char *got = test_room(much);
    ssize_t size = 1;
    off_t offset = 0, done = 0;

    CHECK_EQ(ftruncate(file, (off_t)much), 0);
    EDDY_TASK task = eddy_create_task(send_file, pair.one, file, &offset);
    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(offset > 0 && offset < (off_t)much);
    CHECK_EQ(shutdown(pair.one, SHUT_WR), 0);
    while (size > 0) {
        size = eddy_sock_recv(pair.other, got, much);
        CHECK_OK(size);
        done += size;
    }
    CHECK_EQ(done, offset);
}

TEST(sock_wait_readable_and_writable_wait_for_any_descriptor)
{
    DESCRIPTOR(event) = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint64_t one = 1;
    int count = 0;

    CHECK_OK(eddy_wait_writable(event));
    EDDY_TASK task = eddy_create_task(wait_and_count, event, false, &count);
    test_settle();
    CHECK_EQ(count, 0);
    CHECK_EQ(write(event, &one, sizeof one), sizeof one);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(count, 1);
    CHECK_OK(eddy_wait_readable(event)); /* it is readable still */
}

/* Peers 6a (libmill 132): readiness is taken from nobody, so all are told. */
TEST(sock_all_that_wait_for_readiness_are_told)
{
    PAIR(pair, SOCK_STREAM);
    int count = 0;
    char byte = 0;
    EDDY_TASK one = eddy_create_task(wait_and_count, pair.one, false, &count);
    EDDY_TASK two = eddy_create_task(wait_and_count, pair.one, false, &count);
    EDDY_TASK out = eddy_create_task(wait_and_count, pair.one, true, &count);
    EDDY_TASK receiver = eddy_create_task(receive_one, pair.one, &byte);

    CHECK_OK(eddy_await(out));
    CHECK_EQ(count, 1); /* it was writable */
    CHECK_EQ(write(pair.other, "x", 1), 1);
    CHECK_OK(eddy_await(receiver));
    CHECK_EQ(byte, 'x');
    CHECK_OK(eddy_await(one));
    CHECK_OK(eddy_await(two));
    CHECK_EQ(count, 3);
}

TEST(sock_wait_readable_is_told_of_a_hang_up)
{
    PAIR(pair, SOCK_STREAM);
    int count = 0;
    EDDY_TASK task = eddy_create_task(wait_and_count, pair.one, false, &count);

    test_settle();
    close(pair.other);
    pair.other = -1;
    CHECK_OK(eddy_await(task));
    CHECK_OK(eddy_wait_writable(pair.one));
}

/* A-FD-5, second half: the same on both engines. */
TEST(sock_wait_for_what_has_no_readiness_is_refused)
{
    DESCRIPTOR(file) = make_file(1);

    CHECK_EQ(eddy_wait_readable(file), -EPERM);
    CHECK_EQ(eddy_wait_writable(file), -EPERM);
    CHECK_EQ(eddy_wait_readable(-1), -EBADF);
    CHECK_EQ(eddy_wait_writable(1000), -EBADF);
}

TEST(sock_wait_that_is_cancelled_or_made_to_fail_ends)
{
    PAIR(pair, SOCK_STREAM);
    int count = 0;
    EDDY_TASK task = eddy_create_task(wait_and_count, pair.one, false, &count);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    ed_fault_set(ED_FAULT_POLL, 1, -ENOMEM);
    CHECK_EQ(eddy_wait_readable(pair.one), -ENOMEM);
    CHECK_OK(eddy_wait_writable(pair.one));
    CHECK_EQ(count, 0);
}

static int never(void *unused)
{
    (void)unused;
    return 0;
}

/* A-SOCK-9: everybody is told, whatever they wait for. */
TEST(sock_close_ends_all_that_wait)
{
    eddy_loop *loop = eddy_get_running_loop();
    PAIR(pair, SOCK_STREAM);
    int count = 0;
    char byte;
    EDDY_TASK first = eddy_create_task(receive_one, pair.one, &byte);
    EDDY_TASK second = eddy_create_task(receive_one, pair.one, &byte);
    EDDY_TASK poll = eddy_create_task(wait_and_count, pair.one, false, &count);
    int fd = pair.one;

    CHECK_OK(eddy_loop_add_reader(loop, fd, never, NULL));
    test_settle();
    pair.one = -1; /* also when the sweep cancels: closing is not refused */
    CHECK_EQ(eddy_sock_close(fd), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
    CHECK(!eddy_loop_remove_reader(loop, fd));
    CHECK_EQ(eddy_await(first), -EBADF);
    CHECK_EQ(eddy_await(second), -EBADF);
    CHECK_EQ(eddy_await(poll), -EBADF);
    CHECK_EQ(eddy_sock_recv(fd, &byte, 1), -EBADF);
    CHECK_EQ(eddy_sock_close(fd), -EBADF);
    CHECK_EQ(recv(pair.other, &byte, 1, 0), 0); /* the peer sees the end */
}

static int send_a_lot(int fd, size_t *sent)
{
    static const char data[600000];

    return eddy_sock_sendall(fd, data, sizeof data, sent);
}
EDDY_ASYNC(send_a_lot, int, size_t *);

TEST(sock_close_tells_a_sender_how_much_went)
{
    PAIR(pair, SOCK_STREAM);
    size_t sent = 0;
    EDDY_TASK task = eddy_create_task(send_a_lot, pair.one, &sent);
    int fd = pair.one;

    test_settle();
    pair.one = -1;
    CHECK_EQ(eddy_sock_close(fd), 0);
    CHECK_EQ(eddy_await(task), -EBADF);
    CHECK(sent > 0 && sent < 600000);
}

/* Promise 3: what was received before the close stays received. */
TEST(sock_close_behind_a_completion_takes_nothing_back)
{
    PAIR(pair, SOCK_STREAM);
    char byte = 0;
    EDDY_TASK task = eddy_create_task(receive_one, pair.one, &byte);
    int fd = pair.one, rc;

    test_settle();
    CHECK_EQ(write(pair.other, "x", 1), 1);
    pair.one = -1;
    CHECK_EQ(eddy_sock_close(fd), 0);
    rc = eddy_await(task);
    CHECK(rc == -EBADF || (rc == 0 && byte == 'x'));
}

static int close_it(int fd)
{
    return eddy_sock_close(fd);
}
EDDY_ASYNC(close_it, int);

/* A second close finds nothing to close, before the first has ended and behind it. */
TEST(sock_close_of_two_tasks_closes_once)
{
    eddy_loop *loop = eddy_get_running_loop();
    PAIR(pair, SOCK_STREAM);
    int fd = pair.one;

    CHECK_OK(eddy_loop_add_reader(loop, fd, never, NULL));
    test_settle();
    pair.one = -1;
    EDDY_TASK one = eddy_create_task(close_it, fd);
    EDDY_TASK other = eddy_create_task(close_it, fd);
    CHECK_OK(eddy_await(one));
    CHECK_EQ(eddy_await(other), -EBADF);
}

/* A close is a release: a cancel does not refuse it. */
TEST(sock_close_is_not_refused_to_a_cancelled_task)
{
    PAIR(pair, SOCK_STREAM);
    char byte;
    EDDY_TASK receiver = eddy_create_task(receive_one, pair.one, &byte);
    int fd = pair.one;

    test_settle();
    pair.one = -1;
    EDDY_TASK closer = eddy_create_task(close_it, fd);
    CHECK_OK(eddy_cancel(closer));
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_await(receiver), -EBADF);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
}

/* A-SOCK-9: a number that comes back belongs to its new owner alone; each round has its secret. */
TEST(sock_number_that_is_used_again_is_another_descriptor)
{
    int rounds = test_is_slow() ? 100 : 2000;

    for (int i = 0; i < rounds; i++) {
        PAIR(old, SOCK_STREAM);
        int fd = old.one;
        char stale = 0, secret = (char)('a' + i % 26), got = 0;
        EDDY_TASK waiting = eddy_create_task_eager(receive_one, fd, &stale);

        if (i % 2)
            test_settle(); /* the kernel has its operation */
        old.one = -1;
        CHECK_EQ(eddy_sock_close(fd), 0);
        PAIR(new, SOCK_STREAM);
        CHECK_EQ(new.one, fd);
        EDDY_TASK receiver = eddy_create_task(receive_one, new.one, &got);
        CHECK_OK(eddy_sleep(0));
        CHECK_OK(eddy_sock_sendall(new.other, &secret, 1, NULL));
        CHECK_OK(eddy_await(receiver));
        CHECK_EQ(got, secret);
        CHECK_EQ(eddy_await(waiting), -EBADF);
        CHECK_EQ(stale, 0);
    }
}

static int leave_receivers(const struct pair *pair, char *byte)
{
    for (int i = 0; i < 3; i++) {
        eddy_task *task = eddy_create_task(receive_one, pair->one, byte);

        eddy_task_detach(&task);
    }
    return eddy_sleep(1);
}
EDDY_ASYNC(leave_receivers, const struct pair *, char *);

/* Tasks that wait when their loop is closed are freed, and nothing is left in the kernel. */
RAW_TEST(sock_waits_end_with_their_loop)
{
    PAIR(pair, SOCK_STREAM);
    char byte;
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_receivers, &pair, &byte)));
    CHECK_OK(eddy_loop_close(loop));
    for (int i = 0; i < 3; i++)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
    eddy_loop_free(loop);
}
