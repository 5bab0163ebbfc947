/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 without a stream: takes bytes as they come and says what they mean. Over it reader.c waits
 * for them. The only file that includes llhttp.h is parser.c.
 */
#ifndef ED_HTTP_PARSER_H
#define ED_HTTP_PARSER_H

#include "http/lines.h"
#include "http/reader.h"

enum ed_parser_stage {
    ED_PARSER_IDLE,   /* no head has begun */
    ED_PARSER_START,  /* its start line comes, */
    ED_PARSER_FIELDS, /* or its fields */
    ED_PARSER_HEAD,   /* it is whole, but was not given out */
    ED_PARSER_SIZE,   /* of a chunked body: the line with a chunk's size comes, */
    ED_PARSER_DATA,   /* its data, */
    ED_PARSER_GAP,    /* the end of the line behind them, */
    ED_PARSER_TRAILERS,
    ED_PARSER_END, /* all has come */
};

/* Where something is: its first byte, counted from the first of what is read. */
struct ed_span {
    uint32_t at, size;
};

struct ed_parser {
    bool response;
    struct ed_limits limits;
    enum ed_parser_stage stage;
    struct ed_lines lines;

    int broken;      /* the error that ended it, */
    int status;      /* that a server answers with, */
    const char *why; /* and a static text */

    char first; /* the head's first byte, if it was read apart */
    bool has_first;
    size_t taken, fed; /* bytes: see parser.c */
    ptrdiff_t shift;   /* what, added to the address of a byte that llhttp sees, is its place */
    size_t start;      /* where the start line is: behind empty lines */
    bool method_read, version_read;
    size_t method_size;
    char method[8]; /* its front: enough for those with rules of their own */
    struct ed_span target, version;

    struct ed_field_span {
        struct ed_span name, value;
    } * fields;
    size_t count, capacity;
    bool in_value; /* of the last field the value has come, or a part of it */

    size_t head_fields;  /* which the head had */
    size_t overhead;     /* bytes of chunks that are not data, beyond what is usual */
    bool in_extension;   /* of a chunk */
    uint64_t chunk_left; /* bytes of its data */
    bool head_complete;  /* llhttp has seen the head's end, */
    bool complete;       /* and the message's */
};

/* NULL: no memory. */
struct ed_parser *ed_parser_new(bool response, const struct ed_limits *limits);
void ed_parser_free(struct ed_parser *parser);

/* A head begins; its first byte is in parser->first already if `has_first`. */
void ed_parser_begin(struct ed_parser *parser, bool has_first);

/*
 * Goes on with a head: `data` is what is behind parser->first, or with `size` 1 and `at` 0 that;
 * always from the first byte on. At the end parser->stage is ED_PARSER_HEAD. All that may fail
 * returns 0 or -ENOMEM: then it may be tried again, with what was taken; or parser->broken, which
 * stays.
 */
int ed_parser_head(struct ed_parser *parser, const char *data, size_t size, size_t at);

/* Gives a whole head out, of the same data. */
int ed_parser_finish_head(struct ed_parser *parser, const char *data, struct ed_arena *arena,
                          struct ed_head *out);

/* Behind a head: its body is chunked. */
void ed_parser_begin_chunks(struct ed_parser *parser);

/* Goes on with a line of the framing, from its first byte on, and with the trailers from theirs.
 * *used: how many bytes are done with. */
int ed_parser_line(struct ed_parser *parser, const char *data, size_t size, size_t *used);

/* Data of a chunk have come, no more than chunk_left. */
int ed_parser_data(struct ed_parser *parser, const char *data, size_t size);

/* Whether it has work left that lack of memory has held up. */
bool ed_parser_is_stuck(const struct ed_parser *parser);

/* Gives the trailers out, when the stage is ED_PARSER_TRAILERS and they are whole: text that they
 * came as. */
int ed_parser_finish_trailers(struct ed_parser *parser, const char *data, struct ed_arena *arena,
                              struct eddy_headers **out);

#endif
