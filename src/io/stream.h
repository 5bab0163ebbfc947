/* SPDX-License-Identifier: MIT */
/*
 * What the calls of a stream share: how they come in, wait, fail and leave.
 *
 *     int rc = ed_reading_begin(stream, &call);      a pending cancel wins; -EBUSY
 *     if (rc < 0)
 *         return rc;
 *     ...                                            may call the kind's functions
 *     return ed_reading_end(stream, &call, rc, partial);
 *
 * Each call is counted in stream->inside from its first moment on, before its checkpoint,
 * which may let others run: so a close knows whom it has to wait for. A call that may wait is
 * in the list stream->calls as well, with a scope of its own around it. A close or an abort
 * ends those scopes, which works as a cancel does, and so reaches whatever the kind waits for.
 */
#ifndef ED_IO_STREAM_H
#define ED_IO_STREAM_H

#include "base/buffer.h"
#include "base/list.h"
#include "eddy/stream_class.h"
#include "task/park.h"

#define ED_STREAM_LIMIT ((size_t)64 << 10) /* of a line, and of what is kept from writers */
#define ED_STREAM_BLOCK ((size_t)64 << 10) /* what is copied at once between file and stream */

/* A call that may wait, on its caller's stack. */
struct ed_stream_call {
    struct eddy_link_ link; /* in stream->calls */
    struct eddy_scope_ scope;
};

/* Fails a call with a text that names the stream first. */
int ed_stream_raise(const eddy_stream *stream, int rc, const char *format, ...) EDDY_PRINTF_(3, 4);

/* The error of a stream that is closed or aborted, with its text. */
int ed_stream_shut(const eddy_stream *stream);

/* Aborts when a stream is used on another thread than its loop's. */
ED_COLD void ed_stream_stray(const eddy_stream *stream);

/* Comes in: 0, or the error that the call must return after ed_stream_leave. */
ED_INLINE int ed_stream_enter(eddy_stream *stream)
{
    int rc;

    if (ed_unlikely(stream->loop != eddy_thread_.loop))
        ed_stream_stray(stream);
    stream->inside++;
    rc = ed_checkpoint();
    return ed_likely(rc == 0 && !stream->shut) ? 0 : rc < 0 ? rc : ed_stream_shut(stream);
}

/* Goes out; the stream may be gone behind it. */
void ed_stream_last_left(eddy_stream *stream);
ED_INLINE void ed_stream_leave(eddy_stream *stream)
{
    if (ed_unlikely(--stream->inside == 0 && stream->leavers.first))
        ed_stream_last_left(stream);
}

/* The same for a call that failed, of which `partial` bytes got through. Returns rc. */
ED_INLINE int ed_stream_leave_failed(eddy_stream *stream, int rc, size_t partial)
{
    stream->partial = partial;
    ed_stream_leave(stream);
    return rc;
}

/* Makes the running task one that a close or an abort gets out. */
void ed_stream_call_begin(eddy_stream *stream, struct ed_stream_call *call);
void ed_stream_call_end(eddy_stream *stream, struct ed_stream_call *call);

/* Breaks the connection: whoever is inside, or comes, gets -ECONNABORTED. */
void ed_stream_break(eddy_stream *stream);

/*
 * A function of the kind's runs between these two, which see to the text of its error.
 * After it: what `rc` means. True when it breaks the stream; a text has to be made then if
 * *own_text is false.
 */
struct ed_error *ed_stream_kind_begin(void);
bool ed_stream_kind_end(struct ed_error *text, ssize_t rc, bool *own_text);

/* A reader comes in as the only one, and what was lent before is taken back; it goes out. */
int ed_reading_begin(eddy_stream *stream, struct ed_stream_call *call);
ssize_t
ed_reading_end(eddy_stream *stream, struct ed_stream_call *call, ssize_t rc, size_t partial);

/* Drops what is kept for readers, of a stream that can read it again: how many bytes. What is
 * lent stays where it is. */
size_t ed_stream_forget(eddy_stream *stream);

/* Takes back what a peek or a line has lent. */
void ed_stream_unlend(eddy_stream *stream);

/* The kind's read, into memory of the caller: more than 0, 0 at the end, or an error. */
ssize_t ed_stream_receive(eddy_stream *stream, void *data, size_t size);

/* Waits for more bytes than stream->in has: 1, 0 at the end, or an error. */
int ed_stream_more(eddy_stream *stream);

/* Takes bytes out of stream->in, which is not lent. */
void ed_stream_take(eddy_stream *stream, size_t size);

/* Lets the kind send again, if few enough bytes are kept. */
void ed_stream_resume(eddy_stream *stream);

/* Bytes that the kind keeps back from writers. */
ED_INLINE size_t ed_stream_pending(const eddy_stream *stream)
{
    return stream->kind->pending ? stream->kind->pending(stream) : 0;
}

/* Waits for the turn, inside a call: 0, or what cut the wait short; and gives it on. */
int ed_stream_take_turn(eddy_stream *stream);
void ed_stream_give_turn(eddy_stream *stream);

/* An error breaks the stream, in the direction of `place`, if it is of that kind. */
ED_INLINE void ed_stream_broken(const eddy_stream *stream, int *place, ssize_t rc)
{
    if (!stream->kind->positioned)
        *place = (int)rc;
}

/* A writer comes in and waits for its turn; it goes out and gives the turn on. */
int ed_writing_begin(eddy_stream *stream, struct ed_stream_call *call);
int ed_writing_end(eddy_stream *stream, struct ed_stream_call *call, int rc, size_t partial);

/* Why nothing can be written: 0, or an error with its text. */
int ed_stream_check_write(const eddy_stream *stream);

/* The kind's flush: waits until `kept` bytes or fewer are kept. */
int ed_stream_flush_to(eddy_stream *stream, size_t kept);

/* The kind's write, in the caller's turn; waits first while too much is kept. */
int ed_stream_send(eddy_stream *stream, const struct iovec *parts, size_t count, size_t size,
                   size_t *done);

#endif
