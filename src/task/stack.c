/* SPDX-License-Identifier: MIT */
/*
 * Slabs of stacks.
 *
 * Address space is reserved in slabs of 256 MiB, cut into slots of one size. It
 * costs nothing until it is touched: a task that sleeps keeps one page. Slots
 * that are given back are used again last in, first out, since their pages are
 * warm; a slab without used slots is unmapped, except for one of each size.
 *
 * Under every stack lies a guard of 64 KiB, installed when a slot is first used:
 * by MADV_GUARD_INSTALL (kernel 6.13), which costs no mapping, so that a million
 * stacks are possible; else by mprotect(2), of which vm.max_map_count allows
 * about 32,000. No stack is ever without its guard.
 *
 * The tops of stacks are coloured: moved down by a multiple of 64 bytes, another
 * for each slot. Without it the hot lines of all tasks fall into the same sets of
 * the first-level cache (yield among 1,000 tasks: 39 ns instead of 7.5).
 *
 * tools/eddy-gdb.py finds tasks by the same layout.
 */
#include "task/stack.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/die.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL of linux/mman.h, since kernel 6.13 */

#define SLAB_SIZE ((size_t)256 << 20)
#define SLOT_SIZE_MIN ((size_t)128 * 1024)
#define STACK_PAGE ((uintptr_t)4096) /* or a multiple of it, which madvise(2) refuses then */
#define STACK_RED_ZONE 128           /* bytes below the stack pointer that may be in use */
#define COLOURS 32u /* of 64 bytes: half a page, so that a sleeper needs one page */

__thread struct ed_fiber *ed_fiber_now, *ed_fiber_before;

static struct ed_stack *slab_stack(const struct ed_slab *slab, size_t slot)
{
    char *end = slab->memory + (slot + 1) * slab->slot_size;

    return (struct ed_stack *)(void *)(end - (slot % COLOURS) * 64 - sizeof(struct ed_stack));
}

static size_t slab_slot(const struct ed_stack *stack)
{
    return (size_t)((const char *)stack - stack->slab->memory) / stack->slab->slot_size;
}

char *ed_stack_bottom(const struct ed_stack *stack)
{
    return stack->slab->memory + slab_slot(stack) * stack->slab->slot_size + ED_STACK_GUARD;
}

void ed_stack_trim(const struct ed_stack *stack, const void *used)
{
    char *bottom = ed_stack_bottom(stack);
    char *end = (char *)((uintptr_t)((const char *)used - STACK_RED_ZONE) & ~(STACK_PAGE - 1));

    if (end > bottom)
        (void)madvise(bottom, (size_t)(end - bottom), MADV_DONTNEED); /* else they stay */
}

size_t ed_stack_size(const struct ed_stack *stack)
{
    return stack->slab->slot_size - ED_STACK_GUARD;
}

static struct ed_slab *slab_new(struct ed_stacks *stacks, unsigned class)
{
    struct ed_slab *slab = ed_alloc_zero(sizeof *slab);

    if (!slab)
        return NULL;
    slab->class = class;
    slab->slot_size = SLOT_SIZE_MIN << class;
    slab->slots = slab->slot_size < SLAB_SIZE ? SLAB_SIZE / slab->slot_size : 1;
    slab->memory = ed_map(slab->slots * slab->slot_size, slab->slot_size);
    if (!slab->memory) {
        ed_free(slab);
        return NULL;
    }
    ed_list_prepend(&stacks->classes[class].open, &slab->link);
    return slab;
}

/* Frees a slab without used slots. */
static void slab_free(struct ed_stacks *stacks, struct ed_slab *slab)
{
    ED_ASSERT(slab->used == 0);
    for (size_t i = 0; i < slab->fresh; i++) {
        struct ed_stack *stack = slab_stack(slab, i);

        ed_valgrind_stack_deregister(stack->valgrind_id);
        if (stack->fiber.tsan)
            __tsan_destroy_fiber(stack->fiber.tsan);
    }
    ed_stats_add(ED_STAT_STACKS, -(long)slab->fresh);
    ed_list_remove(&stacks->classes[slab->class].open, &slab->link);
    if (stacks->classes[slab->class].spare == slab)
        stacks->classes[slab->class].spare = NULL;
    ed_unmap(slab->memory, slab->slots * slab->slot_size);
    ed_free(slab);
}

/* Whether the first guard of the process is none: some emulators say yes to any
 * advice. Asks the kernel to write there, which fails on a guard. */
static bool slab_guard_missing(char *slot)
{
    static bool checked; /* relaxed: threads may check twice */

    if (__atomic_load_n(&checked, __ATOMIC_RELAXED))
        return false;
    if (getrandom(slot, 1, GRND_NONBLOCK) == 1)
        return true;
    __atomic_store_n(&checked, true, __ATOMIC_RELAXED);
    return false;
}

static bool slab_guard(char *slot)
{
    static bool no_guards; /* relaxed: threads may find out twice */

    if (!__atomic_load_n(&no_guards, __ATOMIC_RELAXED)) {
        int rc = madvise(slot, ED_STACK_GUARD, GUARD_INSTALL);

        if (rc == 0 && !slab_guard_missing(slot))
            return true;
        if (rc == 0 || errno == EINVAL)
            __atomic_store_n(&no_guards, true, __ATOMIC_RELAXED);
    }
    return mprotect(slot, ED_STACK_GUARD, PROT_NONE) == 0;
}

/* Prepares a slot that was never used; NULL when it can have no guard. */
static struct ed_stack *slab_take_fresh(struct ed_slab *slab)
{
    char *slot = slab->memory + slab->fresh * slab->slot_size;
    struct ed_stack *stack = slab_stack(slab, slab->fresh);

    if (!slab_guard(slot))
        return NULL;
    slab->fresh++;
    stack->slab = slab;
    stack->fiber.bottom = slot + ED_STACK_GUARD;
    stack->fiber.size = slab->slot_size - ED_STACK_GUARD;
    stack->valgrind_id = ed_valgrind_stack_register(slot + ED_STACK_GUARD, slot + slab->slot_size);
    ed_stats_add(ED_STAT_STACKS, 1);
    return stack;
}

unsigned ed_stack_class(size_t size)
{
    unsigned class = 0;

    while (class < ED_STACK_CLASSES && (SLOT_SIZE_MIN << class) - ED_STACK_GUARD < size)
        class ++;
    return class;
}

struct ed_stack *
ed_stack_take_slowly(struct ed_stacks *stacks, unsigned index, enum ed_stack_use use)
{
    struct ed_stack_class *class = &stacks->classes[index];
    struct ed_slab *slab;
    struct ed_stack *stack;

    if ((stacks->counted && ed_fault_check(ED_FAULT_ALLOC)) ||
        (!class->open.first && !slab_new(stacks, index)))
        return NULL;
    slab = ed_container_of(class->open.first, struct ed_slab, link);
    stack = slab->free;
    if (stack)
        slab->free = stack->next_free;
    else if (!(stack = slab_take_fresh(slab)))
        return NULL;
    slab->used++;
    if (!slab->free && slab->fresh == slab->slots) {
        ed_list_remove(&class->open, &slab->link);
        ed_list_append(&class->full, &slab->link);
    }
    stack->use = (unsigned char)use;
    ed_valgrind_stack_reused(stack->fiber.bottom,
                             (size_t)((char *)stack - (const char *)stack->fiber.bottom));
    if (ED_FIBERS) {
        __asan_unpoison_memory_region(stack->fiber.bottom,
                                      (size_t)((char *)stack - (const char *)stack->fiber.bottom));
        if (stack->fiber.tsan)
            __tsan_destroy_fiber(stack->fiber.tsan);
        stack->fiber.tsan = __tsan_create_fiber(0);
    }
    return stack;
}

void ed_stack_give_slowly(struct ed_stacks *stacks, struct ed_stack *stack)
{
    struct ed_slab *slab = stack->slab;
    struct ed_stack_class *class = &stacks->classes[slab->class];

    stack->use = ED_STACK_FREE;
    if (!slab->free && slab->fresh == slab->slots) {
        ed_list_remove(&class->full, &slab->link);
        ed_list_prepend(&class->open, &slab->link);
    }
    stack->next_free = slab->free;
    slab->free = stack;
    if (--slab->used > 0)
        return;
    /* One empty slab is kept: this one, which may be running, instead of the last. */
    if (class->spare && class->spare != slab && class->spare->used == 0)
        slab_free(stacks, class->spare);
    class->spare = slab;
}

static struct ed_stack *slab_next_used(const struct ed_slab *slab, size_t slot)
{
    for (; slot < slab->fresh; slot++) {
        struct ed_stack *stack = slab_stack(slab, slot);

        if (stack->use != ED_STACK_FREE)
            return stack;
    }
    return NULL;
}

/* The first used stack of the slabs from `link` on, and of the lists behind. */
static struct ed_stack *
stacks_search(struct ed_stacks *stacks, struct eddy_link_ *link, unsigned class, bool full)
{
    for (;;) {
        for (; link; link = link->next) {
            struct ed_stack *found = slab_next_used(ed_container_of(link, struct ed_slab, link), 0);

            if (found)
                return found;
        }
        if (full && ++class == ED_STACK_CLASSES)
            return NULL;
        full = !full;
        link = full ? stacks->classes[class].full.first : stacks->classes[class].open.first;
    }
}

struct ed_stack *ed_stack_next(struct ed_stacks *stacks, struct ed_stack *after)
{
    struct ed_slab *slab;
    struct ed_stack *found;
    bool full;

    if (!after)
        return stacks_search(stacks, stacks->classes[0].open.first, 0, false);
    slab = after->slab;
    found = slab_next_used(slab, slab_slot(after) + 1);
    full = !slab->free && slab->fresh == slab->slots;
    return found ? found : stacks_search(stacks, slab->link.next, slab->class, full);
}

/* The slot that holds an address, among the slabs of a list: its stack, and in
 * *offset where in the slot; NULL when none that was ever used does. */
static struct ed_stack *
slabs_by_address(const struct eddy_list_ *slabs, const char *address, size_t *offset)
{
    for (const struct eddy_link_ *link = slabs->first; link; link = link->next) {
        const struct ed_slab *slab = ed_container_of(link, const struct ed_slab, link);
        size_t distance = (size_t)(address - slab->memory);

        if (address < slab->memory || distance / slab->slot_size >= slab->fresh)
            continue;
        *offset = distance % slab->slot_size;
        return slab_stack(slab, distance / slab->slot_size);
    }
    return NULL;
}

static struct ed_stack *
stacks_by_address(struct ed_stacks *stacks, const void *address, size_t *offset)
{
    struct ed_stack *stack = NULL;

    for (unsigned i = 0; i < ED_STACK_CLASSES && !stack; i++) {
        stack = slabs_by_address(&stacks->classes[i].open, address, offset);
        if (!stack)
            stack = slabs_by_address(&stacks->classes[i].full, address, offset);
    }
    return stack;
}

bool ed_stack_is_at(struct ed_stacks *stacks, const struct ed_stack *stack, enum ed_stack_use use)
{
    size_t offset;

    return stacks_by_address(stacks, stack, &offset) == stack && stack->use == use;
}

struct ed_stack *ed_stack_by_guard(struct ed_stacks *stacks, const void *address)
{
    size_t offset;
    struct ed_stack *stack = stacks_by_address(stacks, address, &offset);

    return stack && offset < ED_STACK_GUARD ? stack : NULL;
}

void ed_stacks_close(struct ed_stacks *stacks)
{
    for (unsigned i = 0; i < ED_STACK_CLASSES; i++) {
        ED_ASSERT(ed_list_empty(&stacks->classes[i].full));
        while (stacks->classes[i].open.first)
            slab_free(stacks, ed_container_of(stacks->classes[i].open.first, struct ed_slab, link));
    }
}
