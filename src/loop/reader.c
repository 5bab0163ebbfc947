/* SPDX-License-Identifier: MIT */
/*
 * add_reader and add_writer: a poll operation that is renewed after each call of
 * its callback, which makes it level-triggered on every engine.
 *
 * A reader that is removed or replaced leaves the table at once, but its memory
 * belongs to the engine until its operation has completed, and to the ready
 * queue until its turn has come: it is retired, and freed after both.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "loop/loop.h"

struct ed_reader {
    struct ed_op op;
    struct ed_ready ready;
    struct eddy_link_ link; /* in loop.retired */
    eddy_loop *loop;
    eddy_callback *callback;
    void *argument;
    struct ed_locals *locals;
    bool queued, retired;
};

static void reader_free(struct ed_reader *reader)
{
    ed_locals_unref(reader->locals);
    ed_free(reader);
}

static void reader_free_if_unused(struct ed_reader *reader)
{
    if (!reader->retired || reader->queued || reader->op.in_flight)
        return;
    ed_list_remove(&reader->loop->retired, &reader->link);
    reader_free(reader);
}

static void reader_done(struct ed_op *op)
{
    struct ed_reader *reader = ed_container_of(op, struct ed_reader, op);

    if (!reader->retired) {
        reader->queued = true;
        ed_loop_ready(reader->loop, &reader->ready);
    }
    reader_free_if_unused(reader);
}

static void reader_run(struct ed_ready *node)
{
    struct ed_reader *reader = ed_container_of(node, struct ed_reader, ready);

    if (!reader->retired)
        ed_loop_call(reader->loop, reader->callback, reader->argument, reader->locals);
    reader->queued = false;
    if (!reader->retired)
        ed_engine_submit(reader->loop->engine, &reader->op);
    reader_free_if_unused(reader);
}

/* The place of a descriptor's reader or writer, or NULL when it has none. */
static struct ed_reader **reader_place(eddy_loop *loop, int fd, bool writer)
{
    size_t index = (size_t)fd * 2 + writer;

    return fd >= 0 && index < loop->readers_capacity ? &loop->readers[index] : NULL;
}

static int reader_make_place(eddy_loop *loop, int fd)
{
    size_t capacity = loop->readers_capacity ? loop->readers_capacity : 64;
    struct ed_reader **readers;

    while (capacity <= (size_t)fd * 2 + 1)
        capacity *= 2;
    if (capacity == loop->readers_capacity)
        return 0;
    readers = ed_realloc(loop->readers, capacity * sizeof *readers);
    if (!readers)
        return -ENOMEM;
    memset(readers + loop->readers_capacity, 0,
           (capacity - loop->readers_capacity) * sizeof *readers);
    loop->readers = readers;
    loop->readers_capacity = capacity;
    return 0;
}

static bool reader_remove(eddy_loop *loop, int fd, bool writer)
{
    struct ed_reader **place = reader_place(loop, fd, writer);
    struct ed_reader *reader = place ? *place : NULL;

    ed_loop_check_thread(loop, writer ? "eddy_loop_remove_writer" : "eddy_loop_remove_reader");
    if (!reader)
        return false;
    *place = NULL;
    reader->retired = true;
    ed_list_append(&loop->retired, &reader->link);
    if (reader->op.in_flight)
        ed_engine_cancel(loop->engine, &reader->op);
    else
        ed_engine_forget(loop->engine, fd);
    reader_free_if_unused(reader);
    return true;
}

/* What never blocks has no readiness; both engines must say the same. */
int ed_reader_check(const eddy_loop *loop, int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (ed_loop_owns(loop, fd))
        return -EBUSY;
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? -EPERM : 0;
}

static int reader_add(eddy_loop *loop, int fd, bool writer, eddy_callback *callback, void *argument)
{
    struct ed_reader *reader;
    int rc = loop->closed ? -EPERM : ed_reader_check(loop, fd);

    ed_loop_check_thread(loop, writer ? "eddy_loop_add_writer" : "eddy_loop_add_reader");
    if (rc == 0)
        rc = reader_make_place(loop, fd);
    if (rc < 0)
        return rc;
    reader = ed_alloc_zero(sizeof *reader);
    if (!reader)
        return -ENOMEM;
    reader_remove(loop, fd, writer);
    reader->op = (struct ed_op){.done = reader_done,
                                .kind = ED_OP_POLL,
                                .fd = fd,
                                .events = writer ? ED_POLL_OUT : ED_POLL_IN};
    reader->ready.run = reader_run;
    reader->loop = loop;
    reader->callback = callback;
    reader->argument = argument;
    reader->locals = ed_loop_take_locals();
    *reader_place(loop, fd, writer) = reader;
    ed_engine_submit(loop->engine, &reader->op);
    return 0;
}

int eddy_loop_add_reader(eddy_loop *loop, int fd, eddy_callback *callback, void *argument)
{
    return reader_add(loop, fd, false, callback, argument);
}

int eddy_loop_add_writer(eddy_loop *loop, int fd, eddy_callback *callback, void *argument)
{
    return reader_add(loop, fd, true, callback, argument);
}

bool eddy_loop_remove_reader(eddy_loop *loop, int fd)
{
    return !loop->closed && reader_remove(loop, fd, false);
}

bool eddy_loop_remove_writer(eddy_loop *loop, int fd)
{
    return !loop->closed && reader_remove(loop, fd, true);
}

bool ed_reader_is_leaving(const eddy_loop *loop, int fd)
{
    ED_LIST_FOR_EACH(link, &loop->retired) {
        const struct ed_reader *reader = ed_container_of(link, struct ed_reader, link);

        if (reader->op.fd == fd && reader->op.in_flight)
            return true;
    }
    return false;
}

void ed_loop_close_readers(eddy_loop *loop)
{
    struct eddy_link_ *link;

    for (size_t i = 0; i < loop->readers_capacity; i++)
        reader_remove(loop, (int)(i / 2), i % 2);
    ED_LIST_FOR_EACH(queued, &loop->retired)
        ed_container_of(queued, struct ed_reader, link)->queued = false;
    while ((link = loop->retired.first)) {
        struct ed_reader *reader = ed_container_of(link, struct ed_reader, link);

        while (loop->retired.first == link && reader->op.in_flight)
            (void)ed_engine_wait(loop->engine, ED_SECOND); /* it frees the reader, or tries again */
        if (loop->retired.first == link)
            reader_free_if_unused(reader);
    }
    ed_free(loop->readers);
    loop->readers = NULL;
    loop->readers_capacity = 0;
}

size_t ed_loop_count_readers(const eddy_loop *loop)
{
    size_t count = 0;

    for (size_t i = 0; i < loop->readers_capacity; i++)
        count += loop->readers[i] != NULL;
    return count;
}
