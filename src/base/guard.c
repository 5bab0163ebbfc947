/* SPDX-License-Identifier: MIT */
/*
 * Guarded memory: each block is a mapping of its own, and ends where its last page
 * ends, or up to 15 bytes before, which are checked when it is freed. Then the
 * mapping stays for a while, without its memory and without any access, so that
 * the kernel's late writes too find nothing there.
 *
 *   | guard page |               block | < 16 | guard page |
 *
 * Live blocks and dead ones are limited, so that mappings are left for everybody
 * else: vm.max_map_count is 65,530.
 */
#include "base/guard.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/die.h"

#define GUARD_FILL 0xE5 /* what fresh memory holds, and what stands behind a block */
#define GUARD_LIVE 8192 /* blocks at a time */
#define GUARD_DEAD 4096 /* freed blocks that are kept without access */

static pthread_mutex_t guard_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t guard_live, guard_freed;
static struct {
    void *start;
    size_t size;
} guard_dead[GUARD_DEAD]; /* a ring, the oldest at guard_freed */

static size_t guard_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of the pages that a block of this size takes up, without the guards. */
static size_t guard_pages(size_t size)
{
    return (size + guard_page() - 1) & ~(guard_page() - 1);
}

/* One more or fewer; whether there may be one more. */
static bool guard_change(int change)
{
    bool allowed;

    pthread_mutex_lock(&guard_mutex);
    allowed = change < 0 || guard_live < GUARD_LIVE;
    if (allowed)
        guard_live += (size_t)change;
    pthread_mutex_unlock(&guard_mutex);
    return allowed;
}

void *ed_guard_new(size_t size)
{
    size_t page = guard_page(), pages = guard_pages(size);
    char *start;

    if (!guard_change(1))
        return NULL;
    start = mmap(NULL, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + page, pages, PROT_READ | PROT_WRITE) < 0) {
        if (start != MAP_FAILED)
            munmap(start, pages + 2 * page);
        (void)guard_change(-1);
        return NULL;
    }
    memset(start + page, GUARD_FILL, pages); /* nothing may rely on fresh memory being zero */
    return start + page + pages - ((size + 15) & ~(size_t)15);
}

/* Keeps a mapping without access instead of the one that is kept the longest. */
static void guard_bury(void *start, size_t size)
{
    size_t index;

    pthread_mutex_lock(&guard_mutex);
    guard_live--;
    index = guard_freed++ % GUARD_DEAD;
    if (guard_dead[index].start)
        munmap(guard_dead[index].start, guard_dead[index].size);
    guard_dead[index].start = start;
    guard_dead[index].size = size;
    pthread_mutex_unlock(&guard_mutex);
}

void ed_guard_free(void *memory, size_t size, const char *where)
{
    size_t page = guard_page(), pages = guard_pages(size);
    char *start = (char *)((uintptr_t)memory & ~(page - 1));

    for (const unsigned char *p = (unsigned char *)memory + size; (char *)p < start + pages; p++)
        if (*p != GUARD_FILL)
            ed_die("memory freed at %s was written behind its end", where);
    madvise(start, pages, MADV_DONTNEED);
    mprotect(start, pages, PROT_NONE);
    guard_bury(start - page, pages + 2 * page);
}

void ed_guard_forget(void)
{
    pthread_mutex_init(&guard_mutex, NULL);
}
