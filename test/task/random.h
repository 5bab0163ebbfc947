/* SPDX-License-Identifier: MIT */
/* The programs of random.c: a tree of what tasks do, see there. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

#define NODES 600
#define CHILDREN 4

enum kind {
    SLEEP,
    YIELD,
    RAISE,      /* sleep, then fail with a code */
    CANCEL,     /* sleep, then cancel a sibling, then sleep on */
    UNCANCEL,   /* withdraw what was asked of this task */
    RESCHEDULE, /* move the innermost timeout of this task */
    SEQUENCE,   /* until the first error */
    IGNORE,     /* drop the error */
    CATCH,      /* make another error of it, after a shielded sleep */
    TIMEOUT,
    SHIELD,
    DEFER, /* a clean-up that sleeps */
    TASK,  /* a task beside the body, then awaited */
    GROUP, /* tasks, and last the body of the block, before the join */
    GATHER,
    OUTCOMES,
};

/* What a node did. */
struct result {
    int runs, rc;
    int note; /* of an uncancel, reschedule, timeout */
    int64_t begin, end;
};

/* A node stands before its children; `size` counts it and all below it. */
struct node {
    enum kind kind;
    int size, children;
    double seconds, more;
    int code;   /* of a raise or catch */
    int target; /* of a cancel: which sibling */
    struct result real, model;
};

static inline struct node *node_first(struct node *node)
{
    return node + 1;
}

static inline struct node *node_next(struct node *child)
{
    return child + child->size;
}

/* The tasks of a group, which stand before its body. */
static inline int node_tasks(const struct node *node)
{
    return node->children - (node->kind == GROUP);
}

/* Works out what each node of a program does (random_model.c), noted in node->model.
 * The root is cancelled after so many seconds; 0: never. */
void model_program(struct node *root, double cancel_after);

#endif
