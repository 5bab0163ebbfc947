/* SPDX-License-Identifier: MIT */
/*
 * Names in the file system: each call is one system call in a job, or a few that belong together.
 * A job answers by its return, and by a result where there is more to tell.
 */
#include "eddy/filesystem.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/directory.h"
#include "os/blocking.h"
#include "task/task.h"

/* An error gets its text. */
static int answer(const struct ed_blocking *b, long rc)
{
    return rc < 0 ? ed_blocking_fail(b, (int)rc) : 0;
}

static void text_destroy(void *result)
{
    ed_free(*(char **)result);
}

/* What is known of a file ------------------------------------------------------- */

static int stat_run(const struct ed_blocking *b, void *result)
{
    return answer(b, ED_SYSTEM(ED_FAULT_STAT, stat(b->path, result)));
}

static int lstat_run(const struct ed_blocking *b, void *result)
{
    return answer(b, ED_SYSTEM(ED_FAULT_STAT, lstat(b->path, result)));
}

int eddy_stat(const char *path, struct stat *out)
{
    return ed_blocking_run(
        &(struct ed_blocking){"stat", stat_run, path, .result_size = sizeof *out}, out);
}

int eddy_lstat(const char *path, struct stat *out)
{
    return ed_blocking_run(
        &(struct ed_blocking){"lstat", lstat_run, path, .result_size = sizeof *out}, out);
}

static int statvfs_run(const struct ed_blocking *b, void *result)
{
    return answer(b, ED_SYSTEM(ED_FAULT_STAT, statvfs(b->path, result)));
}

int eddy_statvfs(const char *path, struct statvfs *out)
{
    return ed_blocking_run(
        &(struct ed_blocking){"statvfs", statvfs_run, path, .result_size = sizeof *out}, out);
}

int64_t eddy_path_size(const char *path)
{
    struct stat known;
    int rc = eddy_stat(path, &known);

    return rc < 0 ? rc : (int64_t)known.st_size;
}

static double seconds(struct timespec time)
{
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int eddy_path_mtime(const char *path, double *out)
{
    struct stat known;

    EDDY_TRY(eddy_stat(path, &known));
    *out = seconds(known.st_mtim);
    return 0;
}

int eddy_path_atime(const char *path, double *out)
{
    struct stat known;

    EDDY_TRY(eddy_stat(path, &known));
    *out = seconds(known.st_atim);
    return 0;
}

int eddy_path_ctime(const char *path, double *out)
{
    struct stat known;

    EDDY_TRY(eddy_stat(path, &known));
    *out = seconds(known.st_ctim);
    return 0;
}

/* Whether a path is of a kind, numbers[0], or any for 0; the kernel's error is a no. */
static int path_is_run(const struct ed_blocking *b, void *result)
{
    mode_t kind = (mode_t)b->numbers[0];
    int flags = kind == S_IFLNK ? AT_SYMLINK_NOFOLLOW : 0;
    struct stat known;

    (void)result;
    if (ED_SYSTEM(ED_FAULT_STAT, fstatat(AT_FDCWD, b->path, &known, flags)) < 0)
        return 0;
    return kind == 0 || (known.st_mode & S_IFMT) == kind;
}

static int path_is(const char *path, mode_t kind)
{
    return ed_blocking_run(&(struct ed_blocking){"stat", path_is_run, path, .numbers = {kind}},
                           NULL);
}

int eddy_path_exists(const char *path)
{
    return path_is(path, 0);
}

int eddy_path_is_file(const char *path)
{
    return path_is(path, S_IFREG);
}

int eddy_path_is_dir(const char *path)
{
    return path_is(path, S_IFDIR);
}

int eddy_path_is_link(const char *path)
{
    return path_is(path, S_IFLNK);
}

static int path_is_mount_run(const struct ed_blocking *b, void *result)
{
    struct statx known = {.stx_mask = 0};

    (void)result;
    if (ED_SYSTEM(ED_FAULT_STAT, statx(AT_FDCWD, b->path, AT_SYMLINK_NOFOLLOW, 0, &known)) < 0)
        return 0;
    return (known.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int eddy_path_is_mount(const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"statx", path_is_mount_run, .path = path}, NULL);
}

static int samefile_run(const struct ed_blocking *b, void *result)
{
    struct stat one, other;
    long rc = ED_SYSTEM(ED_FAULT_STAT, stat(b->path, &one));

    (void)result;
    if (rc < 0)
        return ed_blocking_fail_at(b, b->path, (int)rc);
    rc = ED_SYSTEM(ED_FAULT_STAT, stat(b->other, &other));
    if (rc < 0)
        return ed_blocking_fail_at(b, b->other, (int)rc);
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int eddy_samefile(const char *one, const char *other)
{
    return ed_blocking_run(&(struct ed_blocking){"samefile", samefile_run, one, .other = other},
                           NULL);
}

static int access_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_STAT, access(b->path, (int)b->numbers[0])));
}

int eddy_access(const char *path, int mode)
{
    return ed_blocking_run(&(struct ed_blocking){"access", access_run, path, .numbers = {mode}},
                           NULL);
}

/* A text of known length as the result. */
static int text_result(const struct ed_blocking *b, const char *text, size_t length, void *result)
{
    char *copy = ed_alloc(length + 1);

    if (!copy)
        return ed_blocking_fail(b, -ENOMEM);
    memcpy(copy, text, length);
    copy[length] = '\0';
    *(char **)result = copy;
    return 0;
}

static int readlink_run(const struct ed_blocking *b, void *result)
{
    char text[PATH_MAX]; /* no link is longer */
    long length = ED_SYSTEM(ED_FAULT_STAT, readlink(b->path, text, sizeof text));

    if (length < 0)
        return ed_blocking_fail(b, (int)length);
    return text_result(b, text, (size_t)length, result);
}

int eddy_readlink(const char *path, char **target)
{
    return ed_blocking_run(&(struct ed_blocking){"readlink", readlink_run, path,
                                                 .result_size = sizeof *target,
                                                 .destroy = text_destroy},
                           target);
}

static int realpath_run(const struct ed_blocking *b, void *result)
{
    char text[PATH_MAX];
    long rc = ED_SYSTEM(ED_FAULT_STAT, realpath(b->path, text) ? 0 : -1);

    return rc < 0 ? ed_blocking_fail(b, (int)rc) : text_result(b, text, strlen(text), result);
}

int eddy_realpath(const char *path, char **out)
{
    return ed_blocking_run(&(struct ed_blocking){"realpath", realpath_run, path,
                                                 .result_size = sizeof *out,
                                                 .destroy = text_destroy},
                           out);
}

/* Changes of names --------------------------------------------------------------- */

static int rename_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_RENAME, rename(b->path, b->other)));
}

int eddy_rename(const char *from, const char *to)
{
    return ed_blocking_run(&(struct ed_blocking){"rename", rename_run, from, .other = to}, NULL);
}

static int unlink_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_UNLINK, unlink(b->path)));
}

int eddy_unlink(const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"unlink", unlink_run, .path = path}, NULL);
}

static int link_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_LINK, link(b->path, b->other)));
}

int eddy_link(const char *file, const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"link", link_run, file, .other = path}, NULL);
}

/* Its text names the new link first. */
static int symlink_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_LINK, symlink(b->other, b->path)));
}

int eddy_symlink(const char *target, const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"symlink", symlink_run, path, .other = target},
                           NULL);
}

static int mkdir_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_MKDIR, mkdir(b->path, (mode_t)b->numbers[0])));
}

int eddy_mkdir(const char *path, mode_t mode)
{
    return ed_blocking_run(&(struct ed_blocking){"mkdir", mkdir_run, path, .numbers = {mode}},
                           NULL);
}

static int rmdir_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_UNLINK, rmdir(b->path)));
}

int eddy_rmdir(const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"rmdir", rmdir_run, .path = path}, NULL);
}

/* Changes of what is known ---------------------------------------------------------- */

static int chmod_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_CHMOD, chmod(b->path, (mode_t)b->numbers[0])));
}

int eddy_chmod(const char *path, mode_t mode)
{
    return ed_blocking_run(&(struct ed_blocking){"chmod", chmod_run, path, .numbers = {mode}},
                           NULL);
}

static int chown_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(
        b, ED_SYSTEM(ED_FAULT_CHMOD, chown(b->path, (uid_t)b->numbers[0], (gid_t)b->numbers[1])));
}

int eddy_chown(const char *path, uid_t owner, gid_t group)
{
    return ed_blocking_run(
        &(struct ed_blocking){"chown", chown_run, path, .numbers = {owner, group}}, NULL);
}

static int utime_run(const struct ed_blocking *b, void *result)
{
    (void)result;
    return answer(b, ED_SYSTEM(ED_FAULT_CHMOD, utimensat(AT_FDCWD, b->path, b->data, 0)));
}

int eddy_utime(const char *path, const struct timespec times[2])
{
    return ed_blocking_run(&(struct ed_blocking){"utime", utime_run, path, .data = times,
                                                 .size = times ? 2 * sizeof *times : 0},
                           NULL);
}
