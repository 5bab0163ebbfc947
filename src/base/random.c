/* SPDX-License-Identifier: MIT */
/*
 * Bytes that nobody can guess: the kernel's. A call of getrandom(2) may give fewer than were asked
 * for, and may be interrupted.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/compat.h"
#include "eddy/stream_class.h"

int eddy_random_(void *data, size_t size)
{
    char *next = data;

    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);

        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        }
    }
    return 0;
}
