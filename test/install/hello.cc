// SPDX-License-Identifier: MIT
// Uses the installed library from C++: prints its version.
#include <eddy.h>
#include <cstdio>

int main()
{
    std::puts(eddy_version());
    return 0;
}
