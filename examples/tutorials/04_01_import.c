/* SPDX-License-Identifier: MIT */
/* One header brings everything. */
#include <eddy.h>

int main(void)
{
    return 0;
}
