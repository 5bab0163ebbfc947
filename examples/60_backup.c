/* SPDX-License-Identifier: MIT */
/* Copies a folder to BACKUPS/NAME, with a list of its files, and notes NAME in BACKUPS/latest. The
 * copy has its name once it is whole, or leaves nothing.  60_backup FOLDER BACKUPS NAME */
#include <eddy.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int copy_tree(const char *from, const char *to, eddy_stream *list)
{
    eddy_walk_entry found;
    char target[PATH_MAX];
    int rc;

    EDDY_FOR_EACH(rc, found, eddy_walk(from)) {
        if (found.error < 0)
            return eddy_raise(found.error, "%s: %s", found.path, eddy_strerror(found.error));
        if (snprintf(target, PATH_MAX, "%s%s", to, found.path + strlen(from)) >= PATH_MAX)
            return eddy_raise(-ENAMETOOLONG, "%s: its copy has too long a path", found.path);
        if (found.type == DT_DIR && found.name[0] == '.')
            *found.enter = false; /* hidden folders are left out */
        else if (found.type == DT_DIR)
            EDDY_TRY(eddy_mkdir(target, 0777));
        else if (found.type == DT_REG) {
            EDDY_TRY(eddy_copy_file(found.path, target));
            EDDY_TRY(eddy_printf(list, "%s\n", found.path));
        }
    }
    return rc;
}

static int fill(const char *from, const char *to)
{
    static const eddy_open_options options = {.write_buffer = 65536};
    char path[PATH_MAX];
    EDDY_STREAM list = NULL;

    snprintf(path, PATH_MAX, "%s/.list", to);
    EDDY_TRY(eddy_open_with(path, "x", &options, &list));
    EDDY_TRY(copy_tree(from, to, list));
    return eddy_fsync(list); /* with what was gathered */
}

static int amain(int argc, char **argv)
{
    char path[2][PATH_MAX];
    if (argc != 4)
        return eddy_raise(-EINVAL, "usage: %s FOLDER BACKUPS NAME", argv[0]);
    snprintf(path[0], PATH_MAX, "%s/%s", argv[2], argv[3]);
    snprintf(path[1], PATH_MAX, "%s/latest", argv[2]);
    EDDY_TEMPORARY(copy); /* is gone at the end of the block, unless it is kept */
    eddy_temporary_options beside = {.dir = argv[2], .prefix = ".unfinished-"};
    EDDY_TRY(eddy_temporary_directory(&copy, &beside));
    EDDY_TRY(fill(argv[1], copy.path));
    EDDY_TRY(eddy_rename(copy.path, path[0]));
    eddy_free(eddy_temporary_keep(&copy));
    return eddy_replace_file(path[1], argv[3], strlen(argv[3]), 0);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
