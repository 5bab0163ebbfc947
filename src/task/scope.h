/* SPDX-License-Identifier: MIT */
/*
 * The scopes of a task: a stack of what holds until the end of a block. Each may
 * have a code that every suspending call inside it returns; see task_pending in
 * park.c for which of them counts.
 */
#ifndef ED_TASK_SCOPE_H
#define ED_TASK_SCOPE_H

#include "base/compat.h"
#include "eddy/scope.h"

enum ed_scope_kind {
    ED_SCOPE_TIMEOUT,
    ED_SCOPE_SHIELD,
    ED_SCOPE_GROUP,
    ED_SCOPE_CALL,
    ED_SCOPE_STOP,
    ED_SCOPE_ENDING, /* the orderly end of something, which no stop around it hurries */
};

/* Opens a scope in the running task; outside a task it has no effect. */
void ed_scope_enter(struct eddy_scope_ *scope, enum ed_scope_kind kind, const char *where);

/* Closes the innermost scope; another one aborts. */
void ed_scope_exit(struct eddy_scope_ *scope);

/* Makes all suspending calls inside the scope return `code`. */
void ed_scope_fail(struct eddy_scope_ *scope, int code);

/* Gives a task whose calls are refused the text for that, if the scope that counts has one, and
 * the text came while others were set aside. */
void ed_scope_give_text(eddy_task *task);

#endif
