/* SPDX-License-Identifier: MIT */
/* Locks on files. */
#include "os/files.h"

static int hold(const char *path, double seconds)
{
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open(path, "r", &file));
    EDDY_TRY(eddy_file_lock(file, true));
    return eddy_sleep(seconds);
}
EDDY_ASYNC(hold, const char *, double);

TEST(file_lock_waits_for_the_other)
{
    FILES();
    EDDY_STREAM file = NULL;
    const char *path = files_put("file", "");
    double begun;

    EDDY_TASK holder = eddy_create_task(hold, path, 3.0);
    CHECK_OK(eddy_open(path, "r", &file));
    CHECK_OK(eddy_sleep(1));
    begun = eddy_time();
    CHECK_EQ(eddy_file_lock_nowait(file, false), -EAGAIN);
    CHECK_OK(eddy_file_lock(file, true));
    CHECK(eddy_time() - begun < 2.06);
    CHECK_OK(eddy_await(holder));
    eddy_file_unlock(file);
    eddy_file_unlock(file);
}

TEST(file_locks_that_are_shared_do_not_wait)
{
    FILES();
    EDDY_STREAM one = NULL, other = NULL;
    const char *path = files_put("file", "");

    CHECK_OK(eddy_open(path, "r", &one));
    CHECK_OK(eddy_open(path, "r", &other));
    CHECK_OK(eddy_file_lock(one, false));
    CHECK_OK(eddy_file_lock(other, false));
    CHECK_EQ(eddy_file_lock_nowait(other, true), -EAGAIN);
    CHECK_OK(eddy_stream_close(&one));
    CHECK_OK(eddy_file_lock_nowait(other, true));
}

TEST(file_lock_that_is_cancelled_or_too_late_is_not_held)
{
    FILES();
    EDDY_STREAM file = NULL, third = NULL;
    const char *path = files_put("file", "");
    int rc;

    EDDY_TASK holder = eddy_create_task(hold, path, EDDY_FOREVER);
    CHECK_OK(eddy_sleep(1)); /* who opens last might lock first */
    EDDY_TASK waiter = eddy_create_task(hold, path, EDDY_FOREVER);
    CHECK_OK(eddy_sleep(1));
    eddy_cancel(waiter);
    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK_OK(eddy_open(path, "r", &file));
    {
        EDDY_TIMEOUT(limit, 1);

        rc = eddy_file_lock(file, true);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    eddy_cancel(holder);
    CHECK_EQ(eddy_await(holder), -ECANCELED);
    CHECK_OK(eddy_open(path, "r", &third));
    CHECK_OK(eddy_file_lock_nowait(third, true));
}
