/* SPDX-License-Identifier: MIT */
/*
 * The access log.
 *
 * A format is taken apart once, into texts and fields. A line is put together in the arena of the
 * request that it is about. What came from the client is escaped: quotes, backslashes, and all that
 * is not printable ASCII, so that a line is one, and its fields are where they seem to be.
 */
#include "http/web_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE ((size_t)16 << 10) /* bytes of a line at most; the rest is cut */
#define LOG_TOKENS 64

enum log_kind {
    LOG_TEXT,
    LOG_ADDRESS,   /* %a */
    LOG_TIME,      /* %t */
    LOG_REQUEST,   /* %r */
    LOG_STATUS,    /* %s */
    LOG_BYTES,     /* %b */
    LOG_MICROS,    /* %D */
    LOG_SECONDS,   /* %T */
    LOG_PROCESS,   /* %P */
    LOG_FIELD_IN,  /* %{Name}i */
    LOG_FIELD_OUT, /* %{Name}o */
};

struct log_token {
    enum log_kind kind;
    const char *text; /* in the format */
    size_t size;
};

struct ed_web_log {
    void (*write)(const char *line, size_t size, void *argument);
    void *argument;
    char *format;
    struct log_token tokens[LOG_TOKENS];
    size_t count;
};

/* The field behind a '%': where it ends, or NULL. */
static const char *log_parse_field(const char *at, struct log_token *token)
{
    static const char letters[] = "atrsbDTP";
    const char *letter = *at ? strchr(letters, *at) : NULL, *end;

    if (letter) {
        token->kind = LOG_ADDRESS + (enum log_kind)(letter - letters);
        return at + 1;
    }
    if (*at == '%') {
        *token = (struct log_token){LOG_TEXT, at, 1};
        return at + 1;
    }
    end = *at == '{' ? strchr(at, '}') : NULL;
    if (!end || end == at + 1 || (end[1] != 'i' && end[1] != 'o'))
        return NULL;
    token->kind = end[1] == 'i' ? LOG_FIELD_IN : LOG_FIELD_OUT;
    token->text = at + 1;
    token->size = (size_t)(end - at - 1);
    return end + 2;
}

static int log_parse(struct ed_web_log *log)
{
    const char *at = log->format;

    while (*at) {
        struct log_token *token = &log->tokens[log->count++];
        size_t size = strcspn(at, "%");

        if (log->count == LOG_TOKENS)
            return eddy_raise(-EINVAL, "a log format with more than %d parts", LOG_TOKENS - 1);
        if (size > 0) {
            *token = (struct log_token){LOG_TEXT, at, size};
            at += size;
        } else if (!(at = log_parse_field(at + 1, token))) {
            return eddy_raise(-EINVAL, "the log format '%s' has a field that is not known",
                              log->format);
        }
    }
    return 0;
}

int ed_web_log_new(const eddy_web_options *options, struct ed_web_log **out)
{
    const char *format = options->log_format ? options->log_format : EDDY_WEB_LOG_FORMAT;
    struct ed_web_log *log = eddy_alloc_(sizeof *log);
    size_t size = strlen(format) + 1;
    int rc;

    if (!log)
        return -ENOMEM;
    log->write = options->log;
    log->argument = options->log_argument;
    log->format = eddy_alloc_(size);
    if (log->format)
        memcpy(log->format, format, size);
    rc = log->format ? log_parse(log) : -ENOMEM;
    if (rc < 0)
        ed_web_log_free(log);
    else
        *out = log;
    return rc;
}

void ed_web_log_free(struct ed_web_log *log)
{
    if (!log)
        return;
    eddy_free(log->format);
    eddy_free(log);
}

/* A line ------------------------------------------------------------------------------ */

struct log_line {
    char *data;
    size_t size;
};

static void line_put(struct log_line *line, const char *text, size_t size)
{
    if (size > LOG_LINE - 1 - line->size)
        size = LOG_LINE - 1 - line->size;
    memcpy(line->data + line->size, text, size);
    line->size += size;
}

static void line_put_escaped(struct log_line *line, const char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

        if (c == '"' || c == '\\') {
            escaped[1] = (char)c;
            line_put(line, escaped, 2);
        } else if (c < ' ' || c > '~') {
            line_put(line, escaped, 4);
        } else {
            line_put(line, text, 1);
        }
    }
}

/* A text that may be missing. */
static void line_put_text(struct log_line *line, const char *text)
{
    line_put_escaped(line, text && *text ? text : "-");
}

static void line_printf(struct log_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line_printf(struct log_line *line, const char *format, ...)
{
    char text[80];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line_put(line, text, strlen(text));
}

static void line_put_time(struct log_line *line)
{
    char text[40];
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    line_put(line, text, strftime(text, sizeof text, "[%d/%b/%Y:%H:%M:%S +0000]", &parts));
}

static void line_put_request(struct log_line *line, const eddy_web_request *request)
{
    if (!*request->head.method) {
        line_put(line, "-", 1);
        return;
    }
    line_put_escaped(line, request->head.method);
    line_put(line, " ", 1);
    line_put_escaped(line, request->head.target);
    line_printf(line, " HTTP/1.%d", request->head.minor);
}

static void line_put_field(struct log_line *line, const struct eddy_headers *fields,
                           const struct log_token *token)
{
    const struct ed_field *field = ed_headers_find(fields, token->text, token->size, 0);

    line_put_text(line, field ? field->value : NULL);
}

static void line_put_token(struct log_line *line, const struct log_token *token,
                           const eddy_web_request *request)
{
    const struct ed_web_answer *answer = &request->answer;
    double seconds = *request->head.method ? eddy_time() - request->since : 0;

    switch (token->kind) {
    case LOG_TEXT: line_put(line, token->text, token->size); break;
    case LOG_ADDRESS: line_put_text(line, eddy_web_remote(request)); break;
    case LOG_TIME: line_put_time(line); break;
    case LOG_REQUEST: line_put_request(line, request); break;
    case LOG_STATUS: line_printf(line, "%d", answer->started ? answer->status : 499); break;
    case LOG_BYTES: line_printf(line, "%llu", (unsigned long long)request->sent); break;
    case LOG_MICROS: line_printf(line, "%lld", (long long)(seconds * 1e6)); break;
    case LOG_SECONDS: line_printf(line, "%.6f", seconds); break;
    case LOG_PROCESS: line_printf(line, "%ld", (long)getpid()); break;
    case LOG_FIELD_IN: line_put_field(line, &request->head.fields, token); break;
    case LOG_FIELD_OUT: line_put_field(line, &answer->fields, token); break;
    }
}

void ed_web_log_write(struct ed_web_log *log, eddy_web_request *request)
{
    struct log_line line = {0};

    if (!log)
        return;
    line.data = ed_arena_alloc(&request->arena, LOG_LINE);
    if (!line.data)
        return;
    for (size_t i = 0; i < log->count; i++)
        line_put_token(&line, &log->tokens[i], request);
    line.data[line.size++] = '\n';
    log->write(line.data, line.size, log->argument);
}

void eddy_web_access_log(const char *line, size_t size, void *file)
{
    FILE *to = file ? file : stderr;

    (void)fwrite(line, 1, size, to); /* there is nobody to tell */
    (void)fflush(to);
}
