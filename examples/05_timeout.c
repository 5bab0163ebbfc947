/* SPDX-License-Identifier: MIT */
/*
 * One time limit around two calls, and a second try. A timeout is a scope: no
 * call takes a limit of its own, every call in the block obeys.
 */
#include <eddy.h>
#include <stdio.h>

static int ask(const char *server, double seconds, const char *question)
{
    printf("%s: %s?\n", server, question);
    EDDY_TRY(eddy_sleep(seconds));
    printf("%s: %s!\n", server, question);
    return 0;
}

static int log_in(const char *server, double seconds)
{
    EDDY_TIMEOUT(limit, 1.5); /* for both, from here to the end of the function */

    EDDY_TRY(ask(server, seconds, "name"));
    return ask(server, seconds, "password");
}

static int amain(void)
{
    static const struct {
        const char *name;
        double seconds; /* that it takes to answer */
    } servers[] = {{"slow", 1.0}, {"quick", 0.5}};
    int rc = -ENOENT;

    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        rc = log_in(servers[i].name, servers[i].seconds);
        if (rc != -ETIMEDOUT)
            break;
        printf("%s server: %s, trying the next\n", servers[i].name, eddy_strerror(rc));
    }
    EDDY_TRY(rc);
    puts("logged in");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
