/* SPDX-License-Identifier: MIT */
/*
 * Files under load and on a full disk: nobody waits for a file but who asked for it (F-30), and an
 * error of the disk costs what was to be written, no more.
 */
#include <sys/mount.h>
#include <time.h>

#include "base/fault.h"
#include "os/files.h"
#include "seeds.h"

static double wall(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool done;
static double latest;

/* How late a sleep of a millisecond ends, at worst. */
static int tick(void)
{
    while (!done) {
        double begun = wall(), late;

        EDDY_TRY(eddy_sleep(0.001));
        late = wall() - begun - 0.001;
        latest = late > latest ? late : latest;
    }
    return 0;
}
EDDY_ASYNC(tick);

static int read_many(void)
{
    static char data[1 << 18];
    EDDY_TASK ticker = eddy_create_task(tick);

    for (int i = 0; i < 40; i++) {
        EDDY_STREAM file = NULL;
        ssize_t n;

        files_go((enum files_way)(i % WAYS));
        EDDY_TRY(eddy_open(files_path("file"), "r", &file));
        posix_fadvise(eddy_stream_fd(file), 0, 0, POSIX_FADV_DONTNEED);
        while ((n = eddy_read(file, data, sizeof data)) > 0)
            continue;
        EDDY_TRY((int)n);
    }
    done = true;
    return eddy_await(ticker);
}
EDDY_ASYNC(read_many);

/* The same time without a file. */
static int read_nothing(void)
{
    EDDY_TASK ticker = eddy_create_task(tick);

    EDDY_TRY(eddy_sleep(0.1));
    done = true;
    return eddy_await(ticker);
}
EDDY_ASYNC(read_nothing);

static double latest_of(eddy_test_plan *plan, eddy_call call)
{
    latest = 0;
    done = false;
    if (eddy_test_run(plan, call) < 0)
        test_fail(__FILE__, __LINE__, "the run failed");
    return latest;
}

/* In wall time, of which a busy machine takes some for itself: one of five tries must do, and
 * where not even a loop without files is in time, nothing is known. */
RAW_TEST(file_reads_do_not_hold_up_the_loop)
{
    char *big = calloc(1, 1 << 20);
    eddy_test_plan plan = {.real_clock = true};
    double alone, late = 1;
    int busy = 0;

    if (test_is_slow())
        test_skip("slow");
    files_begin("/tmp");
    files_put_bytes("file", big, 1 << 20);
    sync();
    for (int i = 0; i < 5 && late > 0.005; i++) {
        alone = latest_of(&plan, EDDY_CALL(read_nothing));
        late = latest_of(&plan, EDDY_CALL(read_many));
        busy += alone > 0.003;
    }
    files_end(NULL);
    free(big);
    if (late > 0.005 && busy > 0)
        test_skip("the machine is busy");
    CHECK_THAT(late <= 0.005, "a tick was %.1f ms late", late * 1e3);
}

static void unmount(void *place)
{
    umount2(place, MNT_DETACH);
}

/* A disk that is full, in truth; the file stays usable. */
TEST(file_on_a_full_disk_fails_and_goes_on)
{
    FILES();
    static char data[1 << 20];
    char place[64];
    eddy_open_options gathers = {.write_buffer = 1 << 17};

    snprintf(place, sizeof place, "%s", files_directory);
    memset(data, 'x', 1 << 20);
    if (mount("none", place, "tmpfs", 0, "size=1M") < 0)
        test_skip("no mount is allowed here");
    EDDY_DEFER(unmount, place);
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        size_t taken = 0;
        int rc = 0;

        CHECK_OK(eddy_open(files_path("file"), "w+", &file));
        while (rc == 0) {
            rc = eddy_write(file, data, 300000);
            taken += rc == 0 ? 300000 : eddy_stream_partial(file);
        }
        CHECK_EQ(rc, -ENOSPC);
        CHECK_EQ(eddy_tell(file), taken);
        CHECK_EQ(eddy_seek(file, 0, SEEK_END), taken);
        CHECK(taken >= 900000 && taken <= 1 << 20);
        CHECK_OK(eddy_truncate(file, 1000));
        CHECK_EQ(eddy_seek(file, 1000, SEEK_SET), 1000);
        CHECK_OK(eddy_write(file, data, 100000));
        CHECK_OK(eddy_stream_close(&file));

        CHECK_OK(eddy_open_with(files_path("file"), "a", &gathers, &file));
        rc = 0;
        while (rc == 0)
            rc = eddy_write(file, data, 1 << 16);
        CHECK_EQ(rc, -ENOSPC);
        CHECK_FAILS(eddy_stream_close(&file), -ENOSPC, "file");
    }
}

/* A file that may not be written, for somebody who is not root. */
TEST(file_open_without_permission_fails)
{
    FILES();
    EDDY_STREAM file = NULL;
    const char *path = files_put("file", "text");
    uid_t before = geteuid();

    CHECK_OK(chmod(path, 0400));
    CHECK_OK(chmod(files_directory, 0755));
    if (before != 0)
        test_skip("not root");
    ed_file_never_ready = false;
    CHECK_OK(seteuid(65534));
    int rc = eddy_open(path, "r", &file);
    CHECK_OK(seteuid(before));
    CHECK_EQ(rc, -EACCES);
}

/* Random faults and cancels: nothing is left, and when they stop all works. */
static int work(int number)
{
    eddy_open_options options = {.write_buffer = number % 2 ? 500 : 0};
    EDDY_STREAM file = NULL;
    char name[16], data[700];

    snprintf(name, sizeof name, "file%d", number);
    EDDY_TRY(eddy_open_with(files_path(name), "w+", &options, &file));
    for (int i = 0; i < 5; i++) {
        EDDY_TRY(eddy_printf(file, "line %d of %d\n", i, number));
        EDDY_TRY((int)eddy_seek(file, 0, SEEK_SET));
        EDDY_TRY((int)eddy_read(file, data, sizeof data));
        EDDY_TRY((int)eddy_seek(file, 0, SEEK_END));
    }
    EDDY_TRY(eddy_fsync(file));
    return eddy_stream_close(&file);
}
EDDY_ASYNC(work, int);

static const struct {
    enum ed_fault kind;
    int code;
} menu[] = {
    {ED_FAULT_OPENAT, -EMFILE},      {ED_FAULT_OPENAT, -EINTR},    {ED_FAULT_READ, -EIO},
    {ED_FAULT_WRITE, -ENOSPC},       {ED_FAULT_WRITE, -EDQUOT},    {ED_FAULT_WRITE, ED_FAULT_SHORT},
    {ED_FAULT_READ, ED_FAULT_SHORT}, {ED_FAULT_FSYNC, -EIO},       {ED_FAULT_CLOSE, -EIO},
    {ED_FAULT_ALLOC, -ENOMEM},       {ED_FAULT_CANCEL, -EALREADY}, {ED_FAULT_THREAD, -EAGAIN},
};

static void run_faults(uint64_t seed)
{
    int which, cancel, failed = 0;

    random_begin(seed);
    files_go(random_below(WAYS));
    which = random_below(sizeof menu / sizeof menu[0]);
    cancel = random_below(4);
    {
        EDDY_TASK one = eddy_create_task(work, 1);
        EDDY_TASK two = eddy_create_task(work, 2);
        int rc_one, rc_two;

        (void)ed_fault_set(menu[which].kind, 1 + (uint64_t)random_below(20), menu[which].code);
        for (int i = 0; i < cancel; i++)
            (void)eddy_sleep(0);
        if (cancel)
            eddy_cancel(one);
        rc_one = eddy_await(one);
        rc_two = eddy_await(two);
        failed = (rc_one < 0 && rc_one != -ECANCELED) + (rc_two < 0);
        (void)ed_fault_set(menu[which].kind, 0, 0);
        if (failed > 1 && !test_is_cancelled())
            test_fail(__FILE__, __LINE__, "EDDY_TEST_SEED=%llu: %s, %s", (unsigned long long)seed,
                      eddy_error_name(rc_one), eddy_error_name(rc_two));
    }
    while (*test_report())
        continue;
    if ((work(1) < 0 || work(2) < 0) && !test_is_cancelled())
        test_fail(__FILE__, __LINE__, "EDDY_TEST_SEED=%llu: it fails without a fault",
                  (unsigned long long)seed);
}

TEST(file_faults_and_cancels_leave_nothing_behind)
{
    FILES();
    seeds_run(run_faults, 100);
}
