/* SPDX-License-Identifier: MIT */
/*
 * The seam between Eddy and the kernel.
 *
 * An engine takes operations and completes them, each exactly once, by calling
 * op->done on the loop's thread from inside ed_engine_wait or ed_engine_flush, never
 * from submit or cancel. Until then the operation, and every buffer it names, belongs
 * to the engine. Cancelling only asks: the operation still completes, with -ECANCELED
 * or, when it was faster, with its result.
 *
 *          submit              flush                completes, in flush or wait
 *   idle ----------> queued ----------> in the kernel ---------------------> idle
 *                                          |  ^
 *                                          +--+ done, with op->more
 *
 * What is submitted is only queued; the next flush, which every wait begins with,
 * hands all of it to the kernel at once. Kinds named MANY call done for each result,
 * with op->more set for all but the last.
 *
 * Two engines stand behind it: uring.c, where the kernel does the work, and
 * epoll.c, which tries, waits for readiness, and tries again. A third may come:
 * nothing above knows which it is. What a kind of operation needs on top is its
 * fields here and a case in each engine.
 *
 * One engine belongs to one loop and its thread; only ed_engine_wake may be
 * called from elsewhere.
 */
#ifndef ED_ENGINE_ENGINE_H
#define ED_ENGINE_ENGINE_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/compat.h"
#include "base/flight.h"
#include "base/list.h"

/* The fields that each kind reads, beside `done` and `fd`. Sockets are non-blocking. */
enum ed_op_kind {
    ED_OP_NOP,         /* completes with 0 */
    ED_OP_POLL,        /* events: completes with those that `fd` is ready for, once */
    ED_OP_ACCEPT,      /* address or NULL, address_size: a descriptor */
    ED_OP_ACCEPT_MANY, /* a descriptor for each connection, until an error */
    ED_OP_CONNECT,     /* address, address_size: 0 */
    ED_OP_RECV,        /* data, size, flags: bytes, 0 at the end */
    ED_OP_RECV_MANY,   /* bytes, which are at `data` until done returns; 0 is the last */
    ED_OP_RECVMSG,     /* message, flags: bytes */
    ED_OP_RECVMMSG,    /* messages, size (their number): messages */
    ED_OP_SEND,        /* data, size, flags: bytes, maybe fewer */
    ED_OP_SENDMSG,     /* message, flags: bytes, maybe fewer */
    ED_OP_SENDFILE,    /* source, offset (moved on), size: bytes, maybe fewer */
    ED_OP_READ,        /* data, size, of a pipe or terminal: bytes, 0 at the end */
    ED_OP_WRITE,       /* data, size, to one: bytes, maybe fewer */
    ED_OP_SHUTDOWN,    /* flags, as `how` of shutdown(2): 0 */
    ED_OP_CLOSE,       /* 0; `fd` is gone even with an error, and whoever cancels it */
    ED_OP_OPENAT,      /* path, at the directory `fd`, flags, size (permissions): a descriptor */
    ED_OP_READ_AT,     /* data, size, offset of a file: bytes, 0 at the end */
    ED_OP_WRITE_AT,    /* data, size, offset (-1: where it is itself): bytes, maybe fewer */
    ED_OP_READV_AT,    /* parts, size (their number), offset: as READ_AT; for a try only */
    ED_OP_WRITEV_AT,   /* the same as WRITE_AT */
    ED_OP_FSYNC,       /* flags (1: data only): 0 */
    ED_OP_KINDS,
};

/* Events of ED_OP_POLL. The last two are always looked for. */
#define ED_POLL_IN 0x001u
#define ED_POLL_OUT 0x004u
#define ED_POLL_ERR 0x008u
#define ED_POLL_HUP 0x010u

struct mmsghdr;

struct ed_op {
    /* set by whoever submits */
    void (*done)(struct ed_op *op);
    enum ed_op_kind kind;
    int fd;
    uint32_t events;
    int flags;
    union {
        void *data;
        struct msghdr *message;
        struct mmsghdr *messages;
        struct sockaddr *address; /* written by accept, read by connect */
        const char *path;
        const struct iovec *parts;
    };
    size_t size;            /* bytes of data */
    socklen_t address_size; /* room, and what of it was written */
    int source;             /* a file, */
    int64_t offset;         /* and where in it */
    bool steady;            /* nobody closes `fd` without ed_engine_forget or a CLOSE first */
    bool blocking;          /* of a file: an attempt may wait, since it is made in a thread */

    /* set by the engine */
    int result; /* >= 0, or a negative error; valid in done */
    int failed; /* what a MANY that is made to fail ends with */
    bool in_flight;
    bool queued;    /* not handed to the kernel yet */
    bool ended;     /* completes in the next flush */
    bool more;      /* in done: not the last time */
    bool begun;     /* a connect that the kernel goes on with */
    bool cancelled; /* a cancel was asked for */
    bool late;      /* and waits until the kernel has looked at it */
    bool asked;     /* the kernel was asked for it */
    bool counted;   /* a try has looked for its fault already */
    bool apart;     /* the kernel cannot try it: it needs a thread at once */
    bool shorten;   /* a fault is to make it short when it is handed over, */
    bool shortened; /* and has; what it was before: */
    size_t whole_size, whole_parts;
    struct eddy_link_ link, late_link;
    struct ed_flight flight; /* what of the memory is the kernel's meanwhile */
};

/*
 * An operation in the frame of the function that declares it: leaving the frame
 * while it is in flight aborts with a sentence that names both places.
 */
#define ED_LOCAL_OP(name) EDDY_CLEANUP_(ed_op_left) struct ed_op name = {.flight.where = EDDY_HERE_}
void ed_op_left(struct ed_op *op);

struct ed_engine;

/* What an engine provides; see ed_engine_* for what each does. */
struct ed_engine_class {
    const char *name;
    int (*open)(struct ed_engine **out);
    void (*close)(struct ed_engine *engine);
    void (*abandon)(struct ed_engine *engine);
    void (*submit)(struct ed_engine *engine, struct ed_op *op);
    void (*cancel)(struct ed_engine *engine, struct ed_op *op);
    int (*wait)(struct ed_engine *engine, int64_t timeout);
    void (*wake)(struct ed_engine *engine);
    void (*forget)(struct ed_engine *engine, int fd);
};

struct ed_engine {
    const struct ed_engine_class *class;
    size_t in_flight;         /* operations submitted and not completed */
    uint64_t completed;       /* calls of done so far */
    struct eddy_list_ queued; /* for the next flush */
    struct eddy_list_ ended;  /* to complete in the next flush without the kernel */
    struct eddy_list_ late;   /* to cancel in the next wait */
    struct eddy_list_ asked;  /* in flight, and the kernel was asked to cancel them */
    bool files;               /* takes the kinds from OPENAT on; else they get -EOPNOTSUPP */
    char info[96];            /* for eddy_engine_info */
};

/* Opens the engine that EDDY_ENGINE names, or the best that the kernel allows.
 * 0, or an error of the kernel's; -EINVAL for a name that does not exist. */
int ed_engine_open(struct ed_engine **out);

/* Closes an engine with nothing in flight. */
void ed_engine_close(struct ed_engine *engine);

/* In a child of fork(2): closes its descriptors, without a word to the kernel's
 * objects behind them, which are the parent's. The memory stays. */
void ed_engine_abandon(struct ed_engine *engine);

/* Queues an operation that is not in flight. What cannot be started completes
 * with its error. Until the next flush its memory may still be exchanged for
 * another, or grow, by ed_op_set_memory. */
#define ed_engine_submit(engine, op) ed_engine_submit_at((engine), (op), EDDY_HERE_)
void ed_engine_submit_at(struct ed_engine *engine, struct ed_op *op, const char *where);

void ed_op_set_memory(struct ed_op *op, void *data, size_t size);

/* Attempts an operation that is not in flight at once, without the engine: its result, or
 * -EAGAIN when it would have to wait. Counts as an operation for EDDY_FAULT; one of a file that
 * is submitted behind it does not count again. */
int ed_engine_try(struct ed_op *op);

/* Sets up an operation that is only tried, at less cost than all of its fields: what else its kind
 * reads is for the caller to set. It must not be submitted. */
ED_INLINE void ed_op_prepare(struct ed_op *op, enum ed_op_kind kind, int fd)
{
    op->kind = kind;
    op->fd = fd;
    op->data = NULL;
    op->size = 0;
    op->blocking = op->in_flight = op->counted = op->apart = op->shorten = op->shortened = false;
}

/* Hands to the kernel what is queued, and completes what that ends at once. */
void ed_engine_flush(struct ed_engine *engine);

/* Asks for an early end of an operation; no effect if it is not in flight. */
void ed_engine_cancel(struct ed_engine *engine, struct ed_op *op);

/* The same, but once the kernel has looked at it: what can be done at once is done. */
void ed_engine_cancel_soon(struct ed_engine *engine, struct ed_op *op);

/* Flushes, and completes what has ended; when nothing has, waits up to `timeout` ns (0: not
 * at all, ED_NEVER: for ever) or until woken. May return early. Returns 0, or
 * an error that leaves the engine usable. */
int ed_engine_wait(struct ed_engine *engine, int64_t timeout);

/* Makes a wait, the present or else the next, return at once. Any thread, or a
 * signal handler; keeps errno. */
void ed_engine_wake(struct ed_engine *engine);

/* Says that a descriptor without operations in flight may be closed now: what the
 * engine remembers of it must not outlast that. */
void ed_engine_forget(struct ed_engine *engine, int fd);

/* For the engines: gives an operation its result, and its owner the word; that of a
 * MANY which goes on; or arranges that the next flush does. */
void ed_engine_complete(struct ed_engine *engine, struct ed_op *op, int result);
void ed_engine_deliver(struct ed_engine *engine, struct ed_op *op, int result);
void ed_engine_end(struct ed_engine *engine, struct ed_op *op, int result);

/* For the engines, which are woken by an eventfd(2) that does not block: adds a wake, and takes
 * all that came. A signal is no reason to lose one. */
void ed_engine_raise_wake(int fd);
void ed_engine_take_wakes(int fd);

/* For an engine whose kernel may overlook a cancel: notes that it was asked for one, and asks again
 * for all of those in flight in the next wait. */
void ed_engine_asked(struct ed_engine *engine, struct ed_op *op);
void ed_engine_ask_again(struct ed_engine *engine);

/* For tests: how many of the next cancels the kernel overlooks. */
extern unsigned ed_engine_overlooked;

/* The system call behind an operation, tried once (attempt.c): its result, -EAGAIN
 * when it is not the time. */
int ed_op_attempt(struct ed_op *op);

/* Whether it is one of a file's, and the system call behind those (file.c). */
ED_INLINE bool ed_op_is_file(const struct ed_op *op)
{
    return op->kind >= ED_OP_OPENAT;
}
ssize_t ed_file_attempt(struct ed_op *op);

/* Whether it is a write, and the process has a limit of how large its files may be: one that is
 * too large raises SIGXFSZ in the thread that writes, which would be the end of the program. */
bool ed_file_writes_are_limited(const struct ed_op *op);

/* For tests: nothing of a file is in memory, so that every try says -EAGAIN. */
extern bool ed_file_never_ready;

/* Makes an operation short, as a fault asks for, until it is restored. */
void ed_op_shorten(struct ed_op *op);

/* Whether a cancel has reached the engine. */
ED_INLINE bool ed_op_is_cancelled(const struct ed_op *op)
{
    return op->cancelled && !op->late;
}

/* What a descriptor must be ready for before it can succeed; 0: nothing. */
uint32_t ed_op_awaits(const struct ed_op *op);

extern const struct ed_engine_class ed_epoll_class;
extern const struct ed_engine_class ed_uring_class; /* with ED_HAVE_URING */

#endif
