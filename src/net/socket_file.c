/* SPDX-License-Identifier: MIT */
/*
 * bind(2) makes the file of a unix socket, and nothing in the kernel removes it. Which file it
 * was is known by its device and inode.
 */
#include "net/socket_file.h"

#include <errno.h>
#include <unistd.h>

const char *ed_socket_path(const eddy_address *address)
{
    bool named = address->as.any.sa_family == AF_UNIX &&
                 address->size > offsetof(struct sockaddr_un, sun_path) &&
                 address->as.un.sun_path[0];

    return named ? address->as.un.sun_path : NULL;
}

static void file_remove_stale(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        (void)unlink(path); /* else the bind says what is in the way */
}

int ed_socket_bind(int fd, const eddy_address *address, int mode, bool keep,
                   struct ed_socket_file *file)
{
    const char *path = ed_socket_path(address);
    struct stat status;
    int error;

    *file = (struct ed_socket_file){.exists = false};
    if (path)
        file_remove_stale(path);
    if (bind(fd, &address->as.any, address->size) < 0)
        return -errno;
    if (!path)
        return 0;
    if ((mode && chmod(path, (mode_t)mode) < 0) || stat(path, &status) < 0) {
        error = errno;
        (void)unlink(path); /* it is of no use to anybody */
        return -error;
    }
    *file = (struct ed_socket_file){!keep, status.st_dev, status.st_ino};
    return 0;
}

void ed_socket_file_remove(struct ed_socket_file *file, const eddy_address *address)
{
    const char *path = ed_socket_path(address);
    struct stat status;

    if (file->exists && path && stat(path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        (void)unlink(path); /* gone by itself: just as well */
    file->exists = false;
}
