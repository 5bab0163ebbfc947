/* SPDX-License-Identifier: MIT */
/*
 * Streams: bytes that come and go in order, over TCP, unix sockets, TLS, pipes or
 * memory. asyncio's StreamReader and StreamWriter, in one object.
 *
 *     static int echo(eddy_stream *client)
 *     {
 *         char data[4096];
 *         ssize_t size;
 *
 *         while ((size = eddy_read(client, data, sizeof data)) > 0)
 *             EDDY_TRY(eddy_write(client, data, (size_t)size));
 *         return (int)size;
 *     }
 *
 * One task may read while another writes. A second reader gets -EBUSY and the first
 * goes on; writers take turns, each write whole and in order.
 *
 * Reading. A read that is cancelled or times out takes nothing: what had come stays for the next
 * one. At the end of the stream, which is the peer's, reads return 0, again and again. When a
 * connection breaks, what came before stays readable, and then reads return the error. Bytes that
 * nobody reads are kept up to twice the stream's limit, 64 KiB unless set; then the peer has to
 * wait. On io_uring what was on its way comes on top, up to some 128 KiB.
 *
 * Writing. Small writes are copied and reach the kernel together, no later than the loop asks it
 * for news; those of 16 KiB or more are handed over from the caller's memory. Either way the
 * caller may reuse its memory when the call returns. A write waits only while more than `high`
 * bytes are kept, 64 KiB unless set, until no more than `low` are, a quarter of it. An error of
 * the kernel's is returned by the calls that follow.
 *
 * A stream belongs to its loop and thread. Lines are read by eddy/line.h.
 */
#ifndef EDDY_STREAM_H
#define EDDY_STREAM_H

#include <stdarg.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "eddy/compat.h"
#include "eddy/error.h"
#include "eddy/generator.h"

EDDY_BEGIN_DECLS

typedef struct eddy_stream eddy_stream;

/* Declares an owning handle: at the end of its block the stream is closed as by
 * eddy_stream_close.  EDDY_STREAM peer = NULL; EDDY_TRY(eddy_connect(url, &peer));
 * Several names: EDDY_STREAM near = NULL, far = NULL; */
#define EDDY_STREAM EDDY_CLEANUP_(eddy_stream_end_scope_) __typeof__(eddy_stream *)

/* The largest number of bytes that eddy_read_all takes without being told. */
#define EDDY_READ_ALL_LIMIT ((size_t)1 << 20)

/*
 * Reads what there is, up to `size` bytes, waiting for the first of them.
 *
 * Suspends while there is none; not for size 0. From a pipe's end for writing nothing ever comes:
 * there the end of the stream is that nobody reads the pipe any more.
 *
 * Returns how many bytes are in `data`; 0 at the end of the stream; or
 *   -EBUSY        another task reads
 *   -ESHUTDOWN    the stream is closed meanwhile
 *   -ECONNRESET   or another error of the kernel's
 *   -ECANCELED, -ETIMEDOUT   nothing was taken
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_read(eddy_stream *stream, void *data, size_t size);

/*
 * Reads exactly `size` bytes. Suspends until they are there.
 *
 * Returns 0; EDDY_EINCOMPLETE when the stream ends before: then the bytes that came,
 * eddy_stream_partial() of them, are in `data`; or an error of eddy_read: then they are
 * still in the stream.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_read_exactly(eddy_stream *stream, void *data, size_t size);

/*
 * Reads up to and with a separator of `separator_size` bytes, 1 or more (-EINVAL), such
 * as "\r\n". Suspends until it is there.
 *
 * Returns how many bytes are in `data`, the separator included; or
 *   EDDY_ELIMIT        `size` bytes do not hold it: they stay readable, and
 *                      eddy_stream_partial() of them can be skipped safely
 *   EDDY_EINCOMPLETE   the stream ended without it; what came, eddy_stream_partial()
 *                      bytes, is in `data`. 0 bytes: it had ended before.
 * or an error of eddy_read: nothing was taken.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_read_until(eddy_stream *stream,
                                                            const void *separator,
                                                            size_t separator_size, void *data,
                                                            size_t size);

/* Reads and drops everything up to and with a separator, however far away it is, such as a line
 * that is too long. Suspends until then. Returns 1; 0 when the stream ended without it; -EINVAL
 * for an empty one; or an error of eddy_read: eddy_stream_partial() bytes are dropped, and another
 * call goes on. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_skip_until(eddy_stream *stream, const void *separator, size_t separator_size);

/*
 * Reads everything up to the end of the stream. Suspends until it has come.
 *
 * limit    bytes at most; 0: EDDY_READ_ALL_LIMIT
 * data     on success a block with a NUL behind it, owned by the caller: eddy_free() it
 * size     its bytes without the NUL; may be NULL
 *
 * Returns 0; EDDY_ELIMIT when there is more: it stays readable; -ENOMEM; or an error of
 * eddy_read: what came stays readable.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_read_all(eddy_stream *stream, size_t limit, char **data, size_t *size);

/* Looks at what will be read next without taking it: waits until `least` bytes are there,
 * 0: not at all. *data is borrowed until the next call that reads from the stream or closes
 * it. Suspends until then.
 * Returns how many bytes are there, `least` or more, or fewer when the stream ended; or an
 * error of eddy_read, -ENOMEM. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_peek(eddy_stream *stream, size_t least,
                                                      const char **data);

/* Takes bytes that a peek has shown; more than there are aborts. */
EDDY_API void eddy_consume(eddy_stream *stream, size_t size);

/* Whether the end of the stream has come and all before it is read. */
EDDY_API bool eddy_at_eof(const eddy_stream *stream);

/*
 * Writes all of `data`. Suspends while too much is kept, and for large writes until the
 * kernel has them.
 *
 * Returns 0, or
 *   -EPIPE, -ECONNRESET   or another error of the kernel's: the connection is broken
 *   -EPIPE                after eddy_write_eof
 *   -ESHUTDOWN            the stream is closed meanwhile
 *   -ENOMEM               nothing was taken
 *   -ECANCELED, -ETIMEDOUT
 * After any of them eddy_stream_partial() bytes of this call were taken: the stream is
 * usable behind a cancel or timeout, and `data` is the caller's again.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_write(eddy_stream *stream, const void *data, size_t size);

/* The same for the bytes of several parts, as one write; up to 1,024 parts (-EINVAL).
 * Suspends as eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_writev(eddy_stream *stream, const struct iovec *parts, size_t count);

/* The same for formatted text, without its NUL. Suspends as eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_printf(eddy_stream *stream, const char *format, ...)
    EDDY_PRINTF_(2, 3);
/* As vprintf(3) is to printf(3), for functions of one's own that take a format. Suspends as
 * eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_vprintf(eddy_stream *stream, const char *format, va_list arguments) EDDY_PRINTF_(2, 0);

/* As eddy_write, but never waits, also from callbacks: -EAGAIN, with nothing taken, while
 * more than `high` bytes are kept. What it takes is copied. */
EDDY_NODISCARD EDDY_API int eddy_write_nowait(eddy_stream *stream, const void *data, size_t size);

/* The same for formatted text, without its NUL. */
EDDY_NODISCARD EDDY_API int eddy_printf_nowait(eddy_stream *stream, const char *format, ...)
    EDDY_PRINTF_(2, 3);
/* See eddy_vprintf. */
EDDY_NODISCARD EDDY_API int
eddy_vprintf_nowait(eddy_stream *stream, const char *format, va_list arguments) EDDY_PRINTF_(2, 0);

/* Waits while writes would: returns once no more than `low` bytes are kept, if there were
 * more than `high`. Suspends. Returns as eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_drain(eddy_stream *stream);

/* Waits until the kernel has all that was written. Suspends. Returns as eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_flush(eddy_stream *stream);

/* Ends the writing half, once all that was written has gone: the peer reads the end of the
 * stream, and this side can still read. A second time has no effect. -ENOTSUP for kinds that
 * cannot. Suspends until then. Returns as eddy_write does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_write_eof(eddy_stream *stream);

/*
 * Writes the bytes of a file from `offset` on, `count` of them or, with SIZE_MAX, up to the
 * file's end, without a copy where the kernel can; sendfile(2). The descriptor's position is
 * not used. Suspends until they have gone.
 *
 * Returns how many went: fewer than `count` at the file's end; or -EINVAL for a negative
 * offset, count 0, or what is not a regular file; an error of reading the file, or of
 * eddy_write. eddy_stream_partial() tells how many went before an error.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sendfile(eddy_stream *stream, int fd, off_t offset,
                                                          size_t count);

/* Reads `from` to its end and writes it all to `to`; they may be one. Suspends until then.
 * Returns how many bytes it were, or the error of either: what was read has then been written,
 * but for 64 KiB at most that are lost. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_stream_copy(eddy_stream *from, eddy_stream *to);

/*
 * Closes a stream, once all that was written has gone, frees it and sets the handle to NULL;
 * NULL is left alone. Other tasks that are inside get -ESHUTDOWN.
 *
 * Suspends until then, and is never refused; but in a task that is cancelled or whose time is
 * up, also while it waits here, it ends at once: what the kernel does not take then is dropped,
 * and the peer sees a reset. A close by another task meanwhile, with a handle of its own, waits
 * for the first one and returns the same.
 *
 * Returns 0; the error why not all has gone, -ECONNABORTED behind an abort; or -EPERM outside
 * a task, with the handle left alone. Whatever else it returns, the stream is freed.
 */
EDDY_API EDDY_AWAITS int eddy_stream_close(eddy_stream **stream);

/* Breaks the connection: drops what was not sent, so that the peer sees a reset. All calls,
 * also those that wait, get -ECONNABORTED. Does not wait; a close must follow. */
EDDY_API void eddy_stream_abort(eddy_stream *stream);

/* Whether it is being closed, or was aborted. */
EDDY_API bool eddy_stream_is_closing(const eddy_stream *stream);

/* How many bytes the last call of this stream that failed got through, see there. */
EDDY_API size_t eddy_stream_partial(const eddy_stream *stream);

/* What has gone through a stream, and what is under way. */
typedef struct eddy_stream_counters {
    uint64_t received; /* bytes, from the kernel or the peer */
    uint64_t sent;     /* bytes that it has taken */
    size_t to_read;    /* bytes kept for readers now */
    size_t to_send;    /* bytes kept from writers now */
} eddy_stream_counters;

/* Counts since the stream was opened. */
EDDY_API eddy_stream_counters eddy_stream_get_counters(const eddy_stream *stream);

/* Sets how long a line may be, bytes; twice as many are kept for readers. At least 1
 * (-EINVAL). */
EDDY_API int eddy_stream_set_limit(eddy_stream *stream, size_t limit);

/* Sets from how many bytes on writers wait, and until when. SIZE_MAX for either: four
 * times or a quarter of the other; for both: 64 and 16 KiB. `low` over `high`: -EINVAL. */
EDDY_API int eddy_stream_set_write_limits(eddy_stream *stream, size_t high, size_t low);

/* What kind it is: "tcp", "unix", "tls", "pipe", "terminal", "device", "memory", "file". A
 * character device is a terminal only if isatty(3) says so; one that has positions, such as
 * /dev/null and /dev/full, is a file, but for eddy_stream_from_fd, which makes no files. Static
 * text. */
EDDY_API const char *eddy_stream_kind(const eddy_stream *stream);

/* The peer's and the own address as text, such as "127.0.0.1:80"; "" when there is none. A file's
 * path is the peer's. Borrowed until the stream is closed. */
EDDY_API const char *eddy_stream_peer_name(const eddy_stream *stream);
EDDY_API const char *eddy_stream_local_name(const eddy_stream *stream);

/* The descriptor under a stream, borrowed; -1 when there is none. Not to be read, written or
 * closed. */
EDDY_API int eddy_stream_fd(const eddy_stream *stream);

/*
 * A stream over a descriptor of a connected socket, pipe, terminal or other character device. It
 * becomes the stream's, non-blocking, and is closed with it. The loop must run.
 *
 * Returns 0, or with the descriptor left alone -EINVAL for a file or a socket that does not
 * stream, -EBADF, -ENOMEM, -EPERM outside a loop.
 */
EDDY_NODISCARD EDDY_API int eddy_stream_from_fd(int fd, eddy_stream **stream);

/* Two ends of a stream in memory, for tests and between tasks: what is written to one is
 * read from the other. Each end keeps as much as its limit says for its readers, so that a
 * close or flush of the other waits only for what is beyond that. The loop must run. Returns 0
 * or -ENOMEM, -EPERM outside a loop. */
EDDY_NODISCARD EDDY_API int eddy_stream_pair(eddy_stream **one, eddy_stream **other);

/* Frees what a function of the library says is to be freed by it; NULL too. */
EDDY_API void eddy_free(void *memory);

/* For the macro above. Suspends as eddy_stream_close does. */
EDDY_API EDDY_AWAITS void eddy_stream_end_scope_(eddy_stream **stream);

EDDY_END_DECLS
#endif
