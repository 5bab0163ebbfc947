/* SPDX-License-Identifier: MIT */
/*
 * Stacks: where tasks and generators run, see stack.c.
 *
 * A slot, from its lowest address:
 *
 *   | guard, 64 KiB | stack, growing down <- | result | control block | colour |
 *
 * The control block is the task or generator itself. It ends with a struct
 * ed_stack, which the pool finds without knowing what is around it.
 */
#ifndef ED_TASK_STACK_H
#define ED_TASK_STACK_H

#include <stdalign.h>

#include "base/compat.h"
#include "base/flight.h"
#include "base/list.h"
#include "task/switch.h"

#define ED_STACK_GUARD ((size_t)64 * 1024)
#define ED_STACK_CLASSES 14 /* slots of 128 KiB, 256 KiB, ... 1 GiB */

enum ed_stack_use { ED_STACK_FREE, ED_STACK_TASK, ED_STACK_GENERATOR };

/* The last member of what lives on a stack; one cache line. */
struct ed_stack {
    alignas(64) struct ed_stack *next_free;
    struct ed_slab *slab;
    struct ed_fiber fiber;
    unsigned valgrind_id;
    unsigned char use;
};

struct ed_stack_class {
    struct eddy_list_ open; /* slabs with a free slot, the warmest first */
    struct eddy_list_ full;
    struct ed_slab *spare; /* kept though it is empty, or NULL */
};

/* The stacks of one loop. */
struct ed_stacks {
    bool counted; /* for tests: each stack that is taken counts as an allocation */
    struct ed_stack_class classes[ED_STACK_CLASSES];
};

/* A block of address space cut into slots of one size. */
struct ed_slab {
    struct eddy_link_ link; /* in open or full of its class */
    char *memory;
    size_t slot_size, slots;
    size_t fresh; /* slots from here on were never used */
    size_t used;
    struct ed_stack *free; /* used before, the warmest first */
    unsigned class;
};

/* The class for `size` usable bytes: ED_STACK_CLASSES when there is none. */
unsigned ed_stack_class(size_t size);
#define ED_STACK_CLASS_DEFAULT 1u /* slots of 256 KiB */

/* A stack, NULL when there is no memory or no guard for it. Its use is set. */
struct ed_stack *
ed_stack_take_slowly(struct ed_stacks *stacks, unsigned class, enum ed_stack_use use);
ED_INLINE struct ed_stack *
ed_stack_take(struct ed_stacks *stacks, unsigned class, enum ed_stack_use use)
{
    struct eddy_link_ *link = stacks->classes[class].open.first;
    struct ed_slab *slab = ed_container_of(link, struct ed_slab, link);
    struct ed_stack *stack;

    if (ED_WATCHED || ed_unlikely(stacks->counted || !link || !slab->used || !slab->free ||
                                  (!slab->free->next_free && slab->fresh == slab->slots)))
        return ed_stack_take_slowly(stacks, class, use);
    stack = slab->free;
    slab->free = stack->next_free;
    slab->used++;
    stack->use = (unsigned char)use;
    return stack;
}

/* Gives a stack back; it may be the one that calls. */
void ed_stack_give_slowly(struct ed_stacks *stacks, struct ed_stack *stack);
ED_INLINE void ed_stack_give(struct ed_stacks *stacks, struct ed_stack *stack)
{
    struct ed_slab *slab = stack->slab;

    if (ed_unlikely(slab->used == 1 || (!slab->free && slab->fresh == slab->slots))) {
        ed_stack_give_slowly(stacks, stack);
        return;
    }
    stack->use = ED_STACK_FREE;
    stack->next_free = slab->free;
    slab->free = stack;
    slab->used--;
}

/* The usable bytes of the stack, and its lowest usable address. */
size_t ed_stack_size(const struct ed_stack *stack);
char *ed_stack_bottom(const struct ed_stack *stack);

/* Gives back the pages below `used`, which is the lowest byte in use of what is parked there. */
void ed_stack_trim(const struct ed_stack *stack, const void *used);

/* What runs on the stack has returned: aborts if an operation in flight uses it still
 * (base/flight.h). `where` the stack was taken. */
ED_INLINE void ed_stack_left(const struct ed_stack *stack, const char *where)
{
    if (ed_unlikely(ed_flights > 0))
        ed_flight_check_slow(ed_stack_bottom(stack), ed_stack_size(stack),
                             "left by what was started", where);
}

/* The first stack in use behind `after` (NULL: from the start), or NULL. */
struct ed_stack *ed_stack_next(struct ed_stacks *stacks, struct ed_stack *after);

/* Whether there is a stack at this address, in this use. */
bool ed_stack_is_at(struct ed_stacks *stacks, const struct ed_stack *stack, enum ed_stack_use use);

/* The stack whose guard holds this address, or NULL. Async-signal-safe. */
struct ed_stack *ed_stack_by_guard(struct ed_stacks *stacks, const void *address);

/* Unmaps everything; no stack may be in use. */
void ed_stacks_close(struct ed_stacks *stacks);

#endif
