/* SPDX-License-Identifier: MIT */
/*
 * Temporary files and folders, which are gone when their block ends, however it ends.
 *
 *     EDDY_TEMPORARY(work);
 *
 *     EDDY_TRY(eddy_temporary_directory(&work, NULL));
 *     EDDY_TRY(unpack(archive, work.path));
 *
 * Nobody else can open them, nor guess their names: permissions are 0600 and 0700, less the umask,
 * names are random, and what is there is never taken. They are made where TMPDIR says, else in
 * /tmp, unless told otherwise.
 *
 * A call that makes one suspends. Cancelled, it leaves at once, and nothing stays behind.
 */
#ifndef EDDY_TEMPFILE_H
#define EDDY_TEMPFILE_H

#include "eddy/compat.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/* A name and a place; all zero means the defaults. */
typedef struct eddy_temporary_options {
    const char *dir;    /* the folder; NULL: TMPDIR, or /tmp */
    const char *prefix; /* before what is random in the name; NULL: "tmp" */
    const char *suffix; /* behind it, such as ".json"; NULL: none */
} eddy_temporary_options;

/*
 * A file without a name, open for reading and writing: see eddy/file.h. It is gone when it is
 * closed, or when the process ends, however that ends. `options` may be NULL; only `dir` counts.
 *
 * Suspends.
 *
 * Returns 0, and *out is owned by the caller, as of eddy_open; or an error of open(2), -ENOMEM,
 * -EAGAIN when no thread can be made, -ECANCELED, -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_temporary_file(const eddy_temporary_options *options, eddy_stream **out);

/*
 * A file without a name that is in memory while it is small, and moves to the disk by itself when
 * it grows: for uploads and the like, most of which are small. It is a file for all of eddy/file.h
 * and eddy/stream.h.
 *
 *     EDDY_TRY(eddy_spooled_temporary_file(1 << 20, NULL, &upload));
 *     EDDY_TRY(eddy_stream_copy(client, upload));
 *     EDDY_TRY(eddy_seek(upload, 0, SEEK_SET));
 *
 * While it is in memory it has no descriptor, eddy_stream_fd() is -1, and its calls do not wait.
 * The write or eddy_truncate() that would make it longer than `max_size` first rolls it over: what
 * it has is written to a file as of eddy_temporary_file, which takes its place. What was read
 * ahead, the position and other readers notice nothing. What eddy_write_nowait() cannot add without
 * that is gathered, as with every file, and rolled over by the next call that may wait.
 *
 * When rolling over fails, or is cancelled, the call that wanted it returns that, and has done
 * nothing. All bytes are in memory as before and can be read; the next such call tries again.
 *
 * max_size   bytes; 0: no limit but memory
 * options    NULL: the defaults; only `dir` counts: copied, and used when it rolls over
 * out        owned by the caller, as of eddy_open
 *
 * Does not wait. Returns 0, -ENOMEM, or -EPERM outside a loop.
 */
EDDY_NODISCARD EDDY_API int eddy_spooled_temporary_file(size_t max_size,
                                                        const eddy_temporary_options *options,
                                                        eddy_stream **out);

/* Moves such a file to the disk now, so that it has a descriptor. A file that is there has no more
 * to do. Suspends. Returns 0; -ESPIPE for what is no file; or why it is in memory still: an error
 * of eddy_temporary_file or eddy_write, -ECANCELED, -ETIMEDOUT. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_rollover(eddy_stream *file);

/* Whether it is on the disk, as all other files are; false for other streams. Does not wait. */
EDDY_API bool eddy_is_rolled_over(const eddy_stream *file);

/* A file or folder that has a name. `path` is NULL while there is none. */
typedef struct eddy_temporary {
    char *path;          /* absolute; the library's */
    eddy_stream *stream; /* of a file: open for reading and writing; may be closed, moved or NULL */
    bool is_dir;
} eddy_temporary;

/* Declares an empty one. What it has at the end of the block is closed and removed, as by
 * eddy_temporary_cleanup; a failure is reported by the loop. */
#define EDDY_TEMPORARY(name)                                                                       \
    EDDY_CLEANUP_(eddy_temporary_end_scope_) eddy_temporary name = {NULL, NULL, false}

/*
 * Makes a file with a name. To have others use it by that name, close the stream: the file stays
 * until the block ends.
 *
 * out       an empty one, declared by EDDY_TEMPORARY
 * options   NULL: the defaults
 *
 * Suspends.
 *
 * Returns as eddy_temporary_file; -EINVAL when `out` is not empty, or for a slash in the prefix or
 * suffix.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_named_temporary_file(eddy_temporary *out, const eddy_temporary_options *options);

/* The same for a folder. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_temporary_directory(eddy_temporary *out, const eddy_temporary_options *options);

/*
 * Closes the stream, if it is open, and removes the file, or the folder with all that is in it.
 * Links in it are removed, and not followed. What is gone already is no error, nor is an empty one.
 *
 * Suspends, and is never refused or cut short. Returns 0, and it is empty; or an error that names
 * what could not be removed: then the rest is there still, and a second call tries again.
 */
EDDY_API EDDY_AWAITS int eddy_temporary_cleanup(eddy_temporary *temporary);

/* Keeps what is there. Returns its path, NULL for an empty one, owned by the caller: eddy_free()
 * it. The stream stays open, and is closed at the end of the block: a failure is reported by the
 * loop; who wants to know of it closes by hand. */
EDDY_NODISCARD EDDY_API char *eddy_temporary_keep(eddy_temporary *temporary);

/* For the macro above. Suspends as eddy_temporary_cleanup does. */
EDDY_API EDDY_AWAITS void eddy_temporary_end_scope_(eddy_temporary *temporary);

EDDY_END_DECLS
#endif
