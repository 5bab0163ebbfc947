/* SPDX-License-Identifier: MIT */
/* Guarded memory: a byte beside it, or in it when it is free, is nobody's. */
#include "base/guard.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "harness.h"

#define BLOCKS 20000

/* Whether the kernel can write to a byte: what a test of faults may ask. */
static bool writable(char *byte)
{
    int ends[2];
    bool could;

    if (pipe(ends) < 0 || write(ends[1], "x", 1) != 1)
        test_fail(__FILE__, __LINE__, "no pipe");
    could = read(ends[0], byte, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return could;
}

RAW_TEST(guard_blocks_end_at_a_page_without_access)
{
    if (ed_running_on_valgrind())
        test_skip("valgrind reports what this test does on purpose");
    for (size_t size = 1; size < 10000; size = size * 3 + 1) {
        char *memory;

        (void)ed_memory_guard(true);
        memory = ed_alloc(size);
        memset(memory, 1, size);
        CHECK_EQ((uintptr_t)memory % 16, 0);
        CHECK(writable(memory + size - 1));
        CHECK(!writable(memory + ((size + 15) & ~(size_t)15)));
        ed_free(memory);
        CHECK(!writable(memory));
        CHECK(!writable(memory + size - 1));
    }
}

RAW_TEST(guard_blocks_are_moved_with_what_is_in_them)
{
    bool before = ed_memory_guard(true);
    char *memory = ed_realloc(NULL, 10), *moved;

    memcpy(memory, "123456789", 10);
    moved = ed_realloc(memory, 5000);
    CHECK(!writable(memory));
    CHECK_STR(moved, "123456789");
    (void)ed_memory_guard(false); /* the block leaves the guards */
    memory = ed_realloc(moved, 10);
    CHECK_STR(memory, "123456789");
    (void)ed_memory_guard(true); /* and comes back */
    memory = ed_realloc(memory, 20);
    CHECK_STR(memory, "123456789");
    ed_free(memory);
    (void)ed_memory_guard(before);
}

/* More than the kernel has mappings for: the rest are plain blocks. */
RAW_TEST(guard_blocks_leave_mappings_for_others)
{
    static char *blocks[BLOCKS];

    (void)ed_memory_guard(true);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = ed_alloc(10);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i & 127, 10);
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHECK_EQ(blocks[i][9], i & 127);
        ed_free(blocks[i]);
    }
    for (int i = 0; i < 3 * BLOCKS; i++)
        ed_free(ed_alloc(10)); /* the dead make room for the dead */
}

static void write_behind(void)
{
    char *memory;

    (void)ed_memory_guard(true);
    memory = ed_alloc(10);
    memory[10] = 1;
    ed_free(memory);
}

RAW_TEST(guard_block_written_behind_its_end_aborts_when_it_is_freed)
{
    CHECK_DIES(write_behind, "was written behind its end");
    CHECK_DIES(write_behind, "freed at " __FILE__);
}

static void environment_says(void)
{
    fprintf(stderr, "%s", ed_memory_guarded() ? "guarded" : "plain");
    abort();
}

RAW_TEST(guard_is_what_the_environment_says_at_first)
{
    char text[64];

    if (getenv("EDDY_GUARD")) /* the harness has set it by hand already */
        test_skip("EDDY_GUARD is set");
    (void)test_fork(environment_says, text, sizeof text);
    CHECK_STR(text, ed_memory_guarded() ? "guarded" : "plain");
}
