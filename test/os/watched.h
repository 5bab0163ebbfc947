/* SPDX-License-Identifier: MIT */
/* For tests of watchers: events as texts. */
#ifndef WATCHED_H
#define WATCHED_H

#include "os/folder.h"

#define PATIENCE 0.5 /* seconds of virtual time in which an event that has happened must come */

static inline const char *kind_text(unsigned what)
{
    switch (what) {
    case EDDY_WATCH_CREATED: return "created";
    case EDDY_WATCH_MODIFIED: return "modified";
    case EDDY_WATCH_CLOSED: return "closed";
    case EDDY_WATCH_DELETED: return "deleted";
    case EDDY_WATCH_MOVED: return "moved";
    case EDDY_WATCH_MOVED_IN: return "moved in";
    case EDDY_WATCH_MOVED_OUT: return "moved out";
    case EDDY_WATCH_ATTRIBUTES: return "attributes";
    case EDDY_WATCH_GONE: return "gone";
    case EDDY_WATCH_UNMOUNTED: return "unmounted";
    case EDDY_WATCH_OVERFLOW: return "overflow";
    default: return "?";
    }
}

/* A path without the folder that begins it. */
static inline const char *local_text(const char *path)
{
    const char *end = strncmp(path, "/tmp/eddy-test-", 15) == 0 ? strchr(path + 15, '/') : NULL;

    return end ? end + 1 : path;
}

/* Opens a watcher of a folder. */
static inline int watch_folder(eddy_watcher **watcher, const struct folder *folder, unsigned what)
{
    EDDY_TRY(eddy_watcher_open(watcher));
    return eddy_watcher_add(*watcher, folder->path, what);
}

/* The next event, as in "moved b/ from a/"; "" when none has come, or the error's name. */
static inline const char *next(eddy_watcher *watcher)
{
    static char text[2 * PATH_MAX];
    eddy_watch_event event;
    int rc;

    {
        EDDY_TIMEOUT(limit, PATIENCE);
        rc = eddy_watcher_next(watcher, &event);
        if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
            return "";
    }
    if (rc < 0)
        return eddy_error_name(rc);
    snprintf(text, sizeof text, "%s %s%s%s%s%s", kind_text(event.what), local_text(event.path),
             event.is_dir ? "/" : "", event.from ? " from " : "",
             event.from ? local_text(event.from) : "", event.from && event.is_dir ? "/" : "");
    return text;
}

#endif
