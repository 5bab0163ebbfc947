/* SPDX-License-Identifier: MIT */
/*
 * A way down a tree of folders: a level for each folder from the first to the innermost, with
 * all names that it has, read in one go, so that nothing that happens in it disturbs the reading.
 *
 * Only names of one part are given to the kernel, with the descriptor of their folder, and a
 * folder is entered only if it is one itself. So neither links nor the length of paths matter.
 * Only the innermost levels keep their descriptors; another is opened again on the way back, as
 * ".." of the one below, and must then be the same folder as before.
 */
#include "os/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/blocking.h"

#define NAMES_BUFFER 32768
#define TREE_KEPT 32 /* levels with a descriptor */

/* The names of a folder ------------------------------------------------------------ */

/* Makes room for more; 0 or -ENOMEM. */
static int room_for(char **bytes, size_t *room, size_t size)
{
    size_t wanted = *room ? *room : 256;
    char *grown;

    if (size <= *room)
        return 0;
    while (wanted < size)
        wanted *= 2;
    grown = ed_realloc(*bytes, wanted);
    if (!grown)
        return -ENOMEM;
    *bytes = grown;
    *room = wanted;
    return 0;
}

static int names_add(struct ed_names *names, unsigned char type, const char *name)
{
    size_t size = strlen(name) + 1;
    int rc = room_for(&names->bytes, &names->room, names->size + 1 + size);

    if (rc < 0)
        return rc;
    names->bytes[names->size] = (char)type;
    memcpy(names->bytes + names->size + 1, name, size);
    names->size += 1 + size;
    names->count++;
    return 0;
}

bool ed_name_find_type(int folder, const char *name, unsigned char *type)
{
    struct stat known;
    long rc;

    if (*type != DT_UNKNOWN)
        return true;
    rc = ED_SYSTEM(ED_FAULT_STAT, fstatat(folder, name, &known, AT_SYMLINK_NOFOLLOW));
    if (rc == 0)
        *type = (unsigned char)IFTODT(known.st_mode);
    return rc != -ENOENT;
}

static int names_add_entries(struct ed_names *names, int folder, char *buffer, size_t size)
{
    for (size_t at = 0; at < size;) {
        struct dirent64 *entry = (struct dirent64 *)(void *)(buffer + at);
        unsigned char type = entry->d_type;
        int rc = 0;

        at += entry->d_reclen;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (ed_name_find_type(folder, entry->d_name, &type))
            rc = names_add(names, type, entry->d_name);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int ed_folder_read(int folder, void *buffer, size_t size)
{
    int rc = (int)ED_SYSTEM(ED_FAULT_LIST, getdents64(folder, buffer, size));

    return rc == -ENOENT ? 0 : rc;
}

int ed_names_read(struct ed_names *names, int folder)
{
    alignas(16) char buffer[NAMES_BUFFER];
    int rc;

    do {
        if (ed_job_is_abandoned())
            return -ECANCELED;
        rc = ed_folder_read(folder, buffer, sizeof buffer);
        if (rc > 0 && names_add_entries(names, folder, buffer, (size_t)rc) < 0)
            return -ENOMEM;
    } while (rc > 0);
    return rc;
}

const char *ed_names_next(const struct ed_names *names, const char *name)
{
    const char *next = name ? name + strlen(name) + 1 : names->bytes;

    return next && next < names->bytes + names->size ? next + 1 : NULL;
}

static int names_compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

int ed_names_sort(struct ed_names *names)
{
    const char *name = NULL;
    size_t n = 0;

    names->sorted = ed_alloc((names->count + 1) * sizeof names->sorted[0]);
    if (!names->sorted)
        return -ENOMEM;
    while ((name = ed_names_next(names, name)))
        names->sorted[n++] = name;
    names->sorted[n] = NULL;
    qsort(names->sorted, n, sizeof names->sorted[0], names_compare);
    return 0;
}

void ed_names_free(struct ed_names *names)
{
    ed_free(names->bytes);
    ed_free(names->sorted);
    *names = (struct ed_names){.bytes = NULL};
}

/* The way down --------------------------------------------------------------------- */

const char *ed_tree_path(struct ed_tree *tree, const char *name)
{
    size_t length = ed_tree_top(tree)->length, size = strlen(name) + 1;
    bool slash = tree->path[length - 1] != '/';

    if (room_for(&tree->path, &tree->path_room, length + slash + size) < 0)
        return NULL;
    if (slash)
        tree->path[length] = '/';
    memcpy(tree->path + length + slash, name, size);
    return tree->path;
}

/* Opens a folder below another and notes which it is. */
static int level_open(struct ed_tree_level *level, int above, const char *name, int flags)
{
    struct stat known;
    int fd = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                            openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
    int rc;

    if (fd < 0)
        return fd == -ELOOP && flags ? -ENOTDIR : fd;
    rc = (int)ED_SYSTEM(ED_FAULT_STAT, fstat(fd, &known));
    if (rc < 0) {
        close(fd);
        return rc;
    }
    level->folder = fd;
    level->device = known.st_dev;
    level->inode = known.st_ino;
    return 0;
}

static void level_close(struct ed_tree_level *level)
{
    if (level->folder >= 0)
        close(level->folder);
    level->folder = -1;
}

static int tree_make_room(struct ed_tree *tree)
{
    size_t room = tree->room ? 2 * tree->room : 8;
    struct ed_tree_level *grown;

    if (tree->depth < tree->room)
        return 0;
    grown = ed_realloc(tree->levels, room * sizeof grown[0]);
    if (!grown)
        return -ENOMEM;
    tree->levels = grown;
    tree->room = room;
    return 0;
}

/* Enters a folder whose path stands in tree->path already. */
static int tree_push(struct ed_tree *tree, int above, const char *name, int flags)
{
    struct ed_tree_level level = {.length = strlen(tree->path)};
    int rc = tree_make_room(tree);

    if (rc == 0)
        rc = level_open(&level, above, name, flags);
    if (rc < 0)
        return rc;
    tree->levels[tree->depth++] = level;
    if (tree->depth > TREE_KEPT)
        level_close(&tree->levels[tree->depth - 1 - TREE_KEPT]);
    return 0;
}

int ed_tree_open(struct ed_tree *tree, const char *path, int flags)
{
    size_t size = strlen(path) + 1;

    if (size == 1)
        return -ENOENT;
    if (room_for(&tree->path, &tree->path_room, size) < 0)
        return -ENOMEM;
    memcpy(tree->path, path, size);
    return tree_push(tree, AT_FDCWD, path, flags);
}

int ed_tree_enter(struct ed_tree *tree, const char *name)
{
    if (!ed_tree_path(tree, name))
        return -ENOMEM;
    return tree_push(tree, ed_tree_top(tree)->folder, name, O_NOFOLLOW);
}

/* Opens the folder above the one that is left, which has to be the one we came from. */
static int tree_reopen(struct ed_tree_level *above, int below)
{
    struct ed_tree_level found;
    int rc = level_open(&found, below, "..", 0);

    if (rc < 0)
        return rc;
    above->folder = found.folder;
    if (found.device == above->device && found.inode == above->inode)
        return 0;
    level_close(above);
    return -ESTALE;
}

int ed_tree_leave(struct ed_tree *tree, bool block)
{
    struct ed_tree_level *left = ed_tree_top(tree);
    struct ed_tree_level *above = tree->depth > 1 ? left - 1 : NULL;
    int rc = 0;

    if (above && above->folder < 0) {
        if (!block)
            return -EAGAIN;
        rc = tree_reopen(above, left->folder);
    }
    level_close(left);
    ed_names_free(&left->names);
    tree->depth--;
    if (above)
        tree->path[above->length] = '\0';
    return rc;
}

bool ed_tree_loops(const struct ed_tree *tree)
{
    const struct ed_tree_level *top = ed_tree_top(tree);

    for (const struct ed_tree_level *level = tree->levels; level < top; level++)
        if (level->inode == top->inode && level->device == top->device)
            return true;
    return false;
}

void ed_tree_close(struct ed_tree *tree)
{
    while (tree->depth > 0) {
        struct ed_tree_level *level = &tree->levels[--tree->depth];

        level_close(level);
        ed_names_free(&level->names);
    }
    ed_free(tree->levels);
    ed_free(tree->path);
    *tree = (struct ed_tree){.levels = NULL};
}
