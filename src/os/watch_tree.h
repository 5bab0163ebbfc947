/* SPDX-License-Identifier: MIT */
/* What a watcher watches; see watch_tree.c. */
#ifndef ED_OS_WATCH_TREE_H
#define ED_OS_WATCH_TREE_H

#include "base/buffer.h"
#include "base/list.h"

/* What is to be told of a folder that has not been looked through. */
enum ed_watch_look {
    ED_WATCH_QUIET, /* nothing: its watch is being added */
    ED_WATCH_KNOWN, /* what is in new folders below it */
    ED_WATCH_NEW,   /* what is in it, too */
};

/* A path that was given, or a folder below one. */
struct ed_watched {
    struct ed_watched *parent; /* NULL: it was given */
    struct eddy_link_ link;    /* among its parent's children, or the roots */
    struct eddy_list_ children;
    struct eddy_list_ *queue; /* where it waits to be looked through, or NULL */
    struct eddy_link_ queue_link;
    enum ed_watch_look look;
    unsigned what; /* EDDY_WATCH_..., as asked for */
    bool is_dir;
    int wd;      /* the kernel's number for it; -1: not watched yet */
    bool adding; /* the task that adds it frees it */
    char *name;  /* the path that was given, or its name in the parent */
};

/* Empty when zeroed, but for `fd`. */
struct ed_watch_tree {
    int fd; /* of inotify(7) */
    struct eddy_list_ roots;
    struct ed_watched **watched; /* those with a number, in its order */
    size_t count, capacity;
    struct eddy_list_ unseen;   /* folders that came later, to be looked through */
    struct eddy_list_ lookers;  /* tasks that do so now */
    struct ed_watched *telling; /* the folder whose entries are `found`, or NULL */
    struct eddy_buffer_ found;  /* of each: 'd' or '-', its name, NUL */
};

/* Forgets everything, and frees it. */
void ed_watch_tree_deinit(struct ed_watch_tree *tree);

/* A node that is not watched yet; a parent's `what` is its own. NULL: no memory. */
struct ed_watched *ed_watched_new(struct ed_watched *parent, const char *name, unsigned what);
void ed_watched_free(struct ed_watched *node); /* one that is nowhere linked */

/* Links a node: a root, or a folder that is to be looked through. */
void ed_watched_link(struct ed_watch_tree *tree, struct ed_watched *node);
void ed_watched_queue(struct ed_watched *node, struct eddy_list_ *queue, enum ed_watch_look look);

/* Ends the watch of a node and all below it, and frees them. */
void ed_watched_drop(struct ed_watch_tree *tree, struct ed_watched *node);

/* Moves a folder to another parent in its tree, under a name that becomes its own. */
void ed_watched_move(struct ed_watched *node, struct ed_watched *parent, char *name);

/* Who has that number; which folder in a folder, which root has that name; or NULL. */
struct ed_watched *ed_watched_by_number(const struct ed_watch_tree *tree, int wd);
struct ed_watched *ed_watched_child(const struct ed_watched *node, const char *name);
struct ed_watched *ed_watched_root(const struct ed_watch_tree *tree, const char *path);

/* The root above a node, or it. */
const struct ed_watched *ed_watched_top(const struct ed_watched *node);

/* Adds the path of a node, or of `name` in it unless that is "", and a NUL. 0 or -ENOMEM. */
int ed_watched_path(const struct ed_watched *node, const char *name, struct eddy_buffer_ *out);

/* Watches a node, which is linked, in a job. Suspends. 0, or an error. */
int ed_watched_enter(struct ed_watch_tree *tree, struct ed_watched *node);

/* Takes the first folder of a queue, watches it and the folders in it, and queues those. Suspends.
 * 0; or an error, and unless that is about the folder, it is first in the queue again. */
int ed_watch_look(struct ed_watch_tree *tree, struct eddy_list_ *queue);

/* Queues a folder that is known, and all below it, for the sake of new ones there. */
void ed_watched_queue_all(struct ed_watched *node, struct eddy_list_ *queue);

/* Events were lost: builds all trees anew, from their roots, which are queued. */
void ed_watch_tree_renew(struct ed_watch_tree *tree);

#endif
