/* SPDX-License-Identifier: MIT */
/* The byte buffer: against a plain array, in its costs, and in its blocks. */
#include "base/buffer.h"

#include "base/fault.h"
#include "base/memory.h"
#include "seeds.h"

static char model[1 << 16];
static size_t model_size;

static void check_same(const struct eddy_buffer_ *buffer, uint64_t seed)
{
    if (ed_buffer_size(buffer) != model_size ||
        (model_size && memcmp(ed_buffer_bytes(buffer), model, model_size) != 0))
        test_fail(__FILE__, __LINE__, "not what was put in: EDDY_TEST_SEED=%llu",
                  (unsigned long long)seed);
}

static void model_random(uint64_t seed)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0}, other = {NULL, 0, 0, 0};
    char piece[3000];

    random_begin(seed);
    model_size = 0;
    for (int step = 0; step < 200; step++) {
        size_t size = (size_t)random_below(random_below(4) ? 40 : (int)sizeof piece);

        for (size_t i = 0; i < size; i++)
            piece[i] = (char)random_next();
        if (model_size + size > sizeof model)
            size = 0;
        switch (random_below(6)) {
        case 0:
        case 1:
            CHECK_OK(ed_buffer_append(&buffer, piece, size));
            memcpy(model + model_size, piece, size);
            model_size += size;
            break;
        case 2:
            CHECK_OK(ed_buffer_prepend(&buffer, piece, size));
            memmove(model + size, model, model_size);
            memcpy(model, piece, size);
            model_size += size;
            break;
        case 3:
            CHECK_OK(ed_buffer_reserve(&buffer, size));
            CHECK(ed_buffer_room(&buffer) >= size);
            if (size)
                memcpy(ed_buffer_free_space(&buffer), piece, size / 2);
            ed_buffer_commit(&buffer, size / 2);
            memcpy(model + model_size, piece, size / 2);
            model_size += size / 2;
            break;
        case 4:
            ed_buffer_take(&other, &buffer);
            CHECK_EQ(ed_buffer_size(&buffer), 0);
            ed_buffer_take(&buffer, &other);
            break;
        default:
            size = size < model_size ? size : model_size;
            ed_buffer_consume(&buffer, size);
            model_size -= size;
            memmove(model, model + size, model_size);
        }
        check_same(&buffer, seed);
    }
    ed_buffer_release(&buffer);
}

RAW_TEST(buffer_holds_what_was_put_in)
{
    seeds_run(model_random, 200);
}

/* A megabyte, byte by byte: some blocks, each of twice the size. */
RAW_TEST(buffer_grows_by_doubling)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0};
    uint64_t before = ed_fault_count(ED_FAULT_ALLOC);

    for (int i = 0; i < 1 << 20; i++)
        CHECK_OK(ed_buffer_append(&buffer, "x", 1));
    CHECK(ed_fault_count(ED_FAULT_ALLOC) - before <= 10);
    CHECK(buffer.capacity <= 2 << 20);
    ed_buffer_release(&buffer);
}

/* A queue of bytes that is never empty stays in its block, and moves each byte seldom. */
RAW_TEST(buffer_that_is_never_empty_does_not_grow_without_end)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0};
    size_t moves = 0;
    const char *start;

    CHECK_OK(ed_buffer_append(&buffer, "0123456789", 10));
    start = buffer.data;
    for (int i = 0; i < 1000000; i++) {
        size_t before = buffer.start;

        CHECK_OK(ed_buffer_append(&buffer, "x", 1));
        moves += buffer.start < before ? ed_buffer_size(&buffer) : 0;
        ed_buffer_consume(&buffer, 1);
    }
    CHECK(buffer.data == start);
    CHECK_EQ(buffer.capacity, ED_BUFFER_BLOCK);
    CHECK(moves < 10000); /* bytes */
    ed_buffer_release(&buffer);
}

/* Promise 7: small blocks are used again. */
TEST(buffer_blocks_of_the_smallest_size_are_used_again)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0}, many[100] = {{NULL, 0, 0, 0}};
    size_t blocks = ed_memory_blocks();
    uint64_t before;

    if (ed_memory_guarded() || ED_WATCHED)
        test_skip("blocks are not used again under a checker");
    CHECK_OK(ed_buffer_append(&buffer, "x", 1));
    ed_buffer_consume(&buffer, 1);
    before = ed_fault_count(ED_FAULT_ALLOC);
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(ed_buffer_append(&buffer, "x", 1));
        ed_buffer_consume(&buffer, 1);
    }
    CHECK_EQ(ed_fault_count(ED_FAULT_ALLOC), before);
    for (int i = 0; i < 100; i++)
        CHECK_OK(ed_buffer_append(&many[i], "x", 1));
    for (int i = 0; i < 100; i++)
        ed_buffer_consume(&many[i], 1);
    CHECK_EQ(ed_memory_blocks() - blocks, ED_BUFFER_SPARE); /* the others were freed */
    ed_buffers_trim();
    CHECK_EQ(ed_memory_blocks(), blocks);
    CHECK_OK(ed_buffer_append(&buffer, "x", 1));
    ed_buffer_consume(&buffer, 1); /* kept, and freed with the loop */
}

/* Outside a loop nothing is kept, which nobody would free. */
RAW_TEST(buffer_blocks_are_not_kept_outside_a_loop)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0};

    CHECK_OK(ed_buffer_append(&buffer, "x", 1));
    CHECK_EQ(ed_memory_blocks(), 1);
    ed_buffer_consume(&buffer, 1);
    CHECK_EQ(ed_memory_blocks(), 0);
}

RAW_TEST(buffer_without_memory_stays_as_it_was)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0};
    static char large[10000];

    CHECK_OK(ed_buffer_append(&buffer, "abc", 3));
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_buffer_append(&buffer, large, sizeof large), -ENOMEM);
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_buffer_prepend(&buffer, large, sizeof large), -ENOMEM);
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(ed_buffer_reserve(&buffer, sizeof large), -ENOMEM);
    CHECK_EQ(ed_buffer_reserve(&buffer, SIZE_MAX), -ENOMEM);
    CHECK_EQ(ed_buffer_prepend(&buffer, large, SIZE_MAX), -ENOMEM);
    CHECK_EQ(ed_buffer_size(&buffer), 3);
    CHECK(memcmp(ed_buffer_bytes(&buffer), "abc", 3) == 0);
    ed_buffer_release(&buffer);
}

RAW_TEST(buffer_hands_its_block_over)
{
    struct eddy_buffer_ buffer = {NULL, 0, 0, 0};
    char *block;

    CHECK_OK(ed_buffer_append(&buffer, "0123456789", 10));
    ed_buffer_consume(&buffer, 4);
    block = ed_buffer_hand_over(&buffer);
    CHECK(memcmp(block, "456789", 6) == 0);
    CHECK_EQ(ed_buffer_size(&buffer), 0);
    CHECK(ed_buffer_bytes(&buffer) == NULL);
    ed_free(block);
}
