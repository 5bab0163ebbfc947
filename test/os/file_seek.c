/* SPDX-License-Identifier: MIT */
/* The position and the size: rules F-17 to F-19, F-22, F-27 to F-29. */
#include <sys/resource.h>

#include "base/fault.h"
#include "os/files.h"

/* A position never overflows. */
TEST(file_write_beyond_what_a_position_can_say_is_refused)
{
    FILES();
    EDDY_STREAM file = NULL;
    eddy_open_options options = {.write_buffer = 4096};

    CHECK_OK(eddy_open_with(files_path("file"), "w", &options, &file));
    CHECK_EQ(eddy_seek(file, INT64_MAX - 1, SEEK_SET), INT64_MAX - 1);
    CHECK_FAILS(eddy_write(file, "1234", 4), -EFBIG, "no file is so large");
    CHECK_EQ(eddy_tell(file), INT64_MAX - 1);
    CHECK_OK(eddy_stream_close(&file));
}

/* F-17. */
TEST(file_seek_returns_the_new_position)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[8];

        CHECK_OK(eddy_open(files_put("file", "0123456789"), "r+", &file));
        CHECK_EQ(eddy_seek(file, 4, SEEK_SET), 4);
        CHECK_EQ(eddy_read(file, data, 1), 1);
        CHECK_EQ(data[0], '4');
        CHECK_EQ(eddy_seek(file, 2, SEEK_CUR), 7);
        CHECK_EQ(eddy_read(file, data, 1), 1);
        CHECK_EQ(data[0], '7');
        CHECK_EQ(eddy_seek(file, -1, SEEK_END), 9);
        CHECK_EQ(eddy_read(file, data, 8), 1);
        CHECK_FAILS((int)eddy_seek(file, -1, SEEK_SET), -EINVAL, "seek");
        CHECK_EQ(eddy_seek(file, -11, SEEK_CUR), -EINVAL);
        CHECK_EQ(eddy_seek(file, -11, SEEK_END), -EINVAL);
        CHECK_EQ(eddy_seek(file, 0, 77), -EINVAL);
        CHECK_EQ(eddy_seek(file, INT64_MAX, SEEK_CUR), -EOVERFLOW);
        CHECK_EQ(eddy_tell(file), 10);
        CHECK_EQ(eddy_seek(file, 20, SEEK_SET), 20);
        CHECK_EQ(eddy_read(file, data, 1), 0);
        CHECK_OK(eddy_write(file, "x", 1));
        CHECK_EQ(eddy_seek(file, 0, SEEK_END), 21);
        CHECK_EQ(eddy_seek(file, 0, SEEK_DATA), 0);
        CHECK(eddy_seek(file, 0, SEEK_HOLE) > 0);
    }
}

/* F-19. */
TEST(file_truncate_cuts_or_adds_zeros_and_leaves_the_position)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL, reads = NULL;
        char data[16];
        char *content;

        CHECK_OK(eddy_open(files_put("file", "0123456789"), "r+", &file));
        CHECK_EQ(eddy_read(file, data, 5), 5);
        CHECK_OK(eddy_truncate(file, -1));
        CHECK_STR(files_get("file"), "01234");
        CHECK_OK(eddy_truncate(file, 3));
        CHECK_EQ(eddy_tell(file), 5);
        CHECK_EQ(eddy_read(file, data, 8), 0);
        CHECK_OK(eddy_truncate(file, 8));
        CHECK_EQ(files_get_bytes("file", &content), 8);
        CHECK(memcmp(content, "012\0\0\0\0\0", 8) == 0);
        CHECK_EQ(eddy_tell(file), 5);
        CHECK_EQ(eddy_read(file, data, 8), 3);
        CHECK_EQ(eddy_truncate(file, -2), -EINVAL);
        CHECK_OK(eddy_open(files_path("file"), "r", &reads));
        CHECK_FAILS(eddy_truncate(reads, 0), -EINVAL, "truncate");
    }
}

/* What has no position says so. */
TEST(file_calls_on_another_stream_say_that_it_is_none)
{
    EDDY_STREAM one = NULL, other = NULL;
    char data[4];

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_EQ(eddy_seek(one, 0, SEEK_SET), -ESPIPE);
    CHECK_EQ(eddy_tell(one), -ESPIPE);
    CHECK_EQ(eddy_truncate(one, 0), -ESPIPE);
    CHECK_EQ(eddy_fsync(one), -ESPIPE);
    CHECK_EQ(eddy_fdatasync(one), -ESPIPE);
    CHECK_EQ(eddy_pread(one, data, 4, 0), -ESPIPE);
    CHECK_EQ(eddy_pwrite(one, data, 4, 0), -ESPIPE);
    CHECK_EQ(eddy_file_lock(one, true), -ESPIPE);
    CHECK_EQ(eddy_file_lock_nowait(one, true), -ESPIPE);
    eddy_file_unlock(one);
}

/* F-22. */
TEST(file_sync_works_on_each_way)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(eddy_open(files_path("file"), "w", &file));
        CHECK_OK(eddy_write(file, "x", 1));
        CHECK_OK(eddy_fsync(file));
        CHECK_OK(eddy_fdatasync(file));
    }
}

static int write_number(eddy_stream *file, int number)
{
    char text[16];

    snprintf(text, sizeof text, "%04d\n", number);
    return eddy_write(file, text, 5);
}
EDDY_ASYNC(write_number, eddy_stream *, int);

/* F-27, F-28: tasks that write in the order of their calls, each whole. */
TEST(file_writes_of_several_tasks_are_whole_and_in_order)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        const char *content;

        CHECK_OK(eddy_open(files_path("file"), "w", &file));
        EDDY_GROUP(group);
        for (int i = 0; i < 50; i++)
            CHECK_OK(eddy_group_create_task(&group, write_number, file, i));
        CHECK_OK(eddy_group_join(&group));
        content = files_get("file");
        CHECK_EQ(strlen(content), 250);
        for (int i = 0; i < 50; i++)
            CHECK_EQ(strtol(content + i * 5, NULL, 10), i);
    }
}

static int read_number(eddy_stream *file, int *sum)
{
    char text[6] = "";

    EDDY_TRY(eddy_read_exactly(file, text, 5));
    *sum += (int)strtol(text, NULL, 10);
    return 0;
}
EDDY_ASYNC(read_number, eddy_stream *, int *);

/* F-29: a second reader is refused, one and a writer take turns. */
TEST(file_readers_and_writers_take_turns)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        int sum = 0;

        CHECK_OK(eddy_open(files_put("file", "0001\n0002\n0003\n"), "r+", &file));
        EDDY_TASK reader = eddy_create_task(read_number, file, &sum);
        EDDY_TASK writer = eddy_create_task(write_number, file, 7);
        CHECK_OK(eddy_await(reader));
        CHECK_OK(eddy_await(writer));
        CHECK_OK(read_number(file, &sum));
        CHECK_EQ(sum, 4);
        CHECK_STR(files_get("file"), "0001\n0007\n0003\n");
    }
}

/* Where no position can say what is behind: the end of the file, as everywhere behind it. */
TEST(file_read_at_the_last_positions_ends)
{
    files_begin("/dev/shm"); /* the file systems of disks have no files of that size */
    EDDY_DEFER(files_end, NULL);

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[64];

        CHECK_OK(eddy_open(files_put("file", "x"), "r+", &file));
        CHECK_EQ(eddy_seek(file, INT64_MAX, SEEK_SET), INT64_MAX);
        CHECK_EQ(eddy_read(file, data, sizeof data), 0);
        CHECK_EQ(eddy_read_line(file, data, sizeof data), 0);
        CHECK_EQ(eddy_seek(file, INT64_MAX - 1000, SEEK_SET), INT64_MAX - 1000);
        CHECK_EQ(eddy_read(file, data, sizeof data), 0);
        CHECK_EQ(eddy_read_line(file, data, sizeof data), 0);
        CHECK_EQ(eddy_pread(file, data, sizeof data, INT64_MAX), 0);
        CHECK_EQ(eddy_pread(file, data, sizeof data, INT64_MAX - 63), 0);
        CHECK_FAILS(eddy_pwrite(file, data, sizeof data, INT64_MAX - 63), -EFBIG, "so large");

        CHECK_OK(eddy_truncate(file, INT64_MAX - 4096)); /* there may be a file as large as that */
        CHECK_OK(eddy_pwrite(file, "end", 3, INT64_MAX - 4099));
        CHECK_EQ(eddy_pread(file, data, sizeof data, INT64_MAX - 4100), 4);
        CHECK(memcmp(data, "\0end", 4) == 0);
        CHECK_EQ(eddy_seek(file, -3, SEEK_END), INT64_MAX - 4099);
        CHECK_EQ(eddy_read_line(file, data, sizeof data), 3);
        CHECK_STR(data, "end");
    }
}

/* As a program is not ended by a broken pipe, so it is not by a file that gets too large. */
TEST(file_write_beyond_the_limit_of_the_process_is_an_error)
{
    struct rlimit before, limit;

    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){8, before.rlim_max};
    for (int where = 0; where < 2; where++) {
        files_begin(where ? "/dev/shm" : "/tmp");
        EDDY_DEFER(files_end, NULL);
        FOR_EACH_WAY(way) {
            EDDY_STREAM file = NULL;

            CHECK_OK(eddy_open(files_path("file"), "w", &file));
            setrlimit(RLIMIT_FSIZE, &limit);
            int rc = eddy_write(file, "0123456789", 10);
            size_t partial = eddy_stream_partial(file);
            int again = eddy_pwrite(file, "x", 1, 8);
            int cut = eddy_truncate(file, 9);
            int nowait = eddy_write_nowait(file, "x", 1); /* is gathered, for one */
            int flush = eddy_flush(file);
            eddy_stream_abort(file);
            setrlimit(RLIMIT_FSIZE, &before);
            CHECK_EQ(rc, -EFBIG);
            CHECK_EQ(partial, 8);
            CHECK_EQ(again, -EFBIG);
            CHECK_EQ(cut, -EFBIG);
            CHECK(nowait == -EFBIG || flush == -EFBIG);
            CHECK_STR(files_get("file"), "01234567");
        }
    }
}

/* The kernel's word alone would be that something would have to be waited for. */
TEST(file_calls_without_a_thread_say_so)
{
    FILES();
    EDDY_STREAM file = NULL;
    char byte;

    if (test_is_on_valgrind())
        test_skip("valgrind does not know openat2(2), so that a thread is there already");
    CHECK_OK(eddy_open(files_put("file", "x"), "r", &file));
    files_go(WAY_THREAD);
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_FAILS((int)eddy_read(file, &byte, 1), -EAGAIN, "no more processes or threads");
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_FAILS((int)eddy_pread(file, &byte, 1, 0), -EAGAIN, "no more processes or threads");
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_FAILS(eddy_fsync(file), -EAGAIN, "no more processes or threads");
    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_FAILS(eddy_open(files_path("file"), "w", &file), -EAGAIN, "no more processes or threads");
    (void)ed_fault_set(ED_FAULT_THREAD, 0, 0);
    CHECK_EQ(eddy_read(file, &byte, 1), 1);
}
