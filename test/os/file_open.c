/* SPDX-License-Identifier: MIT */
/* Opening: rules F-1, F-2, F-4, F-6 to F-9, F-35. */
#include "os/files.h"

#include <pty.h>
#include <sys/resource.h>

#include "base/fault.h"

static int open_it(const char *path, const char *mode)
{
    EDDY_STREAM file = NULL;

    return eddy_open(path, mode, &file);
}
EDDY_ASYNC(open_it, const char *, const char *);

/* F-1, F-2: what each mode makes of a file that is there, and of one that is not. */
TEST(file_open_knows_the_modes_of_fopen)
{
    FILES();
    static const struct {
        const char *mode, *there;
        int rc_there, rc_missing;
    } modes[] = {
        {"r", "old", 0, -ENOENT},   {"r+", "old", 0, -ENOENT},  {"w", "", 0, 0},
        {"w+", "", 0, 0},           {"a", "old", 0, 0},         {"a+", "old", 0, 0},
        {"x", "old", -EEXIST, 0},   {"x+", "old", -EEXIST, 0},  {"rb", "old", 0, -ENOENT},
        {"r+b", "old", 0, -ENOENT}, {"rb+", "old", 0, -ENOENT}, {"wbe", "", 0, 0},
        {"rt", "old", 0, -ENOENT},  {"re+", "old", 0, -ENOENT}, {"wx", "old", -EEXIST, 0},
        {"w+x", "old", -EEXIST, 0}, {"wbx", "old", -EEXIST, 0}, {"xb", "old", -EEXIST, 0},
    };

    FOR_EACH_WAY(way)
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
            files_put("there", "old");
            (void)unlink(files_path("missing"));
            CHECK_EQ(open_it(files_path("there"), modes[i].mode), modes[i].rc_there);
            CHECK_STR(files_get("there"), modes[i].there);
            CHECK_EQ(open_it(files_path("missing"), modes[i].mode), modes[i].rc_missing);
            CHECK_EQ(access(files_path("missing"), F_OK), modes[i].rc_missing ? -1 : 0);
        }
}

/* F-2: a bad mode is refused before anything is done. */
TEST(file_open_refuses_what_is_no_mode)
{
    FILES();
    static const char *const modes[] = {"",    "q",  "rw",  "r++", "wbt", "w w", "+r",
                                        "wbb", "rx", "ree", "ax",  "xx",  "xw",  "wxx"};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CHECK_FAILS(open_it(files_path("new"), modes[i]), -EINVAL, "mode");
        CHECK(access(files_path("new"), F_OK) < 0);
    }
}

/* F-1: errors come from the open, and name the path. */
TEST(file_open_fails_as_open_does)
{
    FILES();
    char long_name[400];

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    files_put("file", "");
    mkdir(files_path("directory"), 0700);
    FOR_EACH_WAY(way) {
        CHECK_FAILS(open_it(files_path("missing"), "r"), -ENOENT, "missing");
        CHECK_FAILS(open_it(files_path("directory"), "r"), -EISDIR, "directory");
        CHECK_FAILS(open_it(files_path("directory"), "w"), -EISDIR, "directory");
        CHECK_FAILS(open_it(files_path("file/below"), "r"), -ENOTDIR, "below");
        CHECK_EQ(open_it(files_path(long_name), "w"), -ENAMETOOLONG);
        CHECK_EQ(open_it("", "r"), -ENOENT);
    }
}

/* Names are bytes. */
TEST(file_open_takes_any_bytes_as_a_name)
{
    FILES();
    const char *path = files_path("na\xffme\n \xc3\x28");

    FOR_EACH_WAY(way) {
        CHECK_OK(open_it(path, "w"));
        CHECK_OK(open_it(path, "r"));
    }
}

/* F-7; the permissions are less the umask. */
TEST(file_open_makes_files_close_on_exec_with_the_permissions_asked_for)
{
    FILES();
    eddy_open_options options = {.permissions = 0640};
    mode_t before = umask(022);

    FOR_EACH_WAY(way) {
        EDDY_STREAM one = NULL, other = NULL;
        struct stat status;

        CHECK_OK(eddy_open(files_path("one"), "w", &one));
        CHECK(fcntl(eddy_stream_fd(one), F_GETFD) & FD_CLOEXEC);
        CHECK_OK(fstat(eddy_stream_fd(one), &status));
        CHECK_EQ(status.st_mode & 0777, 0644);
        CHECK_STR(eddy_stream_kind(one), "file");
        CHECK_STR(eddy_stream_peer_name(one), files_path("one"));
        CHECK_OK(eddy_open_with(files_path("other"), "w", &options, &other));
        CHECK_OK(fstat(eddy_stream_fd(other), &status));
        CHECK_EQ(status.st_mode & 0777, 0640);
        CHECK_OK(unlink(files_path("one")));
        CHECK_OK(unlink(files_path("other")));
    }
    umask(before);
}

/* Flags and a directory of one's own. */
TEST(file_open_with_options)
{
    FILES();
    EDDY_STREAM file = NULL;
    int directory = open(files_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EDDY_DEFER(files_close, (void *)&directory);
    eddy_open_options options = {.directory = directory};
    eddy_open_options nofollow = {.flags = O_NOFOLLOW};
    eddy_open_options unnamed = {.flags = O_TMPFILE};
    eddy_open_options only_path = {.flags = O_PATH}, direct = {.flags = O_DIRECT};
    int rc;

    files_put("here", "text");
    CHECK_OK(symlink("here", files_path("link")));
    FOR_EACH_WAY(way) {
        CHECK_OK(eddy_open_with("here", "r", &options, &file));
        CHECK_OK(eddy_stream_close(&file));
        CHECK_EQ(eddy_open_with(files_path("link"), "r", &nofollow, &file), -ELOOP);
        CHECK_EQ(eddy_open_with(files_path("here"), "r", &only_path, &file), -EINVAL);
        CHECK_EQ(eddy_open_with(files_path("here"), "r", &direct, &file), -EINVAL);
        rc = eddy_open_with(files_directory, "w+", &unnamed, &file);
        if (rc != -EOPNOTSUPP) {
            CHECK_OK(rc);
            CHECK_OK(eddy_write(file, "x", 1));
            CHECK_OK(eddy_stream_close(&file));
        }
    }
}

static struct rlimit limit_before;

static void limit_restore(void *unused)
{
    (void)unused;
    setrlimit(RLIMIT_NOFILE, &limit_before);
}

static int open_held(const char *path)
{
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open(path, "r", &file));
    return eddy_sleep(EDDY_FOREVER);
}
EDDY_ASYNC(open_held, const char *);

/* F-9: cancelled at any moment, an open leaves nothing open; the harness counts. */
TEST(file_open_that_is_cancelled_leaves_nothing_open)
{
    FILES();
    const char *path = files_put("file", "text");

    FOR_EACH_WAY(way) {
        EDDY_TASK never = eddy_create_task(open_held, path);
        EDDY_TASK once = eddy_create_task(open_held, path);

        eddy_cancel(never);
        CHECK_OK(eddy_sleep(0));
        eddy_cancel(once);
        CHECK_EQ(eddy_await(never), -ECANCELED);
        CHECK_EQ(eddy_await(once), -ECANCELED);
    }
}

/* Out of descriptors: an error, and nothing else. */
TEST(file_open_without_descriptors_fails)
{
    FILES();
    struct rlimit none;
    const char *path = files_put("file", "text");

    CHECK_OK(open_it(path, "r")); /* what is needed for it is there */
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit_before));
    EDDY_DEFER(limit_restore, NULL);
    none = (struct rlimit){3, limit_before.rlim_max};
    FOR_EACH_WAY(way) {
        CHECK_OK(open_it(path, "r"));
        CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
        CHECK_FAILS(open_it(path, "r"), -EMFILE, "file");
        CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit_before));
    }
}

static int open_for_writing(const char *path)
{
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open(path, "w", &file));
    return eddy_write(file, "hello\n", 6);
}
EDDY_ASYNC(open_for_writing, const char *);

/* F-35: a named pipe waits for its other end without a thread, and can be cancelled. */
TEST(file_open_of_a_named_pipe_waits_for_its_other_end)
{
    FILES();
    const char *path = files_path("pipe");
    EDDY_STREAM file = NULL;
    char line[16];

    CHECK_OK(mkfifo(path, 0600));
    FOR_EACH_WAY(way) {
        EDDY_TASK writer = eddy_create_task(open_for_writing, path);
        EDDY_TASK other = eddy_create_task(open_for_writing, path);

        CHECK_OK(eddy_sleep(1));
        eddy_cancel(other);
        CHECK_EQ(eddy_await(other), -ECANCELED);
        CHECK_OK(eddy_open(path, "r", &file));
        CHECK_STR(eddy_stream_kind(file), "pipe");
        CHECK_EQ(eddy_read_line(file, line, sizeof line), 6);
        CHECK_OK(eddy_await(writer));
        CHECK_EQ(eddy_read(file, line, sizeof line), 0);
        CHECK_EQ(eddy_tell(file), -ESPIPE);
        CHECK_OK(eddy_stream_close(&file));
    }
}

/* Devices are streams of their kind. */
TEST(file_open_of_a_device)
{
    EDDY_STREAM file = NULL;
    char data[4];
    int master, slave;

    CHECK_OK(eddy_open("/dev/zero", "r", &file));
    CHECK_EQ(eddy_read(file, data, 4), 4);
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(eddy_open("/dev/full", "w", &file));
    CHECK_STR(eddy_stream_kind(file), "file");
    CHECK_EQ(eddy_write(file, "x", 1), -ENOSPC);
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
    EDDY_DEFER(files_close, (void *)&master);
    EDDY_DEFER(files_close, (void *)&slave);
    CHECK_OK(eddy_open(ttyname(slave), "r+", &file));
    CHECK_STR(eddy_stream_kind(file), "terminal");
    CHECK_OK(eddy_stream_close(&file));
}

/* A descriptor from elsewhere, at its position and with its access. */
TEST(file_from_fd_begins_where_the_descriptor_is)
{
    FILES();
    EDDY_STREAM file = NULL, second = NULL;
    int fd = open(files_put("file", "hello"), O_RDONLY | O_CLOEXEC);
    int directory = open(files_directory, O_RDONLY | O_CLOEXEC);
    EDDY_DEFER(files_close, (void *)&directory);
    char data[8];

    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    CHECK_OK(eddy_file_from_fd(fd, &file));
    CHECK_EQ(eddy_tell(file), 2);
    CHECK_EQ(eddy_file_from_fd(fd, &second), -EBUSY);
    CHECK_EQ(eddy_read(file, data, sizeof data), 3);
    CHECK_EQ(eddy_write(file, "x", 1), -EBADF);
    CHECK_EQ(eddy_file_from_fd(directory, &second), -EISDIR);
    CHECK_EQ(eddy_file_from_fd(1000, &second), -EBADF);
    CHECK_EQ(eddy_file_from_fd(-1, &second), -EBADF);
    CHECK_OK(eddy_stream_close(&file));
    CHECK(fcntl(fd, F_GETFD) < 0);
}

TEST(file_from_fd_of_a_pipe_is_a_pipe)
{
    EDDY_STREAM file = NULL;
    int ends[2];

    CHECK_OK(pipe2(ends, O_CLOEXEC));
    EDDY_DEFER(files_close, (void *)&ends[1]);
    CHECK_OK(eddy_file_from_fd(ends[0], &file));
    CHECK_STR(eddy_stream_kind(file), "pipe");
}

static int leave_open(const char *path)
{
    eddy_stream *file = NULL;

    return eddy_open(path, "r", &file);
}
EDDY_ASYNC(leave_open, const char *);

/* F-8: a file that nobody closes is told of. */
RAW_TEST(file_that_is_not_closed_is_reported)
{
    files_begin("/tmp");
    CHECK_FAILS(eddy_test(leave_open, files_put("file", "")), EDDY_ETEST, "a file (");
    files_end(NULL);
}

static int open_each_allocation(void)
{
    EDDY_STREAM file = NULL;
    char *data = NULL;
    char byte;

    EDDY_TRY(eddy_open(files_path("file"), "r+", &file));
    EDDY_TRY((int)eddy_read(file, &byte, 1));
    EDDY_TRY(eddy_write(file, "x", 1));
    EDDY_TRY((int)eddy_seek(file, 0, SEEK_END));
    EDDY_TRY(eddy_truncate(file, 5));
    EDDY_TRY(eddy_fsync(file));
    EDDY_TRY(eddy_pwrite(file, "abc", 3, 1));
    EDDY_TRY((int)eddy_pread(file, &byte, 1, 1));
    EDDY_TRY(eddy_stream_close(&file));
    EDDY_TRY(eddy_read_file(files_path("file"), 0, &data, NULL));
    eddy_free(data);
    return 0;
}
EDDY_ASYNC(open_each_allocation);

/* Every allocation fails once, and every wait is cut short, on each way. */
RAW_TEST(file_calls_survive_every_failure_and_cancel)
{
    files_begin("/tmp");
    FOR_EACH_WAY(way) {
        files_put("file", "hello, world");
        CHECK_OK(eddy_test_allocations(open_each_allocation));
        CHECK_OK(eddy_test_cancels(open_each_allocation));
    }
    files_end(NULL);
}
