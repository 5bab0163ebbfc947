/* SPDX-License-Identifier: MIT */
/* Task-local values: the sets of base/locals.h, as tasks and callbacks see them. */
#include "eddy/local.h"

#include <errno.h>

#include "task/task.h"

/* Where the running code keeps its set. */
static struct ed_locals **local_place(void)
{
    eddy_task *self = eddy_thread_.task;

    return self ? &self->locals : (struct ed_locals **)&eddy_thread_.locals;
}

void *eddy_local_get(const eddy_local *local)
{
    void *value;

    return ed_locals_get(*local_place(), local, &value) ? value : local->initial;
}

bool eddy_local_is_set(const eddy_local *local)
{
    void *value;

    return ed_locals_get(*local_place(), local, &value);
}

int eddy_local_set(const eddy_local *local, const void *value, eddy_local_token *token)
{
    eddy_local_token before = {.local = local, .task = eddy_thread_.task};
    int rc;

    if (!eddy_thread_.task && !eddy_thread_.loop && !eddy_thread_.locals)
        return ed_raise(-EPERM, "\"%s\" is set outside a loop", local->name);
    before.was_set = ed_locals_get(*local_place(), local, &before.value);
    rc = ed_locals_set(local_place(), local, (void *)(uintptr_t)value);
    if (rc == 0 && token)
        *token = before;
    return rc < 0 ? ed_fail(rc) : 0;
}

int eddy_local_reset(const eddy_local *local, eddy_local_token *token)
{
    int rc;

    if (token->used)
        return ed_raise(-EALREADY, "the token of \"%s\" was used before", local->name);
    if (token->local != local)
        return ed_raise(-EINVAL, "the token is not of \"%s\"", local->name);
    if (token->task != eddy_thread_.task)
        return ed_raise(-EINVAL, "the token of \"%s\" is another task's", local->name);
    rc = token->was_set ? ed_locals_set(local_place(), local, token->value)
                        : ed_locals_unset(local_place(), local);
    if (rc == 0)
        token->used = true;
    return rc < 0 ? ed_fail(rc) : 0;
}
