/* SPDX-License-Identifier: MIT */
/* The parser without a stream; what it accepts and refuses stands in reader.c. */
#include "http/parser.h"

#include "base/memory.h"
#include "harness.h"

#define WRK "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"

static const struct ed_limits limits = {.line_size = 8190, .fields = 100, .head_size = 65536};

/* A head on a connection at work allocates nothing. */
RAW_TEST(parser_allocates_nothing_for_the_heads_behind_the_first)
{
    struct ed_parser *parser = ed_parser_new(false, &limits);
    struct ed_arena arena = {0};
    struct ed_head head;
    size_t blocks = 0;

    for (int i = 0; i < 10; i++) {
        ed_parser_begin(parser, false);
        CHECK_OK(ed_parser_head(parser, WRK, sizeof WRK - 1, 0));
        CHECK_EQ(parser->stage, ED_PARSER_HEAD);
        CHECK_OK(ed_parser_finish_head(parser, WRK, &arena, &head));
        CHECK_STR(head.path, "/");
        CHECK_STR(head.host, "127.0.0.1:8080");
        if (i == 0)
            blocks = ed_memory_blocks();
        ed_arena_reset(&arena);
    }
    CHECK_EQ(ed_memory_blocks(), blocks);
    ed_arena_free(&arena);
    ed_parser_free(parser);
    ed_parser_free(NULL);
}

/* It takes the head's bytes, and none of what follows. */
RAW_TEST(parser_ends_where_the_head_does)
{
    static const char two[] = WRK WRK;
    struct ed_parser *parser = ed_parser_new(false, &limits);

    ed_parser_begin(parser, false);
    CHECK_OK(ed_parser_head(parser, two, sizeof two - 1, 0));
    CHECK_EQ(parser->stage, ED_PARSER_HEAD);
    CHECK_EQ(parser->taken, sizeof WRK - 1);
    CHECK_EQ(parser->fed, sizeof WRK - 1);
    ed_parser_free(parser);
}

RAW_TEST(parser_takes_limits_that_are_none)
{
    static const struct ed_limits none = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    struct ed_parser *parser = ed_parser_new(false, &none);

    ed_parser_begin(parser, false);
    CHECK_OK(ed_parser_head(parser, WRK, sizeof WRK - 1, 0));
    CHECK_EQ(parser->stage, ED_PARSER_HEAD);
    ed_parser_free(parser);
}
