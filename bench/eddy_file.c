/* SPDX-License-Identifier: MIT */
/*
 * What `file` measures of Eddy, one benchmark a run, on the public API alone: see file/work.h for
 * the command line and the files. The benchmarks are the files of eddy_file/.
 */
#include "eddy_file/job.h"

static const struct {
    const char *name;
    int (*run)(const struct order *order);
} plays[] = {
    {"small-files", read_small_files},
    {"whole-files", read_whole_files},
    {"random", read_random},
    {"lines", read_lines},
    {"copy", copy_big},
    {"spawn", spawn_often},
    {"ticker-random", tick_beside},
    {"ticker-unadvised", tick_beside},
    {"ticker-through", tick_beside},
};

static int amain(int argc, char **argv)
{
    struct order order = order_parse(argc, argv);

    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
        if (strcmp(plays[i].name, order.name) == 0)
            return plays[i].run(&order);
    }
    return eddy_raise(-EINVAL, "no benchmark '%s'", order.name);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
