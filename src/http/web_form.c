/* SPDX-License-Identifier: MIT */
/*
 * Forms.
 *
 * A form is read once, whole. Texts are blocks of the form's own, and count together against
 * body_size; files are spooled: in memory while they are small, then on the disk, under no name, so
 * that nothing stays behind whatever happens. What the disk does not take becomes 507.
 */
#include "http/web_form.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "eddy/file.h"
#include "eddy/tempfile.h"
#include "http/web_exchange.h"

#define FORM_IN_MEMORY ((size_t)1 << 20) /* bytes of all files of a form together */
#define FORM_FILES 64                    /* each may have a descriptor */
#define FORM_PIECE 8192                  /* bytes of a file that are copied at a time */

struct ed_web_form {
    eddy_web_field *fields;
    size_t count, capacity;
    size_t left;        /* bytes that texts may still have, */
    uint64_t file_left; /* and files, */
    size_t memory;      /* those of them that are in memory */
    unsigned files;
    eddy_pair *decoded; /* of an urlencoded one */
    bool whole;         /* it has been read to its end */
};

void ed_web_form_free(struct ed_web_form *form)
{
    if (!form)
        return;
    for (size_t i = 0; i < form->count; i++) {
        if (form->fields[i].file)
            (void)eddy_stream_close(&form->fields[i].file); /* nobody wants it any more */
        else if (!form->decoded)
            eddy_free((void *)(uintptr_t)form->fields[i].value);
    }
    eddy_free(form->decoded);
    eddy_free(form);
}

/* A new field, zeroed, whose list is in the arena; NULL when memory is short. */
static eddy_web_field *form_add(struct ed_web_form *form, struct ed_arena *arena)
{
    if (form->count == form->capacity) {
        size_t capacity = form->capacity ? 2 * form->capacity : 16;
        eddy_web_field *larger = ed_arena_alloc(arena, capacity * sizeof *larger);

        if (!larger)
            return NULL;
        if (form->count > 0)
            memcpy(larger, form->fields, form->count * sizeof *larger);
        form->fields = larger;
        form->capacity = capacity;
    }
    form->fields[form->count] = (eddy_web_field){0};
    return &form->fields[form->count++];
}

/* What is copied of a part, which goes with the next one. */
static int field_describe(eddy_web_field *field, const eddy_part *part, struct ed_arena *arena)
{
    const char *name = part->name ? part->name : "";

    field->name = ed_arena_copy(arena, name, strlen(name));
    field->content_type = ed_arena_copy(arena, part->content_type, strlen(part->content_type));
    if (part->filename)
        field->filename = ed_arena_copy(arena, part->filename, strlen(part->filename));
    return field->name && field->content_type && (!part->filename || field->filename) ? 0 : -ENOMEM;
}

static int field_read_text(struct ed_web_form *form, eddy_web_field *field, const eddy_part *part)
{
    char *text;
    int rc = eddy_read_all(part->body, form->left ? form->left : 1, &text, &field->size);

    if (rc == 0) {
        field->value = text;
        if (field->size > form->left)
            rc = EDDY_ELIMIT;
    }
    if (rc == EDDY_ELIMIT)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the texts of the form are too long");
    form->left -= rc == 0 ? field->size : 0;
    return rc;
}

static int field_copy(struct ed_web_form *form, eddy_web_field *field, const eddy_part *part)
{
    char piece[FORM_PIECE];
    ssize_t n;

    while ((n = eddy_read(part->body, piece, sizeof piece)) > 0) {
        if ((uint64_t)n > form->file_left)
            return eddy_raise(EDDY_HTTP_STATUS(413), "the form's files are too large");
        form->file_left -= (uint64_t)n;
        field->size += (size_t)n;
        EDDY_TRY(eddy_write(field->file, piece, (size_t)n));
    }
    return (int)n;
}

/* What others have left of the memory is this one's; beyond that it is on the disk. */
static int field_read_file(struct ed_web_form *form, eddy_web_field *field, const eddy_part *part)
{
    int64_t position;

    if (++form->files > FORM_FILES)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the form has more than %d files", FORM_FILES);
    EDDY_TRY(eddy_spooled_temporary_file(form->memory > 0 ? form->memory : 1, NULL, &field->file));
    EDDY_TRY(field_copy(form, field, part));
    if (!eddy_is_rolled_over(field->file))
        form->memory -= field->size < form->memory ? field->size : form->memory;
    position = eddy_seek(field->file, 0, SEEK_SET);
    return position < 0 ? (int)position : 0;
}

static int form_read_multipart(eddy_web_request *request, struct ed_web_form *form)
{
    eddy_multipart *parts;
    eddy_part part;
    int rc;

    EDDY_TRY(eddy_web_multipart(request, &parts));
    while ((rc = eddy_multipart_next(parts, &part)) > 0) {
        eddy_web_field *field = form_add(form, &request->arena);

        rc = field ? field_describe(field, &part, &request->arena) : -ENOMEM;
        if (rc == 0)
            rc = part.filename ? field_read_file(form, field, &part)
                               : field_read_text(form, field, &part);
        if (rc < 0)
            break;
    }
    if (rc == EDDY_EINCOMPLETE || rc == EDDY_EHTTP_PROTOCOL)
        return eddy_raise(EDDY_HTTP_STATUS(400), "the form is broken off, or no multipart");
    if (rc == EDDY_ELIMIT)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the form has too many parts, or too much in one");
    return rc;
}

static int form_read_encoded(eddy_web_request *request, struct ed_web_form *form)
{
    const char *text = NULL;
    ssize_t count;
    size_t size = 0;

    EDDY_TRY(eddy_web_read(request, &text, &size));
    count = memchr(text, '\0', size) ? EDDY_EURL : eddy_form_decode(text, 0, &form->decoded);
    if (count == EDDY_EURL)
        return eddy_raise(EDDY_HTTP_STATUS(400), "the form has a NUL");
    if (count == EDDY_ELIMIT)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the form has too many fields");
    for (ssize_t i = 0; i < count; i++) {
        eddy_web_field *field = form_add(form, &request->arena);

        if (!field)
            return -ENOMEM;
        field->name = form->decoded[i].name;
        field->value = form->decoded[i].value;
        field->size = strlen(field->value);
    }
    return count < 0 ? (int)count : 0;
}

static bool form_type_is(const char *type, const char *wanted)
{
    size_t size = strlen(wanted);

    return strncasecmp(type, wanted, size) == 0 && strchr("; \t", type[size]);
}

static int form_read(eddy_web_request *request, struct ed_web_form *form)
{
    const char *type = eddy_web_header(request, "Content-Type");
    int rc = 0;

    if (type && form_type_is(type, "multipart/form-data"))
        rc = form_read_multipart(request, form);
    else if (type && form_type_is(type, "application/x-www-form-urlencoded"))
        rc = form_read_encoded(request, form);
    form->whole = rc == 0;
    return rc;
}

ssize_t eddy_web_form(eddy_web_request *request, const eddy_web_field **fields)
{
    struct ed_web_form *form = request->form;

    if (!form) {
        form = request->form = eddy_alloc_(sizeof *form);
        if (!form)
            return -ENOMEM;
        form->left = request->connection->server->options.body_size;
        form->file_left = request->connection->server->options.form_size;
        form->memory = FORM_IN_MEMORY;
        EDDY_TRY(form_read(request, form));
    }
    if (!form->whole)
        return eddy_raise(EDDY_HTTP_STATUS(400), "the form could not be read");
    *fields = form->fields;
    return (ssize_t)form->count;
}
