/* SPDX-License-Identifier: MIT */
/*
 * Writing a kind of stream of one's own: a stream over a stream, as TLS is one.
 *
 * The kind says how bytes come and go; the library does the rest over it: buffering,
 * lines, limits, busy readers, queues of writers, the end of the stream, errors. Its
 * object begins with a struct eddy_stream, which eddy_stream_init sets up. All functions
 * but `abort` run in the calling task and may suspend; each may be NULL where it says so.
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
     * task at a time. Returns how many, 0 at the end, or an error; after an error other than
     * -ECANCELED, -ETIMEDOUT, -ENOMEM, -EBUSY, it is not called again, and the error stays.
     * More that came with them may be left to eddy_stream_push.
     */
    ssize_t (*read)(eddy_stream *stream, void *data, size_t size);

    /*
     * Sends all bytes of the parts, one task at a time and in order; *done says how many
     * were taken, also with an error. After an error other than -ECANCELED, -ETIMEDOUT,
     * -ENOMEM and -EAGAIN the stream is broken. With `wait` false it must not suspend:
     * -EAGAIN with nothing taken, when it had to.
     */
    int (*write)(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait,
                 size_t *done);

    /* Waits until `kept` bytes or fewer are held back from earlier writes. NULL: none are. */
    int (*flush)(eddy_stream *stream, size_t kept);

    /* Bytes held back from earlier writes now; NULL: none. */
    size_t (*pending)(const eddy_stream *stream);

    int (*write_eof)(eddy_stream *stream); /* after a flush; NULL: it cannot */

    /* Breaks the connection at once, so that what waits inside returns soon; `rc` is why.
     * Does not suspend. */
    void (*abort)(eddy_stream *stream, int rc);

    /* Ends it in order, after a flush or an abort, when nobody is inside any more: says
     * goodbye to the peer, unless it was aborted, and waits until nothing of the stream is in
     * the kernel. Returns the error of the goodbye. */
    int (*close)(eddy_stream *stream);

    void (*free)(eddy_stream *stream); /* the object; last of all */

    /* Texts and descriptor, see eddy_stream_peer_name; NULL: none. */
    const char *(*peer_name)(const eddy_stream *stream);
    const char *(*local_name)(const eddy_stream *stream);
    int (*fd)(const eddy_stream *stream);

    /* For eddy_sendfile: as `write`, of a file's bytes. NULL: they are read and written. */
    int (*sendfile)(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done);
} eddy_stream_class;

/* Bytes that are kept: those from `start` to `end` of a block. The members are the library's. */
struct eddy_buffer_ {
    char *data;
    size_t start, end, capacity;
};

/* What every stream begins with. The members are the library's. */
struct eddy_stream {
    const eddy_stream_class *kind;
    eddy_loop *loop;
    void *owner; /* the server's connection that it is, or NULL */
    struct eddy_buffer_ in;
    char *lent;       /* an older block that a peek has shown */
    size_t limit;     /* of a line */
    size_t high, low; /* of what is kept from writers */
    size_t partial;   /* of the last call that failed */
    uint64_t received, sent;
    struct eddy_list_ writers; /* who wait for their turn, */
    struct eddy_list_ leavers; /* and the close for those who are inside */
    unsigned inside;           /* calls that are in it now */
    int error;                 /* why it is broken, 0: it is not */
    char saved;                /* the byte that a line's NUL stands on */
    bool has_saved, shown;
    bool reading, writing;
    bool ended;    /* the end was read from the kind */
    bool finished; /* eddy_write_eof */
    bool closing, aborted;
};

/* Sets a stream up, for the running loop; the object around it was zeroed. 0, or -EPERM
 * outside a loop. */
EDDY_NODISCARD EDDY_API int eddy_stream_init(eddy_stream *stream, const eddy_stream_class *kind);

/* Adds bytes behind what is kept for readers. 0 or -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_stream_push(eddy_stream *stream, const void *data, size_t size);

/* What is kept for readers now: how many bytes, and in *data where they are, until anything
 * else is done with the stream. Does not suspend or check; eddy_consume takes them. */
EDDY_API size_t eddy_stream_kept(const eddy_stream *stream, const char **data);

EDDY_END_DECLS
#endif
