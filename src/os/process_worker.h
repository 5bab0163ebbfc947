/* SPDX-License-Identifier: MIT */
/*
 * What a pool and its workers say to each other, over a socket of each worker's:
 *
 *     pool --> worker    the nonce, 8 bytes, before it starts
 *     worker --> pool    the same, when it has come up
 *     pool --> worker    a request, the path of a module, the input
 *     worker --> pool    an answer, the text of an error, the output
 *
 * Both are the same program on one machine, so that structures go as they are.
 */
#ifndef ED_OS_PROCESS_WORKER_H
#define ED_OS_PROCESS_WORKER_H

#include "base/compat.h"
#include "os/module.h"

#define ED_WORKER_FD 3 /* of the socket, in the worker */
#define ED_WORKER_PATH 4096
#define ED_WORKER_TEXT 512

/* The variable that makes a program a worker: "3:" and the nonce, 16 hexadecimal digits. */
extern const char ed_worker_variable[];

struct ed_worker_request {
    uint64_t identity, offset; /* of the function, as in struct ed_place_in_module, */
    uint32_t path_size;        /* with the NUL */
    bool on_bytes;             /* an eddy_bytes_function, or else an eddy_entry */
    uint64_t input_size;
    uint64_t output_size; /* of an entry's result */
    uint64_t limit;       /* of the output */
};

struct ed_worker_answer {
    int32_t rc;
    uint32_t text_size; /* with the NUL; 0: none */
    uint64_t where;     /* of the text, an offset in the function's module; 0: not known */
    uint64_t output_size;
};

#endif
