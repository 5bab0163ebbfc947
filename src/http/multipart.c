/* SPDX-License-Identifier: MIT */
/*
 * Multipart bodies that come (RFC 2046, 5.1), part by part.
 *
 *     DATA --> delimiter --> its line's end --> HEAD --> fields, empty line --> DATA ...
 *                       \--> "--" --> ENDED
 *
 * All bytes stay in the body's own buffer, which is looked at until it is known what they are:
 * nothing is taken before, so that a call that is cancelled can be made again. What is in front of
 * the first delimiter is data of no part, and is skipped; what is behind the last one is left.
 *
 * Lines end with CR and LF, and fields are not folded. A Content-Length of a part's counts for
 * nothing.
 */
#include "http/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/parameter.h"

#define MULTIPART_PARTS 1000
#define MULTIPART_HEAD_SIZE ((size_t)8 << 10)
#define MULTIPART_HEAD_FIELDS 32
#define MULTIPART_BOUNDARY 70 /* characters at most */

int ed_multipart_fail(struct eddy_multipart *multipart, int code, const char *format, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    multipart->error = code;
    return eddy_raise(code, "%s", text);
}

static bool multipart_is_boundary(const char *text, size_t size)
{
    static const char others[] = "'()+_,-./:=? "; /* beside letters and digits */

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              strchr(others, c)))
            return false;
    }
    return size >= 1 && size <= MULTIPART_BOUNDARY && text[size - 1] != ' ';
}

/* Finds the boundary in a Content-Type. */
static int multipart_take_boundary(struct eddy_multipart *multipart, const char *content_type)
{
    const char *boundary;

    if (!content_type || strncasecmp(content_type, "multipart/", 10) != 0)
        return eddy_raise(EDDY_EHTTP_CONTENT_TYPE, "a body of type %s is not multipart",
                          content_type ? content_type : "unknown");
    EDDY_TRY(ed_parameter_get(content_type, "boundary", &multipart->arena, &boundary));
    if (!boundary || !multipart_is_boundary(boundary, strlen(boundary)))
        return eddy_raise(EDDY_EHTTP_CONTENT_TYPE, "a multipart body %s: %s",
                          boundary ? "has a boundary that is none" : "has no boundary",
                          content_type);
    multipart->delimiter_size = strlen(boundary) + 4;
    multipart->delimiter = eddy_alloc_(multipart->delimiter_size + 1);
    if (!multipart->delimiter)
        return -ENOMEM;
    snprintf(multipart->delimiter, multipart->delimiter_size + 1, "\r\n--%s", boundary);
    return 0;
}

int eddy_multipart_open(const char *content_type, eddy_stream *body,
                        const eddy_multipart_options *options, eddy_multipart **out)
{
    eddy_multipart *multipart = eddy_alloc_(sizeof *multipart);
    int rc;

    if (!multipart)
        return -ENOMEM;
    multipart->body = body;
    if (options)
        multipart->limits = *options;
    if (!multipart->limits.parts)
        multipart->limits.parts = MULTIPART_PARTS;
    if (!multipart->limits.head_size)
        multipart->limits.head_size = MULTIPART_HEAD_SIZE;
    if (!multipart->limits.head_fields)
        multipart->limits.head_fields = MULTIPART_HEAD_FIELDS;
    multipart->fresh = true;
    rc = multipart_take_boundary(multipart, content_type);
    if (rc < 0) {
        eddy_multipart_free(multipart);
        return rc;
    }
    *out = multipart;
    return 0;
}

void eddy_multipart_free(eddy_multipart *multipart)
{
    if (!multipart)
        return;
    (void)eddy_stream_close(&multipart->part); /* never waits, and has nothing to tell */
    ed_arena_free(&multipart->arena);
    eddy_free(multipart->delimiter);
    eddy_free(multipart);
}

void eddy_multipart_end_scope_(eddy_multipart **multipart)
{
    eddy_multipart_free(*multipart);
}

/* Skips what is left of a part, up to its delimiter. */
static int multipart_skip(struct eddy_multipart *multipart)
{
    ssize_t n;

    while ((n = ed_multipart_scan(multipart)) > 0) {
        eddy_consume(multipart->body, (size_t)n);
        ed_multipart_took(multipart, (size_t)n);
    }
    return (int)n;
}

/* Takes a delimiter's line, when all of it is there: 1 for one that a part follows, 0 for the last,
 * or an error. */
static int multipart_take_delimiter(struct eddy_multipart *multipart)
{
    size_t begin = multipart->end_size, end = begin;
    const char *data;
    ssize_t n;

    for (;;) {
        n = eddy_peek(multipart->body, end + 2, &data);
        EDDY_TRY(n);
        if ((size_t)n < end + 2)
            return ed_multipart_fail(multipart, EDDY_EINCOMPLETE,
                                     "the multipart body ends within a boundary's line");
        if (memcmp(data + begin, "--", 2) == 0)
            break;
        while (end + 2 < (size_t)n && (data[end] == ' ' || data[end] == '\t'))
            end++;
        if (data[end] != ' ' && data[end] != '\t') {
            if (memcmp(data + end, "\r\n", 2) == 0)
                break;
            return ed_multipart_fail(multipart, EDDY_EHTTP_PROTOCOL,
                                     "a multipart boundary is followed by other text");
        }
        if (end++ - begin >= multipart->limits.head_size)
            return ed_multipart_fail(multipart, EDDY_ELIMIT,
                                     "a multipart boundary is followed by too many blanks");
    }
    multipart->at_end = false;
    multipart->state = data[begin] == '-' ? ED_MULTIPART_ENDED : ED_MULTIPART_HEAD;
    eddy_consume(multipart->body, end + 2);
    return multipart->state == ED_MULTIPART_HEAD;
}

/* Goes from where it stands to behind the next delimiter. */
static int multipart_go_on(struct eddy_multipart *multipart)
{
    EDDY_TRY(multipart_skip(multipart));
    if (multipart->part) {
        (void)eddy_stream_close(&multipart->part);
        multipart->part = NULL;
    }
    ed_arena_reset(&multipart->arena);
    ed_headers_init(&multipart->fields, &multipart->arena);
    return multipart_take_delimiter(multipart);
}

static const char *multipart_field(const struct eddy_multipart *multipart, const char *name)
{
    const struct ed_field *field = ed_headers_find(&multipart->fields, name, strlen(name), 0);

    return field ? field->value : NULL;
}

/* What the fields say of a part. */
static int multipart_describe(struct eddy_multipart *multipart, eddy_part *part)
{
    const char *disposition = multipart_field(multipart, "content-disposition");
    const char *type = multipart_field(multipart, "content-type");

    *part = (eddy_part){.content_type = type ? type : "text/plain",
                        .headers = &multipart->fields,
                        .body = multipart->part};
    if (!disposition)
        return 0;
    EDDY_TRY(ed_parameter_get(disposition, "name", &multipart->arena, &part->name));
    EDDY_TRY(ed_parameter_get(disposition, "filename", &multipart->arena, &part->filename));
    if (part->filename)
        part->filename += strspn(part->filename, "/\\");
    return 0;
}

static int multipart_open_part(struct eddy_multipart *multipart, eddy_part *out)
{
    const char *encoding = multipart_field(multipart, "content-transfer-encoding");
    enum ed_transfer_kind kind;
    eddy_part part;
    int rc;

    if (!ed_transfer_by_name(encoding, &kind))
        return ed_multipart_fail(multipart, EDDY_EHTTP_PROTOCOL,
                                 "a part has a transfer encoding that is not known: %s", encoding);
    rc = ed_multipart_part_open(multipart, kind, &multipart->part);
    if (rc == 0)
        rc = multipart_describe(multipart, &part);
    if (rc < 0)
        return ed_multipart_fail(multipart, rc, "no memory for a part");
    *out = part;
    return 1;
}

int eddy_multipart_next(eddy_multipart *multipart, eddy_part *out)
{
    int rc = 1;

    if (multipart->error)
        return eddy_raise(multipart->error, "the multipart body failed before: %s",
                          eddy_strerror(multipart->error));
    if (multipart->state == ED_MULTIPART_ENDED)
        return 0;
    if (multipart->state == ED_MULTIPART_DATA)
        rc = multipart_go_on(multipart);
    if (rc <= 0)
        return rc;
    if (multipart->parts >= multipart->limits.parts)
        return ed_multipart_fail(multipart, EDDY_ELIMIT,
                                 "the multipart body has more than %zu parts",
                                 multipart->limits.parts);
    EDDY_TRY(ed_multipart_read_fields(multipart));
    multipart->parts++;
    multipart->state = ED_MULTIPART_DATA;
    multipart->fresh = true;
    return multipart_open_part(multipart, out);
}
