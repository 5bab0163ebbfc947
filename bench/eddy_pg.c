/* SPDX-License-Identifier: MIT */
/*
 * What `pg` measures of Eddy, one benchmark a run, on the public API alone: eddy-pg NAME COUNT. The
 * environment names the server. The benchmarks are the files of eddy_pg/; each connects and gets
 * ready before its clock runs.
 */
#include <stdlib.h>
#include <string.h>

#include "eddy_pg/job.h"

static const struct {
    const char *name;
    int (*run)(unsigned count);
} plays[] = {
    {"rows", fetch_rows},
    {"rows-decoded", fetch_rows_decoded},
    {"rows-streamed", stream_rows},
    {"point", ask_points},
    {"point-text", ask_points_by_text},
    {"single", ask_one_by_one},
    {"pipeline", ask_in_batches},
    {"pipeline-tasks", ask_in_tasks},
    {"copy", copy_records},
    {"copy-file", copy_file},
    {"executemany", execute_many},
    {"pool", acquire_and_release},
};

static int amain(int argc, char **argv)
{
    unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

    if (count == 0)
        return eddy_raise(-EINVAL, "usage: %s NAME COUNT", argv[0]);
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].run(count);
    }
    return eddy_raise(-EINVAL, "no benchmark '%s'", argv[1]);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
