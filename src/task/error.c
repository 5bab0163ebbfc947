/* SPDX-License-Identifier: MIT */
/*
 * The texts of errors. Each task has room for one, allocated when it is first
 * needed: the last that was raised in it or that it read from a failed task. A
 * library call that fails without a text forgets the text of an earlier error of
 * the same code, so that a text never explains another failure.
 *
 * Outside tasks there is one such place a thread: it keeps the text with which
 * the last eddy_run ended.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/memory.h"
#include "task/task.h"

static __thread struct ed_error error_outside;

/* Where the running code keeps its error; NULL when memory is short. */
static struct ed_error *error_here(void)
{
    eddy_task *self = eddy_thread_.task;

    if (!self)
        return &error_outside;
    if (!self->error) {
        self->error = ed_alloc(sizeof *self->error);
        if (self->error)
            self->error->code = 0;
    }
    return self->error;
}

static void error_set(int code, const char *where, const char *format, va_list arguments)
{
    struct ed_error *error = error_here();
    char text[sizeof error->text];

    if (!error)
        return;
    /* the old text may be among the arguments */
    vsnprintf(text, sizeof text, format, arguments);
    memcpy(error->text, text, strlen(text) + 1);
    error->code = code;
    error->where = where;
}

int eddy_raise_at(const char *where, int code, const char *format, ...)
{
    va_list arguments;

    if (code >= 0)
        ed_die("eddy_raise at %s: the code %d is not negative", where, code);
    va_start(arguments, format);
    error_set(code, where, format, arguments);
    va_end(arguments);
    return code;
}

int ed_raise(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error_set(code, NULL, format, arguments);
    va_end(arguments);
    return code;
}

void ed_error_forget(eddy_task *task, int code)
{
    struct ed_error *error = task ? task->error : &error_outside;

    if (error && error->code == code)
        error->code = 0;
}

int ed_fail(int code)
{
    ed_error_forget(eddy_thread_.task, code);
    return code;
}

struct ed_error *eddy_error_set_aside_(void)
{
    eddy_task *self = eddy_thread_.task;
    struct ed_error *error = self ? self->error : NULL;

    if (self)
        self->error = NULL;
    return error;
}

void eddy_error_put_back_(struct ed_error *error)
{
    eddy_task *self = eddy_thread_.task;

    if (!self)
        return;
    ed_free(self->error);
    self->error = error;
}

/* Copies a place; the text only as far as it goes. */
static void error_copy_place(struct ed_error *to, const struct ed_error *from)
{
    to->code = from->code;
    to->where = from->where;
    if (from->code)
        memcpy(to->text, from->text, strlen(from->text) + 1);
}

void ed_error_save(struct ed_error *copy, int keep)
{
    eddy_task *self = eddy_thread_.task;
    struct ed_error *error = self ? self->error : &error_outside;

    copy->code = 0;
    if (!error)
        return;
    error_copy_place(copy, error);
    if (error->code != keep)
        error->code = 0;
}

void ed_error_restore(const struct ed_error *copy)
{
    eddy_task *self = eddy_thread_.task;
    struct ed_error *error = self ? self->error : &error_outside;

    if (error)
        error_copy_place(error, copy);
}

void ed_error_start(void)
{
    error_outside.code = 0;
}

struct ed_error *ed_error_take(int code)
{
    struct ed_error *error;

    if (error_outside.code != code)
        return NULL;
    error = ed_alloc(sizeof *error);
    if (error)
        *error = error_outside;
    error_outside.code = 0;
    return error;
}

void ed_error_give(eddy_task *task, struct ed_error *error, int code)
{
    if (!error) {
        ed_error_forget(task, code);
        return;
    }
    ed_free(task->error);
    task->error = error;
}

void ed_error_write(eddy_task *task, int code, const char *text)
{
    if (!task->error)
        task->error = ed_alloc(sizeof *task->error);
    if (!task->error)
        return;
    task->error->code = code;
    task->error->where = NULL;
    snprintf(task->error->text, sizeof task->error->text, "%s", text);
}

void ed_error_copy(eddy_task *to, const eddy_task *from, int code)
{
    if (!from->error || from->error->code != code) {
        ed_error_forget(to, code);
        return;
    }
    if (!to->error)
        to->error = ed_alloc(sizeof *to->error);
    if (to->error)
        *to->error = *from->error;
}

void ed_error_keep(const eddy_task *task, int code)
{
    error_outside.code = 0;
    if (task->error && task->error->code == code)
        error_outside = *task->error;
}

const char *ed_error_text(const eddy_task *task, int code)
{
    const struct ed_error *error = task ? task->error : &error_outside;

    return error && error->code == code && code ? error->text : eddy_strerror(code);
}

const char *eddy_error_message(int code)
{
    return ed_error_text(eddy_thread_.task, code);
}

const char *eddy_error_origin(int code)
{
    const struct ed_error *error = eddy_thread_.task ? eddy_thread_.task->error : &error_outside;

    return error && error->code == code && code ? error->where : NULL;
}
