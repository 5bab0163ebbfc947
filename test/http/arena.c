/* SPDX-License-Identifier: MIT */
/* Memory of an exchange. */
#include "http/arena.h"

#include "base/memory.h"
#include "harness.h"

RAW_TEST(arena_pieces_lie_apart_and_are_aligned)
{
    struct ed_arena arena = {0};
    char *pieces[200];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(pieces); i++) {
        pieces[i] = ed_arena_alloc(&arena, i);
        CHECK(pieces[i] != NULL);
        CHECK_EQ((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < ED_ARRAY_LENGTH(pieces); i++) {
        for (size_t k = 0; k < i; k++)
            CHECK_EQ((unsigned char)pieces[i][k], i);
    }
    ed_arena_free(&arena);
    ed_arena_free(&arena);
}

RAW_TEST(arena_that_is_reset_allocates_no_more)
{
    struct ed_arena arena = {0};
    size_t blocks;

    CHECK_STR(ed_arena_printf(&arena, "%d and %s", 7, "eight"), "7 and eight");
    blocks = ed_memory_blocks();
    for (int i = 0; i < 100; i++) {
        ed_arena_reset(&arena);
        CHECK_STR(ed_arena_copy(&arena, "text", 2), "te");
        CHECK(ed_arena_alloc(&arena, ED_ARENA_BLOCK / 2) != NULL);
    }
    CHECK_EQ(ed_memory_blocks(), blocks);
    CHECK(ed_arena_alloc(&arena, 10 * ED_ARENA_BLOCK) != NULL);
    CHECK(ed_arena_alloc(&arena, ED_ARENA_BLOCK) != NULL);
    CHECK(ed_memory_blocks() > blocks);
    ed_arena_reset(&arena);
    CHECK_EQ(ed_memory_blocks(), blocks);
    CHECK(ed_arena_alloc(&arena, SIZE_MAX) == NULL);
    CHECK(ed_arena_alloc(&arena, SIZE_MAX / 2) == NULL);
    ed_arena_free(&arena);
}
