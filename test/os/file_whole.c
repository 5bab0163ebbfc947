/* SPDX-License-Identifier: MIT */
/* Whole files. */
#include "os/files.h"

/* A whole file at once, also one whose size is not known. */
TEST(file_read_whole)
{
    FILES();
    char *data = NULL, *big = calloc(1, 300001);
    size_t size;

    memset(big, 'b', 300000);
    for
        EACH_WAY(way)
        {
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
    free(big);
}
