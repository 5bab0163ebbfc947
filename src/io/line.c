/* SPDX-License-Identifier: MIT */
/*
 * Lines, and whatever else ends with a separator.
 *
 * A search goes on where it stopped when there was no more to look at, less what may be the
 * beginning of the separator; so each byte is looked at a bounded number of times, however
 * small the pieces are in which it comes. What a call returns depends on the bytes alone, not
 * on the pieces.
 *
 * The lines of eddy_lines are lent as a peek's bytes are. The NUL behind one stands on the
 * first byte of the next line, which is saved, and put back by the next reading call; or
 * behind all that is there, where what comes then begins one place further on.
 */
#include <errno.h>
#include <string.h>

#include "eddy/line.h"
#include "io/stream.h"

/* What is looked for, and where. */
struct line_search {
    const void *separator;
    size_t size; /* of the separator */
    size_t most; /* bytes that may be looked at */
    bool wait;   /* when as many are there, waits for one more or the end */
    bool line;   /* it ends a line */
};

/* Looks for the separator in `size` bytes, of which `known` are known not to hold it. The
 * number of bytes up to its end, or 0. */
static size_t
line_look(const struct line_search *search, const char *data, size_t size, size_t known)
{
    size_t from = known >= search->size ? known - (search->size - 1) : 0;
    const char *found;

    if (size < search->size)
        return 0;
    if (search->size == 1)
        found = memchr(data + from, *(const char *)search->separator, size - from);
    else
        found = memmem(data + from, size - from, search->separator, search->size);
    return found ? (size_t)(found - data) + search->size : 0;
}

/* It does not end among the bytes that may be looked at. */
static int line_too_long(const eddy_stream *stream, const struct line_search *search)
{
    if (search->line)
        return ed_stream_raise(stream, EDDY_ELIMIT, "read: a line is longer than %zu bytes",
                               search->wait ? search->most : search->most - 1);
    return ed_stream_raise(stream, EDDY_ELIMIT, "read: no separator in %zu bytes", search->most);
}

/* Waits for the separator. The number of bytes up to its end; 0 when the stream ended
 * before; EDDY_ELIMIT when it does not end among the bytes that may be looked at. */
static ssize_t line_find(eddy_stream *stream, const struct line_search *search)
{
    size_t known = 0;
    int rc;

    do {
        size_t have = ed_buffer_size(&stream->in);
        size_t size = have < search->most ? have : search->most;
        size_t found = line_look(search, ed_buffer_bytes(&stream->in), size, known);

        if (found)
            return (ssize_t)found;
        if (have > search->most || (have == search->most && !search->wait))
            return line_too_long(stream, search);
        known = size;
        rc = ed_stream_more(stream);
    } while (rc > 0);
    return rc;
}

/* Copies bytes out. */
static void line_take(eddy_stream *stream, void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(data, ed_buffer_bytes(&stream->in), size);
    ed_stream_take(stream, size);
}

/* What an ended stream without the separator gives. */
static ssize_t until_ended(eddy_stream *stream, void *data, size_t *partial)
{
    *partial = ed_buffer_size(&stream->in);
    line_take(stream, data, *partial);
    return ed_stream_raise(stream, EDDY_EINCOMPLETE,
                           "read: the stream has ended behind %zu bytes without a separator",
                           *partial);
}

ssize_t eddy_read_until(eddy_stream *stream, const void *separator, size_t separator_size,
                        void *data, size_t size)
{
    struct line_search search = {separator, separator_size, size, false, false};
    struct ed_stream_call call;
    ssize_t n = ed_reading_begin(stream, &call);
    size_t partial = 0;

    if (n < 0)
        return n;
    if (separator_size == 0)
        n = ed_stream_raise(stream, -EINVAL, "read: the separator is empty");
    else
        n = line_find(stream, &search);
    if (n > 0)
        line_take(stream, data, (size_t)n);
    else if (n == 0)
        n = until_ended(stream, data, &partial);
    else if (n == EDDY_ELIMIT)
        partial = size >= separator_size ? size - (separator_size - 1) : 0;
    return ed_reading_end(stream, &call, n, partial);
}

/* Drops what comes before the separator, and it. 1, 0 when the stream ended before, or an error;
 * behind that the next call goes on. */
static int line_skip(eddy_stream *stream, const struct line_search *search, size_t *dropped)
{
    int rc;

    do {
        size_t have = ed_buffer_size(&stream->in);
        size_t found = line_look(search, ed_buffer_bytes(&stream->in), have, 0);
        size_t begun = search->size - 1; /* the last bytes may begin the separator */
        size_t drop = found ? found : have > begun ? have - begun : 0;

        ed_stream_take(stream, drop);
        *dropped += drop;
        if (found)
            return 1;
        rc = ed_stream_more(stream);
    } while (rc > 0);
    if (rc == 0)
        ed_stream_take(stream, ed_buffer_size(&stream->in));
    return rc;
}

int eddy_skip_until(eddy_stream *stream, const void *separator, size_t separator_size)
{
    struct line_search search = {separator, separator_size, SIZE_MAX, false, false};
    struct ed_stream_call call;
    size_t dropped = 0;
    int rc = ed_reading_begin(stream, &call);

    if (rc < 0)
        return rc;
    if (separator_size == 0)
        rc = ed_stream_raise(stream, -EINVAL, "read: the separator is empty");
    else
        rc = line_skip(stream, &search, &dropped);
    return (int)ed_reading_end(stream, &call, rc, dropped);
}

ssize_t eddy_read_line(eddy_stream *stream, char *line, size_t size)
{
    struct line_search search = {"\n", 1, size > 0 ? size - 1 : 0, true, true};
    struct ed_stream_call call;
    ssize_t n = ed_reading_begin(stream, &call);

    if (n < 0)
        return n;
    if (size == 0)
        n = ed_stream_raise(stream, -EINVAL, "read: no room for a line");
    else
        n = line_find(stream, &search);
    if (n == 0 && size > 0)
        n = (ssize_t)ed_buffer_size(&stream->in);
    if (n >= 0) {
        line_take(stream, line, (size_t)n);
        line[n] = '\0';
    }
    return ed_reading_end(stream, &call, n, n == EDDY_ELIMIT ? size - 1 : 0);
}

/* Lends the next `size` bytes, which are there, as a line with a NUL. 0 or -ENOMEM. */
static int line_lend(eddy_stream *stream, size_t size, eddy_line *line)
{
    struct eddy_buffer_ *in = &stream->in;
    bool last = size == ed_buffer_size(in);

    if (last && ed_buffer_reserve(in, 1) < 0)
        return ed_fail(-ENOMEM);
    *line = (eddy_line){ed_buffer_bytes(in), size};
    in->start += size;
    if (last) {
        in->start = in->end += 1; /* past the NUL */
    } else {
        stream->saved = line->text[size];
        stream->has_saved = true;
    }
    line->text[size] = '\0';
    stream->shown = true;
    ed_stream_resume(stream);
    return 0;
}

/* The next line: its size, 0 at the end, or an error. */
static ssize_t line_next(eddy_stream *stream, eddy_line *line)
{
    struct line_search search = {"\n", 1, stream->limit + 1, false, true};
    struct ed_stream_call call;
    ssize_t n = ed_reading_begin(stream, &call);
    int rc;

    if (n < 0)
        return n;
    n = line_find(stream, &search);
    if (n == 0)
        n = (ssize_t)ed_buffer_size(&stream->in);
    rc = n > 0 ? line_lend(stream, (size_t)n, line) : 0;
    return ed_reading_end(stream, &call, rc < 0 ? rc : n, 0);
}

/* The next line when it is there as a whole, and nothing needs a closer look; false: it does. */
static bool line_next_kept(eddy_stream *stream, eddy_line *line)
{
    struct eddy_buffer_ *in = &stream->in;
    size_t have = ed_buffer_size(in);
    char *text = ed_buffer_bytes(in), *end;

    if (have == 0 || stream->shut || stream->reading || stream->paused || stream->behind.data ||
        stream->loop != eddy_thread_.loop || eddy_thread_.credit <= 0)
        return false;
    if (stream->has_saved)
        *text = stream->saved;
    end = memchr(text, '\n', have < stream->limit + 1 ? have : stream->limit + 1);
    if (!end || (size_t)(end - text) + 1 == have) {
        stream->has_saved = false;
        return false;
    }
    eddy_thread_.credit--; /* the checkpoint, which does not give way now */
    *line = (eddy_line){text, (size_t)(end - text) + 1};
    in->start += line->size;
    stream->saved = end[1];
    stream->has_saved = stream->shown = true;
    end[1] = '\0';
    return true;
}

/* What the two generators have. */
struct lines {
    eddy_stream *stream;
    bool strip;
};

static int lines_body(eddy_generator *generator, void *args)
{
    struct lines *lines = args;
    eddy_line line;
    ssize_t n;

    while (line_next_kept(lines->stream, &line) || (n = line_next(lines->stream, &line)) > 0) {
        if (lines->strip)
            line.size = eddy_strip_newline(line.text, line.size);
        EDDY_TRY(eddy_yield(generator, &line));
    }
    return (int)n;
}

static eddy_generator *lines_generate(eddy_stream *stream, bool strip, const char *name)
{
    struct lines lines = {stream, strip};

    return eddy_generator_create(lines_body, &lines, sizeof lines, sizeof(eddy_line), name,
                                 "eddy/line.h");
}

eddy_generator *eddy_lines(eddy_stream *stream)
{
    return lines_generate(stream, false, "eddy_lines");
}

eddy_generator *eddy_stripped_lines(eddy_stream *stream)
{
    return lines_generate(stream, true, "eddy_stripped_lines");
}

size_t eddy_strip_newline(char *text, size_t size)
{
    if (size == 0 || text[size - 1] != '\n')
        return size;
    size -= size > 1 && text[size - 2] == '\r' ? 2 : 1;
    text[size] = '\0';
    return size;
}
