/* SPDX-License-Identifier: MIT */
/*
 * Pages that list what is in a folder.
 *
 * A thread reads the names, sorts them, folders first, and writes the page. A name is bytes that
 * anybody may have chosen: in a link it is percent-encoded, in the text escaped.
 */
#include "http/web_index.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "eddy/executor.h"
#include "eddy/web_request.h"

#define INDEX_NAMES 10000 /* that are listed */

struct index_name {
    const char *name;
    bool folder;
};

struct index {
    int fd; /* -1 once the job has it */
    const char *title;
    bool hidden, top, cut;
    struct index_name names[INDEX_NAMES];
    size_t count;
    struct eddy_buffer_ page;
    bool short_of_memory;
};

/* Writing ------------------------------------------------------------------------------- */

static void page_put(struct index *index, const char *text)
{
    if (ed_buffer_append(&index->page, text, strlen(text)) < 0)
        index->short_of_memory = true;
}

/* Puts a text that was allocated; NULL: memory was short. */
static void page_put_taken(struct index *index, char *text)
{
    if (text)
        page_put(index, text);
    else
        index->short_of_memory = true;
    eddy_free(text);
}

static void page_put_name(struct index *index, const struct index_name *name)
{
    const char *end = name->folder ? "/" : "";

    page_put(index, "<li><a href=\"");
    page_put_taken(index, eddy_percent_encode(name->name, NULL));
    page_put(index, end);
    page_put(index, "\">");
    page_put_taken(index, eddy_html_escape(name->name));
    page_put(index, end);
    page_put(index, "</a></li>\n");
}

static void page_write(struct index *index)
{
    page_put(index, "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>Index of ");
    page_put_taken(index, eddy_html_escape(index->title));
    page_put(index, "</title></head>\n<body>\n<h1>Index of ");
    page_put_taken(index, eddy_html_escape(index->title));
    page_put(index, "</h1>\n<ul>\n");
    if (!index->top)
        page_put(index, "<li><a href=\"../\">../</a></li>\n");
    for (size_t i = 0; i < index->count; i++)
        page_put_name(index, &index->names[i]);
    page_put(index, "</ul>\n");
    if (index->cut)
        page_put(index, "<p>There are more.</p>\n");
    page_put(index, "</body>\n</html>\n");
    if (ed_buffer_append(&index->page, "", 1) < 0)
        index->short_of_memory = true;
}

/* Reading -------------------------------------------------------------------------------- */

static bool entry_is_folder(int fd, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static int index_add(struct index *index, int fd, const struct dirent *entry)
{
    struct index_name *name = &index->names[index->count];
    size_t size = strlen(entry->d_name) + 1;
    char *copy;

    if (entry->d_name[0] == '.' &&
        (!index->hidden || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
        return 0;
    index->cut = index->count == INDEX_NAMES;
    if (index->cut)
        return 0;
    copy = eddy_alloc_(size);
    if (!copy)
        return -ENOMEM;
    name->name = memcpy(copy, entry->d_name, size);
    name->folder = entry_is_folder(fd, entry);
    index->count++;
    return 0;
}

static int name_compare(const void *a, const void *b)
{
    const struct index_name *one = a, *other = b;

    if (one->folder != other->folder)
        return one->folder ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int index_read(struct index *index)
{
    DIR *folder = fdopendir(index->fd);
    struct dirent *entry;
    int rc = folder ? 0 : -errno;

    if (!folder)
        return rc;
    index->fd = -1; /* it is the folder's */
    while (rc == 0 && !index->cut && (errno = 0, entry = readdir(folder)))
        rc = index_add(index, dirfd(folder), entry);
    if (rc == 0 && !index->cut)
        rc = -errno;
    closedir(folder);
    qsort(index->names, index->count, sizeof *index->names, name_compare);
    return rc;
}

/* The whole, in a thread: all of `index` is its until it returns. */
static int index_job(struct index *index)
{
    int rc = index_read(index);

    if (rc == 0)
        page_write(index);
    for (size_t i = 0; i < index->count; i++)
        eddy_free((void *)(uintptr_t)index->names[i].name);
    return rc == 0 && index->short_of_memory ? -ENOMEM : rc;
}
EDDY_ASYNC(index_job, struct index *);

int ed_web_index(int fd, const char *title, bool hidden, bool top, char **page)
{
    struct index *index = eddy_alloc_(sizeof *index);
    int rc;

    if (!index) {
        close(fd);
        return -ENOMEM;
    }
    index->fd = fd;
    index->title = title;
    index->hidden = hidden;
    index->top = top;
    rc = eddy_to_thread(index_job, index);
    if (rc == 0)
        *page = ed_buffer_hand_over(&index->page);
    else
        ed_buffer_release(&index->page);
    if (index->fd >= 0) /* the job was cancelled before it began */
        close(index->fd);
    eddy_free(index);
    return rc;
}

char *eddy_html_escape(const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    size_t size = 1;
    char *out, *to;

    for (const char *at = text; *at; at++) {
        const char *found = strchr(special, *at);

        size += found ? strlen(escaped[found - special]) : 1;
    }
    out = to = eddy_alloc_(size);
    for (; out && *text; text++) {
        const char *found = strchr(special, *text);

        if (found)
            to = stpcpy(to, escaped[found - special]);
        else
            *to++ = *text;
    }
    return out;
}
