/* SPDX-License-Identifier: MIT */
/*
 * Files for tests: a directory of the test's own, which goes with the block it is declared in, and
 * the ways on which an operation can go.
 *
 *     FILES();
 *     files_put("data.txt", "hello");
 *     CHECK_OK(eddy_open(files_path("data.txt"), "r", &file));
 */
#ifndef FILES_H
#define FILES_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "harness.h"
#include "os/file_call.h"

static char files_directory[64];

static inline int
files_remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static inline void files_end(void *unused)
{
    (void)unused;
    nftw(files_directory, files_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void files_begin(const char *where)
{
    snprintf(files_directory, sizeof files_directory, "%s/eddy-file-XXXXXX", where);
    if (!mkdtemp(files_directory))
        test_fail(__FILE__, __LINE__, "mkdtemp: %s", strerror(errno));
}

#define FILES()                                                                                    \
    files_begin("/tmp");                                                                           \
    EDDY_DEFER(files_end, NULL)

/* For EDDY_DEFER: closes a descriptor, which a cancelled test may leave. */
static inline void files_close(void *fd)
{
    close(*(int *)fd);
}

/* The path of a name in the directory; eight at a time. */
static inline const char *files_path(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", files_directory, name);
    return path;
}

static inline const char *files_put_bytes(const char *name, const void *data, size_t size)
{
    const char *path = files_path(name);
    FILE *file = fopen(path, "we");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
    return path;
}

static inline const char *files_put(const char *name, const char *text)
{
    return files_put_bytes(name, text, strlen(text));
}

#define FILES_CONTENT ((size_t)1 << 20)

/* What a file holds now, seen from outside; up to a megabyte. */
static inline size_t files_get_bytes(const char *name, char **data)
{
    static char *content;
    FILE *file = fopen(files_path(name), "re");
    size_t size;

    *data = content = content ? content : test_room(FILES_CONTENT);
    if (!file)
        test_fail(__FILE__, __LINE__, "%s: %s", name, strerror(errno));
    size = fread(content, 1, FILES_CONTENT - 1, file);
    content[size] = '\0';
    fclose(file);
    return size;
}

static inline const char *files_get(const char *name)
{
    char *content;

    (void)files_get_bytes(name, &content);
    return content;
}

/* The ways: at once; by the ring, where there is one; in a thread. */
enum files_way { WAY_AT_ONCE, WAY_SLOW, WAY_THREAD, WAYS };

static inline void files_go(enum files_way way)
{
    ed_file_never_ready = way != WAY_AT_ONCE;
    ed_file_calls_in_threads = way == WAY_THREAD;
}

#define FOR_EACH_WAY(way)                                                                          \
    for (enum files_way way = WAY_AT_ONCE; way < WAYS && (files_go(way), true); way++)

#endif
