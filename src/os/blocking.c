/* SPDX-License-Identifier: MIT */
/*
 * A blocking function is one abandonable job in the loop's pool for files. Its arguments are a
 * struct ed_blocking with its texts and data behind it, copied once, into the job's own block,
 * so that the copy's pointers point into that same block.
 *
 * What is shared has a reference for the job: taken when the arguments are filled in, given back
 * behind the function, or when the job is dropped before it begins. So whoever comes last frees
 * it, a caller who has left or a thread that nobody waits for.
 *
 * Texts are raised in the thread, which knows the paths, and travel with the job.
 */
#include "os/blocking.h"

#include <string.h>

#include "base/memory.h"
#include "os/executor.h"
#include "task/task.h"

#define PATH_SHOWN 180 /* bytes of a path in a text, which holds two of them and the reason */

struct blocking_args {
    struct ed_blocking b;
    alignas(16) char room[]; /* the data, then the texts */
};

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static void share_leave(struct ed_shared *shared)
{
    if (shared && __atomic_sub_fetch(&shared->refs, 1, __ATOMIC_ACQ_REL) == 0)
        shared->end(shared);
}

/* The loop closes over it. */
static void share_left(struct ed_resource *resource, bool end)
{
    if (end)
        share_leave(ed_container_of(resource, struct ed_shared, resource));
}

void ed_share_open(struct ed_shared *shared, void (*end)(struct ed_shared *shared))
{
    *shared = (struct ed_shared){
        .refs = 1, .end = end, .loop = eddy_thread_.loop, .resource = {.close = share_left}};
    ed_loop_enter_resource(shared->loop, &shared->resource);
}

void ed_share_close(struct ed_shared *shared)
{
    ed_loop_remove_resource(shared->loop, &shared->resource);
    share_leave(shared);
}

/* Copies a text and moves on behind it. */
static const char *blocking_put(char **to, const char *text)
{
    size_t size = text_size(text);
    char *at = *to;

    if (!text)
        return NULL;
    memcpy(at, text, size);
    *to += size;
    return at;
}

static void blocking_fill(void *args, const void *from)
{
    struct blocking_args *a = args;
    const struct ed_blocking *b = from;
    char *at = a->room;

    a->b = *b;
    if (b->data) {
        memcpy(at, b->data, b->size);
        a->b.data = at;
        at += b->size;
    }
    a->b.path = blocking_put(&at, b->path);
    a->b.other = blocking_put(&at, b->other);
    if (b->shared)
        __atomic_add_fetch(&b->shared->refs, 1, __ATOMIC_RELAXED);
}

static void blocking_drop(void *args)
{
    share_leave(((struct blocking_args *)args)->b.shared);
}

/* In a thread. */
static int blocking_entry(void *args, void *result)
{
    struct blocking_args *a = args;
    int rc = a->b.run(&a->b, result);

    share_leave(a->b.shared);
    return rc;
}

int ed_blocking_run(const struct ed_blocking *b, void *out)
{
    static const struct ed_job_care care = {blocking_fill, blocking_drop};
    size_t texts = text_size(b->path) + text_size(b->other);
    eddy_abandonable job = {.entry = blocking_entry,
                            .name = b->name,
                            .args = b,
                            .args_size = sizeof(struct blocking_args) + b->size + texts,
                            .result_size = b->result_size,
                            .destroy = b->destroy};

    return ed_executor_run_caring(ED_POOL_FILES, &job, &care, out);
}

/* The end of a path that is too long to be shown whole; *dots is what stands before it. */
static const char *path_shown(const char *path, const char **dots)
{
    size_t length = strlen(path);

    *dots = length > PATH_SHOWN ? "..." : "";
    return length > PATH_SHOWN ? path + length - PATH_SHOWN : path;
}

/* The kernel's own words: those of eddy_strerror may be about tasks. */
static const char *reason(int code)
{
    const char *text = strerrordesc_np(-code);

    return text ? text : eddy_strerror(code);
}

int ed_blocking_fail(const struct ed_blocking *b, int code)
{
    const char *dots, *more, *path = path_shown(b->path, &dots), *other;

    if (!b->other)
        return ed_blocking_fail_at(b, b->path, code);
    other = path_shown(b->other, &more);
    return ed_raise(code, "%s \"%s%s\" to \"%s%s\": %s", b->name, dots, path, more, other,
                    reason(code));
}

int ed_blocking_fail_at(const struct ed_blocking *b, const char *path, int code)
{
    const char *dots, *shown = path_shown(path, &dots);

    return ed_raise(code, "%s \"%s%s\": %s", b->name, dots, shown, reason(code));
}
