/* SPDX-License-Identifier: MIT */
/*
 * Groups, and gather on top of them.
 *
 * A group owns its children. One that succeeds is freed when it ends, after its
 * result went where the group's user wants it; one that fails is kept in the list
 * of failures until the group's block ends, so that its error can be read without
 * any copy. The first failure gives the group's scope the error's code, by which
 * everything in the group's block fails, and cancels the siblings.
 *
 * The owner joins by a wait that a cancel does not end: it turns into a cancel of
 * the children, whose last then wakes the owner.
 */
#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "task/park.h"
#include "task/scope.h"

struct group_join {
    struct ed_wait wait;
    eddy_group *group;
};

static eddy_task *group_child(struct eddy_link_ *link)
{
    return ed_container_of(link, eddy_task, group_link);
}

void eddy_group_enter(eddy_group *group, const char *where)
{
    *group = (eddy_group){.closed = false};
    ed_scope_enter(&group->scope, ED_SCOPE_GROUP, where);
    if (!group->scope.task)
        ed_die("the group of %s stands outside a task", where);
}

/* Cancels the children. Those that join groups of their own put these into the list
 * of the loop's, so that a deep tree takes no deep stack. */
void eddy_group_cancel(eddy_group *group)
{
    struct ed_tasks *tasks = group->scope.task ? group->scope.task->loop->tasks : NULL;
    struct eddy_link_ *next = &group->cancel_link;

    group->closed = true;
    if (!tasks || group->cancelling)
        return;
    group->cancelling = true;
    if (tasks->cancelling) {
        ed_list_append(&tasks->to_cancel, next);
        return;
    }
    tasks->cancelling = true;
    for (; next; next = ed_list_pop(&tasks->to_cancel)) {
        group = ed_container_of(next, eddy_group, cancel_link);
        ED_LIST_FOR_EACH(link, &group->children)
            ed_task_cancel_final(group_child(link));
        group->cancelling = false;
    }
    tasks->cancelling = false;
}

/* The first failure: everything in the group's block fails with it. */
static void group_abort(eddy_group *group, int code)
{
    eddy_group_cancel(group);
    if (!group->joiner)
        ed_scope_fail(&group->scope, code);
}

/* Why it takes no more children. In the owner the error that aborted it, whose text is
 * there already, as every call in its block returns it. */
ED_COLD static int group_refuses(const eddy_group *group)
{
    if (group->scope.code && eddy_thread_.task == group->scope.task)
        return group->scope.code;
    return ed_raise(-ESHUTDOWN, "the group of %s is joined or aborted", group->scope.where);
}

static int
group_add(eddy_group *group, const eddy_call *call, size_t number, const eddy_task_options *options)
{
    eddy_task *owner = group->scope.task;
    eddy_task *child;

    if (ed_unlikely(!owner))
        ed_die("eddy_group_start: the group's block has ended");
    if (ed_unlikely(group->closed))
        return group_refuses(group);
    child = ed_task_new_call(owner->loop, call, options);
    if (ed_unlikely(!child))
        return -ENOMEM;
    child->is.owner = ED_OWNER_GROUP;
    child->group = group;
    child->out = call->out;
    child->number = number;
    ed_list_append(&group->children, &child->group_link);
    group->alive++;
    if (ed_unlikely(options != NULL))
        eddy_task_start_(child, options); /* and then it may be gone */
    return 0;
}

static int group_start(eddy_group *group, const eddy_call *call, const eddy_task_options *options)
{
    int rc = group_add(group, call, 0, options);

    if (ed_unlikely(rc == -ENOMEM) && group->failures == 0) {
        group->no_memory = true;
        group_abort(group, rc);
    }
    return rc;
}

int eddy_group_start(eddy_group *group, eddy_call call)
{
    return group_start(group, &call, NULL);
}

int eddy_group_start_eager(eddy_group *group, eddy_call call)
{
    return group_start(group, &call, &eddy_task_eager_);
}

void ed_group_child_done(eddy_group *group, eddy_task *child)
{
    struct group_join *join = group->joiner;
    bool failed = child->rc < 0 && (child->rc != -ECANCELED || group->gathering);

    ed_list_remove(&group->children, &child->group_link);
    group->alive--;
    if (ed_likely(child->rc >= 0) && child->out) {
        child->is.result_taken = true;
        memcpy(child->out, child->result, child->function->result_size);
    }
    child->is.error_read = true; /* by whoever joins the group */
    if (group->outcomes)
        group->outcomes[child->number] = child->rc;
    if (ed_unlikely(failed && !group->collecting)) {
        ed_list_append(&group->failed, &child->group_link);
        if (group->failures++ == 0 && !child->is.cancel_final) {
            if (!group->joiner)
                ed_error_copy(group->scope.task, child, child->rc);
            group_abort(group, child->rc);
        }
    } else {
        ed_task_free(child);
    }
    if (join && group->alive == 0) {
        group->joiner = NULL; /* it is joined: nobody may be added before the owner runs */
        group->closed = true;
        ed_wake(&join->wait, 0);
    }
}

void ed_group_give_text(const eddy_group *group, eddy_task *task)
{
    if (group->failed.first)
        ed_error_copy(task, group_child(group->failed.first), task->pending);
}

static bool group_join_abort(struct ed_wait *wait)
{
    eddy_group *group = ed_container_of(wait, struct group_join, wait)->group;

    group->cut = true;
    eddy_group_cancel(group);
    return false; /* the last child wakes it */
}

static eddy_task *group_join_holder(const struct ed_wait *wait)
{
    const eddy_group *group = ed_container_of(wait, const struct group_join, wait)->group;

    return group->children.first ? group_child(group->children.first) : NULL;
}

static const struct ed_wait_kind group_join_kind = {"group.join", group_join_abort,
                                                    group_join_holder};

/* Waits until no child is left. */
static void group_wait(eddy_group *group, bool shielded)
{
    struct group_join join = {.wait = ED_WAIT(&group_join_kind, group, NULL), .group = group};

    if (group->alive == 0)
        return;
    join.wait.shielded = shielded;
    group->joiner = &join;
    (void)ed_park(&join.wait); /* always 0 */
    group->joiner = NULL;
}

/* What a group that has no children left returns to its owner. */
static int group_outcome(eddy_group *group)
{
    eddy_task *self = group->scope.task;
    eddy_task *first = group->failed.first ? group_child(group->failed.first) : NULL;

    if (group->no_memory)
        return ed_raise(-ENOMEM, "a task of the group of %s could not be created",
                        group->scope.where);
    if (!first)
        return group->cut ? self->pending : 0;
    if (first->rc == -ECANCELED && group->cut && self->pending)
        return self->pending; /* cancelled from outside, not failed */
    ed_error_copy(self, first, first->rc);
    return first->rc;
}

int eddy_group_join(eddy_group *group)
{
    eddy_task *self = eddy_thread_.task;
    int rc;

    if (!self || self != group->scope.task)
        ed_die("eddy_group_join: the group of %s is joined by another task than its owner",
               group->scope.where);
    rc = group->failures || group->no_memory ? 0 : ed_checkpoint();
    group->cut = rc < 0;
    if (rc < 0)
        eddy_group_cancel(group);
    group_wait(group, rc < 0);
    group->closed = true;
    group->scope.code = 0; /* told by the return from here on */
    ed_task_refresh(self);
    return group_outcome(group);
}

void eddy_group_exit(eddy_group *group)
{
    struct eddy_link_ *link;

    group->closed = true;
    if (group->alive) {
        if (ed_unlikely(group->scope.task != eddy_thread_.task))
            ed_die("the group of %s ends outside its task", group->scope.where);
        eddy_group_cancel(group);
        group_wait(group, true);
    }
    ed_scope_exit(&group->scope);
    while ((link = ed_list_pop(&group->failed)))
        ed_task_free(group_child(link));
}

size_t eddy_group_error_count(const eddy_group *group)
{
    return group->failures;
}

int eddy_group_error(eddy_group *group, size_t index, const char **message)
{
    ED_LIST_FOR_EACH(link, &group->failed) {
        eddy_task *child = group_child(link);

        if (index-- > 0)
            continue;
        if (message)
            *message = ed_error_text(child, child->rc);
        return child->rc;
    }
    return -ENOENT;
}

/* Starts the calls in order; with -ENOMEM those that were started are left. */
static int gather_start(eddy_group *group, const eddy_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int rc = group_add(group, &calls[i], i, NULL);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int gather(int *outcomes, const eddy_call *calls, size_t count)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;

    EDDY_GROUP(group);
    group.gathering = true;
    group.collecting = outcomes != NULL;
    group.outcomes = outcomes;
    rc = gather_start(&group, calls, count);
    if (rc < 0)
        return rc;
    group_wait(&group, false);
    return group_outcome(&group);
}

int eddy_gather_calls(const eddy_call *calls, size_t count)
{
    return count ? gather(NULL, calls, count) : 0;
}

int eddy_gather_outcomes_calls(int *outcomes, const eddy_call *calls, size_t count)
{
    return count ? gather(outcomes, calls, count) : 0;
}
