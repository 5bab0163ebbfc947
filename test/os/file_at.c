/* SPDX-License-Identifier: MIT */
/* Transfers at an offset: rule F-23. */
#include "os/files.h"

TEST(file_pread_and_pwrite_leave_the_position)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[16], more[4];
        struct iovec parts[] = {{data, 2}, {NULL, 0}, {more, 4}};

        CHECK_OK(eddy_open(files_put("file", "0123456789"), "r+", &file));
        CHECK_EQ(eddy_read(file, data, 2), 2);
        CHECK_EQ(eddy_pread(file, data, 3, 5), 3);
        CHECK(memcmp(data, "567", 3) == 0);
        CHECK_EQ(eddy_pread(file, data, sizeof data, 8), 2);
        CHECK_EQ(eddy_pread(file, data, sizeof data, 10), 0);
        CHECK_EQ(eddy_pread(file, data, 0, 0), 0);
        CHECK_EQ(eddy_preadv(file, parts, 3, 1), 6);
        CHECK(memcmp(data, "12", 2) == 0 && memcmp(more, "3456", 4) == 0);
        CHECK_OK(eddy_pwrite(file, "ABC", 3, 2));
        CHECK_OK(eddy_pwritev(file, (struct iovec[]){{"x", 1}, {"yz", 2}}, 2, 9));
        CHECK_EQ(eddy_tell(file), 2);
        CHECK_EQ(eddy_read(file, data, 1), 1);
        CHECK_EQ(data[0], 'A');
        CHECK_STR(files_get("file"), "01ABC5678xyz");
    }
}

TEST(file_pread_and_pwrite_refuse_what_makes_no_sense)
{
    FILES();
    EDDY_STREAM file = NULL, reads = NULL;
    char data[4];
    static struct iovec parts[1025];

    CHECK_OK(eddy_open(files_put("file", "hello"), "r+", &file));
    CHECK_FAILS((int)eddy_pread(file, data, 4, -1), -EINVAL, "offset");
    CHECK_EQ(eddy_pwrite(file, data, 4, -1), -EINVAL);
    CHECK_EQ(eddy_preadv(file, parts, 1025, 0), -EINVAL);
    CHECK_EQ(eddy_pwritev(file, parts, 1025, 0), -EINVAL);
    CHECK_EQ(eddy_preadv(file, parts, 1024, 0), 0);
    CHECK_OK(eddy_open(files_path("file"), "r", &reads));
    CHECK_EQ(eddy_raise(-EBADF, "of an older call"), -EBADF);
    CHECK_FAILS(eddy_pwrite(reads, data, 4, 0), -EBADF, "pwrite");
}

enum { BIG = 700000 };

/* More than one piece, and more than one part takes. */
TEST(file_transfers_of_many_pieces)
{
    FILES();
    static char big[BIG], back[BIG];

    for (int i = 0; i < BIG; i++)
        big[i] = (char)(i * 7 + i / 1000);
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(eddy_open(files_path("big"), "w+", &file));
        CHECK_OK(eddy_write(file, big, BIG));
        CHECK_OK(eddy_pwrite(file, big, BIG, BIG));
        CHECK_EQ(eddy_pread(file, back, BIG, BIG), BIG);
        CHECK(memcmp(big, back, BIG) == 0);
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        memset(back, 0, BIG);
        CHECK_OK(eddy_read_exactly(file, back, BIG));
        CHECK(memcmp(big, back, BIG) == 0);
        CHECK_EQ(eddy_tell(file), BIG);
    }
}

static int pread_one(eddy_stream *file, int i, int *sum)
{
    char digit;

    EDDY_TRY((int)eddy_pread(file, &digit, 1, i % 10));
    *sum += digit - '0';
    return 0;
}
EDDY_ASYNC(pread_one, eddy_stream *, int, int *);

/* F-23, F-30: many at a time. */
TEST(file_preads_run_side_by_side)
{
    FILES();

    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        int sum = 0;

        CHECK_OK(eddy_open(files_put("file", "0123456789"), "r", &file));
        EDDY_GROUP(group);
        for (int i = 0; i < 100; i++)
            CHECK_OK(eddy_group_create_task(&group, pread_one, file, i, &sum));
        CHECK_OK(eddy_group_join(&group));
        CHECK_EQ(sum, 450);
    }
}
