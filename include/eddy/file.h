/* SPDX-License-Identifier: MIT */
/*
 * Files: streams with a position. What Python programs do with aiofiles.
 *
 *     EDDY_STREAM file = NULL;
 *     eddy_line line;
 *     int rc;
 *
 *     EDDY_TRY(eddy_open("data.txt", "r", &file));
 *     EDDY_FOR_EACH(rc, line, eddy_lines(file))
 *         fputs(line.text, stdout);
 *     return rc;
 *
 * A file is a stream of the kind "file", so that all of eddy/stream.h works on it: reads, lines,
 * peeks, writes, eddy_printf, eddy_stream_close. This header has what only files can do. It makes
 * no difference between texts and bytes, and translates no newlines.
 *
 * Nothing here blocks the loop. What the page cache has is read at once; for the rest the
 * kernel works on io_uring, and a thread elsewhere.
 *
 * Position. Reading and writing begin where the last one ended, and may alternate freely: bytes
 * that were read ahead are not counted by eddy_tell, and are not in the way of a write. With "a"
 * every write goes to the end. The end of a file is no more than where it ends now: a read there
 * returns 0, and when the file has grown, the next one goes on. Neither is an error final: a read
 * or write may be tried again.
 *
 * Writing. A write returns when the kernel has the bytes, so that any process can read them; on
 * the disk they are behind eddy_fsync. With a write buffer, which is an option, small writes are
 * gathered: their errors come from a later call, eddy_flush or the close at the latest, and the
 * close writes them out even in a task that is cancelled. eddy_write_nowait gathers what the
 * kernel does not take at once. When the close at the end of an EDDY_STREAM block fails, the
 * loop's exception handler is told.
 *
 * Cancel. A cancelled call leaves at once, while what the kernel has begun goes on with memory of
 * the library's. A read has then taken nothing, and the position is where it was. A write may
 * have been done in part or in full; the next read, write, flush, seek or close waits until that
 * is known, and the position is behind it then; until then eddy_tell says where it began.
 * eddy_stream_partial() tells what was done for sure.
 *
 * A write that would make a file larger than the process may, RLIMIT_FSIZE, is -EFBIG, and raises
 * no SIGXFSZ.
 *
 * Of one file, calls that read, write or move the position take turns: writers wait for each
 * other; a second reader gets -EBUSY, as with every stream. eddy_pread and eddy_pwrite, which
 * have a position of their own, need not wait.
 *
 * Besides those listed, calls return errors of the kernel's, with a text that names the path.
 */
#ifndef EDDY_FILE_H
#define EDDY_FILE_H

#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "eddy/compat.h"
#include "eddy/line.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/* How to open a file; all zero means the defaults. */
typedef struct eddy_open_options {
    int flags;           /* of open(2), beside the mode's: O_SYNC, O_NOFOLLOW, ...; no O_PATH, and
                            no O_DIRECT, whose memory would have to be aligned. Those of Linux
                            alone, as O_NOATIME and O_TMPFILE, are there with _GNU_SOURCE */
    mode_t permissions;  /* of a file that is made, less the umask; 0: 0666 */
    int directory;       /* a descriptor at which a relative path begins; 0: where we are */
    size_t write_buffer; /* bytes of small writes that may be gathered; 0: none */
} eddy_open_options;

/*
 * Opens a file.
 *
 * path     copied
 * mode     as of fopen(3): "r", "w" (made, or emptied), "a" (made; writes go to the end), "wx" or
 *          Python's "x" (made; must not be there); each with "+" to read and write. "b", "t" and
 *          "e" have no effect
 * out      a stream, owned by the caller: EDDY_STREAM, or eddy_stream_close() it
 *
 * Descriptors are close-on-exec. A pipe or terminal may be opened as well, and is a stream of its
 * kind; a device that has positions, such as /dev/null, is a file. A named pipe waits for its other
 * end, without a thread.
 *
 * Suspends.
 *
 * Returns 0, or with *out untouched:
 *   -EINVAL     the mode is none, or such a flag; nothing was done
 *   -ENOENT, -EACCES, -EEXIST, -EISDIR, -EMFILE, ... of open(2)
 *   -ENOMEM
 *   -ECANCELED, -ETIMEDOUT   a file may have been made or emptied; nothing is left open
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_open(const char *path, const char *mode, eddy_stream **out);

/* The same with options; NULL: the defaults. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_open_with(const char *path, const char *mode,
                                                       const eddy_open_options *options,
                                                       eddy_stream **out);

/* A stream over the descriptor of a regular file, at its position, or as eddy_stream_from_fd over
 * another, but that a socket's has no names. It becomes the stream's; its access mode is kept.
 * Does not wait. Returns 0, or with the descriptor left alone -EBADF, -EISDIR, -ENOMEM, -EPERM
 * outside a loop. */
EDDY_NODISCARD EDDY_API int eddy_file_from_fd(int fd, eddy_stream **out);

/*
 * Moves the position: `whence` is SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA or SEEK_HOLE, lseek(2).
 * (The last two are there with _GNU_SOURCE.) It may be beyond the end. What was gathered is written
 * first.
 *
 * Suspends. Returns the new position, from the start of the file; -EINVAL when it would be
 * negative, -EOVERFLOW; -ESPIPE for a stream that has none; then it is where it was.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int64_t eddy_seek(eddy_stream *file, int64_t offset,
                                                      int whence);

/* The position of the next read or write, bytes from the start; with "a", of the next read. Does
 * not wait. -ESPIPE for a stream that has none. */
EDDY_NODISCARD EDDY_API int64_t eddy_tell(const eddy_stream *file);

/* Reads at an offset, as pread(2), from nowhere else: the position is not used. Several may be
 * under way at a time. Suspends while the bytes are not in memory. Returns how many were read:
 * fewer than `size` only at the end of the file, 0 behind it; -EINVAL for a negative offset;
 * -ESPIPE; behind any error nothing was read. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_pread(eddy_stream *file, void *data, size_t size,
                                                       int64_t offset);
/* The same into several parts; up to 1,024 (-EINVAL). Suspends likewise. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_preadv(eddy_stream *file,
                                                        const struct iovec *parts, size_t count,
                                                        int64_t offset);

/* Writes all bytes at an offset, as pwrite(2), but with "a" at the end. Suspends. Returns 0; or
 * as eddy_write, and eddy_stream_partial() bytes are there for sure. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pwrite(eddy_stream *file, const void *data, size_t size, int64_t offset);
/* The same from several parts; up to 1,024 (-EINVAL). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pwritev(eddy_stream *file, const struct iovec *parts, size_t count, int64_t offset);

/* Makes the file `size` bytes long, which cuts it, or adds zeros; -1: as long as the position says.
 * The position stays. Suspends. Returns 0; -EINVAL for another negative size, or a file that is
 * not open for writing. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_truncate(eddy_stream *file, int64_t size);

/* Waits until what was written is on the disk, with all that is known of the file; fsync(2).
 * Suspends. Returns 0, or what failed, which may be an earlier write (-EIO, -ENOSPC, -EDQUOT). */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_fsync(eddy_stream *file);
/* The same with no more than is needed to read it again; fdatasync(2). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_fdatasync(eddy_stream *file);

/*
 * Tells the kernel how the file will be read, posix_fadvise(2): POSIX_FADV_NORMAL, _RANDOM,
 * _SEQUENTIAL, _NOREUSE, _WILLNEED or _DONTNEED. The first three are of this open file as a whole.
 *
 * offset, size   bytes that it is about; 0: all behind the offset
 *
 * Who reads here and there, by eddy_pread, should say POSIX_FADV_RANDOM first. The kernel reads
 * ahead where it takes what it is asked for as a sequence, and does that on the reader's thread,
 * even within a read that must not wait: with a read-ahead of some MiB (read_ahead_kb in sysfs) a
 * read keeps the loop from everybody else for milliseconds.
 *
 * Suspends, with WILLNEED until the kernel has begun to read, and with DONTNEED until it has let
 * go of what it can. Returns 0; -EINVAL for other advice, or below 0; -ESPIPE.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_file_advise(eddy_stream *file, int64_t offset, int64_t size, int advice);

/*
 * Takes an advisory lock on the whole file, flock(2): shared with others that are, or exclusive.
 * A lock that is held already is changed into the other kind. It goes with eddy_file_unlock or
 * the close. Locks are of the open file: another open of the same path has its own.
 *
 * Suspends while another holds it, and asks again within 50 ms of its end. Returns 0; -ECANCELED,
 * -ETIMEDOUT: it is not held, nor is one that it would have changed.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_file_lock(eddy_stream *file, bool exclusive);
/* The same without waiting: -EAGAIN while another holds it. */
EDDY_NODISCARD EDDY_API int eddy_file_lock_nowait(eddy_stream *file, bool exclusive);
/* Gives the lock back; none is no error. */
EDDY_API void eddy_file_unlock(eddy_stream *file);

/*
 * Reads a whole file.
 *
 * limit    bytes at most; 0: EDDY_READ_ALL_LIMIT
 * data     on success a block with a NUL behind it, owned by the caller: eddy_free() it
 * size     its bytes without the NUL; may be NULL
 *
 * Suspends. Returns 0, EDDY_ELIMIT when there is more, -ENOMEM, or an error of eddy_open or
 * eddy_read.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_read_file(const char *path, size_t limit, char **data, size_t *size);

EDDY_END_DECLS
#endif
