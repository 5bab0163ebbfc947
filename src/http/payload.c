/* SPDX-License-Identifier: MIT */
/*
 * Bodies to be sent: a list of segments, whatever the body was made of. Their sizes are added up
 * before anything is sent, where all are known.
 *
 * A source that has fewer bytes than were announced is an error, as is one that fails: the end of
 * the body is then not written by whoever sends it, and the receiver sees that it broke off. Bytes
 * beyond the announced size are not asked for.
 *
 * A body can be sent again when each segment can: bytes always, files from where they began, and
 * other sources as long as nothing was taken from them.
 */
#include "http/payload.h"

#include <jansson.h>
#include <string.h>

#include "eddy/file.h"

#define PAYLOAD_BLOCK ((size_t)64 << 10) /* read from a stream at once */
#define PAYLOAD_JSON 512                 /* bytes that most values need not */

static const char payload_bytes_type[] = "application/octet-stream";

/* Where it is kept that something was taken; the segments may move. */
static bool *payload_used(struct ed_segment *segment)
{
    return segment->used ? segment->used : &segment->own_used;
}

static struct ed_segment *payload_add(struct ed_payload *payload)
{
    struct ed_segment *segments = payload->segments;

    if (payload->count == payload->capacity) {
        payload->capacity = payload->capacity ? 2 * payload->capacity : 2;
        segments = ed_arena_alloc(payload->arena, payload->capacity * sizeof *segments);
        if (!segments)
            return NULL;
        if (payload->count > 0)
            memcpy(segments, payload->segments, payload->count * sizeof *segments);
        payload->segments = segments;
    }
    segments += payload->count++;
    *segments = (struct ed_segment){.start = -1};
    return segments;
}

int ed_payload_add_bytes(struct ed_payload *payload, const void *data, size_t size)
{
    struct ed_segment *segment = payload_add(payload);

    if (!segment)
        return -ENOMEM;
    segment->data = data;
    segment->size = (int64_t)size;
    return 0;
}

/* How many bytes a file has from here on: -1 when it does not know, as those of /proc. */
static int payload_file_size(eddy_stream *file, int64_t position, int64_t *size)
{
    int64_t end = eddy_seek(file, 0, SEEK_END);
    const char *data;
    ssize_t shown;

    *size = -1;
    if (end == -EINVAL)
        return 0;
    EDDY_TRY(end);
    EDDY_TRY(eddy_seek(file, position, SEEK_SET));
    *size = end - position;
    if (*size > 0)
        return 0;
    shown = eddy_peek(file, 1, &data);
    *size = shown > 0 ? -1 : 0;
    return shown < 0 ? (int)shown : 0;
}

/* Finds out what there is to know of a segment's stream. */
static int payload_look_at(struct ed_segment *segment)
{
    if (*payload_used(segment) && segment->start < 0)
        return eddy_raise(-EPIPE, "a body that comes from a stream can be sent only once");
    if (strcmp(eddy_stream_kind(segment->stream), "file") != 0)
        return 0;
    segment->start = eddy_tell(segment->stream);
    EDDY_TRY(segment->start);
    return segment->size < 0 ? payload_file_size(segment->stream, segment->start, &segment->size)
                             : 0;
}

int ed_payload_add_stream(struct ed_payload *payload, eddy_stream *stream, int64_t size, bool owned,
                          bool *used)
{
    struct ed_segment *segment = payload_add(payload);

    if (!segment) {
        if (owned)
            (void)eddy_stream_close(&stream); /* nothing was written to it */
        return -ENOMEM;
    }
    segment->stream = stream;
    segment->size = size;
    segment->owned = owned;
    segment->used = used;
    return payload_look_at(segment);
}

static int payload_add_generator(struct ed_payload *payload, eddy_generator *generator)
{
    struct ed_segment *segment = payload_add(payload);

    if (!segment || !generator)
        return -ENOMEM;
    segment->generator = generator;
    segment->size = -1;
    return 0;
}

static int payload_add_json(struct ed_payload *payload, const json_t *value)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY, size = PAYLOAD_JSON, room;
    char *text;

    if (!value)
        return -ENOMEM; /* what json_pack and its like say */
    do {
        room = size;
        text = ed_arena_alloc(payload->arena, room);
        if (!text)
            return -ENOMEM;
        size = json_dumpb(value, text, room, flags);
    } while (size > room);
    if (size == 0)
        return eddy_raise(EDDY_EJSON, "a JSON value cannot be written: it has itself as a part, or "
                                      "a text that is not UTF-8");
    payload->type = "application/json";
    return ed_payload_add_bytes(payload, text, size);
}

static int payload_add_pairs(struct ed_payload *payload, const eddy_pair *pairs)
{
    payload->text = eddy_form_encode(pairs);
    if (!payload->text)
        return -ENOMEM;
    payload->type = "application/x-www-form-urlencoded";
    return ed_payload_add_bytes(payload, payload->text, strlen(payload->text));
}

static int payload_fill(struct ed_payload *payload, const eddy_body *body)
{
    switch (body->kind) {
    case EDDY_BODY_KIND_NONE: return 0;
    case EDDY_BODY_KIND_PAIRS: return payload_add_pairs(payload, body->pairs);
    case EDDY_BODY_KIND_JSON: return payload_add_json(payload, body->json);
    case EDDY_BODY_KIND_FORM: return body->form ? ed_form_compile(body->form, payload) : -ENOMEM;
    case EDDY_BODY_KIND_BYTES:
        payload->type = payload_bytes_type;
        return ed_payload_add_bytes(payload, body->data,
                                    body->size < 0 ? strlen(body->data) : (size_t)body->size);
    case EDDY_BODY_KIND_STREAM:
        payload->type = payload_bytes_type;
        return ed_payload_add_stream(payload, body->stream, body->size, false, NULL);
    case EDDY_BODY_KIND_GENERATOR:
        payload->type = payload_bytes_type;
        return payload_add_generator(payload, body->generator);
    }
    return eddy_raise(-EINVAL, "a body of kind %d: there is none", (int)body->kind);
}

int ed_payload_open(const eddy_body *body, struct ed_arena *arena, struct ed_payload **out)
{
    struct ed_payload *payload = ed_arena_alloc(arena, sizeof *payload);
    int rc;

    if (!payload)
        return -ENOMEM;
    *payload = (struct ed_payload){.arena = arena};
    rc = payload_fill(payload, body);
    if (rc == 0 && body->content_type) {
        payload->type = ed_arena_copy(arena, body->content_type, strlen(body->content_type));
        rc = payload->type ? 0 : -ENOMEM;
    }
    if (rc < 0) {
        ed_payload_close(payload);
        return rc;
    }
    *out = payload;
    return 0;
}

int64_t ed_payload_size(const struct ed_payload *payload)
{
    int64_t size = 0;

    for (size_t i = 0; i < payload->count; i++) {
        if (payload->segments[i].size < 0)
            return -1;
        size += payload->segments[i].size;
    }
    return size;
}

const char *ed_payload_type(const struct ed_payload *payload)
{
    return payload->type;
}

bool ed_payload_bytes(const struct ed_payload *payload, const void **data, size_t *size)
{
    const struct ed_segment *segment = payload->segments;

    if (payload->count > 1 || (payload->count == 1 && (segment->stream || segment->generator)))
        return false;
    *data = payload->count ? segment->data : NULL;
    *size = payload->count ? (size_t)segment->size : 0;
    return true;
}

static int payload_rewind_segment(struct ed_segment *segment)
{
    if (!*payload_used(segment))
        return 0;
    if (segment->start < 0)
        return eddy_raise(-EPIPE, "a body that comes from a %s cannot be sent again",
                          segment->stream ? "stream" : "generator");
    EDDY_TRY(eddy_seek(segment->stream, segment->start, SEEK_SET));
    *payload_used(segment) = false;
    return 0;
}

int ed_payload_rewind(struct ed_payload *payload)
{
    for (size_t i = 0; i < payload->count; i++)
        EDDY_TRY(payload_rewind_segment(&payload->segments[i]));
    return 0;
}

/* Sends what a stream has, in blocks of the caller's. */
static int payload_copy(const struct ed_segment *segment, char *block, eddy_stream *to)
{
    uint64_t left = segment->size < 0 ? UINT64_MAX : (uint64_t)segment->size;

    while (left > 0) {
        size_t size = left < PAYLOAD_BLOCK ? (size_t)left : PAYLOAD_BLOCK;
        ssize_t n = eddy_read(segment->stream, block, size);

        EDDY_TRY(n);
        if (n == 0 && segment->size < 0)
            break;
        if (n == 0)
            return eddy_raise(EDDY_EHTTP_PAYLOAD,
                              "the source of the body ended %llu bytes before its %lld bytes",
                              (unsigned long long)left, (long long)segment->size);
        EDDY_TRY(eddy_write(to, block, (size_t)n));
        left -= (uint64_t)n;
    }
    return 0;
}

static int payload_write_stream(const struct ed_segment *segment, eddy_stream *to)
{
    char *block = eddy_realloc_(NULL, PAYLOAD_BLOCK);
    int rc = block ? payload_copy(segment, block, to) : -ENOMEM;

    eddy_free(block);
    return rc;
}

static int payload_write_generator(eddy_generator *generator, eddy_stream *to)
{
    struct iovec piece;
    int rc, end;

    while ((rc = eddy_next(generator, &piece)) > 0)
        EDDY_TRY(eddy_write(to, piece.iov_base, piece.iov_len));
    end = eddy_generator_close(generator);
    return rc < 0 ? rc : end;
}

static int payload_write_segment(struct ed_segment *segment, eddy_stream *to)
{
    if (segment->data || (!segment->stream && !segment->generator))
        return segment->size > 0 ? eddy_write(to, segment->data, (size_t)segment->size) : 0;
    if (*payload_used(segment) && segment->start < 0)
        return eddy_raise(-EPIPE, "a body that comes from a %s can be sent only once",
                          segment->stream ? "stream" : "generator");
    *payload_used(segment) = true;
    return segment->stream ? payload_write_stream(segment, to)
                           : payload_write_generator(segment->generator, to);
}

int ed_payload_write(struct ed_payload *payload, eddy_stream *to)
{
    for (size_t i = 0; i < payload->count; i++)
        EDDY_TRY(payload_write_segment(&payload->segments[i], to));
    return 0;
}

void ed_payload_close(struct ed_payload *payload)
{
    if (!payload)
        return;
    for (size_t i = 0; i < payload->count; i++) {
        struct ed_segment *segment = &payload->segments[i];

        if (segment->owned)
            (void)eddy_stream_close(&segment->stream); /* a file that was read has no news */
        if (segment->generator)
            (void)eddy_generator_close(segment->generator); /* its error was returned before */
    }
    eddy_free(payload->text);
    payload->text = NULL;
    payload->count = 0;
}
