/* SPDX-License-Identifier: MIT */
/* Two connected unix sockets that do not block, closed at the end of their block. */
#ifndef SOCKETPAIR_H
#define SOCKETPAIR_H

#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

struct pair {
    int one, other;
};

static inline struct pair pair_open(int type)
{
    int ends[2];

    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        test_fail(__FILE__, __LINE__, "socketpair: %s", strerror(errno));
    return (struct pair){ends[0], ends[1]};
}

static inline void pair_close(struct pair *pair)
{
    if (pair->one >= 0)
        close(pair->one);
    if (pair->other >= 0)
        close(pair->other);
}

#define PAIR(name, type) EDDY_CLEANUP_(pair_close) struct pair name = pair_open(type)

#endif
