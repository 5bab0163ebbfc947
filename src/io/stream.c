/* SPDX-License-Identifier: MIT */
/*
 * What all calls of a stream share, its limits, and what it says about itself.
 *
 * Errors of the kind's are told apart by whom they belong to. One that the running task is
 * pending with, such as a cancel, a timeout or the end that a close puts to the call, is the
 * task's, and the stream goes on as if it had not been; so is a lack of memory. All others
 * are the stream's, and stay. Reading and writing break apart from each other, because what
 * the peer had sent can often still be read when nothing can be written any more; but a
 * reader's error ends writing too.
 *
 * While a function of the kind's runs, the task's text is set aside, so that afterwards a
 * text is known to be the kind's.
 */
#include "io/stream.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "task/scope.h"

int eddy_stream_init(eddy_stream *stream, const eddy_stream_class *kind)
{
    eddy_loop *loop = eddy_thread_.loop;

    if (!loop)
        return ed_raise(-EPERM, "a stream is opened outside a running loop");
    if (!ed_tasks_of(loop)) /* with them its spare blocks are freed */
        return ed_fail(-ENOMEM);
    stream->kind = kind;
    stream->loop = loop;
    stream->limit = stream->high = ED_STREAM_LIMIT;
    stream->low = ED_STREAM_LIMIT / 4;
    return 0;
}

int ed_stream_raise(const eddy_stream *stream, int rc, const char *format, ...)
{
    const char *peer = eddy_stream_peer_name(stream);
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ed_raise(rc, "%s%s%s: %s", stream->kind->name, *peer ? " " : "", peer, text);
}

int ed_stream_shut(const eddy_stream *stream)
{
    return ed_stream_raise(stream, stream->shut, "the stream was %s",
                           stream->shut == -ESHUTDOWN ? "closed meanwhile" : "aborted");
}

void ed_stream_stray(const eddy_stream *stream)
{
    if (eddy_thread_.loop)
        ed_die("a %s stream is used in another loop than its own: a stream belongs to its loop "
               "and thread",
               stream->kind->name);
    ed_loop_check_thread(stream->loop, "a function of a stream");
}

void ed_stream_last_left(eddy_stream *stream)
{
    struct ed_wait *wait = ed_container_of(ed_list_pop(&stream->leavers), struct ed_wait, link);

    ed_wake(wait, 0);
}

void ed_stream_call_begin(eddy_stream *stream, struct ed_stream_call *call)
{
    ed_scope_enter(&call->scope, ED_SCOPE_CALL, stream->kind->name);
    ed_list_append(&stream->calls, &call->link);
}

void ed_stream_call_end(eddy_stream *stream, struct ed_stream_call *call)
{
    ed_list_remove(&stream->calls, &call->link);
    ed_scope_exit(&call->scope);
}

struct ed_error *ed_stream_kind_begin(void)
{
    return ed_error_set_aside();
}

/* Whether an error is the running task's, and not the stream's. */
static bool stream_error_is_tasks(ssize_t rc)
{
    int pending = eddy_thread_.task ? eddy_thread_.task->pending : 0;

    switch (rc) {
    case -ECANCELED:
    case -ENOMEM:
    case -EBUSY:
    case -EAGAIN: return true;
    case -ETIMEDOUT: /* of the kernel's it breaks a connection */
    case -ESHUTDOWN: return pending != 0;
    default: return rc == pending;
    }
}

bool ed_stream_kind_end(struct ed_error *text, ssize_t rc, bool *own_text)
{
    eddy_task *self = eddy_thread_.task;

    *own_text = false;
    if (ed_likely(rc >= 0) || !self) {
        ed_error_put_back(text);
        return rc < 0 && !stream_error_is_tasks(rc);
    }
    if (self->error && self->error->code == rc) {
        ed_free(text);
        *own_text = true;
    } else {
        ed_error_put_back(text);
        ed_error_forget(self, (int)rc);
    }
    return !stream_error_is_tasks(rc);
}

/* Limits ----------------------------------------------------------------------- */

int eddy_stream_set_limit(eddy_stream *stream, size_t limit)
{
    if (limit < 1)
        return ed_stream_raise(stream, -EINVAL, "a limit of 0 bytes");
    stream->limit = limit < SIZE_MAX / 8 ? limit : SIZE_MAX / 8;
    ed_stream_resume(stream);
    return 0;
}

int eddy_stream_set_write_limits(eddy_stream *stream, size_t high, size_t low)
{
    if (high == SIZE_MAX)
        high = low == SIZE_MAX ? ED_STREAM_LIMIT : low < SIZE_MAX / 4 ? 4 * low : SIZE_MAX - 1;
    if (low == SIZE_MAX)
        low = high / 4;
    if (low > high)
        return ed_stream_raise(stream, -EINVAL,
                               "the limit from which writers wait, %zu bytes, is below the one "
                               "until which they do, %zu",
                               high, low);
    stream->high = high;
    stream->low = low;
    return 0;
}

size_t eddy_stream_room(const eddy_stream *stream)
{
    size_t kept = ed_buffer_size(&stream->in) + ed_buffer_size(&stream->behind);

    return kept < 2 * stream->limit ? 2 * stream->limit - kept : 0;
}

/* What a stream says about itself ------------------------------------------------ */

bool eddy_stream_is_closing(const eddy_stream *stream)
{
    return stream->closing || stream->aborted;
}

size_t eddy_stream_partial(const eddy_stream *stream)
{
    return stream->partial;
}

eddy_stream_counters eddy_stream_get_counters(const eddy_stream *stream)
{
    size_t pending = ed_stream_pending(stream);
    uint64_t taken = stream->taken + (stream->under_way ? *stream->under_way : 0);

    return (eddy_stream_counters){
        .received = stream->received,
        .sent = taken > pending ? taken - pending : 0, /* a kind adds framing */
        .to_read = ed_buffer_size(&stream->in) + ed_buffer_size(&stream->behind),
        .to_send = pending,
    };
}

const char *eddy_stream_kind(const eddy_stream *stream)
{
    return stream->kind->name;
}

const char *eddy_stream_peer_name(const eddy_stream *stream)
{
    return stream->kind->peer_name ? stream->kind->peer_name(stream) : "";
}

const char *eddy_stream_local_name(const eddy_stream *stream)
{
    return stream->kind->local_name ? stream->kind->local_name(stream) : "";
}

int eddy_stream_fd(const eddy_stream *stream)
{
    return stream->kind->fd ? stream->kind->fd(stream) : -1;
}

bool eddy_stream_is_quiet_(const eddy_stream *stream)
{
    if (stream->shut || stream->ended || stream->read_error || stream->write_error)
        return false;
    if (ed_buffer_size(&stream->in) + ed_buffer_size(&stream->behind) > 0)
        return false;
    return !stream->kind->quiet || stream->kind->quiet(stream);
}

void *eddy_alloc_(size_t size)
{
    return ed_alloc_zero(size);
}

void *eddy_realloc_(void *memory, size_t size)
{
    return ed_realloc(memory, size);
}

char *eddy_strdup_(const char *text)
{
    return ed_strdup(text);
}

void eddy_free(void *memory)
{
    ed_free(memory);
}
