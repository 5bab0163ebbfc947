/* SPDX-License-Identifier: MIT */
/* The operations of files: tried, submitted to the ring, and made by a thread. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "engine/stage.h"

static char path[64];

static int file_open(const char *text)
{
    int fd;

    snprintf(path, sizeof path, "/tmp/eddy-engine-XXXXXX");
    fd = mkstemp(path);
    REQUIRE(fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

static void file_end(int fd)
{
    close(fd);
    unlink(path);
}

static struct ed_op transfer(enum ed_op_kind kind, int fd, void *data, size_t size, int64_t offset)
{
    return (struct ed_op){.kind = kind, .fd = fd, .data = data, .size = size, .offset = offset};
}

/* What is in memory is read at once, from where the operation says. */
RAW_TEST(file_operation_tried_reads_what_is_in_memory)
{
    int fd = file_open("hello, world");
    char data[64] = "", more[8] = "";
    struct iovec parts[] = {{data, 3}, {more, 4}};
    struct ed_op read_one = transfer(ED_OP_READ_AT, fd, data, 5, 7);
    struct ed_op read_parts = {
        .kind = ED_OP_READV_AT, .fd = fd, .parts = parts, .size = 2, .offset = 0};

    CHECK_EQ(ed_engine_try(&read_one), 5);
    CHECK(memcmp(data, "world", 5) == 0);
    CHECK_EQ(ed_engine_try(&read_parts), 7);
    CHECK(memcmp(data, "hel", 3) == 0 && memcmp(more, "lo, ", 4) == 0);
    read_one.offset = 100;
    CHECK_EQ(ed_engine_try(&read_one), 0);
    read_one.offset = -5;
    CHECK_EQ(ed_engine_try(&read_one), -EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12); /* its own position is left alone */
    file_end(fd);
}

/* A thread may wait where a try must not: a pipe stands for the slow disk here. */
RAW_TEST(file_operation_that_would_wait_says_so)
{
    int fd = file_open("hello");
    char data[8];
    struct ed_op reading = transfer(ED_OP_READ_AT, fd, data, sizeof data, 0);
    struct ed_op opening = {.kind = ED_OP_OPENAT, .fd = AT_FDCWD, .path = path, .flags = O_RDONLY};
    struct ed_op syncing = {.kind = ED_OP_FSYNC, .fd = fd};
    int made;

    ed_file_never_ready = true;
    CHECK_EQ(ed_engine_try(&reading), -EAGAIN);
    CHECK_EQ(ed_engine_try(&opening), -EAGAIN);
    CHECK_EQ(ed_engine_try(&syncing), -EAGAIN);
    reading.blocking = opening.blocking = syncing.blocking = true;
    CHECK_EQ(ed_op_attempt(&reading), 5);
    CHECK_EQ(ed_op_attempt(&syncing), 0);
    syncing.flags = 1;
    CHECK_EQ(ed_op_attempt(&syncing), 0);
    made = ed_op_attempt(&opening);
    CHECK(made >= 0);
    close(made);
    ed_file_never_ready = false;
    CHECK_EQ(ed_op_attempt(&(struct ed_op){.kind = ED_OP_OPENAT,
                                           .fd = AT_FDCWD,
                                           .path = path,
                                           .flags = O_RDWR | O_CREAT,
                                           .size = 0600}),
             -EAGAIN);
    file_end(fd);
}

/* Names that are known are opened at once; what is not there is not. */
RAW_TEST(file_operation_opens_a_known_name_at_once)
{
    int fd = file_open("hello"), made;
    struct ed_op opening = {
        .kind = ED_OP_OPENAT, .fd = AT_FDCWD, .path = path, .flags = O_RDONLY | O_CLOEXEC};

    made = ed_engine_try(&opening);
    if (made == -EAGAIN && opening.apart)
        test_skip("the kernel cannot open from its cache");
    CHECK(made >= 0);
    CHECK(fcntl(made, F_GETFD) & FD_CLOEXEC);
    close(made);
    file_end(fd);
    made = ed_engine_try(&opening);
    CHECK(made == -ENOENT || made == -EAGAIN);
}

/* The ring does all of them; an engine that does not says so at once. */
RAW_TEST(file_operations_are_submitted)
{
    int fd = file_open("hello");
    char data[8] = "";
    struct probe probe = probe_of(ED_OP_READ_AT, fd);

    engine_begin();
    probe.op.data = data;
    probe.op.size = sizeof data;
    if (!engine->files) {
        CHECK_EQ(probe_run(&probe), -EOPNOTSUPP);
        engine_end();
        file_end(fd);
        return;
    }
    CHECK_EQ(probe_run(&probe), 5);
    CHECK(memcmp(data, "hello", 5) == 0);
    probe.op.apart = true;
    CHECK_EQ(probe_run(&probe), 5);
    probe.op.kind = ED_OP_WRITE_AT;
    probe.op.size = 5;
    probe.op.offset = 3;
    CHECK_EQ(probe_run(&probe), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 8);
    probe.op.offset = -1;
    CHECK_EQ(probe_run(&probe), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 13);
    probe.op.kind = ED_OP_FSYNC;
    CHECK_EQ(probe_run(&probe), 0);
    probe.op.kind = ED_OP_READV_AT;
    CHECK_EQ(probe_run(&probe), -EOPNOTSUPP);
    probe = probe_of(ED_OP_OPENAT, AT_FDCWD);
    probe.op.path = path;
    probe.op.flags = O_RDONLY | O_CLOEXEC;
    CHECK(probe_run(&probe) >= 0);
    CHECK(fcntl(probe.result, F_GETFD) & FD_CLOEXEC);
    close(probe.result);
    probe.op.path = "/tmp/eddy-engine-is-not-there";
    CHECK_EQ(probe_run(&probe), -ENOENT);
    engine_end();
    file_end(fd);
}

/* One that is cancelled completes all the same, in either way. */
RAW_TEST(file_operation_cancelled_completes_once)
{
    int fd = file_open("hello");
    char data[8] = "";
    struct probe probe = probe_of(ED_OP_READ_AT, fd);

    engine_begin();
    probe.op.data = data;
    probe.op.size = sizeof data;
    ed_engine_submit(engine, &probe.op);
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 1);
    CHECK_EQ(probe.result, -ECANCELED);
    ed_engine_submit(engine, &probe.op);
    flush();
    ed_engine_cancel(engine, &probe.op);
    CHECK_OK(wait_all());
    CHECK_EQ(probe.calls, 2);
    CHECK(probe.result == 5 || probe.result == -ECANCELED || probe.result == -EOPNOTSUPP);
    engine_end();
    file_end(fd);
}

/* An operation counts once, whichever way it takes, and "short" holds on both. */
RAW_TEST(file_operation_counts_once_for_faults)
{
    int fd = file_open("hello");
    char data[8] = "";
    struct iovec part = {data, sizeof data};
    struct probe probe = probe_of(ED_OP_READ_AT, fd);

    engine_begin();
    probe.op.data = data;
    probe.op.size = sizeof data;
    (void)ed_fault_set(ED_FAULT_READ, 2, -EIO);
    ed_file_never_ready = true;
    CHECK_EQ(ed_engine_try(&probe.op), -EAGAIN);
    if (engine->files)
        CHECK_EQ(probe_run(&probe), 5);
    CHECK_EQ(ed_engine_try(&probe.op), -EIO);
    (void)ed_fault_set(ED_FAULT_READ, 1, ED_FAULT_SHORT);
    CHECK_EQ(ed_engine_try(&probe.op), -EAGAIN);
    if (engine->files)
        CHECK_EQ(probe_run(&probe), 1);
    CHECK_EQ(probe.op.size, sizeof data);
    ed_file_never_ready = false;
    (void)ed_fault_set(ED_FAULT_READ, 1, ED_FAULT_SHORT);
    probe.op = (struct ed_op){.kind = ED_OP_READV_AT, .fd = fd, .parts = &part, .size = 1};
    CHECK_EQ(ed_engine_try(&probe.op), 1);
    CHECK_EQ(part.iov_len, sizeof data);
    (void)ed_fault_set(ED_FAULT_FSYNC, 1, -EIO);
    probe.op = (struct ed_op){.kind = ED_OP_FSYNC, .fd = fd};
    CHECK_EQ(ed_engine_try(&probe.op), -EIO);
    (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EMFILE);
    probe.op =
        (struct ed_op){.kind = ED_OP_OPENAT, .fd = AT_FDCWD, .path = path, .flags = O_RDONLY};
    CHECK_EQ(ed_engine_try(&probe.op), -EMFILE);
    engine_end();
    file_end(fd);
}

/* A close that is made to fail has closed. */
RAW_TEST(file_close_that_is_tried_and_fails_has_closed)
{
    int fd = file_open("");
    struct ed_op closing = {.kind = ED_OP_CLOSE, .fd = fd};

    (void)ed_fault_set(ED_FAULT_CLOSE, 1, -EIO);
    CHECK_EQ(ed_engine_try(&closing), -EIO);
    CHECK(fcntl(fd, F_GETFD) < 0);
    unlink(path);
}

/* A write that would make a file larger than the process may is an error, and no signal: where one
 * could come it is not tried, and where there is no other way, it is held off. */
RAW_TEST(file_operation_beyond_the_limit_of_the_process_is_an_error)
{
    int fd = file_open("hello");
    struct rlimit usual, limit;
    char data[8] = "more";
    struct ed_op write_one = transfer(ED_OP_WRITE_AT, fd, data, 4, 8);
    int tried, rc;

    getrlimit(RLIMIT_FSIZE, &usual);
    limit = (struct rlimit){8, usual.rlim_max};
    CHECK(!ed_file_writes_are_limited(&write_one));
    setrlimit(RLIMIT_FSIZE, &limit);
    tried = ed_engine_try(&write_one);
    write_one.blocking = true;
    rc = ed_op_attempt(&write_one);
    setrlimit(RLIMIT_FSIZE, &usual);
    CHECK_EQ(tried, -EAGAIN);
    CHECK(write_one.apart);
    CHECK_EQ(rc, -EFBIG);
    file_end(fd);
}
