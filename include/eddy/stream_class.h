/* SPDX-License-Identifier: MIT */
/*
 * Writing a kind of stream of one's own: a stream over a stream, as TLS is one.
 *
 * The kind says how bytes come and go; the library does the rest over it: buffering,
 * lines, limits, busy readers, queues of writers, the end of the stream, errors and their
 * texts, counters. Its object begins with a struct eddy_stream, which eddy_stream_init sets
 * up. All functions but `abort`, `pending`, `resume` and those of the last group run in the
 * calling task and may suspend; each may be NULL where it says so.
 *
 * A close or an abort of the stream gets a task out that waits in `read`, `write`, `flush`,
 * `write_eof` or `sendfile` as a cancel would: the call that waits there returns
 * -ESHUTDOWN or -ECONNABORTED. So do the calls of a group that has failed, with any code.
 * Such errors, which are the task's, and -ENOMEM, -EBUSY and -EAGAIN do not break a stream;
 * after any other it is broken. An error may have a text, of eddy_raise; else one is made of
 * the kind's name, the peer's and the numbers.
 */
#ifndef EDDY_STREAM_CLASS_H
#define EDDY_STREAM_CLASS_H

#include "eddy/scope.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

typedef struct eddy_stream_class {
    const char *name; /* what eddy_stream_kind says */

    /*
     * Waits for bytes, and puts 1 to `size` of them at `data`, which is never empty. One
     * task at a time. Returns how many, 0 at the end, or an error; after the end, or an error
     * that breaks the stream, it is not called again. More that came with them may be given
     * to eddy_stream_push, also before it returns.
     */
    ssize_t (*read)(eddy_stream *stream, void *data, size_t size);

    /*
     * Sends all bytes of the parts, one task at a time and in order; *done, 0 at first, says
     * how many were taken, also with an error. With `wait` false it must not suspend, and may
     * run outside a task: -EAGAIN with nothing taken, when it had to wait.
     */
    int (*write)(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait,
                 size_t *done);

    /* Waits until `kept` bytes or fewer are held back from earlier writes. One task at a time,
     * and not beside `write`. NULL: none are. */
    int (*flush)(eddy_stream *stream, size_t kept);

    /* Bytes held back from earlier writes now; NULL: none. */
    size_t (*pending)(const eddy_stream *stream);

    int (*write_eof)(eddy_stream *stream); /* after a flush; NULL: it cannot */

    /* Takes leave of the peer in order, after a flush, when nobody is inside any more; may wait,
     * for a limited time, and is cut short like `write`. Not called for a stream that is broken;
     * an error breaks it. NULL: nothing is said. */
    int (*goodbye)(eddy_stream *stream);

    /* Breaks the connection at once and drops what was not sent; `rc` is why. Whoever waits
     * inside is cancelled besides. Does not suspend; once. */
    void (*abort)(eddy_stream *stream, int rc);

    /* Ends it, after a flush and a goodbye or an abort, when nobody is inside any more, and waits
     * until nothing of the stream is in the kernel. Shielded. Returns what went wrong. */
    int (*close)(eddy_stream *stream);

    /* `close` also does what a cancelled task needs: with stream->hurried it gives away what it can
     * without waiting for the peer, and says -ECANCELED when that was not all. false: such a close
     * begins with `abort`. */
    bool hurries;

    void (*free)(eddy_stream *stream); /* the object; last of all; shielded */

    /* Called when a reader has taken so much that no more than the stream's limit is kept,
     * after the kind has set stream->paused, which is false again. NULL: it waits for `read`. */
    void (*resume)(eddy_stream *stream);

    /* Texts and descriptor, see eddy_stream_peer_name; NULL: none. */
    const char *(*peer_name)(const eddy_stream *stream);
    const char *(*local_name)(const eddy_stream *stream);
    int (*fd)(const eddy_stream *stream);

    /* For eddy_sendfile: as `write`, of a file's bytes. NULL: they are read and written. */
    int (*sendfile)(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done);

    /* It has a position, which reading and writing share, as a file has: they take turns. Its end
     * and its errors are of the moment: no error breaks it, and it is called again after either.
     * A close waits also where it must not for a peer: nobody else holds it up. */
    bool positioned;

    /* Bytes that a read for lines and small reads asks for at once; 0: some 4 KiB. */
    size_t read_ahead;

    /* As `read`, but it must not suspend: -EAGAIN, for whatever reason, and `read` is called
     * instead. NULL: there is none. */
    ssize_t (*read_nowait)(eddy_stream *stream, void *data, size_t size);

    /* As `close` and `free` in one, of a stream that nobody is in, where there is nothing to flush
     * or to wait for: what went wrong; or -EAGAIN, and nothing was done. NULL: there is none. */
    int (*close_nowait)(eddy_stream *stream);

    /* Takes back the last `size` bytes that were read: they come again. NULL: they are kept. */
    void (*unread)(eddy_stream *stream, size_t size);

    /* Whether nothing has come that was not pushed, no bytes, end or error, as far as that can be
     * told without waiting. NULL: nothing has. */
    bool (*quiet)(const eddy_stream *stream);
} eddy_stream_class;

/* Bytes that are kept: those from `start` to `end` of a block. The members are the library's. */
struct eddy_buffer_ {
    char *data;
    size_t start, end, capacity;
};

/* What every stream begins with. The members are the library's, but for `paused`. */
struct eddy_stream {
    const eddy_stream_class *kind;
    eddy_loop *loop;
    eddy_stream **owner;         /* where a server keeps it, or NULL; follows who takes its place */
    struct eddy_buffer_ in;      /* what came and was not read, */
    struct eddy_buffer_ behind;  /* and what follows it, while `in` must not move */
    size_t limit;                /* of a line */
    size_t high, low;            /* of what is kept from writers */
    size_t partial;              /* of the last call that failed */
    uint64_t received, taken;    /* bytes: from the kind, and by it, */
    const size_t *under_way;     /* and of the write that it has now; NULL: it has none */
    size_t lost;                 /* and that it took, and dropped when it broke */
    struct eddy_list_ calls;     /* who may wait in it now */
    struct eddy_list_ writers;   /* who wait for their turn */
    struct eddy_list_ leavers;   /* the close, which waits until nobody is inside */
    struct eddy_list_ closers;   /* other closes, which wait for the first */
    unsigned inside;             /* calls that are in it now, the close's not among them */
    int shut;                    /* what all calls return, once it is closed or aborted */
    int read_error, write_error; /* why it is broken, 0: it is not */
    char saved;                  /* the byte that a line's NUL stands on */
    bool has_saved;
    bool shown;   /* bytes of `in` are lent */
    bool filling; /* the kind writes behind the bytes of `in` */
    bool reading, writing;
    bool paused;   /* by the kind: see `resume` */
    bool ended;    /* the end was read from the kind */
    bool finished; /* eddy_write_eof */
    bool closing, aborted;
    bool hurried;  /* the close must not wait for the peer */
    bool cut;      /* what was to be written is not whole: no goodbye */
    bool standard; /* the loop's, which alone closes it: eddy/stdio.h */
};

/* Sets a stream up, for the running loop; the object around it was zeroed. 0, -ENOMEM, or
 * -EPERM outside a loop. Nothing has to be undone when its opening fails later. */
EDDY_NODISCARD EDDY_API int eddy_stream_init(eddy_stream *stream, const eddy_stream_class *kind);

/* Adds bytes behind what is kept for readers, and behind those that a `read` under way is to
 * return; also from callbacks. 0 or -ENOMEM, with nothing added. */
EDDY_NODISCARD EDDY_API int eddy_stream_push(eddy_stream *stream, const void *data, size_t size);

/* How many bytes may still be pushed before twice the stream's limit is kept. */
EDDY_API size_t eddy_stream_room(const eddy_stream *stream);

/* What is kept for readers now: how many bytes, and in *data where they are, until anything
 * else is done with the stream. Does not suspend or check; eddy_consume takes them. */
EDDY_API size_t eddy_stream_kept(eddy_stream *stream, const char **data);

/* Whether nothing has come on a stream, no bytes, no end and no error, that a read would find: so
 * that a connection which lay idle can be used again. Does not suspend or check. */
EDDY_NODISCARD EDDY_API bool eddy_stream_is_quiet_(const eddy_stream *stream);

/* Memory for a kind's object, zeroed, or NULL: counted as the library's own, so that tests see
 * it and make it fail. eddy_free() it. */
EDDY_NODISCARD EDDY_API void *eddy_alloc_(size_t size);
/* The same for a block that changes its size, where new bytes are not zeroed, and for the copy of
 * a text. */
EDDY_NODISCARD EDDY_API void *eddy_realloc_(void *memory, size_t size);
EDDY_NODISCARD EDDY_API char *eddy_strdup_(const char *text);

/* Random bytes that nobody can guess. 0, or an error of getrandom(2). */
EDDY_NODISCARD EDDY_API int eddy_random_(void *data, size_t size);
/* A seed of numbers that may be guessed, such as delays: under EDDY_SEED and the virtual clock the
 * loop's, so that they are the same in the next run; else random bytes. Returns as eddy_random_. */
EDDY_NODISCARD EDDY_API int eddy_seed_(uint64_t *out);

EDDY_END_DECLS
#endif
