/* SPDX-License-Identifier: MIT */
/* Two words with a second between them. */
#include <eddy.h>
#include <stdio.h>

static int say_hello(void)
{
    puts("Hello");
    EDDY_TRY(eddy_sleep(1));
    puts("World");
    return 0;
}
EDDY_ASYNC(say_hello);
EDDY_MAIN(say_hello)
