/* SPDX-License-Identifier: MIT */
/* A bar on the terminal. */
#include "tools/progress.h"

#include "harness.h"

RAW_TEST(progress_line)
{
    struct ed_progress progress = {.total = 200, .start = 10};
    char line[ED_PROGRESS_LINE];

    ed_progress_format(&progress, 10, 200, line);
    CHECK_STR(line, "[                        ] 0 of 200, 0 B, 0.0 a second, ? left");
    progress.done = 100;
    progress.bytes = 4200000;
    ed_progress_format(&progress, 12, 200, line);
    CHECK_STR(line, "[############            ] 100 of 200, 4.2 MB, 50 a second, 2 s left");
    ed_progress_format(&progress, 1010, 200, line);
    CHECK_HAS(line, " 0.1 a second, 16 min 40 s left");
    ed_progress_format(&progress, 12, 10, line);
    CHECK_STR(line, "[#########");
    progress.done = 200;
    ed_progress_format(&progress, 12, 200, line);
    CHECK_HAS(line, "[########################] 200 of 200");
    CHECK_HAS(line, " 0 s left");
}

/* Nothing is drawn where standard error is no terminal, and nobody waits for it. */
TEST(progress_is_for_terminals)
{
    struct ed_progress progress = {.shown = false, .total = 1};

    CHECK_OK(ed_progress_show(&progress));
    ed_progress_clear(&progress);
}
