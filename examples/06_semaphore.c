/* SPDX-License-Identifier: MIT */
/*
 * As many fetches as the command line asks for (default 10), three at a time.
 * A group holds any number of tasks, and a semaphore limits how many work.
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

static int fetch(int page, eddy_semaphore *limit, int *length)
{
    EDDY_TRY(eddy_semaphore_acquire(limit));
    EDDY_DEFER(eddy_semaphore_release, limit); /* async with limit */

    EDDY_TRY(eddy_sleep(1));
    printf("fetched page %d\n", page);
    *length = 1000 + page;
    return 0;
}
EDDY_ASYNC_RESULT(int, fetch, int, eddy_semaphore *);

static int fetch_all(int pages, int *lengths)
{
    eddy_semaphore limit = EDDY_SEMAPHORE_INIT(3);
    EDDY_GROUP(group); /* declared last: left first */

    for (int i = 0; i < pages; i++)
        eddy_group_create_task(&group, fetch, i, &limit, &lengths[i]);
    return eddy_group_join(&group); /* knows every error, of starting a task too */
}

static int amain(int argc, char **argv)
{
    long pages = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    if (pages < 1 || pages > 100000)
        return eddy_raise(-EINVAL, "usage: %s [PAGES]", argv[0]);

    int *lengths = calloc((size_t)pages, sizeof *lengths);
    if (lengths == NULL)
        return -ENOMEM;
    EDDY_DEFER(free, lengths);

    double start = eddy_time();
    EDDY_TRY(fetch_all((int)pages, lengths));

    long total = 0;
    for (long i = 0; i < pages; i++)
        total += lengths[i];
    printf("%ld bytes in %.0f seconds\n", total, eddy_time() - start);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
