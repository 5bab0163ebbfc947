/* SPDX-License-Identifier: MIT */
/*
 * Names in the file system: Python's os and os.path, as aiofiles has them.
 *
 *     static int publish(const char *text)
 *     {
 *         EDDY_TRY(eddy_makedirs("site/news", 0777, true));
 *         EDDY_TRY(eddy_replace_file("site/news/today.html", text, strlen(text), 0));
 *         return eddy_rename("site", "public");
 *     }
 *
 * Folders, and what is in them, are in eddy/directory.h.
 *
 * Each call is one job of a thread, which takes copies of what it is given, so nothing here blocks
 * the loop. A cancelled call leaves at once. If its job had not begun, it never does; else what it
 * does may still happen, behind the end of the loop too.
 *
 * Paths are bytes, in no encoding. Relative ones begin where the process is when the job runs. The
 * umask is the process's. The kernel takes no path of more than 4,095 bytes, and no name of more
 * than 255 (-ENAMETOOLONG).
 *
 * Calls return 0, a count or an answer; or an error of the system call's, with a text that names
 * the path: 'rename "a" to "b": Permission denied'; or -ENOMEM, -EAGAIN when no thread can be
 * made, -ECANCELED, -ETIMEDOUT. `out` is then untouched. What is listed below comes on top.
 */
#ifndef EDDY_FILESYSTEM_H
#define EDDY_FILESYSTEM_H

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* What is known of a file: stat(2); of a symbolic link itself: lstat(2). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_stat(const char *path, struct stat *out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_lstat(const char *path, struct stat *out); /* Suspends. */

/* The file system that a path is in: how much room there is, statvfs(3). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_statvfs(const char *path, struct statvfs *out);

/* How large a file is, bytes. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_path_size(const char *path);

/* When its bytes were last changed, when they were read, and when anything about it was changed:
 * seconds since 1970. (eddy_stat has them to the nanosecond.) Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_mtime(const char *path, double *out);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_path_atime(const char *path, double *out); /* Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_path_ctime(const char *path, double *out); /* Suspends. */

/* Whether a path exists, links followed; is a regular file; a folder; a symbolic link; where a
 * file system is mounted. Returns 1 or 0, which is also the answer when the kernel does not tell;
 * an error only when it was not asked. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_exists(const char *path);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_is_file(const char *path);  /* Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_is_dir(const char *path);   /* Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_is_link(const char *path);  /* Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_path_is_mount(const char *path); /* Suspends. */

/* Whether two paths are one file: 1 or 0. An error names the path that it is about. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_samefile(const char *one, const char *other);

/* Whether the process may use a path: access(2), `mode` F_OK or R_OK, W_OK, X_OK together. It asks
 * for the real user, and what it says may be wrong in the next moment. Suspends.
 * Returns 0, -EACCES, -EROFS, ... */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_access(const char *path, int mode);

/* Where a symbolic link points to; and a path without links, "." and "..", from the root. The text
 * is owned by the caller: eddy_free() it. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_readlink(const char *path, char **target);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_realpath(const char *path, char **out); /* Suspends. */

/* Gives a file or folder another name in its file system (-EXDEV), in one step: a file, or an
 * empty folder, that has the name already is replaced by one of its kind. Suspends.
 * Returns 0, -EISDIR, -ENOTDIR, -ENOTEMPTY, ... of rename(2). */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_rename(const char *from, const char *to);

/* The same, but makes the folders that `to` lacks, and removes those above `from` that are empty
 * then. Failing to remove them is no error. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_renames(const char *from, const char *to);

/* Removes a name of a file, or a symbolic link. Suspends. -EISDIR for a folder. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_unlink(const char *path);

/* Gives a file one more name; makes a symbolic link that points to `target`, which need not be
 * there. -EEXIST when there is a `path` already. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_link(const char *file, const char *path);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_symlink(const char *target, const char *path); /* Suspends. */

/* Sets the permissions of a file, and its owner and group; -1 leaves one. Links are followed.
 * Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_chmod(const char *path, mode_t mode);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_chown(const char *path, uid_t owner, gid_t group); /* Suspends. */

/* Sets when a file was read and when it was changed, in this order; NULL: now. UTIME_NOW and
 * UTIME_OMIT in tv_nsec mean what they do in utimensat(2). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_utime(const char *path, const struct timespec times[2]);

/*
 * Replaces a file, or makes it, in one step: whoever reads it finds the old bytes or the new ones,
 * never a part, also behind a crash or a loss of power. The bytes go to a new file in the same
 * folder and to the disk, then take the name, and then the folder goes to the disk.
 *
 * data          copied; may be NULL when `size` is 0
 * permissions   of the file; 0: those of the one that is replaced, else 0666 less the umask
 *
 * A symbolic link is followed: what it points to is replaced, or made. Owner and group are kept
 * as far as the process may; other names of the old file keep the old bytes. Suspends.
 *
 * Returns 0; or an error, and the old file is untouched, and nothing is left beside it:
 *   -EISDIR, -EINVAL   it is a folder; or a device, pipe or socket
 *   -ENOSPC, -EDQUOT, -EIO, ...   of this last, from the folder, the new file may be in place
 *   -ECANCELED, -ETIMEDOUT   it is the old file, or soon the new one
 * Killed between two of its last steps, a process may leave ".NAME." and sixteen digits behind, a
 * whole new file; where the kernel has no files without a name (O_TMPFILE), in any step.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_replace_file(const char *path, const void *data, size_t size, mode_t permissions);

/*
 * Copies a regular file's bytes and permissions, in the kernel where it can, copy_file_range(2).
 * `to` is replaced or made in one step, as by eddy_replace_file, but without waiting for the disk.
 * Its times are new.
 *
 * Suspends. Returns how many bytes; or an error, and `to` is untouched:
 *   -EINVAL   both are one file, or one is no regular file (-EISDIR: a folder)
 *   -ECANCELED, -ETIMEDOUT   `to` is untouched, or soon whole; the copying ends soon
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_copy_file(const char *from, const char *to);

EDDY_END_DECLS
#endif
