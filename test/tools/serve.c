/* SPDX-License-Identifier: MIT */
/* eddy serve, where it cannot; tools/check-tools has it at work. */
#include "command_run.h"

RAW_TEST(serve_says_why_it_cannot)
{
    CHECK_EQ(command_run("eddy serve one two"), 2);
    CHECK_HAS(command_said, "one folder, not also 'two'");
    CHECK_EQ(command_run("eddy serve --port 65536"), 2);
    CHECK_HAS(command_said, "--port: '65536' is not a whole number from 0 to 65535");
    CHECK_EQ(command_run("eddy serve --tls cert.pem"), 2);
    CHECK_HAS(command_said, "--tls: needs CERT KEY");
    CHECK_EQ(command_run("eddy serve /nowhere --port 0"), 1);
    CHECK_HAS(command_said, "/nowhere");
    CHECK_EQ(command_run("eddy serve --tls /nowhere/cert /nowhere/key --port 0"), 1);
    CHECK_HAS(command_said, "/nowhere/");
}
