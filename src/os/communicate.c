/* SPDX-License-Identifier: MIT */
/*
 * Talking to a process in one call.
 *
 * Three directions run at once, so that no pipe that is full can hold up another: the input and
 * the error output in tasks of a group, the output here. The first that fails ends the others.
 *
 * The outputs stay in their streams until both have ended and the process too. Only then they are
 * taken, shielded, so that a call that is cut short loses nothing of them: another one goes on.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "eddy/group.h"
#include "os/process.h"

#define COMMUNICATE_LIMIT ((size_t)64 << 20) /* of each output, bytes, unless told */
#define COMMUNICATE_BLOCK 4096               /* that is read at once to be dropped */

/* A process that does not want its input is no error. */
static int communicate_ignore(int rc)
{
    return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

static int communicate_feed(eddy_process *p, const void *input, size_t size)
{
    int rc = size > 0 ? communicate_ignore(eddy_write(p->streams[0], input, size)) : 0;

    if (rc == 0)
        rc = communicate_ignore(eddy_process_end_input(p));
    return rc;
}
EDDY_ASYNC(communicate_feed, eddy_process *, const void *, size_t);

static int communicate_drop(eddy_stream *stream)
{
    char block[COMMUNICATE_BLOCK];
    ssize_t n;

    do
        n = eddy_read(stream, block, sizeof block);
    while (n > 0);
    return (int)n;
}

/* Waits for the end of an output, with all of it in the stream; or drops it. */
static int communicate_collect(eddy_stream *stream, size_t limit, bool drop)
{
    const char *data;
    ssize_t size;

    if (drop)
        return communicate_drop(stream);
    size = eddy_peek(stream, limit + 1, &data);
    if (size > 0 && (size_t)size > limit)
        return ed_raise(EDDY_ELIMIT, "the output of a process has more than %zu bytes", limit);
    return size < 0 ? (int)size : 0;
}
EDDY_ASYNC(communicate_collect, eddy_stream *, size_t, bool);

/* All three directions. */
static int communicate_all(eddy_process *p, const void *input, size_t size, size_t limit, bool drop)
{
    int rc = 0;

    EDDY_GROUP(group);
    if (p->streams[0])
        rc = eddy_group_create_task(&group, communicate_feed, p, input, size);
    if (rc == 0 && p->streams[2])
        rc = eddy_group_create_task(&group, communicate_collect, p->streams[2], limit, drop);
    if (rc == 0 && p->streams[1])
        rc = communicate_collect(p->streams[1], limit, drop);
    return rc < 0 ? rc : eddy_group_join(&group);
}

/* Takes an output out of its stream, which has all of it; "" for what is no pipe. */
static int communicate_take(eddy_stream *stream, size_t limit, char **data, size_t *size)
{
    if (stream)
        return eddy_read_all(stream, limit, data, size);
    *data = ed_alloc_zero(1);
    return *data ? 0 : ed_fail(-ENOMEM);
}

/* Takes both, or neither. */
static int communicate_take_all(eddy_process *p, size_t limit, eddy_process_output *output)
{
    eddy_process_output taken = {NULL, NULL, 0, 0};
    int rc;

    EDDY_SHIELD(nothing_is_lost);
    rc = communicate_take(p->streams[1], limit, &taken.out, &taken.out_size);
    if (rc == 0)
        rc = communicate_take(p->streams[2], limit, &taken.err, &taken.err_size);
    if (rc < 0)
        eddy_process_output_free(&taken);
    else
        *output = taken;
    return rc;
}

int eddy_process_communicate_limited(eddy_process *p, const void *input, size_t size, size_t limit,
                                     eddy_process_output *output)
{
    int code, rc = ed_process_enter(p);

    if (limit == 0)
        limit = COMMUNICATE_LIMIT;
    if (limit == SIZE_MAX)
        limit--;
    if (rc == 0 && size > 0 && !p->streams[0])
        rc =
            ed_raise(-EINVAL, "%s takes no input: it has no pipe for it, or it was ended", p->name);
    if (rc == 0)
        rc = communicate_all(p, input, size, limit, output == NULL);
    if (rc == 0)
        rc = ed_process_await(p, &code);
    if (rc == 0 && output)
        rc = communicate_take_all(p, limit, output);
    ed_process_leave(p);
    return rc;
}

int eddy_process_communicate(eddy_process *p, const void *input, size_t size,
                             eddy_process_output *output)
{
    return eddy_process_communicate_limited(p, input, size, 0, output);
}

int eddy_process_end_input(eddy_process *p)
{
    return eddy_stream_close(&p->streams[0]);
}

void eddy_process_output_free(eddy_process_output *output)
{
    ed_free(output->out);
    ed_free(output->err);
    memset(output, 0, sizeof *output);
}
