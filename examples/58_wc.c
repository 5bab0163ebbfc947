/* SPDX-License-Identifier: MIT */
/* wc over many files at once: the lines, words and bytes of each, and of all. A file is looked at
 * where the library keeps it, without a copy, and may be of any size.  58_wc FILE... */
#include <ctype.h>
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

struct counts {
    size_t lines, words, bytes;
};

static int count(const char *path, eddy_semaphore *limit, struct counts *counts)
{
    EDDY_DEFER(eddy_semaphore_release, limit);
    EDDY_STREAM file = NULL;
    const char *data;
    ssize_t size;

    EDDY_TRY(eddy_open(path, "r", &file));
    for (bool in_word = false; (size = eddy_peek(file, 1, &data)) > 0;) {
        for (ssize_t i = 0; i < size; i++) {
            counts->lines += data[i] == '\n';
            counts->words += !in_word && !isspace((unsigned char)data[i]);
            in_word = !isspace((unsigned char)data[i]);
        }
        counts->bytes += (size_t)size;
        eddy_consume(file, (size_t)size);
    }
    return (int)size;
}
EDDY_ASYNC(count, const char *, eddy_semaphore *, struct counts *);

static int amain(int argc, char **argv)
{
    struct counts *counts = calloc((size_t)argc, sizeof *counts);
    if (!counts)
        return -ENOMEM;
    EDDY_DEFER(free, counts);
    eddy_semaphore limit = EDDY_SEMAPHORE_INIT(32); /* files that are open at a time */
    EDDY_GROUP(group);

    for (int i = 1; i < argc; i++) {
        EDDY_TRY(eddy_semaphore_acquire(&limit));
        eddy_group_create_task(&group, count, argv[i], &limit, &counts[i]);
    }
    EDDY_TRY(eddy_group_join(&group));

    for (int i = 1; i < argc; i++) {
        printf("%7zu %7zu %7zu %s\n", counts[i].lines, counts[i].words, counts[i].bytes, argv[i]);
        counts->lines += counts[i].lines;
        counts->words += counts[i].words;
        counts->bytes += counts[i].bytes;
    }
    printf("%7zu %7zu %7zu total\n", counts->lines, counts->words, counts->bytes);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
