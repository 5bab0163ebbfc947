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
    size_t empty; /* slabs in open without a used slot */
};

/* The stacks of one loop. */
struct ed_stacks {
    struct ed_stack_class classes[ED_STACK_CLASSES];
};

/* A free stack with at least `size` usable bytes, or NULL and -ENOMEM or -EINVAL
 * in *code. Its use is set. */
struct ed_stack *
ed_stack_take(struct ed_stacks *stacks, size_t size, enum ed_stack_use use, int *code);

/* Gives a stack back; `running` if it is the one that calls. */
void ed_stack_give(struct ed_stacks *stacks, struct ed_stack *stack, bool running);

/* The usable bytes of the stack, and its lowest usable address. */
size_t ed_stack_size(const struct ed_stack *stack);
char *ed_stack_bottom(const struct ed_stack *stack);

/* The first stack in use behind `after` (NULL: from the start), or NULL. */
struct ed_stack *ed_stack_next(struct ed_stacks *stacks, struct ed_stack *after);

/* The stack whose guard holds this address, or NULL. Async-signal-safe. */
struct ed_stack *ed_stack_by_guard(struct ed_stacks *stacks, const void *address);

/* Unmaps everything; no stack may be in use. */
void ed_stacks_close(struct ed_stacks *stacks);

#endif
