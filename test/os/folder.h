/* SPDX-License-Identifier: MIT */
/* For tests of the file system: a folder of the test's own, and what is done in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define FOLDER_NOT_HERE "not here\n"

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

/* Makes folders in it, "a", "a/b"; 0 or a negative error. */
#define folders_make(folder, ...)                                                                  \
    folders_make_all((folder), (const char *const[]){__VA_ARGS__, NULL})
__attribute__((unused)) static int
folders_make_all(const struct folder *folder, const char *const *names)
{
    for (; *names; names++)
        if (mkdir(in(folder, *names), 0700) < 0)
            return -errno;
    return 0;
}

/* In a child: a small tmpfs in the folder's place, in a namespace of the child's own. Ends the
 * child where that cannot be had, which folder_fork sees. */
__attribute__((unused)) static void folder_mount(const struct folder *folder, const char *options)
{
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
        mount("none", folder->path, "tmpfs", 0, options) == 0)
        return;
    fputs(FOLDER_NOT_HERE, stderr);
    _exit(0);
}

/* Runs a function in a child, and removes the folder behind it; its text goes to `text`. Skips the
 * test where the child has said that it cannot have what it needs, which is `what`. */
__attribute__((unused)) static int folder_fork(struct folder *folder, void (*function)(void),
                                               const char *what, char *text, size_t size)
{
    int status = test_fork(function, text, size);

    folder_remove(folder);
    if (strstr(text, FOLDER_NOT_HERE))
        test_skip(what);
    return status;
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
