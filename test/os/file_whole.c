/* SPDX-License-Identifier: MIT */
/* Whole files. */
#include <stdlib.h>

#include "base/fault.h"
#include "os/files.h"

/* A whole file at once, also one whose size is not known. */
TEST(file_read_whole)
{
    FILES();
    static char big[300001];
    char *data = NULL;
    size_t size;

    memset(big, 'b', 300000);
    FOR_EACH_WAY(way) {
        CHECK_OK(eddy_read_file(files_put("file", "hello"), 0, &data, &size));
        CHECK_EQ(size, 5);
        CHECK_STR(data, "hello");
        eddy_free(data);
        CHECK_OK(eddy_read_file(files_put("file", big), 300000, &data, NULL));
        CHECK_STR(data, big);
        eddy_free(data);
        CHECK_EQ(eddy_read_file(files_path("file"), 299999, &data, &size), EDDY_ELIMIT);
        CHECK_OK(eddy_read_file(files_put("file", ""), 0, &data, &size));
        CHECK_EQ(size, 0);
        CHECK_STR(data, "");
        eddy_free(data);
        CHECK_OK(eddy_read_file("/proc/self/status", 0, &data, &size));
        CHECK_EQ(size, strlen(data));
        CHECK_HAS(data, "Threads:");
        eddy_free(data);
        CHECK_FAILS(eddy_read_file(files_path("none"), 0, &data, &size), -ENOENT, "none");
        CHECK_EQ(eddy_read_file(files_directory, 0, &data, &size), -EISDIR);
    }
}

/* Sizes around pages and the first block, with short reads between. */
TEST(file_read_whole_of_each_size)
{
    FILES();
    static const size_t sizes[] = {1,     4095,  4096,  4097,  8192,   16383,
                                   16384, 16385, 20480, 65536, 100000, 262145};
    static char big[1 << 19];
    char *data = NULL;
    size_t size;

    for (size_t i = 0; i < 1 << 19; i++)
        big[i] = (char)(i * 3 + i / 999);
    FOR_EACH_WAY(way)
        for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
            files_put_bytes("file", big, sizes[i / 2]);
            if (i % 2)
                (void)ed_fault_set(ED_FAULT_READ, 1, ED_FAULT_SHORT);
            CHECK_OK(eddy_read_file(files_path("file"), 0, &data, &size));
            (void)ed_fault_set(ED_FAULT_READ, 0, 0);
            CHECK_EQ(size, sizes[i / 2]);
            CHECK(memcmp(data, big, size) == 0 && data[size] == '\0');
            eddy_free(data);
            CHECK_OK(eddy_read_file(files_path("file"), sizes[i / 2], &data, &size));
            CHECK_EQ(size, sizes[i / 2]);
            eddy_free(data);
            CHECK_EQ(eddy_read_file(files_path("file"), sizes[i / 2] - 1, &data, &size),
                     sizes[i / 2] == 1 ? 0 : EDDY_ELIMIT);
            if (sizes[i / 2] == 1)
                eddy_free(data); /* a limit of 0 is the usual one */
        }
}

static int write_to_pipe(const char *path)
{
    EDDY_STREAM pipe = NULL;

    EDDY_TRY(eddy_open(path, "w", &pipe));
    return eddy_write(pipe, "through a pipe", 14);
}
EDDY_ASYNC(write_to_pipe, const char *);

/* What is no file is read to its end, too. It is the try that finds out; a ring that is asked
 * without one would read a pipe as well, from no offset at all. */
TEST(file_read_whole_of_a_pipe)
{
    FILES();
    char *data = NULL;
    size_t size;

    CHECK_OK(mkfifo(files_path("pipe"), 0600));
    FOR_EACH_WAY(way) {
        if (way == WAY_SLOW)
            continue;
        EDDY_TASK writer = eddy_create_task(write_to_pipe, files_path("pipe"));
        CHECK_OK(eddy_read_file(files_path("pipe"), 0, &data, &size));
        CHECK_STR(data, "through a pipe");
        eddy_free(data);
        CHECK_OK(eddy_await(writer));
    }
    CHECK_EQ(eddy_read_file("/dev/zero", 100000, &data, &size), EDDY_ELIMIT);
    CHECK_OK(eddy_read_file("/dev/null", 0, &data, &size));
    CHECK_EQ(size, 0);
    eddy_free(data);
}
