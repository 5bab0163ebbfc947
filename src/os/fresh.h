/* SPDX-License-Identifier: MIT */
/*
 * A fresh file, in a thread, that takes a name when it is whole, see fresh.c:
 *
 *     struct ed_fresh fresh;
 *     int rc = ed_fresh_open(&fresh, path, 0);
 *
 *     if (rc == 0)
 *         rc = ...write to fresh.fd...
 *     if (rc == 0)
 *         rc = ed_fresh_commit(&fresh, true);
 *     ed_fresh_close(&fresh);
 */
#ifndef ED_OS_FRESH_H
#define ED_OS_FRESH_H

#include <limits.h>
#include <sys/stat.h>

#include "base/compat.h"

struct ed_fresh {
    int folder, fd; /* -1: none; where it is going to be, and the new file */
    bool replaces;  /* there is an old file: */
    struct stat old;
    bool named;              /* the new file has the temporary name */
    char name[NAME_MAX + 1]; /* in the folder */
    char temporary[NAME_MAX + 1];
};

/*
 * Makes a new file for a path, whose links are followed, without a name if that can be.
 * `permissions` 0: those of the old file, else what the umask leaves of 0666. 0 or an error:
 * -EISDIR, -EINVAL for what is no regular file; then too it is to be closed.
 */
int ed_fresh_open(struct ed_fresh *fresh, const char *path, mode_t permissions);

/* Gives it the name, in place of the old file. With `sync` both are on the disk. 0 or an error. */
int ed_fresh_commit(struct ed_fresh *fresh, bool sync);

/* What was not committed leaves nothing behind. */
void ed_fresh_close(struct ed_fresh *fresh);

#endif
