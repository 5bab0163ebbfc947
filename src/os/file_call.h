/* SPDX-License-Identifier: MIT */
/*
 * One operation on a file that its caller may leave.
 *
 *     struct ed_file_call call = {.kind = ED_OP_READ_AT, .handle = handle,
 *                                 .parts = &part, .count = 1, .offset = 0};
 *     int64_t n = ed_file_call(&call);
 *
 * What can be done without waiting is done at once, with the caller's memory. All else is a
 * request on the heap, with memory of its own: so a cancelled caller leaves at once, and what the
 * kernel has begun goes on without it.
 */
#ifndef ED_OS_FILE_CALL_H
#define ED_OS_FILE_CALL_H

#include "base/list.h"
#include "engine/engine.h"
#include "loop/loop.h"

#define ED_FILE_PIECE ((size_t)256 << 10) /* bytes of a transfer that needs memory of its own */

/* An open descriptor, closed by the last who uses it: the file, or a call that was left. It stands
 * at the front of its block, which is freed then. -1: there is none yet, or any more. */
struct ed_file_handle {
    int fd;
    int users; /* atomic */
};

/* A block of `size` bytes that begins with a handle, zeroed behind it. NULL: no memory, and the
 * descriptor is the caller's still. */
void *ed_file_handle_new(int fd, size_t size);
void ed_file_handle_unref(struct ed_file_handle *handle);

/* Frees the block, and leaves the descriptor to the caller. */
void ed_file_handle_drop(struct ed_file_handle *handle);

/* Whoever must know what has become of calls that were left; see ed_file_await_left. */
struct ed_file_left {
    size_t count;              /* under way */
    struct eddy_list_ waiting; /* for there to be none */
    /* one is known: `result` of what it was asked to do from `offset` on */
    void (*settled)(struct ed_file_left *left, const struct ed_op *op, int64_t result);
};

struct ed_file_call {
    enum ed_op_kind kind;              /* OPENAT, READ_AT, WRITE_AT or FSYNC; */
    int64_t (*work)(struct ed_op *op); /* or NOP, and this is done in a thread, with fd, flags,
                                          offset, size */
    const char *name;                  /* of the wait, as in "file.read" */
    struct ed_file_handle *handle;     /* NULL for OPENAT */
    const char *path;
    int directory, flags;
    mode_t permissions;
    const struct iovec *parts; /* of a transfer, 1 or more */
    size_t count;
    int64_t offset;
    size_t size;               /* for `work` */
    struct ed_file_left *left; /* told of a call that was left, or NULL */
    bool shielded;             /* a release: it is never left */
    bool tried;                /* in vain, a moment ago: it is not tried again */
    bool local;                /* set when the kernel did it, or tried to, without waiting */
};

/*
 * Does it. No checkpoint. Suspends. Returns the result, of a transfer maybe less than was asked
 * for; or an error; or what cut it short: then a read has taken nothing, an open has left nothing
 * open, and of all else `left` will know.
 */
int64_t ed_file_call(struct ed_file_call *call);

/* The first part of it: the result, or -EAGAIN. Does not suspend. */
int64_t ed_file_call_nowait(struct ed_file_call *call, struct ed_op *op);

/*
 * What is done at once keeps the loop from everybody else: a read by the copy of its bytes, and by
 * the reads ahead that the kernel begins on the way; a try in vain by those alone, which take some
 * 60 us with the read-ahead that is usual, and more with a larger one. So they take more of the
 * task's credit than other calls, and of the turn's resumes one for each block: at most so many,
 * and then the loop looks at the clock. Nothing is measured, since that costs as much as a call.
 */
#define ED_FILE_BLOCK 4096
#define ED_FILE_CREDIT 6 /* other calls that a block counts as */
#define ED_FILE_LEAST 1  /* blocks that any call counts as, */
#define ED_FILE_READ 3   /* and a read besides, of something or in vain */
ED_INLINE void ed_file_charge(int blocks)
{
    int credit = blocks * ED_FILE_CREDIT;
    eddy_loop *loop = eddy_thread_.loop;

    eddy_thread_.credit = eddy_thread_.credit > credit ? eddy_thread_.credit - credit : 0;
    if (loop->turns > 1)
        loop->turns = loop->turns > blocks ? loop->turns - blocks : 1;
}
ED_INLINE void ed_file_charge_transfer(int64_t bytes)
{
    ed_file_charge(ED_FILE_LEAST + (bytes > 0 ? ED_FILE_READ + (int)(bytes / ED_FILE_BLOCK) : 0));
}
ED_INLINE void ed_file_charge_miss(void)
{
    ed_file_charge(ED_FILE_LEAST + ED_FILE_READ);
}

/* Waits until no call is left. Suspends. 0, or what cut it short. */
int ed_file_await_left(struct ed_file_left *left, bool shielded);

/* For the end of a loop, whose waits are over: lets go of what its threads still do. */
void ed_file_calls_close(struct eddy_list_ *calls);

/* For tests: what a ring could do is done in threads. */
extern bool ed_file_calls_in_threads;
/* and this is called there before each. */
extern void (*ed_file_calls_hold)(const struct ed_op *op);

#endif
