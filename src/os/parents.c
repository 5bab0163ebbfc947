/* SPDX-License-Identifier: MIT */
/*
 * Folders together with those above them. A path is taken apart in a copy, at its slashes: the
 * folders above are made from the left, and pruned from the right. Nothing is asked before it is
 * done, so that others may make and remove the same folders at the same time.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/directory.h"
#include "eddy/filesystem.h"
#include "os/blocking.h"

/* Makes what is missing above the last part of a path. */
static int parents_make(const struct ed_blocking *b, char *path)
{
    char *slash = path + strspn(path, "/");

    while ((slash = strchr(slash, '/'))) {
        char *next = slash + strspn(slash, "/");
        int rc;

        if (!*next)
            break;
        *slash = '\0';
        rc = (int)ED_SYSTEM(ED_FAULT_MKDIR, mkdir(path, 0777));
        if (rc < 0 && rc != -EEXIST)
            return ed_blocking_fail_at(b, path, rc);
        *slash = '/';
        slash = next;
    }
    return 0;
}

/* Cuts the last part off; false when there is no other. */
static bool path_cut(char *path)
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 0 && path[length - 1] == '/')
        length--;
    path[length] = '\0';
    return length > 0;
}

/* Removes the folders above the last part, up to the first that is not empty. */
static void parents_prune(char *path)
{
    while (path_cut(path))
        if (ED_SYSTEM(ED_FAULT_UNLINK, rmdir(path)) < 0)
            return;
}

static bool is_folder(const char *path)
{
    struct stat known;

    return ED_SYSTEM(ED_FAULT_STAT, stat(path, &known)) == 0 && S_ISDIR(known.st_mode);
}

static int makedirs_run(const struct ed_blocking *b, void *result)
{
    mode_t mode = (mode_t)b->numbers[0];
    bool may_exist = b->numbers[1] != 0;
    int rc = (int)ED_SYSTEM(ED_FAULT_MKDIR, mkdir(b->path, mode));
    char *path;

    (void)result;
    if (rc == -ENOENT) {
        path = ed_strdup(b->path);
        if (!path)
            return ed_blocking_fail(b, -ENOMEM);
        rc = parents_make(b, path);
        ed_free(path);
        if (rc < 0)
            return rc;
        rc = (int)ED_SYSTEM(ED_FAULT_MKDIR, mkdir(b->path, mode));
    }
    if (rc == -EEXIST && may_exist && is_folder(b->path))
        return 0;
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

int eddy_makedirs(const char *path, mode_t mode, bool exist_ok)
{
    return ed_blocking_run(
        &(struct ed_blocking){"makedirs", makedirs_run, path, .numbers = {mode, exist_ok}}, NULL);
}

static int removedirs_run(const struct ed_blocking *b, void *result)
{
    char *path = ed_strdup(b->path);
    int rc = path ? (int)ED_SYSTEM(ED_FAULT_UNLINK, rmdir(path)) : -ENOMEM;

    (void)result;
    if (rc < 0)
        rc = ed_blocking_fail(b, rc);
    else
        parents_prune(path);
    ed_free(path);
    return rc;
}

int eddy_removedirs(const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"removedirs", removedirs_run, .path = path}, NULL);
}

/* A rename that may find no folder to rename into, which is then made. */
static int renames_try(const struct ed_blocking *b, char *to)
{
    int rc = (int)ED_SYSTEM(ED_FAULT_RENAME, rename(b->path, b->other));
    struct stat known;

    if (rc != -ENOENT || ED_SYSTEM(ED_FAULT_STAT, lstat(b->path, &known)) < 0)
        return rc < 0 ? ed_blocking_fail(b, rc) : 0;
    rc = parents_make(b, to);
    if (rc < 0)
        return rc;
    rc = (int)ED_SYSTEM(ED_FAULT_RENAME, rename(b->path, b->other));
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

static int renames_run(const struct ed_blocking *b, void *result)
{
    char *from = ed_strdup(b->path), *to = ed_strdup(b->other);
    int rc = from && to ? renames_try(b, to) : ed_blocking_fail(b, -ENOMEM);

    (void)result;
    if (rc == 0)
        parents_prune(from);
    ed_free(from);
    ed_free(to);
    return rc;
}

int eddy_renames(const char *from, const char *to)
{
    return ed_blocking_run(&(struct ed_blocking){"renames", renames_run, from, .other = to}, NULL);
}
