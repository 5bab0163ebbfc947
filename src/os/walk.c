/* SPDX-License-Identifier: MIT */
/*
 * Going through a tree of folders by a generator. Its body and its jobs share a tree (tree.h): a
 * job enters a folder and reads all of its names, and the body yields those, one by one, and says
 * which of them the next job is to enter. Going back needs a job only where the folder above has to
 * be opened again.
 *
 * Only one of the two uses the tree at a time: a body whose job was abandoned never looks at it
 * again.
 */
#include <string.h>

#include "base/memory.h"
#include "os/blocking.h"
#include "os/directory.h"
#include "os/tree.h"
#include "task/task.h"

struct walk {
    struct ed_shared shared;
    struct ed_tree tree;
    char *path;       /* of the first folder */
    const char *name; /* to be entered */
    bool enter;       /* what entries point to */
};

static void walk_end(struct ed_shared *shared)
{
    struct walk *w = ed_container_of(shared, struct walk, shared);

    ed_tree_close(&w->tree);
    ed_free(w->path);
    ed_free(w);
}

/* In a job ------------------------------------------------------------------------- */

static int walk_read(struct ed_tree *tree)
{
    struct ed_tree_level *top = ed_tree_top(tree);
    int rc = ed_tree_loops(tree) ? -ELOOP : ed_names_read(&top->names, top->folder);

    if (rc == 0)
        rc = ed_names_sort(&top->names);
    if (rc < 0)
        (void)ed_tree_leave(tree, true); /* to one that is open */
    return rc;
}

/* Enters the first folder. */
static int walk_begin_run(const struct ed_blocking *b, void *result)
{
    struct walk *w = ed_container_of(b->shared, struct walk, shared);
    int rc = ed_tree_open(&w->tree, b->path, 0);

    (void)result;
    if (rc == 0)
        rc = walk_read(&w->tree);
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

/* Enters another one; what is in the way is a result, unless it ends the walk. */
static int walk_enter_run(const struct ed_blocking *b, void *result)
{
    struct walk *w = ed_container_of(b->shared, struct walk, shared);
    int rc = ed_tree_enter(&w->tree, w->name);

    if (rc == 0)
        rc = walk_read(&w->tree);
    *(int *)result = rc;
    return rc == -ENOMEM || rc == -ECANCELED ? ed_blocking_fail(b, rc) : 0;
}

static int walk_leave_run(const struct ed_blocking *b, void *result)
{
    struct walk *w = ed_container_of(b->shared, struct walk, shared);
    int rc = ed_tree_leave(&w->tree, true);

    (void)result;
    return rc < 0 ? ed_blocking_fail_at(b, w->tree.path, rc) : 0;
}

/* In the body ---------------------------------------------------------------------- */

static int
walk_job(struct walk *w, int (*run)(const struct ed_blocking *b, void *result), int *error)
{
    return ed_blocking_run(&(struct ed_blocking){"walk", run, w->path, .shared = &w->shared,
                                                 .result_size = error ? sizeof *error : 0},
                           error);
}

static int walk_yield(eddy_generator *g, struct walk *w, const char *name, int error)
{
    eddy_walk_entry entry = {.path = ed_tree_path(&w->tree, name),
                             .type = ed_name_type(name),
                             .error = error,
                             .depth = w->tree.depth,
                             .enter = &w->enter};

    if (!entry.path)
        return ed_raise(-ENOMEM, "walk \"%s\": no memory for a path", w->path);
    entry.name = entry.path + strlen(entry.path) - strlen(name);
    w->enter = entry.type == DT_DIR && error == 0;
    return eddy_yield(g, &entry);
}

/* Yields a name, and enters it if it is a folder, and wanted. */
static int walk_show(eddy_generator *g, struct walk *w, const char *name)
{
    int error = 0;

    EDDY_TRY(walk_yield(g, w, name, 0));
    if (ed_name_type(name) != DT_DIR || !w->enter)
        return 0;
    w->name = name;
    EDDY_TRY(walk_job(w, walk_enter_run, &error));
    return error < 0 && error != -ENOENT ? walk_yield(g, w, name, error) : 0;
}

static int walk_all(eddy_generator *g, struct walk *w)
{
    EDDY_TRY(walk_job(w, walk_begin_run, NULL));
    while (w->tree.depth > 0) {
        struct ed_tree_level *top = ed_tree_top(&w->tree);
        const char *name = top->names.sorted[top->next];

        if (name) {
            top->next++;
            EDDY_TRY(walk_show(g, w, name));
        } else if (ed_tree_leave(&w->tree, false) < 0) {
            EDDY_TRY(walk_job(w, walk_leave_run, NULL));
        }
    }
    return 0;
}

static int walk_body(eddy_generator *g, void *args)
{
    struct walk *w = ed_alloc_zero(sizeof *w);
    int rc;

    if (!w) {
        ed_free(*(char **)args);
        return ed_raise(-ENOMEM, "no memory to go through folders");
    }
    ed_share_open(&w->shared, walk_end);
    w->path = *(char **)args;
    rc = walk_all(g, w);
    ed_share_close(&w->shared);
    return rc;
}

eddy_generator *eddy_walk(const char *path)
{
    return ed_path_generator(walk_body, path, sizeof(eddy_walk_entry), "eddy_walk");
}
