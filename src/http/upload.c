/* SPDX-License-Identifier: MIT */
/*
 * The sending of a body beside the reading of the answer, in a task of its own: for bodies that are
 * large, come from a stream, or wait for "100 Continue". A server may so answer before it has all.
 *
 *     the task belongs to the response, and ends before its connection is given back
 *
 * An error of the body's source breaks the connection, so that whoever waits for the answer wakes
 * up and finds it here. One of the connection does not: what the server has said before it closed
 * can still be read.
 */
#include <errno.h>

#include "http/client.h"

#define UPLOAD_PATIENCE 1.0 /* seconds for "100 Continue"; a server may not know it */

/* Waits until the server wants the body: 0, or what cut it short. */
static int upload_wait(struct ed_upload *upload)
{
    EDDY_TIMEOUT(limit, UPLOAD_PATIENCE);
    int rc = eddy_event_wait(&upload->wanted);

    return rc == -ETIMEDOUT && eddy_timeout_expired(&limit) ? 0 : rc;
}

static int upload_send(struct ed_upload *upload)
{
    eddy_stream *body = NULL;
    int rc = ed_body_writer_open(upload->connection, upload->size, false, upload->coding, &body);

    if (rc == 0)
        rc = ed_payload_write(upload->payload, body);
    if (rc == 0)
        rc = ed_body_finish(body);
    if (rc < 0 && body)
        eddy_stream_abort(body); /* so that its close does not wait */
    eddy_stream_end_scope_(&body);
    return rc;
}

static int upload_run(struct ed_upload *upload)
{
    int rc = upload->waits ? upload_wait(upload) : 0;

    upload->waits = false;
    if (rc == 0)
        rc = upload_send(upload);
    upload->done = rc == 0;
    upload->rc = rc;
    if (rc == 0 && upload->limit)
        (void)eddy_timeout_reschedule(upload->limit, eddy_time() + upload->patience);
    if (rc < 0 && !upload->connection->write_error && !upload->ending)
        eddy_stream_abort(upload->connection);
    return rc;
}
EDDY_ASYNC(upload_run, struct ed_upload *);

int ed_upload_begin(struct ed_upload *upload, eddy_stream *connection)
{
    const eddy_task_options options = {.name = "http upload"};

    upload->connection = connection;
    upload->done = upload->ending = false;
    upload->rc = 0;
    upload->wanted = (eddy_event)EDDY_EVENT_INIT;
    upload->task = eddy_create_task_with(&options, upload_run, upload);
    return upload->task ? 0 : -ENOMEM;
}

int ed_upload_failure(struct ed_upload *upload)
{
    if (!upload->task || !eddy_task_done(upload->task) || upload->rc == 0)
        return 0;
    return upload->connection->write_error ? 0 : eddy_task_error(upload->task);
}

void ed_upload_end(struct ed_upload *upload)
{
    if (!upload->task)
        return;
    upload->ending = true;
    if (eddy_task_done(upload->task))
        (void)eddy_task_error(upload->task); /* it has been told, or does not count any more */
    eddy_task_release(&upload->task);
}
