/* SPDX-License-Identifier: MIT */
/* Loads a CSV file with a header line into a table, all of it or nothing, and says twice a second
 * how far it is.    71_csv_load DSN TABLE FILE */
#include <eddy.h>
#include <eddy/pg.h>
#include <stdio.h>

static int show_progress(eddy_stream *file, int64_t size)
{
    for (;;) {
        EDDY_TRY(eddy_sleep(0.5));
        fprintf(stderr, "%3d %%\n",
                (int)(100 * eddy_stream_get_counters(file).received / (size_t)size));
    }
}
EDDY_ASYNC(show_progress, eddy_stream *, int64_t);

static int amain(int argc, char **argv)
{
    const eddy_pg_copy_options options = {.format = "csv", .header = true};
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM file = NULL;
    int64_t size, rows;

    if (argc != 4)
        return eddy_raise(-EINVAL, "usage: %s DSN TABLE FILE", argv[0]);
    EDDY_TRY(eddy_pg_connect(argv[1], NULL, &db));
    EDDY_TRY(size = eddy_path_size(argv[3]));
    EDDY_TRY(eddy_open(argv[3], "r", &file));
    EDDY_TASK progress = eddy_create_task(show_progress, file, size + 1);
    EDDY_TRY(rows = eddy_pg_copy_in(db, argv[2], &options, file));
    printf("%lld rows\n", (long long)rows);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
