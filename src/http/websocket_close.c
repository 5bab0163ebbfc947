/* SPDX-License-Identifier: MIT */
/*
 * The end of a WebSocket: a close frame each way, and then the connection (RFC 6455, 7).
 *
 * One deadline counts for all of it, from the moment on when our part was queued. A close gets the
 * receiver out and reads itself from there: frames are only skipped, so that it also finds the
 * peer's part behind something that broke a rule; our half is ended there, so that the peer sees
 * the code and not a reset. A client waits for the server to end the connection.
 *
 * Then everybody is got out, and the memory goes last.
 */
#include <errno.h>
#include <string.h>

#include "eddy/task.h"
#include "http/websocket.h"
#include "task/task.h"

#define CLOSE_LINGER 1.0 /* seconds at most to wait for what only makes the end tidy */

/* Our part ---------------------------------------------------------------------------- */

/* The longest part of a text that fits and ends between characters. */
static size_t close_cut(const char *text, size_t size, size_t most)
{
    if (size <= most)
        return size;
    while (most > 0 && ((unsigned char)text[most] & 0xc0u) == 0x80u)
        most--;
    return most;
}

void ed_websocket_queue_close(eddy_websocket *socket, int code, const char *reason)
{
    char content[ED_FRAME_CONTENT];
    size_t size = reason ? strlen(reason) : 0;

    if (socket->close_queued)
        return;
    socket->close_queued = true;
    socket->close_at = eddy_time() + socket->close_time;
    size = close_cut(reason, size, sizeof content - 2);
    content[0] = (char)(code >> 8);
    content[1] = (char)code;
    if (size > 0)
        memcpy(content + 2, reason, size);
    ed_websocket_control(socket, ED_OPCODE_CLOSE, content, code == 1005 ? 0 : size + 2);
    if (socket->wait)
        (void)eddy_timeout_reschedule(socket->wait, socket->close_at); /* -EINVAL: it has fired */
    ed_websocket_end_pieces(socket);
}

int eddy_websocket_begin_close(eddy_websocket *socket, int code, const char *reason)
{
    struct ed_utf8 utf8 = {0};
    size_t size = reason ? strlen(reason) : 0;

    if (!ed_close_code_is_valid(code))
        return ed_websocket_raise(socket, -EINVAL, "a close has no code %d", code);
    if (size > ED_FRAME_CONTENT - 2)
        return ed_websocket_raise(socket, -EINVAL, "a reason of %zu bytes, at most %d", size,
                                  ED_FRAME_CONTENT - 2);
    if (size > 0 && !(ed_utf8_check(&utf8, reason, size) && ed_utf8_may_end(&utf8)))
        return ed_websocket_raise(socket, -EINVAL, "a reason is not UTF-8");
    if (!socket->closing)
        ed_websocket_queue_close(socket, code, reason);
    return 0;
}

/* The peer's part ----------------------------------------------------------------------- */

int ed_websocket_take_close(eddy_websocket *socket, const char *content, size_t size,
                            const char **why)
{
    struct ed_utf8 utf8 = {0};
    int code = 1005;

    if (size == 1) {
        *why = "a close has half a code";
        return 1002;
    }
    if (size >= 2)
        code = (unsigned char)content[0] << 8 | (unsigned char)content[1];
    if (size >= 2 && !ed_close_code_is_valid(code)) {
        *why = "a close has a code that must not be sent";
        return 1002;
    }
    size -= size >= 2 ? 2 : 0;
    if (size > 0 && !(ed_utf8_check(&utf8, content + 2, size) && ed_utf8_may_end(&utf8))) {
        *why = "the reason of a close is not UTF-8";
        return 1007;
    }
    socket->close_received = true;
    socket->close_code = code;
    if (size > 0)
        memcpy(socket->close_reason, content + 2, size);
    socket->close_reason[size] = '\0';
    return 0;
}

/* Skips what is there, frame by frame. 1 at the peer's close; 0: more bytes are needed. */
static int close_skip(eddy_websocket *socket)
{
    static const struct ed_frame_rules rules = {.any = true};
    const char *why;

    for (;;) {
        size_t have = socket->in_end - socket->in_start;
        char *begin = socket->in + socket->in_start;
        int size;

        if (socket->in_frame) {
            have = have < socket->left ? have : (size_t)socket->left;
            socket->in_start += have;
            socket->left -= have;
            if (socket->left > 0)
                return 0;
            socket->in_frame = false;
            continue;
        }
        size = ed_frame_parse(begin, have, &rules, &socket->frame, &why);
        if (size <= 0)
            return 0;
        if ((socket->frame.first & ED_FRAME_OPCODE) != ED_OPCODE_CLOSE ||
            socket->frame.size > ED_FRAME_CONTENT) {
            socket->in_frame = true;
            socket->left = socket->frame.size;
            socket->in_start += (size_t)size;
            continue;
        }
        if (have < (size_t)size + socket->frame.size)
            return 0;
        socket->in_start += (size_t)size + (size_t)socket->frame.size;
        if (socket->frame.masked)
            ed_frame_mask(begin + size, begin + size, (size_t)socket->frame.size,
                          socket->frame.mask, 0);
        (void)ed_websocket_take_close(socket, begin + size, (size_t)socket->frame.size, &why);
        return 1;
    }
}

/* Reads up to the peer's close. 0, or an error. */
static int close_await_peer(eddy_websocket *socket)
{
    ssize_t n;

    while (close_skip(socket) == 0) {
        ed_websocket_compact(socket);
        n = eddy_read(socket->stream, socket->in + socket->in_end,
                      ED_WEBSOCKET_IN - socket->in_end);
        if (n <= 0)
            return n < 0 ? (int)n : EDDY_EINCOMPLETE;
        socket->in_end += (size_t)n;
    }
    return 0;
}

/* Reads up to the end of the connection, however it comes, and not for long. */
static void close_await_end(eddy_websocket *socket)
{
    EDDY_TIMEOUT(limit, CLOSE_LINGER);

    while (eddy_read(socket->stream, socket->in, ED_WEBSOCKET_IN) > 0)
        continue;
}

/* Closing --------------------------------------------------------------------------------- */

/* Waits until nobody receives any more: 0, or what cut it short. */
static int close_await_receiver(eddy_websocket *socket)
{
    int rc = 0;

    while (rc == 0 && socket->receiving) {
        if (socket->wait)
            (void)eddy_timeout_reschedule(socket->wait, 0); /* -EINVAL: it has fired */
        eddy_event_clear(&socket->leaving);
        rc = eddy_event_wait(&socket->leaving);
    }
    return rc;
}

/* Has our part go, where it could not yet. */
static int close_await_push(eddy_websocket *socket)
{
    int rc = 0;

    if (ed_websocket_is_late(socket))
        rc = eddy_lock_acquire(&socket->turn);
    else
        return 0;
    if (rc < 0)
        return rc;
    rc = eddy_drain(socket->stream);
    (void)eddy_lock_release(&socket->turn); /* it is held; who has it next pushes too */
    ed_websocket_push(socket);
    return rc;
}

/* Behind a rule that was broken the peer need not answer; but it must have time to read why. */
static int close_behind_failure(eddy_websocket *socket)
{
    EDDY_TIMEOUT(limit, CLOSE_LINGER);
    int rc;

    (void)eddy_write_eof(socket->stream); /* not all kinds can */
    rc = close_await_peer(socket);
    return rc == -ETIMEDOUT ? EDDY_EINCOMPLETE : rc;
}

/* Both parts. 0 when all went in order. */
static int close_shake_hands(eddy_websocket *socket)
{
    int rc = close_await_receiver(socket);

    if (rc == 0)
        rc = close_await_push(socket);
    ed_websocket_put_back(socket); /* of a close, maybe */
    if (rc == 0 && !socket->close_received)
        rc = socket->failed ? close_behind_failure(socket) : close_await_peer(socket);
    if (rc == 0 && socket->client)
        close_await_end(socket);
    return rc;
}

/* Gets everybody out; who sends still, when something went wrong, by breaking the connection. */
static void close_get_out(eddy_websocket *socket, bool broken)
{
    EDDY_SHIELD(leaving);

    while (socket->inside > 0) {
        if (broken && socket->inside > socket->receiving)
            eddy_stream_abort(socket->stream);
        if (socket->wait)
            (void)eddy_timeout_reschedule(socket->wait, 0); /* -EINVAL: it has fired */
        eddy_event_clear(&socket->leaving);
        (void)eddy_event_wait(&socket->leaving); /* shielded */
    }
}

/* Waits until the other closes have left. */
static void close_await_followers(eddy_websocket *socket)
{
    EDDY_SHIELD(leaving);

    eddy_event_set(&socket->closed);
    while (socket->followers > 0) {
        eddy_event_clear(&socket->leaving);
        (void)eddy_event_wait(&socket->leaving); /* shielded */
    }
}

/* The end of our part in a connection that is another's. */
static int close_give_back(eddy_websocket *socket, int rc)
{
    int end = rc == -ECANCELED ? rc : eddy_flush(socket->stream);

    if (end == -ETIMEDOUT)
        eddy_stream_abort(socket->stream); /* its owner shall not wait for the peer */
    if (end == 0)
        (void)eddy_write_eof(socket->stream); /* not all kinds can */
    return rc < 0 ? rc : end;
}

/* What of all that has failed is the peer's doing, or 0. */
static int close_blame(const eddy_websocket *socket, int rc)
{
    if (socket->failed)
        return socket->failed == -ENOMEM ? 0 : socket->failed;
    return rc < 0 && rc != -ECANCELED ? EDDY_EINCOMPLETE : 0;
}

/* The end of the connection. */
static int close_stream(eddy_websocket *socket, int rc)
{
    int end;

    if (socket->borrowed) {
        end = close_give_back(socket, rc);
        socket->stream = NULL;
    } else {
        end = eddy_stream_close(&socket->stream);
    }
    if (socket->release) {
        EDDY_SHIELD(releasing);

        socket->release(socket->owner, close_blame(socket, rc < 0 ? rc : end));
    }
    return rc < 0 ? rc : end;
}

static int close_all(eddy_websocket *socket)
{
    EDDY_TIMEOUT_AT(limit, socket->close_at);
    int rc = close_shake_hands(socket);

    close_get_out(socket, rc < 0);
    return close_stream(socket, rc);
}

/* A close that another task has begun: waits for that. The first waits for this one to leave. */
static int close_follow(eddy_websocket *socket)
{
    int rc;

    socket->followers++;
    rc = eddy_event_wait(&socket->closed);
    if (rc < 0 && socket->stream)
        eddy_stream_abort(socket->stream); /* this one does not wait: the first shall not either */
    rc = rc < 0 ? EDDY_EINCOMPLETE : socket->close_rc;
    socket->followers--;
    eddy_event_set(&socket->leaving);
    return rc;
}

static int websocket_close(eddy_websocket **handle)
{
    eddy_websocket *socket = *handle;
    int rc;

    if (!socket)
        return 0;
    *handle = NULL;
    if (socket->closing)
        return close_follow(socket);
    ed_websocket_queue_close(socket, 1000, NULL);
    socket->closing = true;
    if (socket->over)
        socket->close_at = eddy_time() + socket->close_time; /* what was before does not count */
    rc = close_all(socket) < 0 ? EDDY_EINCOMPLETE : 0;
    socket->close_rc = rc;
    close_await_followers(socket);
    ed_websocket_free(socket);
    return rc;
}

int eddy_websocket_close(eddy_websocket **handle)
{
    int rc;

    if (!eddy_current_task())
        return eddy_raise(-EPERM, "eddy_websocket_close is called outside a task: it may wait");
    rc = websocket_close(handle);
    return rc < 0 ? eddy_raise(rc, "websocket: the peer has not closed in order") : rc;
}

void eddy_websocket_end_scope_(eddy_websocket **handle)
{
    struct ed_error *error = ed_error_set_aside(); /* the clean-up's do not hide the block's */

    (void)websocket_close(handle); /* who wants to know closes by hand */
    ed_error_put_back(error);
}
