/* SPDX-License-Identifier: MIT */
/* A user's program that knows tls:// by the header alone. Nobody listens at port 1. */
#include <eddy.h>
#include <eddy/tls.h>
#include <stdio.h>

static int amain(void)
{
    EDDY_STREAM peer = NULL;
    int rc = eddy_connect("tls://127.0.0.1:1", &peer);

    puts(eddy_error_message(rc));
    return rc == -ECONNREFUSED ? 0 : 1;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
