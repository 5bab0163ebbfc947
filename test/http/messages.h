/* SPDX-License-Identifier: MIT */
/* Reads all messages of a text, whole or in pieces, and says in one line what they were. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <eddy.h>
#include <stdio.h>
#include <string.h>

#include "http/reader.h"

#define MESSAGES_SAID 65536

/* Freed at the end of their blocks, also of a test that is cancelled. */
static inline void messages_close_arena(struct ed_arena *arena)
{
    ed_arena_free(arena);
}
static inline void messages_close_reader(struct ed_reader *reader)
{
    ed_reader_close(reader);
}
#define ARENA __attribute__((cleanup(messages_close_arena))) struct ed_arena
#define READER __attribute__((cleanup(messages_close_reader))) struct ed_reader

struct messages {
    const char *text;
    size_t size;
    size_t piece; /* bytes that come at once; 0: all */
    bool response, no_body;
    struct ed_limits limits;
    size_t room;      /* of a read of the body; 0: 100 */
    size_t count;     /* of messages that were whole */
    int code, status; /* how it ended: 0, or the error and its refusal */
    char said[MESSAGES_SAID];
};

static inline int messages_send(eddy_stream *to, const struct messages *messages)
{
    size_t piece = messages->piece ? messages->piece : messages->size;

    for (size_t i = 0; i < messages->size; i += piece) {
        if (eddy_write(to, messages->text + i,
                       piece < messages->size - i ? piece : messages->size - i) < 0)
            return 0; /* the reader has given up */
        if (messages->piece)
            EDDY_TRY(eddy_sleep(0));
    }
    return eddy_write_eof(to);
}
EDDY_ASYNC(messages_send, eddy_stream *, const struct messages *);

/* Adds to what is said; what does not fit is left out. */
static inline void messages_say(struct messages *messages, const char *data, size_t size)
{
    size_t used = strlen(messages->said);

    for (size_t i = 0; i < size && used + 1 < MESSAGES_SAID; i++)
        messages->said[used++] = data[i] ? data[i] : '0';
    messages->said[used] = '\0';
}

static inline void messages_say_text(struct messages *messages, const char *text)
{
    messages_say(messages, text, strlen(text));
}

static inline void
messages_say_fields(struct messages *messages, const char *mark, const struct eddy_headers *fields)
{
    for (size_t i = 0; i < eddy_headers_count(fields); i++) {
        messages_say_text(messages, mark);
        messages_say_text(messages, eddy_headers_at(fields, i).name);
        messages_say_text(messages, "=");
        messages_say_text(messages, eddy_headers_at(fields, i).value);
    }
}

static inline void messages_say_head(struct messages *messages, const struct ed_head *head)
{
    char number[64];

    if (messages->response) {
        snprintf(number, sizeof number, "%d 1.%d ", head->status, head->minor);
        messages_say_text(messages, number);
        messages_say_text(messages, head->reason);
    } else {
        messages_say_text(messages, head->method);
        messages_say_text(messages, " ");
        messages_say_text(messages, head->target);
        snprintf(number, sizeof number, " 1.%d", head->minor);
        messages_say_text(messages, number);
    }
    messages_say_fields(messages, "; ", &head->fields);
}

static inline int messages_read_body(struct messages *messages, struct ed_reader *reader)
{
    char data[4096];
    size_t room = messages->room ? messages->room : 100;
    ssize_t n;

    if (messages->no_body)
        ed_reader_expect_no_body(reader);
    if (reader->framing != ED_FRAMING_NONE)
        messages_say_text(messages, " <");
    while ((n = ed_reader_body(reader, data, room)) > 0)
        messages_say(messages, data, (size_t)n);
    if (n == 0 && reader->framing != ED_FRAMING_NONE)
        messages_say_text(messages, ">");
    messages_say_fields(messages, " +", reader->trailers);
    return (int)n;
}

static inline int messages_read(struct messages *messages)
{
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    struct ed_head head;
    int rc = 1;

    messages->said[0] = '\0';
    messages->count = 0;
    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TRY(ed_reader_open(&reader, from, messages->response, &messages->limits));
    EDDY_TASK sender = eddy_create_task(messages_send, to, messages);
    while (rc > 0) {
        rc = ed_reader_head(&reader, &arena, &head, NULL);
        if (rc <= 0)
            break;
        if (messages->count > 0)
            messages_say_text(messages, " | ");
        messages_say_head(messages, &head);
        rc = messages_read_body(messages, &reader);
        if (rc < 0)
            break;
        rc = 1;
        messages->count++;
        ed_arena_reset(&arena);
    }
    messages->code = rc;
    messages->status = rc < 0 ? reader.refusal : 0;
    eddy_cancel(sender);
    return 0;
}
EDDY_ASYNC(messages_read, struct messages *);

/* The limits of tests that are not about them. */
#define MESSAGES_LIMITS ((struct ed_limits){.line_size = 8190, .fields = 128, .head_size = 65536})

#endif
