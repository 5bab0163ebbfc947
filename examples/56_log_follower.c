/* SPDX-License-Identifier: MIT */
/*
 * Prints what is added to a log, as tail -F does. The folder is watched and not the file, so that a
 * new file under the name is noticed; what was still written to the old one is printed first.
 *
 *     56_log_follower FILE
 */
#include <eddy.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define REPLACED (EDDY_WATCH_CREATED | EDDY_WATCH_MOVED | EDDY_WATCH_MOVED_IN | EDDY_WATCH_OVERFLOW)

/* Prints what is new in the file; one that has become shorter begins anew. */
static int print_rest(eddy_stream *log, eddy_stream *out)
{
    struct stat status;

    if (!log)
        return 0;
    if (fstat(eddy_stream_fd(log), &status) == 0 && status.st_size < eddy_tell(log))
        EDDY_TRY(eddy_seek(log, 0, SEEK_SET));
    EDDY_TRY(eddy_stream_copy(log, out));
    return 0;
}

static int amain(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "log.txt", *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char folder[4096] = ".";
    EDDY_WATCHER watcher = NULL;
    EDDY_STREAM log = NULL;
    eddy_watch_event event;
    eddy_stream *out;
    int rc;

    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    EDDY_TRY(eddy_stdout(&out));
    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, folder, EDDY_WATCH_ALL));
    if (eddy_open(path, "r", &log) == 0) /* else it is still to come */
        EDDY_TRY(eddy_seek(log, 0, SEEK_END));
    EDDY_FOR_EACH(rc, event, eddy_watcher_events(watcher)) {
        if (strcmp(event.name, name) != 0 && event.what != EDDY_WATCH_OVERFLOW)
            continue;
        EDDY_TRY(print_rest(log, out));
        if (event.what & REPLACED) {
            eddy_stream_close(&log);
            if (eddy_open(path, "r", &log) == 0)
                EDDY_TRY(print_rest(log, out));
        }
    }
    return rc;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
