/* SPDX-License-Identifier: MIT */
/*
 * Temporary files and folders.
 *
 * Making one is a job that its caller may leave. Its result is the thing itself, with a destructor
 * that removes it: so nobody's is nothing's. From the moment in which the caller has it, it is in
 * his eddy_temporary, whose block ends by removing it, shielded.
 *
 * A file without a name is O_TMPFILE's, and where the file system has no such files one whose name
 * is removed in the same job.
 */
#include "eddy/tempfile.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/directory.h"
#include "eddy/filesystem.h"
#include "os/blocking.h"
#include "os/file.h"
#include "os/tempfile.h"
#include "task/task.h"

#define TEMPORARY_TRIES 100 /* names, of which one is free */

enum temporary_kind { TEMPORARY_FILE, TEMPORARY_FOLDER };

struct temporary_made {
    enum temporary_kind kind;
    int fd; /* -1: of a folder */
    char path[PATH_MAX];
};

/* What nobody takes goes again. */
static void temporary_destroy(void *result)
{
    struct temporary_made *made = result;

    if (made->kind == TEMPORARY_FOLDER) {
        rmdir(made->path);
        return;
    }
    close(made->fd);
    unlink(made->path);
}

static void temporary_destroy_nameless(void *fd)
{
    close(*(int *)fd);
}

/* Makes a path in the folder, with a name that nobody can guess. 0 or an error. */
static int temporary_name(const struct ed_blocking *b, struct temporary_made *made)
{
    bool absolute = b->path[0] == '/';
    const char *prefix = b->data, *suffix = prefix + strlen(prefix) + 1;
    char here[PATH_MAX] = "";
    uint64_t random;
    int size;

    while (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        if (errno != EINTR)
            return -errno;
    if (!absolute && !getcwd(here, sizeof here))
        return -errno;
    size = snprintf(made->path, sizeof made->path, "%s%s%s/%s%016llx%s", here, absolute ? "" : "/",
                    b->path, prefix, (unsigned long long)random, suffix);
    return size < (int)sizeof made->path ? 0 : -ENAMETOOLONG;
}

/* Makes a file or folder with a name that nobody has. 0 or an error. */
static int temporary_make_named(const struct ed_blocking *b, struct temporary_made *made)
{
    long rc = -EEXIST;

    for (int i = 0; i < TEMPORARY_TRIES && rc == -EEXIST; i++) {
        rc = temporary_name(b, made);
        if (rc < 0)
            break;
        if (made->kind == TEMPORARY_FOLDER)
            rc = ED_SYSTEM(ED_FAULT_MKDIR, mkdir(made->path, 0700));
        else
            rc = ED_SYSTEM(ED_FAULT_OPENAT,
                           open(made->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    }
    if (rc >= 0 && made->kind != TEMPORARY_FOLDER)
        made->fd = (int)rc;
    return rc < 0 ? (int)rc : 0;
}

/* In a thread. */
static int temporary_run(const struct ed_blocking *b, void *result)
{
    struct temporary_made *made = result;
    int rc;

    made->fd = -1;
    made->kind = (enum temporary_kind)b->numbers[0];
    rc = temporary_make_named(b, made);
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

/* Likewise, of a file without a name. */
static int temporary_run_nameless(const struct ed_blocking *b, void *fd)
{
    struct temporary_made made = {.kind = TEMPORARY_FILE};
    long rc =
        ED_SYSTEM(ED_FAULT_OPENAT, open(b->path, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));

    if (rc == -EOPNOTSUPP || rc == -EISDIR || rc == -EINVAL) {
        rc = temporary_make_named(b, &made);
        if (rc == 0)
            unlink(made.path); /* which it has just been given */
        rc = rc == 0 ? made.fd : rc;
    }
    if (rc < 0)
        return ed_blocking_fail(b, (int)rc);
    *(int *)fd = (int)rc;
    return 0;
}

/* The beginning and the end of a name, each with a NUL: how long they are, or an error. */
static int temporary_parts(const eddy_temporary_options *options, char *parts, size_t room)
{
    const char *prefix = options->prefix ? options->prefix : "tmp";
    const char *suffix = options->suffix ? options->suffix : "";
    int size = snprintf(parts, room, "%s%c%s", prefix, '\0', suffix) + 1;

    if (strchr(prefix, '/') || strchr(suffix, '/'))
        return ed_raise(-EINVAL, "a part of a name has a slash: \"%s\"",
                        strchr(prefix, '/') ? prefix : suffix);
    return size <= (int)room ? size
                             : ed_raise(-ENAMETOOLONG, "a name of %d bytes is too long", size - 2);
}

const char *ed_temporary_folder(const eddy_temporary_options *options)
{
    const char *place = getenv("TMPDIR");

    return options->dir ? options->dir : place && *place ? place : "/tmp";
}

/* Runs a job that makes one; what it makes is the caller's then. Suspends. */
static int
temporary_make(struct ed_blocking *job, const eddy_temporary_options *options, void *made)
{
    static const eddy_temporary_options defaults;
    const eddy_temporary_options *o = options ? options : &defaults;
    char parts[NAME_MAX];
    int size = temporary_parts(o, parts, sizeof parts);

    if (size < 0)
        return size;
    job->name = "make a temporary file in";
    job->path = ed_temporary_folder(o);
    job->data = parts;
    job->size = (size_t)size;
    return ed_blocking_run(job, made);
}

int ed_temporary_descriptor(const eddy_temporary_options *options)
{
    struct ed_blocking job = {.run = temporary_run_nameless,
                              .result_size = sizeof(int),
                              .destroy = temporary_destroy_nameless};
    int fd, rc = temporary_make(&job, options, &fd);

    return rc < 0 ? rc : fd;
}

int eddy_temporary_file(const eddy_temporary_options *options, eddy_stream **out)
{
    int fd = ed_temporary_descriptor(options), rc;
    struct ed_file *f;

    if (fd < 0)
        return fd;
    rc = ed_file_new(fd, ED_TEMPORARY_TITLE, O_RDWR, &f);
    if (rc < 0)
        close(fd);
    else
        *out = &f->stream;
    return rc;
}

/* Those with a name. */

/* The stream of a file that was made; else that is gone again. */
static int temporary_open(struct temporary_made *made, const char *path, eddy_stream **out)
{
    struct ed_file *f;
    int rc = ed_file_new(made->fd, path, O_RDWR, &f);

    if (rc < 0)
        temporary_destroy(made);
    else
        *out = &f->stream;
    return rc;
}

static int temporary_fill(enum temporary_kind kind, const eddy_temporary_options *options,
                          struct temporary_made *made, eddy_temporary *out)
{
    struct ed_blocking job = {.run = temporary_run,
                              .numbers = {kind},
                              .result_size = sizeof *made,
                              .destroy = temporary_destroy};
    int rc = temporary_make(&job, options, made);
    char *path;

    if (rc < 0)
        return rc;
    path = ed_strdup(made->path);
    if (!path) {
        temporary_destroy(made);
        return ed_fail(-ENOMEM);
    }
    if (kind == TEMPORARY_FILE)
        rc = temporary_open(made, path, &out->stream);
    if (rc < 0) {
        ed_free(path);
        return rc;
    }
    out->path = path;
    out->is_dir = kind == TEMPORARY_FOLDER;
    return 0;
}

static int temporary_begin(enum temporary_kind kind, eddy_temporary *out,
                           const eddy_temporary_options *options)
{
    struct temporary_made *made;
    int rc;

    if (out->path || out->stream)
        return ed_raise(-EINVAL, "this one has a temporary file or folder already: %s",
                        out->path ? out->path : "kept");
    made = ed_alloc(sizeof *made); /* long, for a stack */
    rc = made ? temporary_fill(kind, options, made, out) : ed_fail(-ENOMEM);
    ed_free(made);
    return rc;
}

int eddy_named_temporary_file(eddy_temporary *out, const eddy_temporary_options *options)
{
    return temporary_begin(TEMPORARY_FILE, out, options);
}

int eddy_temporary_directory(eddy_temporary *out, const eddy_temporary_options *options)
{
    return temporary_begin(TEMPORARY_FOLDER, out, options);
}

/* The end. */

/* Removes what has the path. A second time when something was short, which it may not be now. */
static int temporary_remove(const eddy_temporary *t)
{
    int rc = -EAGAIN;

    for (int i = 0; i < 2 && (rc == -ENOMEM || rc == -EAGAIN); i++)
        rc = t->is_dir ? eddy_rmtree(t->path) : eddy_unlink(t->path);
    return rc == -ENOENT ? 0 : rc;
}

int eddy_temporary_cleanup(eddy_temporary *t)
{
    EDDY_SHIELD(end);
    int closed = eddy_stream_close(&t->stream), rc = 0;

    if (t->path)
        rc = temporary_remove(t);
    if (rc == 0) {
        ed_free(t->path);
        t->path = NULL;
    }
    return rc < 0 ? rc : closed;
}

char *eddy_temporary_keep(eddy_temporary *t)
{
    char *path = t->path;

    t->path = NULL;
    return path;
}

void eddy_temporary_end_scope_(eddy_temporary *t)
{
    struct ed_error *error = ed_error_set_aside(); /* the clean-up's do not hide the block's */
    int rc = 0;

    if (t->path)
        rc = eddy_temporary_cleanup(t);
    else
        eddy_stream_end_scope_(&t->stream); /* it was kept: what fails matters, and is reported */
    if (t->path)
        ed_loop_report(eddy_thread_.loop, EDDY_REPORT_RESOURCE, rc, eddy_thread_.task,
                       "%s was not removed: %s", t->path, eddy_error_message(rc));
    ed_free(t->path);
    t->path = NULL;
    ed_error_put_back(error);
}
