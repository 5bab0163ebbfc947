/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a stream in memory.
 *
 * What is written to one end goes straight to the other: into the memory of a reader that
 * waits there, or behind what is kept for one, until twice that end's limit is kept; this is
 * what a kernel would hold. What comes beyond that stays at the end that wrote it, in `kept`,
 * until the reader has made room; so `kept` is not empty only while the other end is full,
 * which is when it has `paused` set.
 *
 * A large write that has to wait copies as much as its end may keep and waits for the reader,
 * piece by piece; so neither end keeps more than its limits and one small write.
 *
 * Ends are freed apart: one whose other end is gone has peer == NULL.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/stream.h"
#include "loop/loop.h"

#define PAIR_SMALL ((size_t)16 << 10) /* a write of less is taken whole */

struct pair_end {
    eddy_stream stream;
    struct pair_end *peer;
    struct eddy_buffer_ kept; /* what the peer has no room for */
    int broken;               /* what ends both directions, 0: nothing has */
    bool ended;               /* the peer writes no more */
    struct ed_wait *reader;   /* who waits for bytes, */
    char *data;               /* for this memory, */
    size_t size;              /* of so many bytes, and then got so many */
    struct ed_wait *writer;   /* who waits until no more than */
    size_t wanted;            /* so many bytes are kept */
    struct ed_resource resource;
    bool left; /* its loop is closed over it */
};

static struct pair_end *pair_of(eddy_stream *stream)
{
    return ed_container_of(stream, struct pair_end, stream);
}

static bool pair_read_abort(struct ed_wait *wait)
{
    ((struct pair_end *)wait->data)->reader = NULL;
    return true;
}

static bool pair_write_abort(struct ed_wait *wait)
{
    ((struct pair_end *)wait->data)->writer = NULL;
    return true;
}

static const struct ed_wait_kind pair_read_kind = {"stream.read", pair_read_abort, NULL};
static const struct ed_wait_kind pair_write_kind = {"stream.flush", pair_write_abort, NULL};

/* Wakes whoever waits in a place of an end's. */
static void pair_wake(struct ed_wait **place, int rc)
{
    struct ed_wait *wait = *place;

    if (!wait)
        return;
    *place = NULL;
    ed_wake(wait, rc);
}

/* Gives bytes to an end, as many as it has room for: how many, or -ENOMEM. */
static ssize_t pair_give(struct pair_end *to, const char *data, size_t size)
{
    size_t given = 0, room;
    int rc = 0;

    if (to->reader) {
        given = size < to->size ? size : to->size;
        memcpy(to->data, data, given);
        to->size = given;
        pair_wake(&to->reader, 0);
    }
    room = eddy_stream_room(&to->stream);
    if (room > size - given)
        room = size - given;
    if (room > 0)
        rc = eddy_stream_push(&to->stream, data + given, room);
    if (rc == 0)
        given += room;
    else if (given == 0)
        return rc;
    return (ssize_t)given;
}

/* Moves on what an end has kept, as far as the peer has room. */
static void pair_pump(struct pair_end *end)
{
    size_t kept = ed_buffer_size(&end->kept);
    ssize_t given = 0;

    if (kept > 0 && end->peer)
        given = pair_give(end->peer, ed_buffer_bytes(&end->kept), kept);
    if (given > 0)
        ed_buffer_consume(&end->kept, (size_t)given);
    if (end->peer)
        end->peer->stream.paused = ed_buffer_size(&end->kept) > 0;
    if (ed_buffer_size(&end->kept) <= end->wanted)
        pair_wake(&end->writer, 0);
}

static void pair_resume(eddy_stream *stream)
{
    struct pair_end *end = pair_of(stream);

    if (end->peer)
        pair_pump(end->peer);
}

/* Takes what the peer has kept, directly. */
static size_t pair_take_kept(struct pair_end *end, void *data, size_t size)
{
    struct eddy_buffer_ *kept = &end->peer->kept;

    if (size > ed_buffer_size(kept))
        size = ed_buffer_size(kept);
    memcpy(data, ed_buffer_bytes(kept), size);
    ed_buffer_consume(kept, size);
    pair_pump(end->peer);
    return size;
}

static ssize_t pair_read(eddy_stream *stream, void *data, size_t size)
{
    struct pair_end *end = pair_of(stream);
    struct ed_wait wait = ED_WAIT(&pair_read_kind, stream, NULL);
    int rc;

    if (end->peer && ed_buffer_size(&end->peer->kept) > 0)
        return (ssize_t)pair_take_kept(end, data, size);
    if (end->broken)
        return ed_fail(end->broken);
    if (end->ended)
        return 0;
    wait.data = end;
    end->reader = &wait;
    end->data = data;
    end->size = size;
    rc = ed_park(&wait);
    return rc < 0 ? rc : (ssize_t)end->size; /* 0: ended */
}

static bool pair_quiet(const eddy_stream *stream)
{
    const struct pair_end *end = ed_container_of(stream, const struct pair_end, stream);

    return end->peer && !end->broken && !end->ended && ed_buffer_size(&end->peer->kept) == 0;
}

static size_t pair_pending(const eddy_stream *stream)
{
    return ed_buffer_size(&ed_container_of(stream, const struct pair_end, stream)->kept);
}

/* Why nothing can be written: 0 or an error. */
static int pair_check_write(const struct pair_end *end)
{
    if (end->broken)
        return ed_fail(end->broken);
    return end->peer ? 0 : ed_fail(-EPIPE);
}

static int pair_flush(eddy_stream *stream, size_t kept)
{
    struct pair_end *end = pair_of(stream);
    struct ed_wait wait = ED_WAIT(&pair_write_kind, stream, NULL);
    int rc = pair_check_write(end);

    if (rc < 0 || ed_buffer_size(&end->kept) <= kept)
        return rc;
    if (wait.task->pending)
        return wait.task->pending;
    wait.data = end;
    end->writer = &wait;
    end->wanted = kept;
    return ed_park(&wait);
}

/* Takes a piece of a write: how many bytes, 0 when it has to wait, or an error. */
static ssize_t pair_put(struct pair_end *end, const char *data, size_t size, size_t most)
{
    size_t kept = ed_buffer_size(&end->kept), room = most > kept ? most - kept : 0;
    ssize_t given = 0;
    int rc = pair_check_write(end);

    if (rc < 0)
        return rc;
    if (kept == 0)
        given = pair_give(end->peer, data, size);
    if (given < 0)
        return ed_fail((int)given);
    size -= (size_t)given;
    if (size > room)
        size = room;
    if (size > 0 && ed_buffer_append(&end->kept, data + given, size) < 0)
        return given > 0 ? given : ed_fail(-ENOMEM);
    end->peer->stream.paused = ed_buffer_size(&end->kept) > 0;
    return given + (ssize_t)size;
}

static int
pair_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct pair_end *end = pair_of(stream);

    for (size_t i = 0; i < count; i++) {
        const char *data = parts[i].iov_base;
        size_t size = parts[i].iov_len;
        bool whole = !wait || size < PAIR_SMALL;
        size_t most = whole ? SIZE_MAX : stream->high > PAIR_SMALL ? stream->high : PAIR_SMALL;

        while (size > 0) {
            ssize_t n = pair_put(end, data, size, most);

            if (n == 0)
                n = pair_flush(stream, stream->low < most ? stream->low : most - 1);
            else if (n > 0)
                *done += (size_t)n;
            if (n < 0)
                return (int)n;
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* Tells an end that no more comes. */
static void pair_end_reading(struct pair_end *end)
{
    end->ended = true;
    if (end->reader)
        end->size = 0;
    pair_wake(&end->reader, 0);
}

static int pair_write_eof(eddy_stream *stream)
{
    struct pair_end *end = pair_of(stream);
    int rc = pair_check_write(end);

    if (rc == 0)
        pair_end_reading(end->peer);
    return rc;
}

/* Parts the two ends. What the other waits for ends: with `rc`, or in order. */
static void pair_part(struct pair_end *end, int rc)
{
    struct pair_end *peer = end->peer;

    if (!peer)
        return;
    end->peer = peer->peer = NULL;
    peer->stream.paused = false;
    if (rc < 0) {
        peer->broken = rc;
        pair_wake(&peer->reader, rc);
    } else {
        pair_end_reading(peer);
    }
    pair_wake(&peer->writer, rc < 0 ? rc : -EPIPE);
}

static void pair_abort(eddy_stream *stream, int rc)
{
    struct pair_end *end = pair_of(stream);

    pair_part(end, -ECONNRESET);
    end->broken = rc;
    ed_buffer_release(&end->kept);
}

static int pair_close(eddy_stream *stream)
{
    pair_part(pair_of(stream), 0);
    return 0;
}

static void pair_free(eddy_stream *stream)
{
    struct pair_end *end = pair_of(stream);

    if (!end->left)
        ed_loop_remove_resource(stream->loop, &end->resource);
    ed_buffer_release(&end->kept);
    ed_free(end);
}

static const eddy_stream_class pair_class = {
    .name = "memory",
    .read = pair_read,
    .write = pair_write,
    .flush = pair_flush,
    .pending = pair_pending,
    .write_eof = pair_write_eof,
    .abort = pair_abort,
    .close = pair_close,
    .free = pair_free,
    .resume = pair_resume,
    .quiet = pair_quiet,
};

static void pair_describe(struct ed_resource *resource, char *text, size_t size)
{
    (void)resource;
    snprintf(text, size, "an end of a stream in memory");
}

/* The loop closes over it. */
static void pair_left(struct ed_resource *resource, bool last)
{
    struct pair_end *end = ed_container_of(resource, struct pair_end, resource);

    if (!last)
        return;
    end->left = true;
    ed_buffer_release(&end->stream.in);
    ed_buffer_release(&end->stream.behind);
    pair_free(&end->stream);
}

/* Joins two ends, which are set up. */
static void pair_join(struct pair_end *one, struct pair_end *other)
{
    one->peer = other;
    one->resource.describe = pair_describe;
    one->resource.close = pair_left;
    ed_loop_enter_resource(one->stream.loop, &one->resource);
}

int eddy_stream_pair(eddy_stream **one, eddy_stream **other)
{
    struct pair_end *a = ed_alloc_zero(sizeof *a), *b = ed_alloc_zero(sizeof *b);
    int rc = a && b ? eddy_stream_init(&a->stream, &pair_class) : ed_fail(-ENOMEM);

    if (rc == 0)
        rc = eddy_stream_init(&b->stream, &pair_class);
    if (rc < 0) {
        ed_free(a);
        ed_free(b);
        return rc;
    }
    pair_join(a, b);
    pair_join(b, a);
    *one = &a->stream;
    *other = &b->stream;
    return 0;
}
