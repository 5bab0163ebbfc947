/* SPDX-License-Identifier: MIT */
/*
 * Removing a folder with all that is in it: one job, down and up a tree (tree.h), each name once.
 *
 * A name that is no folder is unlinked, and one that is, is entered, and removed on the way back
 * from it. What a folder says of its names may be out of date: what turns out to be a folder is
 * entered after all, and what turns out to be none, such as a link that was swapped in, is
 * unlinked. What is gone already is no error. The first error is kept, and the rest goes on.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/directory.h"
#include "os/blocking.h"
#include "os/tree.h"

struct removal {
    const struct ed_blocking *b;
    struct ed_tree tree;
    int rc; /* the first error */
};

/* Notes what a name could not be removed for; NULL: the folder itself. */
static void removal_note(struct removal *r, const char *name, int rc)
{
    const char *path;

    if (rc == 0 || rc == -ENOENT || r->rc < 0)
        return;
    path = name ? ed_tree_path(&r->tree, name) : r->tree.path;
    r->rc = ed_blocking_fail_at(r->b, path ? path : r->b->path, rc);
}

static int removal_unlink(struct removal *r, const char *name, int flags)
{
    return (int)ED_SYSTEM(ED_FAULT_UNLINK, unlinkat(ed_tree_top(&r->tree)->folder, name, flags));
}

/* Enters a folder; what could not be read of it stays, and shows when it is to be removed. */
static void removal_enter(struct removal *r, const char *name)
{
    int rc = ed_tree_enter(&r->tree, name);

    if (rc == -ENOTDIR)
        rc = removal_unlink(r, name, 0);
    else if (rc == 0)
        removal_note(r, NULL,
                     ed_names_read(&ed_tree_top(&r->tree)->names, ed_tree_top(&r->tree)->folder));
    else if (rc == -EACCES && removal_unlink(r, name, AT_REMOVEDIR) == 0)
        rc = 0; /* it was empty */
    if (rc < 0)
        removal_note(r, name, rc);
}

static void removal_do(struct removal *r, const char *name)
{
    int rc;

    if (ed_name_type(name) == DT_DIR) {
        removal_enter(r, name);
        return;
    }
    rc = removal_unlink(r, name, 0);
    if (rc == -EISDIR)
        removal_enter(r, name);
    else
        removal_note(r, name, rc);
}

/* Goes up, and removes the folder that it leaves. False: there is no way on. */
static bool removal_leave(struct removal *r)
{
    int rc = ed_tree_leave(&r->tree, true);
    const char *name;

    if (r->tree.depth == 0)
        return false;
    name = ed_tree_top(&r->tree)->at;
    if (rc == 0)
        removal_note(r, name, removal_unlink(r, name, AT_REMOVEDIR));
    else
        removal_note(r, name, rc);
    return rc == 0;
}

/* Empties the folder that the tree is in. */
static int removal_run(struct removal *r)
{
    struct ed_tree_level *top = ed_tree_top(&r->tree);
    const char *name;

    removal_note(r, NULL, ed_names_read(&top->names, top->folder));
    do {
        if (ed_job_is_abandoned())
            return -ECANCELED;
        top = ed_tree_top(&r->tree);
        name = top->at = ed_names_next(&top->names, top->at);
        if (name)
            removal_do(r, name);
    } while (name || removal_leave(r));
    return r->rc;
}

/* Cuts slashes at the end, behind which a link would be followed. */
static void path_trim(char *path)
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/')
        path[--length] = '\0';
}

/* Whether the last part of a path, without slashes at its end, can be removed at all. */
static bool path_removable(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int rmtree_at(const struct ed_blocking *b, const char *path)
{
    struct removal removal = {.b = b};
    int rc = *b->path && !path_removable(path) ? -EINVAL : 0;

    if (rc == 0)
        rc = ed_tree_open(&removal.tree, path, O_NOFOLLOW);
    if (rc < 0) {
        ed_tree_close(&removal.tree);
        return ed_blocking_fail(b, rc);
    }
    rc = removal_run(&removal);
    ed_tree_close(&removal.tree);
    if (rc < 0)
        return rc;
    rc = (int)ED_SYSTEM(ED_FAULT_UNLINK, rmdir(path));
    return rc < 0 && rc != -ENOENT ? ed_blocking_fail(b, rc) : 0;
}

static int rmtree_run(const struct ed_blocking *b, void *result)
{
    char *path = ed_strdup(b->path);
    int rc;

    (void)result;
    if (!path)
        return ed_blocking_fail(b, -ENOMEM);
    path_trim(path);
    rc = rmtree_at(b, path);
    ed_free(path);
    return rc;
}

int eddy_rmtree(const char *path)
{
    return ed_blocking_run(&(struct ed_blocking){"rmtree", rmtree_run, .path = path}, NULL);
}
