/* SPDX-License-Identifier: MIT */
/*
 * Watching files and folders: what the kernel tells of them, inotify(7).
 *
 *     eddy_watch_event event;
 *
 *     EDDY_FOR_EACH(rc, event, eddy_watch("inbox", EDDY_WATCH_CLOSED | EDDY_WATCH_MOVED_IN))
 *         printf("%s is complete\n", event.path);
 *
 * A watch is on the file or folder that has the path when it begins. It ends, with GONE, when that
 * is deleted or renamed. (A file whose name is deleted while it is open, or has another name, says
 * ATTRIBUTES first.) To follow a name, such as that of a log that is rotated, watch the folder that
 * it is in. A link is followed when a watch is made, but not below it.
 *
 * Events come in the order in which things happened. Of several in a row that are the same, such
 * as many writes, the kernel tells one; and when nobody takes them, it drops what does not fit into
 * its queue (16,384 events, sysctl fs.inotify.max_queued_events), which EDDY_WATCH_OVERFLOW tells:
 * then look for yourself. What other machines do on a network file system is not seen.
 */
#ifndef EDDY_WATCH_H
#define EDDY_WATCH_H

#include "eddy/compat.h"
#include "eddy/generator.h"

EDDY_BEGIN_DECLS

/* What may happen; each event is one of these. */
#define EDDY_WATCH_CREATED 0x001u    /* made in the folder: a file, a folder, a link */
#define EDDY_WATCH_MODIFIED 0x002u   /* its bytes changed, or were cut */
#define EDDY_WATCH_CLOSED 0x004u     /* closed by somebody who could write */
#define EDDY_WATCH_DELETED 0x008u    /* a name in the folder */
#define EDDY_WATCH_MOVED 0x010u      /* renamed from `from` to `path`, which both are watched */
#define EDDY_WATCH_MOVED_IN 0x020u   /* renamed to `path` from where nobody watches */
#define EDDY_WATCH_MOVED_OUT 0x040u  /* renamed from `path` to where nobody watches */
#define EDDY_WATCH_ATTRIBUTES 0x080u /* its permissions, owners, times, the number of its names */
#define EDDY_WATCH_ALL 0x0ffu        /* all of these */

/* These come unasked. With GONE and UNMOUNTED the watch of `watched` has ended. */
#define EDDY_WATCH_GONE 0x100u      /* what is watched was deleted, or has lost its name */
#define EDDY_WATCH_UNMOUNTED 0x200u /* its file system was */
#define EDDY_WATCH_OVERFLOW 0x400u  /* events were lost; `path` is "" */

/* To be added to what is asked for. */
#define EDDY_WATCH_RECURSIVE 0x1000u /* folders below too, and those that will be made there */

/* The texts are borrowed until the next event is asked for, or the watcher closed. */
typedef struct eddy_watch_event {
    unsigned what;       /* one EDDY_WATCH_... */
    bool is_dir;         /* it happened to a folder */
    const char *path;    /* what it happened to: `watched`, and behind a slash its name there */
    const char *name;    /* the last part of it, in a folder; "" for what is watched itself */
    const char *from;    /* MOVED: the path that it had; else NULL */
    const char *watched; /* the path that was given */
} eddy_watch_event;

/*
 * What happens to a file, or to a folder and the files in it, as values of type eddy_watch_event.
 * It watches from the moment in which the first is asked for, and ends behind GONE or UNMOUNTED.
 *
 * path     must stay until the first event is asked for
 * what     EDDY_WATCH_... that are wanted
 *
 * Its errors are those of eddy_watcher_add and eddy_watcher_next.
 */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_watch(const char *path, unsigned what);

/* A watcher of many paths, with one queue of events. Of a loop and thread. */
typedef struct eddy_watcher eddy_watcher;

/* Declares an owning handle: at the end of its block the watcher is closed.
 * EDDY_WATCHER watcher = NULL; EDDY_TRY(eddy_watcher_open(&watcher)); */
#define EDDY_WATCHER EDDY_CLEANUP_(eddy_watcher_end_scope_) __typeof__(eddy_watcher *)

/* Opens one that watches nothing yet. Does not wait. Returns 0, and *out is owned by the caller:
 * eddy_watcher_close() it; -EMFILE, also for too many watchers of a user; -ENOMEM; -EPERM outside
 * a loop. */
EDDY_NODISCARD EDDY_API int eddy_watcher_open(eddy_watcher **out);

/*
 * Watches one more path; events that happen from its return on are told.
 *
 * path     copied; names the watch
 * what     EDDY_WATCH_... that are wanted; none: only how it ends
 *
 * With EDDY_WATCH_RECURSIVE each folder costs the kernel some memory, a job in a thread, and one of
 * the watches that a user may have. In a folder that is made or moved in later, what is found when
 * its watch begins is told as CREATED; so of something that comes in that moment it may be told
 * twice, but not never.
 *
 * Suspends.
 *
 * Returns 0, or with nothing watched:
 *   -EEXIST   the file or folder is watched already, maybe by another path
 *   -ENOSPC   the user has as many watches as may be: sysctl fs.inotify.max_user_watches
 *   -ENOENT, -EACCES, ... of inotify_add_watch(2), also for a folder below
 *   -EINVAL   an unknown bit
 *   -ENOMEM, -EAGAIN when no thread can be made
 *   -ESHUTDOWN   the watcher is closed meanwhile
 *   -ECANCELED, -ETIMEDOUT
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_watcher_add(eddy_watcher *watcher, const char *path, unsigned what);

/* Ends the watch of a path, as it was given. Events of it that were not taken are dropped. Does
 * not wait. Returns 0, or -ENOENT: it is not watched, or was GONE. */
EDDY_API int eddy_watcher_remove(eddy_watcher *watcher, const char *path);

/*
 * Waits for the next event.
 *
 * Suspends until there is one; also, for folders that are new, while they are looked through, and
 * for up to 10 ms when the second half of a MOVED has not come.
 *
 * Returns 0; or with *event untouched
 *   -EBUSY       another task waits for one
 *   -ESHUTDOWN   the watcher is closed meanwhile
 *   -ENOSPC, -EACCES, ...   a new folder could not be watched, and is not; all others are
 *   -ENOMEM, -EAGAIN, -ECANCELED, -ETIMEDOUT   no event is lost
 * Behind each of them, but -ESHUTDOWN, the next call goes on.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_watcher_next(eddy_watcher *watcher, eddy_watch_event *event);

/* The events of a watcher as values of type eddy_watch_event, without an end. The watcher must
 * outlive the generator. */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_watcher_events(eddy_watcher *watcher);

/* Ends all watches, frees the watcher and sets the handle to NULL, which is left alone. Other tasks
 * that are inside get -ESHUTDOWN. Suspends until they have left; never refused. */
EDDY_API EDDY_AWAITS void eddy_watcher_close(eddy_watcher **watcher);

/* For the macro above. Suspends as eddy_watcher_close does. */
EDDY_API EDDY_AWAITS void eddy_watcher_end_scope_(eddy_watcher **watcher);

EDDY_END_DECLS
#endif
