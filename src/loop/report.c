/* SPDX-License-Identifier: MIT */
/* Where errors go that nobody waits for: the loop's exception handler. */
#include <stdarg.h>
#include <stdio.h>

#include "eddy/error.h"
#include "loop/loop.h"

static void report_print(const eddy_report *report)
{
    fflush(stdout);
    fprintf(stderr, "eddy: %s\n", report->message);
}

void eddy_loop_set_exception_handler(eddy_loop *loop, eddy_exception_handler *handler,
                                     void *argument)
{
    loop->handler = handler;
    loop->handler_argument = argument;
}

void eddy_loop_call_exception_handler(eddy_loop *loop, const eddy_report *report)
{
    loop->reporting++;
    if (loop->handler)
        loop->handler(loop, report, loop->handler_argument);
    else
        report_print(report);
    loop->reporting--;
}

void ed_loop_report(eddy_loop *loop, enum eddy_report_kind kind, int code, eddy_task *task,
                    const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    eddy_loop_call_exception_handler(
        loop, &(eddy_report){.kind = kind, .code = code, .message = message, .task = task});
}

void ed_loop_call(eddy_loop *loop, eddy_callback *callback, void *argument,
                  struct ed_locals *locals)
{
    int rc;

    eddy_thread_.locals = ed_locals_ref(locals);
    loop->callback = callback;
    rc = callback(argument);
    if (ed_unlikely(rc < 0))
        ed_loop_report(loop, EDDY_REPORT_CALLBACK_FAILED, rc, NULL, "a callback failed: %s (%s)",
                       eddy_error_message(rc), eddy_error_name(rc));
    ed_locals_unref(eddy_thread_.locals);
    eddy_thread_.locals = NULL;
}

struct ed_locals *ed_loop_take_locals(void)
{
    eddy_loop *loop = eddy_thread_.loop;

    return ed_locals_ref(eddy_thread_.task && loop->task_locals ? loop->task_locals()
                                                                : eddy_thread_.locals);
}
