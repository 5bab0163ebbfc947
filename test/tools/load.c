/* SPDX-License-Identifier: MIT */
/* eddy load, where nobody answers; tools/check-tools has it at work. */
#include "command_run.h"

RAW_TEST(load_of_nobody)
{
    CHECK_EQ(command_run("eddy load"), 2);
    CHECK_HAS(command_said, "which URL?");
    CHECK_EQ(command_run("eddy load http://a/ http://b/"), 2);
    CHECK_HAS(command_said, "one URL, not also 'http://b/'");
    CHECK_EQ(command_run("eddy load -c 2 -d 0.5 http://127.0.0.1:1/"), 7);
    CHECK_HAS(command_said, "requests: 0, 0.0 a second");
    CHECK_HAS(command_said, " connection refused\n");
}
