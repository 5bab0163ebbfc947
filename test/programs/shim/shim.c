/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded that makes system calls fail:
 *
 *     LD_PRELOAD=.../libshim.so SHIM=CALL:ERROR:WHICH[,...]
 *
 * CALL is one of the list below, ERROR a name of the other list or "short": a transfer of
 * one byte. WHICH counts the calls of that name in the whole process: N is the nth, N-M those
 * from the nth to the mth, /K each kth.
 *
 * A call that is made to fail has done nothing, with two exceptions, in which it is as the
 * kernel has it: a close has closed, and a connect that a signal interrupts goes on. What a
 * call on an eventfd never says is not said: it is never short, and never says EAGAIN when it
 * has room.
 *
 * At the end of the process a line tells how many calls there were and how many failed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHIM_CALLS(X)                                                                              \
    X(accept4)                                                                                     \
    X(bind)                                                                                        \
    X(close)                                                                                       \
    X(connect)                                                                                     \
    X(epoll_create1)                                                                               \
    X(epoll_ctl)                                                                                   \
    X(epoll_pwait2)                                                                                \
    X(epoll_wait)                                                                                  \
    X(eventfd)                                                                                     \
    X(getsockname)                                                                                 \
    X(getsockopt)                                                                                  \
    X(listen)                                                                                      \
    X(read)                                                                                        \
    X(recv)                                                                                        \
    X(send)                                                                                        \
    X(sendfile)                                                                                    \
    X(sendmsg)                                                                                     \
    X(setsockopt)                                                                                  \
    X(shutdown)                                                                                    \
    X(socket)                                                                                      \
    X(write)

#define SHIM_ERRORS(X)                                                                             \
    X(EACCES)                                                                                      \
    X(EADDRINUSE)                                                                                  \
    X(EADDRNOTAVAIL)                                                                               \
    X(EAGAIN)                                                                                      \
    X(ECONNABORTED)                                                                                \
    X(ECONNREFUSED)                                                                                \
    X(ECONNRESET)                                                                                  \
    X(EHOSTUNREACH)                                                                                \
    X(EINTR)                                                                                       \
    X(EIO)                                                                                         \
    X(EMFILE)                                                                                      \
    X(ENFILE)                                                                                      \
    X(ENOBUFS)                                                                                     \
    X(ENOMEM)                                                                                      \
    X(ENOSPC)                                                                                      \
    X(ENOSYS)                                                                                      \
    X(ENOTCONN)                                                                                    \
    X(EPERM)                                                                                       \
    X(EPIPE)                                                                                       \
    X(EPROTO)                                                                                      \
    X(ETIMEDOUT)

#define SHIM_SHORT (-1)

#define SHIM_NUMBER(name) shim_##name,
#define SHIM_NAME(name) #name,
#define SHIM_ERROR(name) {name, #name},

enum shim_call { SHIM_CALLS(SHIM_NUMBER) SHIM_COUNT };

static const char *const shim_names[] = {SHIM_CALLS(SHIM_NAME)};

static const struct {
    int code;
    const char *name;
} shim_errors[] = {SHIM_ERRORS(SHIM_ERROR){SHIM_SHORT, "short"}};

static struct shim_fault {
    enum shim_call call;
    int code;
    unsigned long from, to, every;
} faults[16];

static size_t fault_count;
static unsigned long calls[SHIM_COUNT], failed; /* atomic */

static _Noreturn void shim_refuse(const char *text)
{
    dprintf(STDERR_FILENO, "shim: %s is not CALL:ERROR:WHICH\n", text);
    _exit(126);
}

static void shim_parse(const char *text)
{
    struct shim_fault fault = {.call = SHIM_COUNT};
    char call[20], error[20];
    int used = 0;

    if (sscanf(text, "%19[^:]:%19[^:]:%n", call, error, &used) != 2 || !used ||
        fault_count == sizeof faults / sizeof faults[0])
        shim_refuse(text);
    for (size_t i = 0; i < SHIM_COUNT; i++)
        if (strcmp(shim_names[i], call) == 0)
            fault.call = (enum shim_call)i;
    for (size_t i = 0; i < sizeof shim_errors / sizeof shim_errors[0]; i++)
        if (strcmp(shim_errors[i].name, error) == 0)
            fault.code = shim_errors[i].code;
    if (sscanf(text + used, "/%lu", &fault.every) == 1)
        fault.to = (unsigned long)-1;
    else if (sscanf(text + used, "%lu-%lu", &fault.from, &fault.to) == 1)
        fault.to = fault.from;
    if (fault.call == SHIM_COUNT || !fault.code || fault.to == 0)
        shim_refuse(text);
    faults[fault_count++] = fault;
}

__attribute__((constructor)) static void shim_begin(void)
{
    const char *wanted = getenv("SHIM");
    char *text = wanted ? strdup(wanted) : NULL, *rest = text;

    for (char *one; (one = strsep(&rest, ",")) != NULL;)
        shim_parse(one);
    free(text);
}

__attribute__((destructor)) static void shim_end(void)
{
    unsigned long sum = 0;

    for (size_t i = 0; i < SHIM_COUNT; i++)
        sum += calls[i];
    dprintf(STDERR_FILENO, "shim: %lu calls, %lu failed\n", sum, failed);
}

static void *shim_real(enum shim_call call)
{
    static void *found[SHIM_COUNT]; /* relaxed: each thread finds the same */
    void *real = __atomic_load_n(&found[call], __ATOMIC_RELAXED);

    if (!real) {
        real = dlsym(RTLD_NEXT, shim_names[call]);
        __atomic_store_n(&found[call], real, __ATOMIC_RELAXED);
    }
    return real;
}

#define REAL(name) ((__typeof__(&(name)))shim_real(shim_##name))

static int shim_is_eventfd(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == 0;
}

/* Counts a call: 0, or what it fails with. */
static int shim_meet(enum shim_call call, int fd)
{
    unsigned long nth = __atomic_add_fetch(&calls[call], 1, __ATOMIC_RELAXED);

    for (size_t i = 0; i < fault_count; i++) {
        const struct shim_fault *fault = &faults[i];

        if (fault->call != call || nth < fault->from || nth > fault->to ||
            (fault->every && nth % fault->every != 0))
            continue;
        if ((call == shim_read || call == shim_write) && fault->code != EINTR &&
            shim_is_eventfd(fd))
            continue;
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
        return fault->code;
    }
    return 0;
}

static int shim_fail(int code)
{
    errno = code;
    return -1;
}

static size_t shim_size(int code, size_t size)
{
    return code == SHIM_SHORT && size > 1 ? 1 : size;
}

/* A call that fails before it has done anything. */
#define SHIM(type, name, fd, parameters, ...)                                                      \
    type name parameters                                                                           \
    {                                                                                              \
        int code = shim_meet(shim_##name, (fd));                                                   \
                                                                                                   \
        return code > 0 ? shim_fail(code) : REAL(name)(__VA_ARGS__);                               \
    }

SHIM(int, accept4, fd, (int fd, __SOCKADDR_ARG address, socklen_t *size, int flags), fd, address,
     size, flags)
SHIM(int, bind, fd, (int fd, __CONST_SOCKADDR_ARG address, socklen_t size), fd, address, size)
SHIM(int, epoll_create1, -1, (int flags), flags)
SHIM(int, epoll_ctl, fd, (int set, int verb, int fd, struct epoll_event *event), set, verb, fd,
     event)
SHIM(int, epoll_pwait2, set,
     (int set, struct epoll_event *events, int room, const struct timespec *limit,
      const sigset_t *mask),
     set, events, room, limit, mask)
SHIM(int, epoll_wait, set, (int set, struct epoll_event *events, int room, int limit), set, events,
     room, limit)
SHIM(int, eventfd, -1, (unsigned value, int flags), value, flags)
SHIM(int, getsockname, fd, (int fd, __SOCKADDR_ARG address, socklen_t *size), fd, address, size)
SHIM(int, getsockopt, fd, (int fd, int level, int option, void *value, socklen_t *size), fd, level,
     option, value, size)
SHIM(int, listen, fd, (int fd, int backlog), fd, backlog)
SHIM(int, setsockopt, fd, (int fd, int level, int option, const void *value, socklen_t size), fd,
     level, option, value, size)
SHIM(int, shutdown, fd, (int fd, int how), fd, how)
SHIM(int, socket, -1, (int family, int type, int protocol), family, type, protocol)

/* Transfers, which may be short. */
SHIM(ssize_t, read, fd, (int fd, void *data, size_t size), fd, data, shim_size(code, size))
SHIM(ssize_t, recv, fd, (int fd, void *data, size_t size, int flags), fd, data,
     shim_size(code, size), flags)
SHIM(ssize_t, send, fd, (int fd, const void *data, size_t size, int flags), fd, data,
     shim_size(code, size), flags)
SHIM(ssize_t, sendfile, fd, (int fd, int file, off_t *offset, size_t size), fd, file, offset,
     shim_size(code, size))
SHIM(ssize_t, write, fd, (int fd, const void *data, size_t size), fd, data, shim_size(code, size))

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec part;
    struct msghdr less = *message;
    int code = shim_meet(shim_sendmsg, fd);

    if (code > 0)
        return shim_fail(code);
    if (code == SHIM_SHORT && message->msg_iovlen > 0) {
        part = (struct iovec){message->msg_iov[0].iov_base,
                              shim_size(code, message->msg_iov[0].iov_len)};
        less.msg_iov = &part;
        less.msg_iovlen = 1;
    }
    return REAL(sendmsg)(fd, &less, flags);
}

int close(int fd)
{
    int code = shim_meet(shim_close, fd), rc = REAL(close)(fd);

    return code > 0 && rc == 0 ? shim_fail(code) : rc;
}

/* One to a unix socket does not wait, so that no signal interrupts it. */
static int shim_waits(int fd)
{
    int domain = AF_UNIX;
    socklen_t size = sizeof domain;

    return REAL(getsockopt)(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    int code = shim_meet(shim_connect, fd), rc;

    if (code > 0 && code != EINTR)
        return shim_fail(code);
    rc = REAL(connect)(fd, address, size);
    return code == EINTR && shim_waits(fd) && (rc == 0 || errno == EINPROGRESS) ? shim_fail(code)
                                                                                : rc;
}
