/* SPDX-License-Identifier: MIT */
/*
 * Spooled files: temporary files that are in memory until they are too long for it.
 *
 * Such a file is a struct ed_file without a descriptor, whose transfers come here instead of going
 * to the kernel: see where file.c looks at `spool`. All above that, the position, what is read
 * ahead, the turns, is the same for both.
 *
 * Rolling over copies, and changes nothing until the copy is whole: then the descriptor becomes the
 * file's, in one step, and the spool is gone. So there is nothing to undo but the copy, which has
 * no name and goes with its descriptor. While it is made the bytes stay as they are. Who reads
 * reads them; who would change them waits, and looks again then whether there is a spool. That
 * is one who writes at an offset of his own beside the one who rolls over, or the other way round:
 * all others take turns.
 */
#include "os/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/stats.h"
#include "os/tempfile.h"

#define SPOOL_AHEAD 3 /* times what is there, at most, that is asked for at once */

struct ed_spool {
    struct eddy_buffer_ bytes; /* all that the file has, from the start of the block on */
    int64_t max_size;
    bool rolling;
    struct ed_file_handle *copy; /* while it rolls over, from when it is open; else NULL */
    struct eddy_list_ waiting;   /* for it to have rolled over, or failed */
    bool has_dir;
    char dir[];
};

/* Bytes. */

static int64_t spool_size(const struct ed_spool *s)
{
    return (int64_t)ed_buffer_size(&s->bytes);
}

int64_t
ed_spool_read(const struct ed_spool *s, const struct iovec *parts, size_t count, int64_t offset)
{
    int64_t at = offset;

    for (size_t i = 0; i < count && at < spool_size(s); i++) {
        size_t left = (size_t)(spool_size(s) - at), size = parts[i].iov_len;

        size = size < left ? size : left;
        if (size > 0)
            memcpy(parts[i].iov_base, ed_buffer_bytes(&s->bytes) + at, size);
        at += (int64_t)size;
    }
    return at - offset;
}

/* Makes it longer, by bytes that are zero up to `from` and the caller's behind that; 0 or
 * -ENOMEM. Room is made for what may come, so that bytes move seldom. */
static int spool_grow(struct ed_spool *s, size_t size, size_t from)
{
    struct eddy_buffer_ *bytes = &s->bytes;
    size_t wanted = size - bytes->end, ahead = SPOOL_AHEAD * bytes->end;

    if (ahead > (size_t)s->max_size - bytes->end)
        ahead = (size_t)s->max_size - bytes->end;
    if (wanted > ed_buffer_room(bytes) &&
        ed_buffer_reserve(bytes, ahead > wanted ? ahead : wanted) < 0)
        return ed_fail(-ENOMEM);
    if (from > bytes->end)
        memset(bytes->data + bytes->end, 0, from - bytes->end);
    bytes->end = size;
    return 0;
}

static size_t parts_size(const struct iovec *parts, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

int64_t ed_spool_write(struct ed_spool *s, const struct iovec *parts, size_t count, int64_t offset)
{
    size_t start = (size_t)offset, at = start, end = start + parts_size(parts, count);

    if (end > s->bytes.end && spool_grow(s, end, start) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > 0)
            memcpy(s->bytes.data + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    return (int64_t)(end - start);
}

int64_t
ed_spool_write_nowait(struct ed_spool *s, const struct iovec *parts, size_t count, int64_t offset)
{
    if (s->rolling || offset + (int64_t)parts_size(parts, count) > s->max_size)
        return -EAGAIN;
    return ed_spool_write(s, parts, count, offset);
}

int ed_spool_truncate(struct ed_spool *s, size_t size)
{
    if (size > s->bytes.end)
        return spool_grow(s, size, size);
    s->bytes.end = size;
    if (size == 0)
        ed_buffer_release(&s->bytes);
    return 0;
}

int64_t ed_spool_seek(const struct ed_spool *s, int64_t offset, int whence)
{
    int64_t size = spool_size(s), position;

    switch (whence) {
    case SEEK_END:
        if (__builtin_add_overflow(size, offset, &position))
            return ed_fail(-EOVERFLOW);
        return position < 0 ? ed_fail(-EINVAL) : position;
    case SEEK_DATA:
    case SEEK_HOLE: /* there is only the one at the end */
        if (offset < 0 || offset >= size)
            return ed_fail(-ENXIO);
        return whence == SEEK_DATA ? offset : size;
    default: return ed_fail(-EINVAL);
    }
}

/* Rolling over. */

static const char *spool_dir(const struct ed_spool *s)
{
    return s->has_dir ? s->dir : NULL;
}

/* Writes all bytes to the copy. */
static int spool_write_copy(struct ed_spool *s)
{
    size_t size = ed_buffer_size(&s->bytes);
    int64_t n = 1;

    for (size_t at = 0; at < size && n > 0; at += (size_t)n) {
        size_t some = size - at < ED_FILE_PIECE ? size - at : ED_FILE_PIECE;
        struct iovec part = {ed_buffer_bytes(&s->bytes) + at, some};
        struct ed_file_call call = {.kind = ED_OP_WRITE_AT,
                                    .name = "file.rollover",
                                    .handle = s->copy,
                                    .parts = &part,
                                    .count = 1,
                                    .offset = (int64_t)at};

        n = ed_checkpoint(); /* others run between two pieces */
        if (n == 0)
            n = ed_file_call(&call);
        if (n <= 0)
            return n == 0 ? ed_fail(-EIO) : (int)n;
    }
    return 0;
}

/* Gives up the copy. */
static void spool_drop_copy(struct ed_spool *s)
{
    struct ed_error *error = ed_error_set_aside();

    (void)ed_file_close_handle(s->copy, false); /* nobody misses it */
    ed_file_handle_unref(s->copy);
    s->copy = NULL;
    ed_error_put_back(error);
}

/* Makes the copy. */
static int spool_copy(struct ed_spool *s)
{
    eddy_temporary_options options = {.dir = spool_dir(s)};
    int fd = ed_temporary_descriptor(&options), rc;

    if (fd < 0)
        return fd;
    s->copy = ed_file_handle_new(fd, sizeof *s->copy);
    if (!s->copy) {
        close(fd);
        return ed_fail(-ENOMEM);
    }
    rc = spool_write_copy(s);
    if (rc < 0 && rc != eddy_thread_.task->pending)
        ed_raise(rc, "roll a temporary file over into \"%s\": %s", ed_temporary_folder(&options),
                 eddy_strerror(rc));
    if (rc < 0)
        spool_drop_copy(s);
    return rc;
}

/* The copy takes the place of the bytes. */
static void spool_swap(struct ed_file *f)
{
    struct ed_spool *s = f->spool;

    f->handle.fd = s->copy->fd;
    f->written = true;
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    ed_file_handle_drop(s->copy);
    s->copy = NULL;
    ed_loop_own(f->stream.loop, f->handle.fd);
    ed_spool_free(f);
}

static int spool_roll_over(struct ed_file *f)
{
    struct ed_spool *s = f->spool;
    struct eddy_link_ *link;
    int rc;

    s->rolling = true;
    rc = spool_copy(s);
    s->rolling = false;
    while ((link = ed_list_pop(&s->waiting)))
        ed_wake(ed_container_of(link, struct ed_wait, link), 0);
    if (rc == 0)
        spool_swap(f);
    return rc;
}

/* Waits while another task rolls it over. 0, or what cut that short. */
static int spool_await(struct ed_file *f)
{
    static const struct ed_wait_kind kind = {"file.rollover", NULL, NULL};
    int rc = 0;

    while (rc == 0 && f->spool && f->spool->rolling) {
        struct ed_wait wait = ED_WAIT(&kind, &f->stream, &f->spool->waiting);

        rc = wait.task->pending ? wait.task->pending : ed_park(&wait);
    }
    return rc;
}

int ed_spool_admit(struct ed_file *f, int64_t size)
{
    int rc = spool_await(f);

    return rc < 0 || !f->spool || size <= f->spool->max_size ? rc : spool_roll_over(f);
}

int64_t
ed_spool_admit_write(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset)
{
    size_t size = parts_size(parts, count);

    return size > (uint64_t)(INT64_MAX - offset) ? ed_fail(-EFBIG)
                                                 : ed_spool_admit(f, offset + (int64_t)size);
}

int eddy_rollover(eddy_stream *file)
{
    struct ed_stream_call call;
    int rc = ed_file_begin(file, &call, "roll over");

    if (rc < 0)
        return rc;
    rc = spool_await(ed_file_of(file));
    if (rc == 0 && ed_file_of(file)->spool)
        rc = spool_roll_over(ed_file_of(file));
    return ed_file_end(file, &call, "roll over", rc);
}

bool eddy_is_rolled_over(const eddy_stream *file)
{
    return ed_is_file(file) && !ed_file_of(file)->spool;
}

/* The beginning and the end. */

int eddy_spooled_temporary_file(size_t max_size, const eddy_temporary_options *options,
                                eddy_stream **out)
{
    const char *dir = options ? options->dir : NULL;
    size_t dir_size = dir ? strlen(dir) + 1 : 0;
    struct ed_spool *s = ed_alloc_zero(sizeof *s + dir_size);
    struct ed_file *f;
    int rc = s ? ed_file_new(-1, ED_TEMPORARY_TITLE, O_RDWR, &f) : ed_fail(-ENOMEM);

    if (rc < 0) {
        ed_free(s);
        return rc;
    }
    s->max_size = max_size == 0 || max_size > INT64_MAX ? INT64_MAX : (int64_t)max_size;
    s->has_dir = dir;
    if (dir)
        memcpy(s->dir, dir, dir_size);
    f->spool = s;
    *out = &f->stream;
    return 0;
}

void ed_spool_free(struct ed_file *f)
{
    struct ed_spool *s = f->spool;

    if (!s)
        return;
    f->spool = NULL;
    ed_file_handle_unref(s->copy);
    ed_buffer_release(&s->bytes);
    ed_free(s);
}
