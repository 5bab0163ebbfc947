/* SPDX-License-Identifier: MIT */
/*
 * The model of random.c: what a program does, by recursion, without tasks.
 *
 * A function gets a node, what its task knows of its own cancels, the scopes that are
 * open, and the time; it says with which code the node ends, and when. A part of the
 * tree may be worked out several times; what counts is the last.
 */
#include "task/random.h"

#include <errno.h>
#include <string.h>

#include "base/time.h"

/* A scope of a task: a shield, or what gives the calls in it a code from then on. */
struct model_scope {
    struct model_scope *outer;
    enum kind kind; /* SHIELD, TIMEOUT, GROUP */
    int code;
    int64_t fires;
};

/* A cancel of one sibling by another. */
struct model_ask {
    int from, to;
    int64_t at;
};

struct model_group {
    struct model_ask asks[NODES];
    int count;
};

/* A task: when its owner cancels it for good, and when others ask it to stop. */
struct model_task {
    int64_t final;
    int64_t asked[NODES];
    int asks;
    struct model_group *group;
    int index;
};

struct outcome {
    int rc;
    int64_t end;
};

static struct outcome
model_node(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at);

static int64_t model_cancel(const struct model_task *task)
{
    int64_t first = task->final;

    for (int i = 0; i < task->asks; i++)
        first = task->asked[i] < first ? task->asked[i] : first;
    return first;
}

/* What a call returns at a time: "What is pending" of docs/design.md. */
static int model_pending(const struct model_task *task, const struct model_scope *scope, int64_t at)
{
    int code = 0;

    for (; scope; scope = scope->outer) {
        if (scope->kind == SHIELD)
            return code;
        if (scope->fires <= at)
            code = scope->code;
    }
    return model_cancel(task) <= at ? -ECANCELED : code;
}

/* When a wait that begins at a time is cut short. */
static int64_t model_cut(const struct model_task *task, const struct model_scope *scope, int64_t at)
{
    int64_t first = ED_NEVER;

    for (; scope && scope->kind != SHIELD; scope = scope->outer)
        first = scope->fires < first ? scope->fires : first;
    if (!scope && model_cancel(task) < first)
        first = model_cancel(task);
    return first > at ? first : at;
}

static struct outcome model_sleep(double seconds, const struct model_task *task,
                                  const struct model_scope *scope, int64_t at)
{
    int64_t end = ed_time_add(at, ed_time_from_seconds(seconds));
    int64_t cut = model_cut(task, scope, at);

    if (cut < end)
        return (struct outcome){model_pending(task, scope, cut), cut};
    return (struct outcome){0, end};
}

/* Forgets what an earlier look at a part of the tree has noted. */
static void model_clear(struct node *node)
{
    for (int i = 0; i < node->size; i++)
        node[i].model = (struct result){.runs = 0};
}

static struct outcome
model_child(struct node *child, struct model_group *group, int index, int64_t final, int64_t at)
{
    struct model_task task = {.final = final, .group = group, .index = index};

    for (int i = 0; group && i < group->count; i++)
        if (group->asks[i].to == index)
            task.asked[task.asks++] = group->asks[i].at;
    model_clear(child);
    return model_node(child, &task, NULL, at);
}

static struct outcome
model_cancels(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct outcome slept = model_sleep(node->seconds, task, scope, at);

    if (slept.rc < 0)
        return slept;
    task->group->asks[task->group->count++] =
        (struct model_ask){task->index, node->target, slept.end};
    return model_sleep(node->more, task, scope, slept.end);
}

static int model_uncancel(struct model_task *task, int64_t at)
{
    int left = 0;

    if (model_cancel(task) > at)
        return -ENOENT;
    if (task->final <= at)
        return -EPERM;
    for (int i = 0; i < task->asks; i++)
        if (task->asked[i] > at)
            task->asked[left++] = task->asked[i];
    task->asks = left;
    return 0;
}

static int model_reschedule(struct node *node, struct model_scope *scope, int64_t at)
{
    while (scope->kind != TIMEOUT)
        scope = scope->outer;
    if (scope->fires <= at)
        return -EINVAL;
    scope->fires = ed_time_from_seconds(ed_time_to_seconds(at) + node->seconds);
    return 0;
}

static struct outcome
model_sequence(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct node *child = node_first(node);
    struct outcome o = {0, at};

    for (int i = 0; i < node->children && o.rc == 0; i++, child = node_next(child))
        o = model_node(child, task, scope, o.end);
    return o;
}

/* A task beside the body; then the wait for it, and in any case its end. */
static struct outcome
model_beside(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct node *child = node_first(node);
    struct outcome o = model_node(node_next(child), task, scope, at);
    struct outcome c = model_child(child, NULL, 0, ED_NEVER, at);
    bool read = false;

    if (o.rc == 0) {
        int64_t cut = model_cut(task, scope, o.end);

        read = cut > o.end && c.end < cut;
        if (read)
            o = (struct outcome){c.rc, c.end > o.end ? c.end : o.end};
        else
            o = (struct outcome){model_pending(task, scope, cut), cut};
    }
    if (c.end > o.end)
        o.end = model_child(child, NULL, 0, o.end, at).end;
    else if (!read)
        node->model.note = c.rc < 0 && c.rc != -ECANCELED; /* reported */
    return o;
}

/* Works the children out, except `done`, with a cancel of all of them at `final`. */
static void model_children(struct node *node, struct outcome *outcomes, struct model_group *group,
                           int done, int64_t final, int64_t at)
{
    struct node *child = node_first(node);
    int count = group->count;

    group->count = 0;
    for (int i = 0; i < count; i++)
        if (group->asks[i].from == done)
            group->asks[group->count++] = group->asks[i];
    for (int i = 0; i < node_tasks(node); i++, child = node_next(child))
        if (i != done)
            outcomes[i] = model_child(child, group, i, final, at);
}

static bool model_failed(const struct node *node, struct outcome o)
{
    return o.rc < 0 && node->kind != OUTCOMES && (o.rc != -ECANCELED || node->kind == GATHER);
}

/* The first child that failed, `done` before its equals; -1: none. */
static int model_first(const struct node *node, const struct outcome *outcomes, int done)
{
    int first = done;

    for (int i = 0; i < node_tasks(node); i++)
        if (model_failed(node, outcomes[i]) && (first < 0 || outcomes[i].end < outcomes[first].end))
            first = i;
    return first;
}

static int64_t model_last(const struct node *node, const struct outcome *outcomes, int64_t end)
{
    for (int i = 0; i < node_tasks(node); i++)
        end = outcomes[i].end > end ? outcomes[i].end : end;
    return end;
}

/* Tasks that began at one time, and who waits for them. */
struct model_members {
    struct model_group group;
    struct outcome outcomes[CHILDREN];
    int64_t begun;
    int first; /* the one that fails first if nothing cuts it short; -1: none */
};

static void model_start(struct node *node, struct model_members *members, int64_t at)
{
    members->group.count = 0;
    members->begun = at;
    model_children(node, members->outcomes, &members->group, -1, ED_NEVER, at);
    members->first = model_first(node, members->outcomes, -1);
}

/* The join of a group, or all of a gather, from a time on. */
static struct outcome model_join(struct node *node, struct model_task *task,
                                 struct model_scope *scope, struct model_members *m, int64_t at)
{
    int64_t cut = model_cut(task, scope, at), end;
    int first = m->first, pending;

    if (first >= 0 && (m->outcomes[first].end < cut || m->outcomes[first].end <= at))
        model_children(node, m->outcomes, &m->group, first, m->outcomes[first].end, m->begun);
    else
        model_children(node, m->outcomes, &m->group, first = -1, cut, m->begun);
    first = model_first(node, m->outcomes, first);
    end = model_last(node, m->outcomes, at);
    pending = cut <= end ? model_pending(task, scope, end) : 0;
    if (first < 0 || (m->outcomes[first].rc == -ECANCELED && pending))
        return (struct outcome){pending, end};
    return (struct outcome){m->outcomes[first].rc, end};
}

static struct outcome
model_gather(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct model_members members;
    int pending = model_pending(task, scope, at);

    if (node->children == 0)
        return (struct outcome){0, at};
    if (pending)
        return (struct outcome){pending, at};
    model_start(node, &members, at);
    return model_join(node, task, scope, &members, at);
}

/* The body fails with the first child that fails; if it fails, the block ends without
 * a join, and its end cancels the children. */
static struct outcome
model_group(struct node *node, struct model_task *task, struct model_scope *outer, int64_t at)
{
    struct model_scope scope = {.outer = outer, .kind = GROUP, .fires = ED_NEVER};
    struct model_members members;
    struct node *body = node_first(node);
    struct outcome o;
    int first;

    for (int i = 0; i < node_tasks(node); i++)
        body = node_next(body);
    model_start(node, &members, at);
    first = members.first;
    if (first >= 0) {
        scope.fires = members.outcomes[first].end;
        scope.code = members.outcomes[first].rc;
    }
    o = model_node(body, task, &scope, at);
    if (o.rc == 0)
        return model_join(node, task, outer, &members, o.end);
    if (scope.fires > o.end)
        model_children(node, members.outcomes, &members.group, -1, o.end, at);
    else
        model_children(node, members.outcomes, &members.group, first, scope.fires, at);
    return (struct outcome){o.rc, model_last(node, members.outcomes, o.end)};
}

static struct outcome
model_block(struct node *node, struct model_task *task, struct model_scope *outer, int64_t at)
{
    struct model_scope scope = {
        .outer = outer, .kind = node->kind, .code = -ETIMEDOUT, .fires = ED_NEVER};
    struct model_scope *inner = node->kind == SHIELD || node->kind == TIMEOUT ? &scope : outer;
    int64_t wait = ed_time_from_seconds(node->seconds);
    struct outcome o;

    if (node->kind == TIMEOUT)
        scope.fires = ed_time_add(at, wait);
    o = model_node(node_first(node), task, inner, at);
    switch (node->kind) {
    case IGNORE: o.rc = 0; break;
    case CATCH:
        if (o.rc < 0)
            o = (struct outcome){node->code, ed_time_add(o.end, wait)};
        break;
    case TIMEOUT: node->model.note = scope.fires <= o.end; break;
    case DEFER: o.end = ed_time_add(o.end, wait); break;
    default: break;
    }
    return o;
}

static struct outcome
model_kind(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct outcome o = {0, at};

    switch (node->kind) {
    case SLEEP: return model_sleep(node->seconds, task, scope, at);
    case YIELD: o.rc = model_pending(task, scope, at); return o;
    case RAISE:
        o = model_sleep(node->seconds, task, scope, at);
        o.rc = o.rc < 0 ? o.rc : node->code;
        return o;
    case CANCEL: return model_cancels(node, task, scope, at);
    case UNCANCEL: node->model.note = model_uncancel(task, at); return o;
    case RESCHEDULE: node->model.note = model_reschedule(node, scope, at); return o;
    case SEQUENCE: return model_sequence(node, task, scope, at);
    case TASK: return model_beside(node, task, scope, at);
    case GROUP: return model_group(node, task, scope, at);
    case GATHER:
    case OUTCOMES: return model_gather(node, task, scope, at);
    default: return model_block(node, task, scope, at);
    }
}

static struct outcome
model_node(struct node *node, struct model_task *task, struct model_scope *scope, int64_t at)
{
    struct outcome o = model_kind(node, task, scope, at);

    node->model.runs = 1;
    node->model.begin = at;
    node->model.end = o.end;
    node->model.rc = o.rc;
    return o;
}

void model_program(struct node *root, double cancel_after)
{
    struct model_task task = {.final = ED_NEVER};

    if (cancel_after > 0)
        task.asked[task.asks++] = ed_time_from_seconds(cancel_after);
    (void)model_node(root, &task, NULL, 0); /* noted by its node */
}
