/* SPDX-License-Identifier: MIT */
/*
 * Forms to be sent (RFC 7578, and what browsers do: https://html.spec.whatwg.org, 4.10.21).
 *
 * A form is a list of fields in their order. When it is sent it becomes segments of a payload: one,
 * urlencoded, if all fields are plain texts; else a head for each part, its bytes, and the line
 * end that belongs to the delimiter behind it. Files are opened then, so that their sizes are
 * known before the first byte goes; streams are the caller's, and gone once they are sent, unless
 * they are files, which go back to where they began.
 *
 * Names are sent as they are, in UTF-8, with quotes and backslashes escaped: no byte of them can
 * end the quoted string or the line, since controls are refused when the field is added.
 */
#include "eddy/form.h"

#include <string.h>
#include <strings.h>

#include "eddy/file.h"
#include "http/headers.h"
#include "http/media_type.h"
#include "http/payload.h"

#define FORM_BOUNDARY 16 /* random bytes */

struct form_field {
    struct form_field *next;
    const char *name;
    const char *head; /* of its part, behind the name; NULL: a plain text */
    const char *data; /* bytes, with a NUL behind them */
    int64_t size;
    eddy_stream *stream;
    const char *path; /* of a file to be opened */
    int64_t start;    /* where a stream that is a file began, once it was sent */
    bool used;
};

struct eddy_form {
    struct ed_arena arena;
    struct form_field *first, **end;
    bool multipart;
};

int eddy_form_new(eddy_form **out)
{
    eddy_form *form = eddy_alloc_(sizeof *form);

    if (!form)
        return -ENOMEM;
    form->end = &form->first;
    *out = form;
    return 0;
}

void eddy_form_free(eddy_form *form)
{
    if (!form)
        return;
    ed_arena_free(&form->arena);
    eddy_free(form);
}

void eddy_form_end_scope_(eddy_form **form)
{
    eddy_form_free(*form);
}

/* Adding fields. */

/* A name or filename: no controls, which could end its line. */
static int form_check_name(const char *what, const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return eddy_raise(-EINVAL, "a form's %s has a control character in it", what);
    return 0;
}

static int form_check_value(const char *what, const char *value)
{
    if (ed_is_field_value(value, strlen(value)))
        return 0;
    return eddy_raise(-EINVAL, "a form's %s is none: \"%s\"", what, value);
}

static bool form_names_header(const eddy_pair *header, const char *name)
{
    return strcasecmp(header->name, name) == 0;
}

static int form_check_headers(const eddy_pair *headers)
{
    for (; headers && headers->name; headers++) {
        if (!ed_is_token(headers->name, strlen(headers->name)))
            return eddy_raise(-EINVAL, "a part's field has a name that is none");
        if (form_names_header(headers, "content-disposition") ||
            form_names_header(headers, "content-type") ||
            form_names_header(headers, "content-transfer-encoding"))
            return eddy_raise(-EINVAL, "a part's field %s cannot be chosen", headers->name);
        EDDY_TRY(form_check_value("field", headers->value));
    }
    return 0;
}

static int form_check_options(const eddy_part_options *options)
{
    if (options->filename)
        EDDY_TRY(form_check_name("filename", options->filename));
    if (options->content_type)
        EDDY_TRY(form_check_value("content type", options->content_type));
    return form_check_headers(options->headers);
}

/* A text as it stands in quotes. */
static char *form_quote(struct ed_arena *arena, const char *text)
{
    char *quoted = ed_arena_alloc(arena, 2 * strlen(text) + 1), *to = quoted;

    if (!quoted)
        return NULL;
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    *to = '\0';
    return quoted;
}

/* The fields of a part behind its name, to the empty line: NULL when memory is short. */
static const char *form_part_head(struct ed_arena *arena, const eddy_part_options *options)
{
    const char *type = options->content_type, *head = "", *name;

    if (options->filename) {
        name = form_quote(arena, options->filename);
        head = name ? ed_arena_printf(arena, "; filename=\"%s\"", name) : NULL;
        type = type ? type : "application/octet-stream";
    }
    if (head && type)
        head = ed_arena_printf(arena, "%s\r\nContent-Type: %s", head, type);
    for (const eddy_pair *field = options->headers; head && field && field->name; field++)
        head = ed_arena_printf(arena, "%s\r\n%s: %s", head, field->name, field->value);
    return head ? ed_arena_printf(arena, "%s\r\n\r\n", head) : NULL;
}

/* A field with its name, and the head of its part unless it is a plain text; not yet in the form.
 * 0, -EINVAL, -ENOMEM. */
static int form_field_new(eddy_form *form, const char *name, const eddy_part_options *options,
                          struct form_field **out)
{
    struct form_field *field;

    EDDY_TRY(form_check_name("field name", name));
    if (options)
        EDDY_TRY(form_check_options(options));
    field = ed_arena_alloc(&form->arena, sizeof *field);
    if (!field)
        return -ENOMEM;
    *field = (struct form_field){.size = -1, .start = -1};
    field->name = ed_arena_copy(&form->arena, name, strlen(name));
    field->head = options ? form_part_head(&form->arena, options) : NULL;
    if (!field->name || (options && !field->head))
        return -ENOMEM;
    *out = field;
    return 0;
}

static void form_append(eddy_form *form, struct form_field *field)
{
    *form->end = field;
    form->end = &field->next;
    form->multipart = form->multipart || field->head;
}

static int form_add_data(eddy_form *form, const char *name, const void *data, size_t size,
                         const eddy_part_options *options)
{
    struct form_field *field;

    EDDY_TRY(form_field_new(form, name, options, &field));
    field->data = ed_arena_copy(&form->arena, data, size);
    if (!field->data)
        return -ENOMEM;
    field->size = (int64_t)size;
    form_append(form, field);
    return 0;
}

int eddy_form_add(eddy_form *form, const char *name, const char *value)
{
    return form_add_data(form, name, value, strlen(value), NULL);
}

int eddy_form_add_bytes(eddy_form *form, const char *name, const void *data, size_t size,
                        const eddy_part_options *options)
{
    return form_add_data(form, name, data, size, options ? options : &(eddy_part_options){0});
}

int eddy_form_add_stream(eddy_form *form, const char *name, eddy_stream *stream, int64_t size,
                         const eddy_part_options *options)
{
    struct form_field *field;

    EDDY_TRY(form_field_new(form, name, options ? options : &(eddy_part_options){0}, &field));
    field->stream = stream;
    field->size = size;
    form_append(form, field);
    return 0;
}

int eddy_form_add_file(eddy_form *form, const char *name, const char *path)
{
    const char *slash = strrchr(path, '/');
    eddy_part_options options = {.filename = slash ? slash + 1 : path,
                                 .content_type = ed_media_type(path)};
    struct form_field *field;

    EDDY_TRY(form_field_new(form, name, &options, &field));
    field->path = ed_arena_copy(&form->arena, path, strlen(path));
    if (!field->path)
        return -ENOMEM;
    form_append(form, field);
    return 0;
}

/* Sending. */

static int form_compile_texts(const eddy_form *form, struct ed_payload *payload)
{
    size_t count = 0, i = 0;
    eddy_pair *pairs;

    for (const struct form_field *field = form->first; field; field = field->next)
        count++;
    pairs = ed_arena_alloc(payload->arena, (count + 1) * sizeof *pairs);
    if (!pairs)
        return -ENOMEM;
    for (const struct form_field *field = form->first; field; field = field->next)
        pairs[i++] = (eddy_pair){field->name, field->data};
    pairs[i] = (eddy_pair){NULL, NULL};
    payload->type = "application/x-www-form-urlencoded";
    payload->text = eddy_form_encode(pairs);
    if (!payload->text)
        return -ENOMEM;
    return ed_payload_add_bytes(payload, payload->text, strlen(payload->text));
}

/* A stream is sent a second time only if it is a file: from where it began. */
static int form_add_stream(struct form_field *field, struct ed_payload *payload)
{
    bool is_file = strcmp(eddy_stream_kind(field->stream), "file") == 0;

    if (is_file && field->used && field->start >= 0)
        EDDY_TRY(eddy_seek(field->stream, field->start, SEEK_SET));
    if (is_file && field->start < 0)
        field->start = eddy_tell(field->stream);
    field->used = field->used && !is_file;
    return ed_payload_add_stream(payload, field->stream, field->size, false, &field->used);
}

/* The bytes of a part. */
static int form_compile_content(struct form_field *field, struct ed_payload *payload)
{
    eddy_stream *file = NULL;

    if (field->data)
        return ed_payload_add_bytes(payload, field->data, (size_t)field->size);
    if (field->stream)
        return form_add_stream(field, payload);
    EDDY_TRY(eddy_open(field->path, "r", &file));
    return ed_payload_add_stream(payload, file, -1, true, NULL);
}

static int
form_compile_part(struct form_field *field, const char *boundary, struct ed_payload *payload)
{
    const char *name = form_quote(payload->arena, field->name), *head = NULL;

    if (name)
        head = ed_arena_printf(payload->arena,
                               "%s--%s\r\nContent-Disposition: form-data; name=\"%s\"%s",
                               payload->count > 0 ? "\r\n" : "", boundary, name,
                               field->head ? field->head : "\r\n\r\n");
    if (!head)
        return -ENOMEM;
    EDDY_TRY(ed_payload_add_bytes(payload, head, strlen(head)));
    return form_compile_content(field, payload);
}

/* Random, so that it is in none of the parts. */
static int form_make_boundary(char boundary[2 * FORM_BOUNDARY + 1])
{
    uint8_t random[FORM_BOUNDARY];

    EDDY_TRY(eddy_random_(random, sizeof random));
    for (size_t i = 0; i < sizeof random; i++) {
        boundary[2 * i] = "0123456789abcdef"[random[i] >> 4];
        boundary[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
    }
    boundary[2 * FORM_BOUNDARY] = '\0';
    return 0;
}

int ed_form_compile(eddy_form *form, struct ed_payload *payload)
{
    char boundary[2 * FORM_BOUNDARY + 1];
    const char *end;

    if (!form->multipart)
        return form_compile_texts(form, payload);
    EDDY_TRY(form_make_boundary(boundary));
    payload->type = ed_arena_printf(payload->arena, "multipart/form-data; boundary=%s", boundary);
    if (!payload->type)
        return -ENOMEM;
    for (struct form_field *field = form->first; field; field = field->next)
        EDDY_TRY(form_compile_part(field, boundary, payload));
    end = ed_arena_printf(payload->arena, "\r\n--%s--\r\n", boundary);
    return end ? ed_payload_add_bytes(payload, end, strlen(end)) : -ENOMEM;
}
