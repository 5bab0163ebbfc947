/* SPDX-License-Identifier: MIT */
/* Counted memory that can be made to fail. */
#include "base/memory.h"

#include "base/fault.h"
#include "harness.h"

RAW_TEST(memory_counts_blocks_and_the_bytes_that_were_asked_for)
{
    void *a = ed_alloc(100), *b = ed_alloc_zero(23);

    CHECK(a && b);
    CHECK_EQ(ed_memory_blocks(), 2);
    CHECK_EQ(ed_memory_bytes(), 123);
    a = ed_realloc(a, 1000);
    CHECK_EQ(ed_memory_blocks(), 2);
    CHECK_EQ(ed_memory_bytes(), 1023);
    a = ed_realloc(a, 1);
    CHECK_EQ(ed_memory_bytes(), 24);
    ed_free(a);
    CHECK_EQ(ed_memory_blocks(), 1);
    ed_free(b);
    ed_free(NULL);
    CHECK_EQ(ed_memory_blocks(), 0);
    CHECK_EQ(ed_memory_bytes(), 0);
}

RAW_TEST(memory_is_zeroed_aligned_and_kept_when_it_grows)
{
    static const unsigned char zeros[300];
    unsigned char *memory = ed_alloc(300);

    memset(memory, 0xee, 300);
    ed_free(memory);
    memory = ed_alloc_zero(300);
    CHECK_EQ(memcmp(memory, zeros, 300), 0);
    for (unsigned i = 0; i < 300; i++)
        memory[i] = (unsigned char)i;
    memory = ed_realloc(memory, 100000);
    for (unsigned i = 0; i < 300; i++)
        CHECK_EQ(memory[i], (unsigned char)i);
    CHECK_EQ((uintptr_t)memory % 16, 0);
    ed_free(memory);
}

RAW_TEST(memory_of_no_bytes_is_a_block_and_realloc_of_null_allocates)
{
    void *none = ed_alloc(0), *fresh = ed_realloc(NULL, 10);
    char *copy = ed_strdup("text");

    CHECK(none && fresh);
    CHECK_STR(copy, "text");
    CHECK_EQ(ed_memory_blocks(), 3);
    CHECK_EQ(ed_memory_bytes(), 15);
    ed_free(none);
    ed_free(fresh);
    ed_free(copy);
}

RAW_TEST(memory_of_an_impossible_size_is_refused)
{
    void *kept = ed_alloc(1);

    CHECK(!ed_alloc(SIZE_MAX));
    CHECK(!ed_alloc_zero(SIZE_MAX - 8));
    CHECK(!ed_realloc(kept, SIZE_MAX));
    CHECK_EQ(ed_memory_blocks(), 1);
    ed_free(kept);
}

/* Practice 2: the nth allocation fails, whichever call makes it, and no other. */
RAW_TEST(memory_fails_at_the_nth_allocation_and_keeps_what_was)
{
    char *a, *b;

    (void)ed_fault_set(ED_FAULT_ALLOC, 3, -ENOMEM);
    a = ed_alloc(10);
    b = ed_strdup("kept");
    CHECK(a && b);
    CHECK(!ed_realloc(b, 100));
    CHECK_STR(b, "kept");
    CHECK_EQ(ed_memory_bytes(), 15);
    b = ed_realloc(b, 100);
    CHECK(b);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!ed_alloc_zero(1));
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!ed_strdup("x"));
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!ed_map(1 << 16, 1 << 16));
    ed_free(a);
    ed_free(b);
}

RAW_TEST(memory_mappings_are_aligned_zeroed_and_writable)
{
    for (size_t alignment = 4096; alignment <= (size_t)1 << 22; alignment *= 4) {
        size_t size = (size_t)1 << 18;
        char *memory = ed_map(size, alignment);

        CHECK(memory);
        CHECK_EQ((uintptr_t)memory % alignment, 0);
        CHECK_EQ(memory[0], 0);
        memory[0] = memory[size - 1] = 1;
        ed_unmap(memory, size);
    }
    CHECK(!ed_map((size_t)1 << 60, 4096));
}
