/* SPDX-License-Identifier: MIT */
/*
 * What the measured programs are told, and the files that they find in the working directory:
 *
 *     PROGRAM NAME COUNT [DEPTH]
 *
 *     small/0, small/1, ...   SMALL_SIZE bytes each
 *     big                     blocks, each of which begins with its number, 32 bits
 *     copy                    of the big one, that is made
 *     lines                   of 20 to 120 bytes
 *     fifo                    a named pipe that nobody else opens
 */
#ifndef BENCH_FILE_WORK_H
#define BENCH_FILE_WORK_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest/fail.h"

#define SMALL_SIZE 4096
#define BLOCK 4096
#define BLOCKS 65536 /* of the big file; a power of two */
#define BIG_SIZE ((uint64_t)BLOCKS * BLOCK)
#define TICK 0.001  /* seconds between two ticks */
#define PIECE 65536 /* bytes that are read at once by who reads files through */
#define WRITERS 4   /* beside a ticker, each with a file of its own */
#define WRITE_SIZE 65536
#define WRITE_END (16 << 20) /* where a writer begins again */

/* The command line. */
struct order {
    const char *name;
    unsigned count, depth;
};

/* Reads it; exits with a text if it is wrong. */
static inline struct order order_parse(int argc, char **argv)
{
    struct order order = {.depth = 1};

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s NAME COUNT [DEPTH]\n", argv[0]);
        exit(2);
    }
    order.name = argv[1];
    order.count = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc == 4)
        order.depth = (unsigned)strtoul(argv[3], NULL, 10);
    return order;
}

/* A measurement that has not done what it should is worth nothing. */
static inline void expect(uint64_t done, uint64_t wanted)
{
    if (done != wanted)
        fail("not all was done", EPROTO);
}

/* Where the names of the small files are kept, ready before the clock runs. */
struct small_name {
    char text[20];
};

/* Names so many; the caller frees them. */
static inline struct small_name *small_names(unsigned count)
{
    struct small_name *names = calloc(count, sizeof *names);

    if (!names)
        fail("calloc", ENOMEM);
    for (unsigned i = 0; i < count; i++)
        snprintf(names[i].text, sizeof names[i].text, "small/%u", i);
    return names;
}

/* How the readers beside a ticker read: ticker-random, ticker-unadvised, or ticker-through. */
static inline bool reads_through(const struct order *order)
{
    return strcmp(order->name, "ticker-through") == 0;
}

/* Random reads are to be announced: the kernel reads ahead otherwise where the neighbours of a
 * block happen to be there, and does so at the reader's expense. */
static inline bool is_advised(const struct order *order)
{
    return strcmp(order->name, "ticker-random") == 0;
}

/* The block that is read behind this one: each once in BLOCKS of them, in no order. */
static inline uint32_t block_behind(uint32_t block)
{
    return (25173 * block + 13849) % BLOCKS;
}

/* Exits unless the bytes are those of the block. */
static inline void block_check(const char *bytes, uint32_t block)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof number);
    expect(number, block);
}

#endif
