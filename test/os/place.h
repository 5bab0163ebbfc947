/* SPDX-License-Identifier: MIT */
/*
 * A folder of its own for a test, in which it then is, and what it puts there. It is in memory
 * unless TMPDIR says where, since disks may take milliseconds for each folder that goes.
 *
 *     PLACE;
 *     put_file("a", "text");
 */
#ifndef PLACE_H
#define PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static char place[256];
static int place_before;

static inline void place_enter(void)
{
    const char *chosen = getenv("TMPDIR");

    snprintf(place, sizeof place, "%s/eddy-test-XXXXXX",
             chosen                          ? chosen
             : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp");
    place_before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place_before < 0 || !mkdtemp(place) || chdir(place) < 0)
        test_fail(__FILE__, __LINE__, "no folder for the test: %s", strerror(errno));
}

static inline int
place_remove(const char *path, const struct stat *known, int kind, struct FTW *unused)
{
    (void)known, (void)unused;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static inline void place_leave(void *unused)
{
    (void)unused;
    if (fchdir(place_before) < 0)
        test_fail(__FILE__, __LINE__, "no way back: %s", strerror(errno));
    close(place_before);
    nftw(place, place_remove, 32, FTW_DEPTH | FTW_PHYS);
}

static inline bool is_there(const char *path)
{
    struct stat known;

    return lstat(path, &known) == 0;
}

/* For EDDY_DEFER: removes a tree that is too deep for the one above. */
static inline void remove_deep(const char *path)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", path);
    if (is_there(path) && system(command) != 0)
        test_fail(__FILE__, __LINE__, "%s", command);
}

/* To the end of the block. */
#define PLACE                                                                                      \
    place_enter();                                                                                 \
    EDDY_DEFER(place_leave, NULL)

static inline void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
}

static inline void put_folder(const char *path)
{
    if (mkdir(path, 0777) < 0)
        test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
}

static inline void put_link(const char *target, const char *path)
{
    if (symlink(target, path) < 0)
        test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
}

/* What a file has, at most 63 bytes; "(none)" when there is no such file. */
static inline const char *file_text(const char *path)
{
    static char text[64];
    FILE *file = fopen(path, "re");

    if (!file)
        return "(none)";
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Leaves a generator of names in each way in which it is not asked up to its end: behind so many
 * values, before the first, by a close, by an error. */
#define LEAVE_EARLY(type, call, after)                                                             \
    do {                                                                                           \
        type early_value;                                                                          \
        int early_rc, early_count = 0;                                                             \
        EDDY_FOR_EACH(early_rc, early_value, call)                                                 \
            if (++early_count == (after))                                                          \
                break;                                                                             \
        CHECK_OK(early_rc);                                                                        \
        CHECK_EQ(early_count, (after));                                                            \
        EDDY_GENERATOR early_never_asked = (call);                                                 \
        EDDY_GENERATOR early_closed = (call);                                                      \
        EDDY_GENERATOR early_thrown = (call);                                                      \
        CHECK_OK(eddy_generator_close(early_closed));                                              \
        CHECK_EQ(eddy_throw(early_thrown, -EIO, &early_value), -EIO);                              \
        (void)early_never_asked;                                                                   \
    } while (0)

/* How many names a folder has. */
static inline int names_in(const char *path)
{
    DIR *folder = opendir(path);
    int count = -2; /* "." and ".." */

    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Runs an async function without root's rights, in a process of its own; it returns 0. */
static int (*unprivileged)(void);
static inline int unprivileged_main(void)
{
    return unprivileged();
}
EDDY_ASYNC(unprivileged_main);
static inline void unprivileged_child(void)
{
    int rc;

    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        _exit(2);
    rc = eddy_run(unprivileged_main);
    if (rc < 0)
        fprintf(stderr, "%s\n", eddy_error_message(rc));
    _exit(rc < 0);
}
#define CHECK_UNPRIVILEGED(function)                                                               \
    do {                                                                                           \
        char test_text[1024];                                                                      \
        unprivileged = (function);                                                                 \
        CHECK_THAT(test_fork(unprivileged_child, test_text, sizeof test_text) == 0, "%s",          \
                   test_text);                                                                     \
    } while (0)

#endif
