/* SPDX-License-Identifier: MIT */
/* The main entry point of an asynchronous program. */
#include <eddy.h>

static int amain(void)
{
    /* Your asynchronous code will go here */
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
