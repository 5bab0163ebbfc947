/* SPDX-License-Identifier: MIT */
/* For tests of the file system: a folder of the test's own, and what is done in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

/* A folder, removed with all that is in it by EDDY_DEFER(folder_remove, folder). */
struct folder {
    char path[64];
};

static inline int
folder_remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status, (void)type, (void)at;
    return remove(path);
}

__attribute__((unused)) static void folder_remove(struct folder *folder)
{
    if (folder->path[0])
        nftw(folder->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static struct folder folder_make(void)
{
    struct folder folder = {"/tmp/eddy-test-XXXXXX"};

    if (!mkdtemp(folder.path))
        test_fail(__FILE__, __LINE__, "no folder: %s", strerror(errno));
    return folder;
}

#define FOLDER(name)                                                                               \
    struct folder name = folder_make();                                                            \
    EDDY_DEFER(folder_remove, &name)

/* The path of something in it; one of eight buffers, taken in turn. */
__attribute__((unused)) static const char *in(const struct folder *folder, const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, PATH_MAX, "%s/%s", folder->path, name);
    return path;
}

/* Puts a text behind what is in a file, which is made if need be. */
__attribute__((unused)) static int file_add(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int rc = fd < 0 || (*text && write(fd, text, strlen(text)) < 0) ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* What is in a file; a buffer that is overwritten. */
__attribute__((unused)) static const char *file_text(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

#endif
