/* SPDX-License-Identifier: MIT */
/* A folder that is served: web_static.c answers by its files, web_mark.c makes URLs of them. */
#ifndef ED_HTTP_WEB_STATIC_H
#define ED_HTTP_WEB_STATIC_H

#include "http/web_file.h"

#define ED_STATIC_MARKS 64

struct ed_mark;

struct ed_static {
    int fd;
    eddy_web_static_options options;
    uint64_t resolve;                       /* of openat2(2) */
    struct ed_mark *marks[ED_STATIC_MARKS]; /* of files, by their paths */
};

/* The handler of all below a folder; its argument is a struct ed_static. */
eddy_web_handler ed_static_handle;

/* A path below a folder, of `size` bytes that end at `end`, in which a NUL is an encoded slash;
 * NULL for one that no file may have. */
const char *ed_static_path(const struct ed_static *folder, const char *end, size_t size);

/* Frees all marks. */
void ed_marks_free(struct ed_static *folder);

#endif
