/* SPDX-License-Identifier: MIT */
/*
 * What is in a folder: all of it at once, or by a generator.
 *
 * The generator's body and its jobs share a scan: the folder's descriptor, and a buffer that a job
 * fills with as many entries as the kernel gives, in the kernel's own form, from which the body
 * then yields without a job. Only one of the two uses it at a time: a body whose job was abandoned
 * never looks at it again.
 */
#include "os/directory.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/blocking.h"
#include "os/tree.h"
#include "task/task.h"

#define SCAN_BUFFER 32768

static int folder_open(const char *path)
{
    return (int)ED_SYSTEM(ED_FAULT_OPENAT, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* All at once ---------------------------------------------------------------------- */

struct listing {
    char **names;
    size_t count;
};

static void listing_destroy(void *result)
{
    ed_free(((struct listing *)result)->names);
}

/* One block: the sorted names' places, then the names. */
static int listing_make(struct ed_names *names, struct listing *listing)
{
    size_t places = (names->count + 1) * sizeof *listing->names;
    int rc = ed_names_sort(names);
    char *text;

    if (rc < 0)
        return rc;
    listing->names = ed_alloc(places + names->size);
    if (!listing->names)
        return -ENOMEM;
    listing->count = names->count;
    text = (char *)listing->names + places;
    for (size_t i = 0; i < names->count; i++) {
        size_t size = strlen(names->sorted[i]) + 1;

        listing->names[i] = memcpy(text, names->sorted[i], size);
        text += size;
    }
    listing->names[names->count] = NULL;
    return 0;
}

static int listdir_run(const struct ed_blocking *b, void *result)
{
    struct ed_names names = {.bytes = NULL};
    int fd = folder_open(b->path), rc = fd;

    if (fd >= 0) {
        rc = ed_names_read(&names, fd);
        close(fd);
    }
    if (rc == 0)
        rc = listing_make(&names, result);
    ed_names_free(&names);
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

int eddy_listdir(const char *path, char ***names, size_t *count)
{
    struct listing listing = {NULL, 0};

    EDDY_TRY(ed_blocking_run(&(struct ed_blocking){"listdir", listdir_run, path,
                                                   .result_size = sizeof listing,
                                                   .destroy = listing_destroy},
                             &listing));
    *names = listing.names;
    if (count)
        *count = listing.count;
    return 0;
}

/* By a generator --------------------------------------------------------------------- */

struct scan {
    struct ed_shared shared;
    char *path;
    int fd;
    alignas(16) char buffer[SCAN_BUFFER];
};

static void scan_end(struct ed_shared *shared)
{
    struct scan *scan = ed_container_of(shared, struct scan, shared);

    if (scan->fd >= 0)
        close(scan->fd);
    ed_free(scan->path);
    ed_free(scan);
}

/* Finds out the types that the folder does not tell; a name that is gone becomes an empty one. */
static void scan_find_types(struct scan *scan, size_t size)
{
    for (size_t at = 0; at < size;) {
        struct dirent64 *entry = (struct dirent64 *)(void *)(scan->buffer + at);

        at += entry->d_reclen;
        if (!ed_name_find_type(scan->fd, entry->d_name, &entry->d_type))
            entry->d_name[0] = '\0';
    }
}

/* Fills the buffer; its size, 0 at the end. The first time it opens the folder. */
static int scan_run(const struct ed_blocking *b, void *result)
{
    struct scan *scan = ed_container_of(b->shared, struct scan, shared);
    int rc;

    (void)result;
    if (scan->fd < 0)
        scan->fd = folder_open(b->path);
    rc = scan->fd;
    if (rc >= 0)
        rc = ed_folder_read(scan->fd, scan->buffer, SCAN_BUFFER);
    if (rc < 0)
        return ed_blocking_fail(b, rc);
    scan_find_types(scan, (size_t)rc);
    return rc;
}

static bool scan_shows(const struct dirent64 *entry)
{
    const char *name = entry->d_name;

    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int scan_yield(eddy_generator *g, struct scan *scan, size_t size)
{
    for (size_t at = 0; at < size;) {
        const struct dirent64 *entry = (const struct dirent64 *)(void *)(scan->buffer + at);
        eddy_dir_entry shown = {entry->d_name, entry->d_type, entry->d_ino};

        at += entry->d_reclen;
        if (scan_shows(entry))
            EDDY_TRY(eddy_yield(g, &shown));
    }
    return 0;
}

static int scan_all(eddy_generator *g, struct scan *scan)
{
    const struct ed_blocking step = {"scandir", scan_run, scan->path, .shared = &scan->shared};
    int rc;

    while ((rc = ed_blocking_run(&step, NULL)) > 0)
        EDDY_TRY(scan_yield(g, scan, (size_t)rc));
    return rc;
}

static void path_drop(void *args)
{
    ed_free(*(char **)args);
}

static int scan_body(eddy_generator *g, void *args)
{
    struct scan *scan = ed_alloc(sizeof *scan);
    int rc;

    if (!scan) {
        path_drop(args);
        return ed_raise(-ENOMEM, "no memory to read a folder");
    }
    ed_share_open(&scan->shared, scan_end);
    scan->path = *(char **)args;
    scan->fd = -1;
    rc = scan_all(g, scan);
    ed_share_close(&scan->shared);
    return rc;
}

eddy_generator *
ed_path_generator(eddy_generator_entry *body, const char *path, size_t item_size, const char *name)
{
    char *copy = ed_strdup(path);
    eddy_generator *g = NULL;

    if (copy)
        g = eddy_generator_create(body, &copy, sizeof copy, item_size, name, "eddy/directory.h");
    if (g)
        eddy_generator_on_drop_(g, path_drop);
    else
        ed_free(copy);
    return g;
}

eddy_generator *eddy_scandir(const char *path)
{
    return ed_path_generator(scan_body, path, sizeof(eddy_dir_entry), "eddy_scandir");
}
