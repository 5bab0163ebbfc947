/* SPDX-License-Identifier: MIT */
/* A program as a partner: lines go to its input, and its answers come back one by one. */
#include <eddy.h>
#include <stdio.h>

static int ask(eddy_process *partner, const char *question)
{
    EDDY_TIMEOUT(limit, 2);
    char answer[80];

    EDDY_TRY(eddy_printf(eddy_process_in(partner), "%s\n", question));
    ssize_t size = eddy_read_line(eddy_process_out(partner), answer, sizeof answer);
    if (size == 0)
        return eddy_process_check(partner); /* it has ended: why? */
    EDDY_TRY(size);
    printf("%s: %s", question, answer);
    return 0;
}

static int amain(void)
{
    static const eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE};
    EDDY_PROCESS partner = NULL; /* ended and reaped at the end of the block, on every way out */

    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("sed", "-u", "s/our/or/"), &options, &partner));
    EDDY_TRY(ask(partner, "colour"));
    EDDY_TRY(ask(partner, "harbour"));
    EDDY_TRY(eddy_process_end_input(partner)); /* so that it comes to its end */
    return eddy_process_check(partner);        /* EDDY_EPROCESS if that was not with 0 */
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
