/* SPDX-License-Identifier: MIT */
/* Lines of a message's framing, against a plain model, in all ways to cut them. */
#include "http/lines.h"

#include "seeds.h"

/* What was taken of a text in pieces, and the state behind it. */
static struct ed_lines take(const char *text, size_t size, size_t piece, size_t *taken)
{
    struct ed_lines lines = {.line_limit = 8, .count_limit = 4, .size_limit = 30};
    size_t i = 0, end = 0, n = 1;

    while (i < size && (n > 0 || i == end)) {
        if (i == end)
            end = end + piece < size ? end + piece : size;
        n = ed_lines_take(&lines, text + i, end - i);
        i += n;
        if (lines.fault)
            break;
    }
    *taken = i;
    return lines;
}

static void check_lines(const char *text, size_t size, size_t taken, enum ed_lines_fault fault)
{
    for (size_t piece = 1; piece <= size; piece++) {
        size_t got;
        struct ed_lines lines = take(text, size, piece, &got);

        CHECK_THAT(got == taken && lines.fault == fault, "pieces of %zu of \"%s\": %zu, fault %d",
                   piece, text, got, lines.fault);
    }
}

RAW_TEST(lines_are_taken_up_to_the_byte_that_breaks_a_rule)
{
    static const struct {
        const char *text;
        size_t taken;
        enum ed_lines_fault fault;
    } cases[] = {
        {"a: b\r\n\r\n", 8, ED_LINES_FINE},
        {"a: b\n", 4, ED_LINES_BARE_LF},
        {"\n", 0, ED_LINES_BARE_LF},
        {"a\rb\r\n", 2, ED_LINES_BARE_CR},
        {"a\r\r\n", 2, ED_LINES_BARE_CR},
        {"\rab", 1, ED_LINES_BARE_CR},
        {"a\x01\r\n", 1, ED_LINES_CONTROL},
        {"a\x7f\n", 1, ED_LINES_CONTROL},
        {"\t\r\n", 0, ED_LINES_FRONT},
        {"a\r\n b", 3, ED_LINES_FRONT},
        {":a\r\n", 0, ED_LINES_FRONT},
        {"\r\n\r\n\r\n", 6, ED_LINES_FINE},
        {"12345678\r\n", 10, ED_LINES_FINE},
        {"123456789\r\n", 8, ED_LINES_LINE},
        {"12345678\n", 8, ED_LINES_BARE_LF},
        {"12345678\r1", 9, ED_LINES_BARE_CR},
        {"1234567\x01"
         "9",
         7, ED_LINES_CONTROL},
        {"1\r\n2\r\n3\r\n4\r\n\r\n", 14, ED_LINES_FINE},
        {"1\r\n2\r\n3\r\n4\r\n5\r\n", 12, ED_LINES_COUNT},
        {"12345678\r\n12345678\r\n12345678\r\n", 30, ED_LINES_FINE},
        {"12345678\r\n12345678\r\n12345678\r\n1", 30, ED_LINES_SIZE},
        {"12345678\r\n12345678\r\n12345678\r\n\r\n", 31, ED_LINES_SIZE},
        {"12345678\r\n12345678\r\n123456\r\n\r\n", 30, ED_LINES_FINE},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++)
        check_lines(cases[i].text, strlen(cases[i].text), cases[i].taken, cases[i].fault);
    check_lines("a\0b\r\n", 5, 1, ED_LINES_CONTROL);
}

/* Any bytes, cut in any way: always the same. */
static void lines_random(uint64_t seed)
{
    static const char letters[] = "ab \t:\r\n\r\n\r\n\x01\x80";
    struct ed_lines whole, cut;
    size_t size, taken, again;
    char text[40];

    random_begin(seed);
    size = (size_t)random_below((int)sizeof text) + 1;
    for (size_t i = 0; i < size; i++)
        text[i] = letters[random_below((int)sizeof letters)];
    whole = take(text, size, size, &taken);
    for (size_t piece = 1; piece < size; piece++) {
        cut = take(text, size, piece, &again);
        CHECK_EQ(again, taken);
        CHECK_EQ(cut.fault, whole.fault);
        CHECK_EQ(cut.line, whole.line);
        CHECK_EQ(cut.count, whole.count);
        CHECK_EQ(cut.size, whole.size);
        CHECK(cut.whole == whole.whole && cut.cr == whole.cr);
    }
}

RAW_TEST(lines_are_the_same_however_they_are_cut)
{
    seeds_run(lines_random, 3000);
}

/* RFC 9112, 7.1.1. */
RAW_TEST(lines_with_a_chunks_size_may_have_extensions)
{
    static const char *const good[] = {
        "5;a", "5;a=b", "5;a=b;c=d", "5 ; a = b ; c", "5;a=\"b;c\\\"\"", "5;a=\"\"", "5"};
    static const char *const bad[] = {"5;",    "5;;",     "5;a=",      "5;=b",  "5;a=\"b",
                                      "5;a b", "5;a=b c", "5;a=\"b\\", "5;a,b", "5;\x80"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(good); i++)
        CHECK(ed_chunk_extensions_check(good[i], strlen(good[i])));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK(!ed_chunk_extensions_check(bad[i], strlen(bad[i])));
}
