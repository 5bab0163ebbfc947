/* SPDX-License-Identifier: MIT */
/*
 * Task-local values: what belongs to a request without being passed through
 * every call. A task starts with a copy of its creator's values; what it sets,
 * nobody else sees.
 */
#include <eddy.h>
#include <stdio.h>

static eddy_local user = EDDY_LOCAL_INIT("user", "nobody");

static void say(const char *what)
{
    printf("[%s] %s\n", (const char *)eddy_local_get(&user), what);
}

static int save(void)
{
    EDDY_TRY(eddy_sleep(0.5));
    say("saved"); /* as a plain call and as a task: the values are those of the request */
    return 0;
}
EDDY_ASYNC(save);

static int serve(char *name)
{
    EDDY_TRY(eddy_local_set(&user, name, NULL));
    say("request");
    EDDY_TRY(save());
    EDDY_TRY(eddy_gather(EDDY_CALL(save), EDDY_CALL(save)));
    say("answer");
    return 0;
}
EDDY_ASYNC(serve, char *);

static int amain(void)
{
    say("server starts");
    EDDY_TRY(eddy_gather(EDDY_CALL(serve, "Ann"), EDDY_CALL(serve, "Bob")));
    say("server stops");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
