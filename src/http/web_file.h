/* SPDX-License-Identifier: MIT */
/* A file as an answer. */
#ifndef ED_HTTP_WEB_FILE_H
#define ED_HTTP_WEB_FILE_H

#include <sys/stat.h>

#include "http/web_exchange.h"

/* How it is to be sent. */
struct ed_web_file {
    const char *name;          /* its type is that of this name's ending */
    enum ed_coding coding;     /* that its bytes have */
    bool varies;               /* the answer depends on Accept-Encoding */
    const char *cache_control; /* NULL: none */
    struct ed_cached *cached;  /* instead of a descriptor; given back like that; or NULL */
};

/* Where and how to open a file, in a thread too. */
struct ed_web_opening {
    int folder;       /* or AT_FDCWD */
    const char *path; /* from there */
    uint64_t resolve; /* of openat2(2) */
};

/* Opens one, or a folder: without waiting when the kernel has all that it takes in memory, else in
 * a thread. Suspends. A descriptor; -ENXIO for what is neither, which is left alone; or an error of
 * open(2); their texts name nothing. */
EDDY_AWAITS int ed_web_file_open(const struct ed_web_opening *opening);

/* Answers a request by an open regular file, whose descriptor it takes, whatever it returns: 200,
 * 206 or 304; or fails with the status of 412 or 416. */
int ed_web_file_answer(eddy_web_request *request, int fd, const struct stat *status,
                       const struct ed_web_file *file);

/* The status that fits an error of opening, as an error. */
int ed_web_file_error(int rc);

#endif
