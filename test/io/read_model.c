/* SPDX-License-Identifier: MIT */
/*
 * Random readers against a plain array.
 *
 * A text of few different bytes is delivered in pieces of random sizes, some of them pushed,
 * some late, so that timeouts cut the calls short; and all ways of reading take turns. What
 * each returns follows from the text and the place in it alone, but for how much a read or a
 * peek may find. A call that fails takes nothing. At the end every byte was read once.
 */
#include <limits.h>

#include "script.h"
#include "seeds.h"

#define TEXT_MAX 30000

static char text[TEXT_MAX], data[TEXT_MAX + 1];
static size_t text_size, at;
static uint64_t model_seed;
static struct script script;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s; at %zu of %zu; again with EDDY_TEST_SEED=%llu",     \
                      #condition, at, text_size, (unsigned long long)model_seed);                  \
    } while (0)

static size_t left(void)
{
    return text_size - at;
}

/* Takes bytes out of the model, which a call has returned. */
static void check_taken(const char *bytes, size_t size)
{
    HOLDS(size <= left());
    HOLDS(memcmp(bytes, text + at, size) == 0);
    at += size;
}

/* A size that is mostly small, and at times more than there is. */
static size_t some_size(void)
{
    static const int limits[] = {3, 20, 300, 5000, 12000};

    return (size_t)random_below(limits[random_below(5)]);
}

/* Where the separator ends, counted from the place of reading; 0: nowhere. */
static size_t end_of(const char *separator)
{
    const char *found = memmem(text + at, left(), separator, strlen(separator));

    return found ? (size_t)(found - (text + at)) + strlen(separator) : 0;
}

static ssize_t model_read(eddy_stream *stream)
{
    size_t size = some_size();
    ssize_t n = eddy_read(stream, data, size);

    if (n < 0)
        return n;
    HOLDS((size_t)n <= size && (n > 0 || size == 0 || left() == 0));
    check_taken(data, (size_t)n);
    return 0;
}

static ssize_t model_read_exactly(eddy_stream *stream)
{
    size_t size = some_size();
    int rc = eddy_read_exactly(stream, data, size);

    if (rc == EDDY_EINCOMPLETE) {
        HOLDS(eddy_stream_partial(stream) == left() && left() < size);
        check_taken(data, left());
    } else if (rc == 0) {
        check_taken(data, size);
    }
    return rc;
}

static ssize_t model_until(eddy_stream *stream)
{
    static const char *const separators[] = {"\n", "ab", "aab", "abab\n"};
    const char *separator = separators[random_below(4)];
    size_t size = some_size(), length = strlen(separator), end = end_of(separator);
    ssize_t n = eddy_read_until(stream, separator, length, data, size);

    if (n == EDDY_ELIMIT) {
        HOLDS((end == 0 || end > size) && left() >= size);
        HOLDS(eddy_stream_partial(stream) == (size >= length ? size - length + 1 : 0));
    } else if (n == EDDY_EINCOMPLETE) {
        HOLDS(end == 0 && left() < size && eddy_stream_partial(stream) == left());
        check_taken(data, left());
    } else if (n >= 0) {
        HOLDS(end == (size_t)n && end <= size);
        check_taken(data, end);
    }
    return n;
}

static ssize_t model_line(eddy_stream *stream)
{
    size_t size = some_size() + 1, end = end_of("\n");
    size_t length = end ? end : left();
    ssize_t n = eddy_read_line(stream, data, size);

    if (n == EDDY_ELIMIT) {
        HOLDS(length >= size);
    } else if (n >= 0) {
        HOLDS((size_t)n == length && length < size && data[n] == '\0');
        check_taken(data, length);
    }
    return n;
}

static ssize_t model_lines(eddy_stream *stream)
{
    int many = random_below(20), rc;
    eddy_line line;

    EDDY_FOR_EACH(rc, line, eddy_lines(stream)) {
        size_t end = end_of("\n");

        HOLDS(line.size == (end ? end : left()));
        HOLDS(line.text[line.size] == '\0');
        check_taken(line.text, line.size);
        if (many-- == 0)
            break;
    }
    HOLDS(rc == 0 || rc == -ETIMEDOUT || rc == EDDY_ELIMIT);
    return rc;
}

static ssize_t model_peek(eddy_stream *stream)
{
    size_t least = some_size(), rest;
    const char *shown;
    ssize_t n = eddy_peek(stream, least, &shown);

    if (n < 0)
        return n;
    rest = (size_t)n;
    HOLDS(rest >= least || rest == left());
    for (int i = 0; i < 3; i++) {
        size_t size = (size_t)random_below((int)rest + 1);

        check_taken(shown, size);
        eddy_consume(stream, size);
        shown += size;
        rest -= size;
    }
    return 0;
}

static void make_text(void)
{
    text_size = (size_t)random_below(TEXT_MAX);
    for (size_t i = 0; i < text_size; i++) {
        int c = random_below(60);

        text[i] = c == 0 ? '\n' : c % 2 ? 'a' : 'b';
    }
    script = (struct script){
        .text = text,
        .size = text_size,
        .step = random_below(3) ? 1 + some_size() : 0,
        .pushed = random_below(2) ? some_size() : 0,
        .slow = random_below(2),
    };
    at = 0;
}

static int program(void)
{
    static ssize_t (*const ways[])(eddy_stream *) = {model_read, model_read_exactly, model_until,
                                                     model_line, model_lines,        model_peek};
    EDDY_STREAM stream = NULL;

    make_text();
    stream = script_open(&script);
    for (int step = 0; step < 100000 && !(at == text_size && script.at == text_size); step++) {
        EDDY_TIMEOUT(limit, random_below(3) ? 1 : 0.0035);
        ssize_t rc = ways[random_below(6)](stream);

        HOLDS(rc >= 0 || rc == -ETIMEDOUT || rc == EDDY_EINCOMPLETE || rc == EDDY_ELIMIT);
        HOLDS(eddy_stream_get_counters(stream).to_read == script.at - at);
    }
    HOLDS(at == text_size);
    HOLDS(eddy_read(stream, data, 1) == 0);
    HOLDS(eddy_stream_get_counters(stream).received == text_size);
    return 0;
}
EDDY_ASYNC(program);

static void run_program(uint64_t seed)
{
    int rc;

    random_begin(seed);
    model_seed = seed;
    rc = eddy_test(program);
    if (rc < 0)
        test_fail(__FILE__, __LINE__, "%s; EDDY_TEST_SEED=%llu", eddy_error_message(rc),
                  (unsigned long long)seed);
}

RAW_TEST(read_in_all_ways_gives_the_bytes_in_order)
{
    seeds_run(run_program, 200);
}
