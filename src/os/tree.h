/* SPDX-License-Identifier: MIT */
/*
 * Going through a tree of folders by descriptors, in a thread: no link is followed, whoever swaps
 * one in meanwhile. See tree.c.
 */
#ifndef ED_OS_TREE_H
#define ED_OS_TREE_H

#include <dirent.h>
#include <sys/types.h>

#include "base/compat.h"

/* The names in a folder. Each lies behind its type, DT_REG, DT_DIR, ...: see ed_name_type. */
struct ed_names {
    char *bytes;
    size_t size, room, count;
    const char **sorted; /* by their bytes, once they are */
};

ED_INLINE unsigned char ed_name_type(const char *name)
{
    return (unsigned char)name[-1];
}

/* Fills a buffer with entries of a folder, in the kernel's form: its size, 0 at the end, or an
 * error. A folder that is gone has come to its end. */
int ed_folder_read(int folder, void *buffer, size_t size);

/* Reads all that a folder has, but "." and ".."; no type is DT_UNKNOWN. 0, or an error:
 * -ECANCELED in a job that was abandoned. What was read until then is kept. */
int ed_names_read(struct ed_names *names, int folder);
int ed_names_sort(struct ed_names *names); /* 0 or -ENOMEM */
void ed_names_free(struct ed_names *names);

/* The name behind this one, NULL: the first; NULL when there is none. In the order of reading. */
const char *ed_names_next(const struct ed_names *names, const char *name);

/* Finds out a type that the folder does not tell; false: the name is gone. What cannot be asked
 * about stays DT_UNKNOWN. */
bool ed_name_find_type(int folder, const char *name, unsigned char *type);

struct ed_tree_level {
    int folder; /* its descriptor; -1: closed for a while */
    dev_t device;
    ino_t inode;
    size_t length; /* of its path */
    struct ed_names names;
    const char *at; /* the name that is worked on */
    size_t next;    /* in names.sorted */
};

/* All zero but for `folder`, it has no level. */
struct ed_tree {
    struct ed_tree_level *levels;
    size_t depth, room;
    char *path; /* of the innermost folder; more may stand behind its length */
    size_t path_room;
};

ED_INLINE struct ed_tree_level *ed_tree_top(const struct ed_tree *tree)
{
    return &tree->levels[tree->depth - 1];
}

/* Enters the first folder. `flags` is 0 or O_NOFOLLOW. 0 or an error. */
int ed_tree_open(struct ed_tree *tree, const char *path, int flags);

/* Enters a folder of the innermost one. 0; -ENOTDIR for what is none, or a link; or an error. */
int ed_tree_enter(struct ed_tree *tree, const char *name);

/* Goes back to the folder above. 0, or an error: -ESTALE, the folder was moved elsewhere meanwhile.
 * The innermost one has been left in any case. `block` false: -EAGAIN if that needs the disk. */
int ed_tree_leave(struct ed_tree *tree, bool block);

/* Whether the innermost folder is also one above itself, as broken file systems have it. */
bool ed_tree_loops(const struct ed_tree *tree);

/* The path of a name in the innermost folder, until the next call; NULL: no memory. */
const char *ed_tree_path(struct ed_tree *tree, const char *name);

void ed_tree_close(struct ed_tree *tree);

#endif
