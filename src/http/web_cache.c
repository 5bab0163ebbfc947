/* SPDX-License-Identifier: MIT */
/*
 * Small files in memory.
 *
 * Before each use the kernel is asked what the path is now. When that is the same file, unchanged
 * since, its bytes are those that were read, and opening, reading and closing it is saved. The
 * answer of stat(2) is used for this comparison alone, so nothing is sent that was not opened
 * within its folder.
 *
 *     a file is kept only if its last change was two seconds before it was read, or earlier
 *
 * so that any change behind the reading has a time of its own, however coarse the file system's
 * clock is. A path has one place, by its hash, and whoever comes later takes it.
 *
 * The stat(2) is made on the loop, of a path that was asked for lately: about a microsecond, from
 * the kernel's memory. Where it would ask somebody else, a server or a program, nothing is kept.
 */
#include "http/web_cache.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>

#include "eddy/stream_class.h"

#define CACHE_SETTLED 2 /* seconds since the last change */

static struct ed_cached **cache_place(struct ed_cache *cache, const char *path)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    while (*path)
        hash = (hash ^ (unsigned char)*path++) * 16777619u;
    return &cache->files[(hash ^ hash >> 15) % ED_CACHE_FILES];
}

static bool time_equal(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool file_is_same(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_dev == other->st_dev &&
           one->st_size == other->st_size && one->st_mode == other->st_mode &&
           time_equal(&one->st_mtim, &other->st_mtim) && time_equal(&one->st_ctim, &other->st_ctim);
}

struct ed_cached *ed_cache_find(struct ed_cache *cache, int folder, const char *path)
{
    struct ed_cached **place = cache_place(cache, path), *file = *place;
    struct stat now;

    if (!file || file->folder != folder || strcmp(file->path, path) != 0)
        return NULL;
    if (fstatat(folder, path, &now, 0) == 0 && file_is_same(&now, &file->status)) {
        file->users++;
        return file;
    }
    *place = NULL;
    ed_cached_leave(file);
    return NULL;
}

bool ed_cache_is_remote(long type)
{
    static const unsigned remote[] = {
        NFS_SUPER_MAGIC,        SMB_SUPER_MAGIC,       0xff534d42 /* CIFS */,
        0xfe534d42 /* SMB 2 */, 0x65735546 /* FUSE */, V9FS_MAGIC,
        AFS_SUPER_MAGIC,        0x6b414653 /* kAFS */, CODA_SUPER_MAGIC,
        0x00c36400 /* Ceph */,  AUTOFS_SUPER_MAGIC};

    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if ((unsigned)type == remote[i])
            return true;
    return false;
}

static bool file_is_remote(int fd)
{
    struct statfs system;

    return fstatfs(fd, &system) < 0 || ed_cache_is_remote((long)system.f_type);
}

static bool file_is_settled(const struct stat *status)
{
    time_t now = time(NULL);

    return status->st_mtim.tv_sec < now - CACHE_SETTLED &&
           status->st_ctim.tv_sec < now - CACHE_SETTLED;
}

/* Reads all of it, if it is in the kernel's memory and is as long as it was. */
static bool file_read(struct ed_cached *file, int fd)
{
    struct iovec part = {file->data, (size_t)file->status.st_size};
    struct stat now;

    return preadv2(fd, &part, 1, 0, RWF_NOWAIT) == file->status.st_size && fstat(fd, &now) == 0 &&
           file_is_same(&now, &file->status);
}

struct ed_cached *ed_cache_keep(struct ed_cache *cache, int folder, const char *path, int fd,
                                const struct stat *status)
{
    size_t length = strlen(path) + 1;
    struct ed_cached **place, *file;

    if (status->st_size == 0 || (uint64_t)status->st_size > ED_CACHE_LARGEST ||
        !file_is_settled(status) || file_is_remote(fd))
        return NULL;
    file = eddy_alloc_(sizeof *file + length + (size_t)status->st_size);
    if (!file)
        return NULL;
    file->users = 2; /* the caller and the cache */
    file->folder = folder;
    file->status = *status;
    file->path = memcpy(file + 1, path, length);
    file->data = file->path + length;
    if (!file_read(file, fd)) {
        eddy_free(file);
        return NULL;
    }
    place = cache_place(cache, path);
    ed_cached_leave(*place);
    *place = file;
    return file;
}

void ed_cached_leave(struct ed_cached *file)
{
    if (file && --file->users == 0)
        eddy_free(file);
}

void ed_cache_free(struct ed_cache *cache)
{
    for (size_t i = 0; i < ED_CACHE_FILES; i++)
        ed_cached_leave(cache->files[i]);
}
