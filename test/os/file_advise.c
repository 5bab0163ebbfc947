/* SPDX-License-Identifier: MIT */
/* Advice on how a file will be read. */
#include "eddy/file.h"
#include "os/files.h"
#include "os/gate.h"

/* All kinds of it, which change nothing of what is read. */
TEST(file_advice_changes_no_byte)
{
    FILES();
    static const int all[] = {POSIX_FADV_NORMAL,  POSIX_FADV_RANDOM,   POSIX_FADV_SEQUENTIAL,
                              POSIX_FADV_NOREUSE, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED};
    EDDY_STREAM file = NULL;
    char data[8] = "";

    FOR_EACH_WAY(way) {
        CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            CHECK_OK(eddy_file_advise(file, 0, 0, all[i]));
            CHECK_OK(eddy_file_advise(file, 4096, 1 << 20, all[i]));
            CHECK_EQ(eddy_pread(file, data, sizeof data, 0), 5);
            CHECK_STR(data, "hello");
        }
        CHECK_EQ(eddy_tell(file), 0);
        CHECK_OK(eddy_stream_close(&file));
    }
}

TEST(file_advice_that_is_none_is_refused)
{
    FILES();
    EDDY_STREAM file = NULL;
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    CHECK_FAILS(eddy_file_advise(file, 0, 0, 77), -EINVAL, "advise");
    CHECK_FAILS(eddy_file_advise(file, -1, 0, POSIX_FADV_NORMAL), -EINVAL, "from -1 on");
    CHECK_FAILS(eddy_file_advise(file, 0, -1, POSIX_FADV_NORMAL), -EINVAL, "-1 bytes");
    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_FAILS(eddy_file_advise(one, 0, 0, POSIX_FADV_NORMAL), -ESPIPE, "no file");
}

static void hold(const struct ed_op *op)
{
    (void)op;
    stand_at_gate(0);
}

static int forget(eddy_stream *file)
{
    return eddy_file_advise(file, 0, 0, POSIX_FADV_DONTNEED);
}
EDDY_ASYNC(forget, eddy_stream *);

/* F-30, F-31: what takes long is left at once, by a cancel and by a close. */
TEST(file_advice_is_left_at_once)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    __atomic_store_n(&ed_file_calls_hold, hold, __ATOMIC_RELAXED);
    __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&gate[0], 0, __ATOMIC_RELEASE);
    EDDY_DEFER(open_all, NULL);
    EDDY_TASK first = eddy_create_task(forget, file);
    CHECK_OK(until_running(1));
    EDDY_TASK second = eddy_create_task(forget, file);
    CHECK_OK(eddy_sleep(0));
    eddy_cancel(first);
    CHECK_EQ(eddy_await(first), -ECANCELED);
    CHECK_OK(eddy_stream_close(&file));
    CHECK_FAILS(eddy_await(second), -ESHUTDOWN, "closed meanwhile");
}
