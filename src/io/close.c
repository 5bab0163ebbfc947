/* SPDX-License-Identifier: MIT */
/*
 * The end of a stream.
 *
 * A close first gets everybody else out, then flushes, and then ends the connection and frees
 * the stream, shielded; what cuts it short before that makes it an abort, or a hurried close for
 * kinds that can give away at once what is left. Nobody enters once
 * `shut` is set, and who is inside is counted from the first moment of its call; so behind
 * inside == 0 the stream is the close's alone.
 *
 * Another close meanwhile waits in `closers` for the first and returns what that returns; it
 * does not touch the stream behind its wait.
 */
#include <errno.h>

#include "io/stream.h"
#include "task/scope.h"

/* Ends all calls that are inside, as a cancel would. */
static void stream_get_out(eddy_stream *stream, int code)
{
    ED_LIST_FOR_EACH(link, &stream->calls) {
        struct ed_stream_call *call = ed_container_of(link, struct ed_stream_call, link);

        if (!call->scope.code)
            ed_scope_fail(&call->scope, code);
    }
}

void ed_stream_break(eddy_stream *stream)
{
    if (stream->aborted)
        return;
    stream->aborted = true;
    if (!stream->shut)
        stream->shut = -ECONNABORTED;
    stream->kind->abort(stream, -ECONNABORTED);
    stream_get_out(stream, -ECONNABORTED);
}

void eddy_stream_abort(eddy_stream *stream)
{
    if (ed_unlikely(stream->loop != eddy_thread_.loop))
        ed_stream_stray(stream);
    ed_stream_break(stream);
}

static const struct ed_wait_kind close_wait_kind = {"stream.close", NULL, NULL};

/* Waits until nobody is inside any more. Returns what the task is pending with then. */
static int close_wait(eddy_stream *stream)
{
    eddy_task *self = eddy_thread_.task;

    while (stream->inside > 0) {
        struct ed_wait wait = ED_WAIT(&close_wait_kind, stream, &stream->leavers);

        if (self->pending && !stream->kind->positioned)
            ed_stream_break(stream);
        wait.shielded = self->pending != 0;
        (void)ed_park(&wait); /* cut short: breaks the stream, and waits again */
    }
    return self->pending;
}

/* Says goodbye, when all has gone. */
static int close_goodbye(eddy_stream *stream)
{
    struct ed_error *text;
    bool own_text;
    int rc;

    if (!stream->kind->goodbye || stream->read_error || stream->cut)
        return 0;
    text = ed_stream_kind_begin();
    rc = stream->kind->goodbye(stream);
    if (ed_stream_kind_end(text, rc, &own_text) && !own_text)
        ed_stream_raise(stream, rc, "close: %s", eddy_strerror(rc));
    return rc;
}

/* Lets all go that was written; an abort or a cancel cuts it short. */
static int close_flush(eddy_stream *stream)
{
    struct ed_stream_call call;
    int rc;

    if (stream->aborted)
        return ed_stream_raise(stream, -ECONNABORTED, "the stream was aborted");
    if (stream->write_error)
        return ed_stream_raise(stream, stream->write_error, "close: broken before: %s",
                               eddy_strerror(stream->write_error));
    ed_stream_call_begin(stream, &call);
    rc = ed_stream_flush_to(stream, 0);
    if (rc == 0)
        rc = close_goodbye(stream);
    ed_stream_call_end(stream, &call);
    return rc;
}

/* Ends the connection; 0, or the error of that with its text. */
static int close_kind(eddy_stream *stream)
{
    struct ed_error *text = ed_stream_kind_begin();
    bool own_text;
    int rc = stream->kind->close(stream);

    if (ed_stream_kind_end(text, rc, &own_text) && !own_text)
        ed_stream_raise(stream, rc, "close: %s", eddy_strerror(rc));
    return rc;
}

/* The last part, which nothing cuts short; `rc` is what went wrong before. */
static int close_end(eddy_stream *stream, int rc)
{
    struct ed_error *text = rc < 0 ? ed_error_set_aside() : NULL;
    struct eddy_scope_ shield;
    struct eddy_link_ *link;
    int end;

    ed_scope_enter(&shield, ED_SCOPE_SHIELD, "eddy_stream_close");
    end = close_kind(stream);
    if (rc == 0) {
        rc = end;
        text = ed_error_set_aside();
    }
    ED_ASSERT(stream->inside == 0 && !stream->calls.first && !stream->writers.first);
    ed_buffer_release(&stream->in);
    ed_buffer_release(&stream->behind);
    while ((link = ed_list_pop(&stream->closers)))
        ed_wake(ed_container_of(link, struct ed_wait, link), rc);
    stream->kind->free(stream);
    ed_scope_exit(&shield);
    ed_error_put_back(text);
    return rc;
}

/* The task must not wait. What has been written may go all the same, if the kind can give it
 * away at once; else it is lost. 0 when all has gone, else `rc`, or what went wrong in a file. */
static int close_hurried(eddy_stream *stream, int rc)
{
    bool positioned = stream->kind->positioned;
    int end;

    stream->hurried = true;
    end = close_end(stream, 0);
    return end == 0 ? 0 : positioned ? end : ed_fail(rc);
}

/* Whether a close has nobody to get out, and nothing to say. */
static bool close_is_quiet(const eddy_stream *stream)
{
    return stream->inside == 0 && !stream->aborted && !stream->owner && !stream->write_error &&
           !stream->read_error;
}

static int close_first(eddy_stream *stream)
{
    int rc;

    if (stream->kind->close_nowait && close_is_quiet(stream)) {
        rc = stream->kind->close_nowait(stream);
        if (rc != -EAGAIN)
            return rc;
    }
    stream->closing = true;
    if (stream->owner)
        *stream->owner = NULL;
    stream->owner = NULL;
    if (!stream->shut)
        stream->shut = -ESHUTDOWN;
    stream_get_out(stream, -ESHUTDOWN);
    rc = close_wait(stream);
    if (rc == 0)
        rc = close_flush(stream);
    if (rc < 0 && rc == eddy_thread_.task->pending && stream->kind->hurries && !stream->aborted)
        return close_hurried(stream, rc);
    if (rc < 0)
        ed_stream_break(stream);
    return close_end(stream, rc);
}

/* A close whose task is cancelled wants an end, also of the first close. */
static bool close_follow_abort(struct ed_wait *wait)
{
    eddy_stream *stream = (eddy_stream *)(uintptr_t)wait->object;

    if (!stream->kind->positioned)
        ed_stream_break(stream);
    return false; /* the first wakes it */
}

static const struct ed_wait_kind close_follow_kind = {"stream.close", close_follow_abort, NULL};

static int close_follow(eddy_stream *stream)
{
    struct ed_wait wait = ED_WAIT(&close_follow_kind, stream, &stream->closers);

    if (wait.task->pending && !stream->kind->positioned)
        ed_stream_break(stream);
    wait.shielded = wait.task->pending != 0;
    return ed_park(&wait);
}

int eddy_stream_close(eddy_stream **handle)
{
    eddy_stream *stream = *handle;

    if (!stream)
        return 0;
    if (!eddy_thread_.task)
        return ed_raise(-EPERM, "eddy_stream_close is called outside a task: it may wait");
    if (ed_unlikely(stream->loop != eddy_thread_.loop))
        ed_stream_stray(stream);
    if (stream->standard)
        return ed_stream_raise(stream, -EPERM, "close: it is the loop's, which closes it");
    *handle = NULL;
    return stream->closing ? close_follow(stream) : close_first(stream);
}

/* Nobody asks how the close went: who wants to know closes by hand. But that what was written to a
 * file has not gone there must not pass in silence. */
void eddy_stream_end_scope_(eddy_stream **stream)
{
    struct ed_error *error = ed_error_set_aside(); /* the clean-up's do not hide the block's */
    bool tells = *stream && (*stream)->kind->positioned && !(*stream)->aborted;
    int rc = eddy_stream_close(stream);

    if (rc < 0 && tells && eddy_thread_.task)
        ed_loop_report(eddy_thread_.loop, EDDY_REPORT_ERROR_NOT_READ, rc, eddy_thread_.task,
                       "a stream failed when it was closed at the end of its block: %s (%s)",
                       eddy_error_message(rc), eddy_error_name(rc));
    ed_error_put_back(error);
}
