/* SPDX-License-Identifier: MIT */
/* eddy get, where nobody answers; tools/check-tools has it among servers. */
#include "command_run.h"

RAW_TEST(get_wants_a_url)
{
    CHECK_EQ(command_run("eddy get"), 2);
    CHECK_HAS(command_said, "which URL?");
    CHECK_EQ(command_run("eddy get -c 0 http://127.0.0.1:1/"), 2);
    CHECK_HAS(command_said, "eddy get: -c: '0' is not a whole number from 1 to 10000");
    CHECK_EQ(command_run("eddy get -i /nowhere/list"), 26);
    CHECK_HAS(command_said, "/nowhere/list");
    CHECK_EQ(command_run("eddy get --cacert /nowhere/ca.pem https://127.0.0.1:1/"), 2);
    CHECK_HAS(command_said, "--cacert: ");
}

RAW_TEST(get_exits_with_the_cause)
{
    CHECK_EQ(command_run("eddy get http://127.0.0.1:1/"), 7);
    CHECK_HAS(command_said, "http://127.0.0.1:1/");
    CHECK_HAS(command_said, "Connection refused");
    CHECK_EQ(command_run("eddy get nonsense"), 3);
    CHECK_EQ(command_run("eddy get -o /dev/null/x http://127.0.0.1:1/"), 23);
}

/* The first in the order given counts, whichever failed first. */
RAW_TEST(get_sums_failures_up_by_cause)
{
    CHECK_EQ(command_run("eddy get http://127.0.0.1:1/ http://[ http://127.0.0.1:2/"), 7);
    CHECK_HAS(command_said, "0 of 3 pages, 0 B, in ");
    CHECK_HAS(command_said, "3 failed: ");
    CHECK_HAS(command_said, "2 connection refused");
    CHECK_HAS(command_said, "1 not a URL");
    CHECK_EQ(command_run("eddy get --quiet http://[ http://127.0.0.1:1/"), 3);
    CHECK(strstr(command_said, "failed: ") == NULL);
}
