/* SPDX-License-Identifier: MIT */
/*
 * A fresh file beside the one that it is to replace. It has no name (O_TMPFILE) until it is whole;
 * where the kernel or the file system knows no such files, it has a temporary one from the start.
 *
 * Giving it its name is one step for whoever looks: a link where there was no file, else a rename
 * of the temporary name, which a file without a name is given just before that. So only between
 * these two steps can a kill leave something beside the old file.
 *
 * Everything happens in one folder, by its descriptor. Links are followed by hand to find that
 * folder and the name in it, with the kernel's rule against traps: in a folder like /tmp, where
 * anybody may put a link, one is followed only if it is the process's own or the folder's owner's.
 */
#include "os/fresh.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "os/blocking.h"

#define LINKS_MAX 40    /* as in the kernel */
#define NAMES_TRIED 100 /* temporary ones */

/* Where it is going to be ---------------------------------------------------------- */

/* Steps into the folder that a path names, up to its last part, which is the name in it. */
static int fresh_step(struct ed_fresh *fresh, char *path)
{
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *folder = !slash ? "." : slash == path ? "/" : path;
    int fd;

    if (!*path)
        return -ENOENT;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(fresh->name, name, strlen(name) + 1);
    if (slash && slash != path)
        *slash = '\0';
    fd = (int)ED_SYSTEM(ED_FAULT_OPENAT, openat(fresh->folder < 0 ? AT_FDCWD : fresh->folder,
                                                folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return fd;
    if (fresh->folder >= 0)
        close(fresh->folder);
    fresh->folder = fd;
    return 0;
}

/* fs.protected_symlinks, proc(5). */
static bool link_is_trusted(int folder, const struct stat *link)
{
    struct stat around;

    if (fstat(folder, &around) < 0)
        return false;
    if ((around.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
        return true;
    return link->st_uid == geteuid() || link->st_uid == around.st_uid;
}

/* Reads the link behind a descriptor of O_PATH: 1; 0 when it is none. */
static int link_read(int folder, int fd, char *path)
{
    struct stat known;
    long size = ED_SYSTEM(ED_FAULT_STAT, fstat(fd, &known));

    if (size < 0)
        return (int)size;
    if (!S_ISLNK(known.st_mode))
        return 0;
    if (!link_is_trusted(folder, &known))
        return -EACCES;
    size = ED_SYSTEM(ED_FAULT_STAT, readlinkat(fd, "", path, PATH_MAX - 1));
    if (size < 0)
        return (int)size;
    path[size] = '\0';
    return 1;
}

/* The link that the name is, into `path`: 1; 0 when it is none, or nothing. */
static int fresh_read_link(struct ed_fresh *fresh, char *path)
{
    int fd = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                            openat(fresh->folder, fresh->name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    int rc;

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    rc = link_read(fresh->folder, fd, path);
    close(fd);
    return rc;
}

static int fresh_find(struct ed_fresh *fresh, const char *from)
{
    char path[PATH_MAX];
    int rc = 1;

    if (strlen(from) >= sizeof path)
        return -ENAMETOOLONG;
    memcpy(path, from, strlen(from) + 1);
    for (int links = 0; links <= LINKS_MAX && rc == 1; links++) {
        rc = fresh_step(fresh, path);
        if (rc == 0)
            rc = fresh_read_link(fresh, path);
    }
    return rc == 1 ? -ELOOP : rc;
}

/* The old file, if there is one: 0 or an error. */
static int fresh_look(struct ed_fresh *fresh)
{
    int rc = (int)ED_SYSTEM(ED_FAULT_STAT,
                            fstatat(fresh->folder, fresh->name, &fresh->old, AT_SYMLINK_NOFOLLOW));

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    fresh->replaces = true;
    return S_ISREG(fresh->old.st_mode) ? 0 : S_ISDIR(fresh->old.st_mode) ? -EISDIR : -EINVAL;
}

/* The new file --------------------------------------------------------------------- */

/* ".NAME." and sixteen digits; a long name is cut. */
static int fresh_make_name(struct ed_fresh *fresh)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        return -EAGAIN;
    snprintf(fresh->temporary, sizeof fresh->temporary, ".%.*s.%016llx", NAME_MAX - 18, fresh->name,
             (unsigned long long)random);
    return 0;
}

static int fresh_make_named(struct ed_fresh *fresh, mode_t mode)
{
    int rc = -EEXIST;

    for (int tries = 0; tries < NAMES_TRIED && rc == -EEXIST; tries++) {
        rc = fresh_make_name(fresh);
        if (rc == 0)
            rc = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                                openat(fresh->folder, fresh->temporary,
                                       O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode));
    }
    if (rc < 0)
        return rc;
    fresh->fd = rc;
    fresh->named = true;
    return 0;
}

/* By which a file without a name can be given one. */
static void fresh_path(const struct ed_fresh *fresh, char path[32])
{
    snprintf(path, 32, "/proc/self/fd/%d", fresh->fd);
}

/* Whether the error means that there are no files without names here. */
static bool is_unknown(int rc)
{
    return rc == -EOPNOTSUPP || rc == -EISDIR || rc == -ENOENT || rc == -EINVAL;
}

static int fresh_make(struct ed_fresh *fresh, mode_t mode)
{
    char path[32];
    int fd = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                            openat(fresh->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));

    if (fd < 0)
        return is_unknown(fd) ? fresh_make_named(fresh, mode) : fd;
    fresh->fd = fd;
    fresh_path(fresh, path);
    if (ED_SYSTEM(ED_FAULT_STAT, access(path, F_OK)) == 0)
        return 0;
    close(fd); /* without /proc it could not be given its name */
    fresh->fd = -1;
    return fresh_make_named(fresh, mode);
}

/* Makes it like the old file. Without its owner, permissions that lend him are gone. */
static int fresh_adjust(struct ed_fresh *fresh, mode_t mode)
{
    const struct stat *old = &fresh->old;
    bool owned = !fresh->replaces ||
                 ED_SYSTEM(ED_FAULT_CHMOD, fchown(fresh->fd, old->st_uid, old->st_gid)) == 0;

    if (!owned)
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
    return (int)ED_SYSTEM(ED_FAULT_CHMOD, fchmod(fresh->fd, mode));
}

int ed_fresh_open(struct ed_fresh *fresh, const char *path, mode_t permissions)
{
    mode_t mode = permissions;
    int rc;

    *fresh = (struct ed_fresh){.folder = -1, .fd = -1};
    rc = fresh_find(fresh, path);
    if (rc == 0)
        rc = fresh_look(fresh);
    if (rc < 0)
        return rc;
    if (mode == 0 && fresh->replaces)
        mode = fresh->old.st_mode & 07777;
    if (mode == 0 && !fresh->replaces)
        return fresh_make(fresh, 0666);
    rc = fresh_make(fresh, 0600);
    return rc < 0 ? rc : fresh_adjust(fresh, mode);
}

/* Its name ------------------------------------------------------------------------- */

static int fresh_link(const struct ed_fresh *fresh, const char *name)
{
    char path[32];

    fresh_path(fresh, path);
    return (int)ED_SYSTEM(ED_FAULT_LINK,
                          linkat(AT_FDCWD, path, fresh->folder, name, AT_SYMLINK_FOLLOW));
}

static int fresh_link_temporary(struct ed_fresh *fresh)
{
    int rc = -EEXIST;

    for (int tries = 0; tries < NAMES_TRIED && rc == -EEXIST; tries++) {
        rc = fresh_make_name(fresh);
        if (rc == 0)
            rc = fresh_link(fresh, fresh->temporary);
    }
    fresh->named = rc == 0;
    return rc;
}

static int fresh_take_name(struct ed_fresh *fresh)
{
    int rc = -EEXIST;

    if (!fresh->named && !fresh->replaces)
        rc = fresh_link(fresh, fresh->name);
    if (rc != -EEXIST)
        return rc;
    if (!fresh->named) {
        rc = fresh_link_temporary(fresh);
        if (rc < 0)
            return rc;
    }
    rc = (int)ED_SYSTEM(ED_FAULT_RENAME,
                        renameat(fresh->folder, fresh->temporary, fresh->folder, fresh->name));
    if (rc == 0)
        fresh->named = false;
    return rc;
}

/* The folder to the disk; where it cannot be read, all of the file system. */
static int fresh_sync_folder(const struct ed_fresh *fresh)
{
    int fd = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                            openat(fresh->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int rc;

    if (fd == -EACCES)
        return (int)ED_SYSTEM(ED_FAULT_FSYNC, syncfs(fresh->fd));
    if (fd < 0)
        return fd;
    rc = (int)ED_SYSTEM(ED_FAULT_FSYNC, fsync(fd));
    close(fd);
    return rc == -EINVAL ? 0 : rc; /* of a file system that has nothing to do for it */
}

/* What a server has to say of the bytes, such as that there is no room for them, it may say at a
 * close; but then the file must have its name already. A close of another descriptor does. */
static int fresh_ask(const struct ed_fresh *fresh)
{
    int fd = fcntl(fresh->fd, F_DUPFD_CLOEXEC, 0), rc;

    if (fd < 0)
        return (int)ED_SYSTEM(ED_FAULT_FSYNC, fsync(fresh->fd));
    rc = ed_fault_check(ED_FAULT_CLOSE);
    if (close(fd) < 0 && rc == 0)
        rc = errno == EINTR ? 0 : -errno;
    return rc < 0 ? rc : 0;
}

int ed_fresh_commit(struct ed_fresh *fresh, bool sync)
{
    int rc = sync ? (int)ED_SYSTEM(ED_FAULT_FSYNC, fsync(fresh->fd)) : fresh_ask(fresh);

    if (rc == 0)
        rc = fresh_take_name(fresh);
    if (rc == 0 && sync)
        rc = fresh_sync_folder(fresh);
    return rc;
}

void ed_fresh_close(struct ed_fresh *fresh)
{
    if (fresh->named)
        (void)unlinkat(fresh->folder, fresh->temporary, 0);
    if (fresh->fd >= 0)
        close(fresh->fd);
    if (fresh->folder >= 0)
        close(fresh->folder);
}
