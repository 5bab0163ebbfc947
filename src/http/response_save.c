/* SPDX-License-Identifier: MIT */
/*
 * A body into a file, whole or not at all: into a new file beside it, which takes its name once
 * all has come and is on the disk. A cancel, or a body that ends early, leaves the old file, and
 * nothing else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eddy/file.h"
#include "eddy/filesystem.h"
#include "http/client.h"

/* Where the file is, links followed; one that is not there is where its path says. */
static int save_find(const char *path, char **place, mode_t *permissions)
{
    struct stat known;
    int rc = eddy_realpath(path, place);

    *permissions = 0666;
    if (rc == -ENOENT) {
        *place = eddy_strdup_(path);
        return *place ? 0 : -ENOMEM;
    }
    if (rc < 0)
        return rc;
    rc = eddy_stat(*place, &known);
    if (rc < 0)
        return rc;
    if (!S_ISREG(known.st_mode))
        return eddy_raise(S_ISDIR(known.st_mode) ? -EISDIR : -EINVAL,
                          "%s: it is no file that can be replaced", path);
    *permissions = known.st_mode & 07777;
    return 0;
}

/* A name beside it that nobody has. */
static int save_name(const char *place, char **out)
{
    const char *slash = strrchr(place, '/'), *name = slash ? slash + 1 : place;
    size_t size = strlen(place) + 20;
    uint64_t number;
    int rc = eddy_random_(&number, sizeof number);

    if (rc < 0)
        return rc;
    *out = eddy_alloc_(size);
    if (!*out)
        return -ENOMEM;
    snprintf(*out, size, "%.*s.%.200s.%016" PRIx64, (int)(name - place), place, name, number);
    return 0;
}

/* Writes all of the body, and waits for the disk. */
static int64_t save_write(eddy_http_response *response, eddy_stream **file)
{
    int64_t size = eddy_stream_copy(response->body, *file);

    if (size < 0)
        return size;
    EDDY_TRY(eddy_fsync(*file));
    EDDY_TRY(eddy_stream_close(file));
    return size;
}

struct save_place {
    char *place, *fresh;
    bool there; /* the new file */
};

/* Nothing stays behind what failed. Where there is no memory or thread left for that, the loop does
 * it itself. */
static void save_end(struct save_place *save)
{
    int rc = save->there ? eddy_unlink(save->fresh) : 0;

    if (rc < 0 && rc != -ENOENT)
        (void)unlink(save->fresh); /* nobody can be told */
    eddy_free(save->fresh);
    eddy_free(save->place);
}

static int64_t save(eddy_http_response *response, const char *path, struct save_place *save)
{
    EDDY_STREAM file = NULL;
    mode_t permissions;
    int64_t size;

    EDDY_TRY(save_find(path, &save->place, &permissions));
    EDDY_TRY(save_name(save->place, &save->fresh));
    save->there = true; /* a cancelled open may have made it */
    EDDY_TRY(
        eddy_open_with(save->fresh, "x", &(eddy_open_options){.permissions = permissions}, &file));
    size = save_write(response, &file);
    if (size < 0)
        return size;
    EDDY_TRY(eddy_rename(save->fresh, save->place));
    save->there = false;
    return size;
}

int64_t eddy_http_save(eddy_http_response *response, const char *path)
{
    struct save_place place = {NULL, NULL, false};
    EDDY_DEFER(save_end, &place);

    return save(response, path, &place);
}
