/* SPDX-License-Identifier: MIT */
/*
 * Task-local values: asyncio's context variables. A task starts with a copy of
 * its creator's values; neither sees what the other sets afterwards. A plain
 * call shares its caller's. Callbacks run with the values of whoever scheduled
 * them; jobs of eddy_to_thread may read their caller's.
 *
 *     static eddy_local request = EDDY_LOCAL_INIT("request", NULL);
 *     EDDY_TRY(eddy_local_set(&request, r, NULL));
 *     struct request *r = eddy_local_get(&request);
 */
#ifndef EDDY_LOCAL_H
#define EDDY_LOCAL_H

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* A variable: its address is its identity, so it must outlive its values. */
typedef struct eddy_local {
    const char *name;
    void *initial; /* where it was never set */
} eddy_local;
/* clang-format off */
#define EDDY_LOCAL_INIT(name, initial) {(name), (initial)}
/* clang-format on */

/* What a variable was before a set; for one eddy_local_reset. */
typedef struct eddy_local_token {
    const eddy_local *local;
    void *value;
    eddy_task *task;
    bool was_set, used;
} eddy_local_token;

/* The value in the running task or callback, or the initial one. */
EDDY_API void *eddy_local_get(const eddy_local *local);
/* Whether it was set in the running task or its ancestors. */
EDDY_API bool eddy_local_is_set(const eddy_local *local);

/*
 * Sets the value, a pointer that Eddy only keeps, for the running task, callback or
 * thread job. `token`, unless NULL, then tells eddy_local_reset what was. Returns
 * 0, -ENOMEM, or -EPERM outside a loop.
 */
EDDY_NODISCARD EDDY_API int
eddy_local_set(const eddy_local *local, const void *value, eddy_local_token *token);

/* Restores what was before the set that gave the token. Returns 0, -EALREADY
 * for a token used before, -EINVAL for another variable's or task's, -ENOMEM. */
EDDY_API int eddy_local_reset(const eddy_local *local, eddy_local_token *token);

EDDY_END_DECLS
#endif
