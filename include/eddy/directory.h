/* SPDX-License-Identifier: MIT */
/*
 * Folders: making them, removing them, and what is in them.
 *
 *     eddy_dir_entry entry;
 *
 *     EDDY_FOR_EACH(rc, entry, eddy_scandir("."))
 *         puts(entry.name);
 *
 *     eddy_walk_entry found;
 *
 *     EDDY_FOR_EACH(rc, found, eddy_walk("src")) {
 *         if (found.type == DT_DIR && strcmp(found.name, ".git") == 0)
 *             *found.enter = false;
 *         else if (found.error < 0)
 *             fprintf(stderr, "%s: %s\n", found.path, eddy_strerror(found.error));
 *     }
 *
 * As in eddy/filesystem.h, whose rules of paths, errors and cancellation hold here too, each
 * call, and each step of a generator that asks the kernel, is one job of a thread. A step that is
 * cancelled or runs out of time ends its generator.
 */
#ifndef EDDY_DIRECTORY_H
#define EDDY_DIRECTORY_H

#include <dirent.h>
#include <sys/types.h>

#include "eddy/compat.h"
#include "eddy/generator.h"

EDDY_BEGIN_DECLS

/* Makes a folder; `mode` are its permissions, less the umask: 0777. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_mkdir(const char *path, mode_t mode);

/* The same with the folders above it that are missing, with 0777 less the umask. A folder that is
 * there already is -EEXIST, unless `exist_ok`. Others may make them at the same time. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_makedirs(const char *path, mode_t mode, bool exist_ok);

/* Removes a folder that is empty (-ENOTEMPTY). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_rmdir(const char *path);

/* The same, and then the folders above it in the path, up to the first that is not empty, which
 * is no error. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_removedirs(const char *path);

/*
 * Removes a folder with all that is in it, however deep. Symbolic links in it are removed, never
 * followed, also when they are put there meanwhile; what others have removed is no error.
 *
 * Suspends.
 *
 * Returns 0; or the first error, whose text names its path, and all else has been removed:
 *   -ENOENT, -ENOTDIR   there is no such folder; it is something else, or a symbolic link
 *   -EINVAL             the path is "/", or ends in "." or ".."
 *   -ENOTEMPTY          somebody has put something into it meanwhile
 *   -ESTALE             a folder of it was moved elsewhere meanwhile; the rest is left
 *   -ECANCELED, -ETIMEDOUT   some of it is removed, and the removing ends soon
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_rmtree(const char *path);

/*
 * The names in a folder, without "." and "..", in the order of their bytes: on success an array
 * with a NULL behind the last, one block with all names in it, owned by the caller: eddy_free()
 * it. `count` may be NULL. Suspends.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_listdir(const char *path, char ***names, size_t *count);

/* A name of a folder. */
typedef struct eddy_dir_entry {
    const char *name; /* without the path; borrowed until the next one */
    int type;         /* as in readdir(3): DT_REG, DT_DIR, DT_LNK, ...; never DT_UNKNOWN */
    ino_t inode;
} eddy_dir_entry;

/*
 * A generator of the names in a folder, eddy_dir_entry, in no order, without "." and "..". The
 * path is copied. It has as many of them at a time as fit into 32 KiB; what is made or removed
 * while it goes on, it may have or not.
 *
 * NULL when there is no memory, which eddy_next reports. eddy_next suspends, and returns the error
 * with which the folder could not be opened or read.
 */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_scandir(const char *path);

/* What a walk has found. */
typedef struct eddy_walk_entry {
    const char *path; /* that of the walk, a slash, and so on; borrowed until the next one */
    const char *name; /* its last part */
    int type;         /* as of eddy_dir_entry; what a link points to is not asked */
    int error;        /* 0; or why this folder, which came before, could not be entered or read */
    size_t depth;     /* 1 for what is in the folder of the walk */
    bool *enter;      /* of a folder: true; set it to false, and the walk leaves it out */
} eddy_walk_entry;

/*
 * A generator of all that is in a folder and below, eddy_walk_entry: names in the order of their
 * bytes, each folder before what is in it. The folder itself is none of them. The path is copied,
 * and followed if it is a link; links that are found are not, so the walk ends. Nor is a folder
 * entered that is also one above itself, as broken file systems have it: -ELOOP. All names of the
 * folders between the path and the entry are kept in memory, and up to 33 descriptors.
 *
 * A folder that cannot be read comes a second time, with `error`, and the walk goes on; one that
 * is gone by then does not.
 *
 * NULL when there is no memory, which eddy_next reports. eddy_next suspends, and returns the error
 * of the first folder; -ESTALE when one that it has to go back from was moved elsewhere; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_walk(const char *path);

EDDY_END_DECLS
#endif
