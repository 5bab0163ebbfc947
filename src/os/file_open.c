/* SPDX-License-Identifier: MIT */
/*
 * Opening files.
 *
 * Everything is opened O_NONBLOCK, since a path may lead to a named pipe or a terminal, for which
 * an open waits otherwise, and a thread with it. To files the flag means nothing. What is no file
 * becomes a stream of its own kind. The writing end of a named pipe that nobody reads cannot be
 * opened so (ENXIO): it is asked for again, at growing distances.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "eddy/task.h"
#include "io/descriptor.h"
#include "os/file.h"
#include "os/file_now.h"

#define OPEN_PAUSE_FIRST 0.001 /* seconds between tries to open a pipe without a reader */
#define OPEN_PAUSE_LONGEST 0.05

/* What a mode asks of open(2), or -EINVAL. An "x" comes first, as Python has it, or behind a "w",
 * as C11 has it. */
static int open_flags(const char *mode)
{
    int flags = *mode == 'r'   ? O_RDONLY
                : *mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                : *mode == 'a' ? O_WRONLY | O_CREAT | O_APPEND
                : *mode == 'x' ? O_WRONLY | O_CREAT | O_EXCL
                               : -EINVAL;
    bool plus = false, kind = false, exec = false, exclusive = *mode != 'w';

    while (flags >= 0 && *++mode) {
        bool *seen = *mode == '+'                   ? &plus
                     : *mode == 'b' || *mode == 't' ? &kind
                     : *mode == 'e'                 ? &exec
                     : *mode == 'x'                 ? &exclusive
                                                    : NULL;

        if (!seen || *seen)
            return -EINVAL;
        *seen = true;
        if (*mode == 'x')
            flags = (flags & ~O_TRUNC) | O_EXCL;
    }
    return plus ? (flags & ~O_ACCMODE) | O_RDWR : flags;
}

int ed_file_open_raise(int rc, const char *path)
{
    return rc == eddy_thread_.task->pending
               ? rc
               : ed_raise(rc, "open \"%s\": %s", path, ed_error_of_start(rc));
}

/* Whether an ENXIO came from a pipe that nobody reads. The path was looked up just now. */
static bool open_found_pipe(const struct ed_file_call *call)
{
    struct stat status;

    return (call->flags & O_ACCMODE) == O_WRONLY &&
           fstatat(call->directory, call->path, &status, 0) == 0 && S_ISFIFO(status.st_mode);
}

struct ed_file_call ed_file_open_call(const char *path, int flags, const eddy_open_options *options)
{
    struct ed_file_call call = {.kind = ED_OP_OPENAT,
                                .name = "file.open",
                                .path = path,
                                .directory = options->directory ? options->directory : AT_FDCWD,
                                .flags = flags | ED_FILE_FLAGS | (options->flags & ~O_ACCMODE),
                                .permissions = options->permissions ? options->permissions : 0666};

    if ((call.flags & O_TMPFILE) == O_TMPFILE)
        call.flags &= ~(O_CREAT | O_TRUNC);
    return call;
}

ED_NOINLINE int64_t ed_file_open_wait(struct ed_file_call *call)
{
    double pause = OPEN_PAUSE_FIRST;
    int64_t fd;

    while ((fd = ed_file_call(call)) == -ENXIO && open_found_pipe(call)) {
        int rc = eddy_sleep(pause);

        if (rc < 0)
            return rc;
        pause = pause * 2 < OPEN_PAUSE_LONGEST ? pause * 2 : OPEN_PAUSE_LONGEST;
    }
    return fd;
}

int64_t ed_file_open_descriptor(struct ed_file_call *call)
{
    int fd = ed_file_open_now(call->directory, call->path, call->flags);

    if (ed_likely(fd >= 0))
        return fd;
    call->tried = fd == -EAGAIN;
    return ed_file_open_wait(call);
}

/*
 * Whatever has a position is a file, also a device. That is asked in the cheapest way: a read of
 * nothing knows directories too, and costs half of what fstat(2) does.
 */
static mode_t open_type(int fd, int flags)
{
    bool reads = (flags & O_ACCMODE) != O_WRONLY;
    struct stat status;
    char none;

    if ((reads ? pread(fd, &none, 0, 0) : lseek(fd, 0, SEEK_CUR)) >= 0)
        return S_IFREG;
    return errno == EISDIR ? S_IFDIR : fstat(fd, &status) < 0 ? 0 : status.st_mode;
}

/* A descriptor, and what it is; or an error that is raised. */
static int open_call(struct ed_file_call *call, mode_t *type)
{
    int64_t fd = ed_file_open_descriptor(call);

    if (fd < 0)
        return ed_file_open_raise((int)fd, call->path);
    *type = open_type((int)fd, call->flags);
    if (!S_ISDIR(*type))
        return (int)fd;
    close((int)fd);
    return ed_file_open_raise(-EISDIR, call->path);
}

int ed_file_open_stream(int fd, const char *path, int flags, mode_t type, eddy_stream **out)
{
    struct ed_file *f;
    int rc;

    if (S_ISFIFO(type))
        return ed_socket_new(fd, ED_SOCKET_PIPE, NULL, out);
    if (S_ISCHR(type))
        return ed_socket_new(fd, isatty(fd) ? ED_SOCKET_TERMINAL : ED_SOCKET_DEVICE, NULL, out);
    rc = ed_file_new(fd, path, flags, &f);
    if (rc == 0)
        *out = &f->stream;
    return rc;
}

/* How much may be gathered, of what is a file. */
static void open_set_buffer(eddy_stream *stream, size_t size)
{
    if (size == 0 || !ed_is_file(stream))
        return;
    ed_file_of(stream)->gathers = size;
    if (stream->high < size)
        stream->high = size;
}

static int
open_with(const char *path, int flags, const eddy_open_options *options, eddy_stream **out)
{
    struct ed_file_call call = ed_file_open_call(path, flags, options);
    mode_t type = 0;
    int fd = open_call(&call, &type), rc;

    if (fd < 0)
        return fd;
    rc = ed_file_open_stream(fd, path, call.flags, type, out);
    if (rc < 0) {
        close(fd);
        return ed_file_open_raise(rc, path);
    }
    open_set_buffer(*out, options->write_buffer);
    return 0;
}

int eddy_open_with(const char *path, const char *mode, const eddy_open_options *options,
                   eddy_stream **out)
{
    static const eddy_open_options defaults;
    int flags = open_flags(mode), rc;

    if (!options)
        options = &defaults;
    rc = ed_checkpoint();
    if (rc < 0)
        return rc;
    if (flags < 0)
        return ed_raise(-EINVAL, "open \"%s\": \"%s\" is no mode", path, mode);
    if (options->flags & (O_PATH | O_DIRECT))
        return ed_raise(-EINVAL, "open \"%s\": O_PATH or O_DIRECT", path);
    return open_with(path, flags, options, out);
}

int eddy_open(const char *path, const char *mode, eddy_stream **out)
{
    return eddy_open_with(path, mode, NULL, out);
}

int eddy_file_from_fd(int fd, eddy_stream **out)
{
    int flags = fcntl(fd, F_GETFL), error = errno, rc;
    mode_t type = flags < 0 ? 0 : open_type(fd, flags);
    char name[32];
    off_t position;

    if (flags < 0)
        return ed_raise(-error, "descriptor %d: %s", fd, eddy_strerror(-error));
    if (!S_ISREG(type) && !S_ISBLK(type) && !S_ISDIR(type))
        return ed_descriptor_stream(fd, NULL, out);
    if (eddy_thread_.loop && ed_loop_owns(eddy_thread_.loop, fd))
        return ed_raise(-EBUSY, "descriptor %d is a stream's already", fd);
    snprintf(name, sizeof name, "descriptor %d", fd);
    if (S_ISDIR(type))
        return ed_raise(-EISDIR, "descriptor %d: %s", fd, eddy_strerror(-EISDIR));
    rc = ed_file_open_stream(fd, name, flags, type, out);
    if (rc < 0)
        return rc;
    position = lseek(fd, 0, SEEK_CUR);
    ed_file_of(*out)->position = position < 0 ? 0 : position;
    return 0;
}
