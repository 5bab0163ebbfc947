/* SPDX-License-Identifier: MIT */
/* Files as streams: the object, and what its parts share; see file.c. */
#ifndef ED_OS_FILE_H
#define ED_OS_FILE_H

#include "eddy/file.h"
#include "eddy/stream_class.h"
#include "io/stream.h"
#include "os/file_call.h"

struct ed_file {
    struct ed_file_handle handle; /* whose last user frees the whole */
    eddy_stream stream;
    int64_t position; /* behind what was read, of which stream.in keeps some; before `gathered` */
    bool readable, writable, appends;
    bool shared;  /* a standard stream: others use the kernel's position, and so do writes */
    bool local;   /* the kernel answers from memory, at least in part */
    bool written; /* or may have been */
    bool locked;  /* or may be: a lock is to go with the close, whoever has the descriptor still */
    bool missed;  /* a read was tried in vain a moment ago */
    bool untried; /* reads of it cannot be tried so, on such a file system */

    size_t gathers; /* bytes of small writes that may be gathered */
    struct eddy_buffer_ gathered;

    struct ed_spool *spool; /* the bytes, while there is no descriptor for them; else NULL */

    struct ed_file_left left;    /* writes where the position is, whose caller has gone */
    struct ed_file_left left_at; /* and elsewhere */
    bool left_gathered;          /* the first is of gathered bytes */
    struct ed_resource resource;
    char path[]; /* for texts */
};

extern const eddy_stream_class ed_file_class;

ED_INLINE struct ed_file *ed_file_of(const eddy_stream *stream)
{
    return ed_container_of(stream, struct ed_file, stream);
}
ED_INLINE bool ed_is_file(const eddy_stream *stream)
{
    return stream->kind == &ed_file_class;
}

/* A file over an open descriptor, which becomes the file's; `flags` are those it was opened with.
 * -1: over none yet, and the caller sets `spool`.
 * -ENOMEM, -EPERM outside a loop: it is the caller's still. */
int ed_file_new(int fd, const char *path, int flags, struct ed_file **out);

/* Closes a descriptor, unless a call that was left has a share in it still; the handle is to be
 * let go of after that. `at_once`: nothing of it needs the disk. Suspends, shielded. 0 or an
 * error. */
int ed_file_close_handle(struct ed_file_handle *handle, bool at_once);

#define ED_FILE_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY) /* of every open, see file_open.c */

/* What opens a path; a descriptor, or an error, which the last raises. The second suspends, and the
 * third, which is the part of it behind ed_file_open_now. */
struct ed_file_call
ed_file_open_call(const char *path, int flags, const eddy_open_options *options);
int64_t ed_file_open_descriptor(struct ed_file_call *call);
int64_t ed_file_open_wait(struct ed_file_call *call);
int ed_file_open_raise(int rc, const char *path);

/* A stream over it. -ENOMEM, -EPERM outside a loop: the descriptor is the caller's still. */
int ed_file_open_stream(int fd, const char *path, int flags, mode_t type, eddy_stream **out);

/* Whether a call would have to wait for earlier ones, or write first what they have gathered. */
ED_INLINE bool ed_file_is_settled(const struct ed_file *f)
{
    return f->left.count == 0 && f->left_at.count == 0 && f->gathered.start == f->gathered.end;
}

/* Reads of a settled file what is in memory: how many bytes; -EAGAIN: it is to be read by
 * ed_file_read_at. Does not suspend. (file_now.c, as the next two, which are the kind's.) */
int64_t ed_file_try_read(struct ed_file *f, void *data, size_t size, int64_t offset);
ssize_t ed_file_read_nowait(eddy_stream *stream, void *data, size_t size);
int ed_file_close_nowait(eddy_stream *stream);

/* Frees it, closed. */
void ed_file_free(struct ed_file *f);

/* For calls in their turn. Suspends. 0 once it is known where the file stands: nothing of ours is
 * under way, and nothing gathered; or an error, of writing that too. */
int ed_file_settle(struct ed_file *f, bool shielded);

/* Where the next read or write begins. */
int64_t ed_file_position(const struct ed_file *f);

/* Sets it, and forgets what was read ahead. In its turn, settled. */
void ed_file_set_position(struct ed_file *f, int64_t position);

/* Reads once at an offset, and writes all; *done says how much. Suspend. */
int64_t ed_file_read_at(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset);

/* Describes up to ED_FILE_PARTS of what is left of the parts, behind `skip` bytes: returns how
 * many. */
#define ED_FILE_PARTS 16
size_t ed_file_rest_of(const struct iovec *parts, size_t count, size_t skip, struct iovec *rest);

int ed_file_write_at(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset,
                     size_t *done);

/* A call that uses the position comes in, in its turn and settled, and goes out. -ESPIPE for what
 * is no file. Suspends. */
int ed_file_begin(eddy_stream *stream, struct ed_stream_call *call, const char *verb);
int ed_file_end(eddy_stream *stream, struct ed_stream_call *call, const char *verb, int rc);

#endif
