/* SPDX-License-Identifier: MIT */
/*
 * Open all, or none: an exit stack ends what was opened when the next one fails, else
 * hands it to the caller. An exit sees how the block ended: goodbye, or hung up.
 */
#include <eddy.h>
#include <stdio.h>
#include <string.h>

struct session {
    const char *host;
};

static int session_open(struct session *session, const char *host)
{
    EDDY_TRY(eddy_sleep(0.5)); /* greet the host */
    if (strcmp(host, "down.example") == 0)
        return eddy_raise(-ECONNREFUSED, "%s refuses", host);
    session->host = host;
    printf("%s: opened\n", host);
    return 0;
}

static int session_end(struct session *session, int rc)
{
    (void)eddy_sleep(rc < 0 ? 0 : 0.5);
    printf("%s: %s\n", session->host, rc < 0 ? "hung up" : "goodbye");
    return rc;
}

static int open_all(const char *const *hosts, struct session *sessions, eddy_exit_stack *out)
{
    EDDY_EXIT_STACK(opened);

    for (int i = 0; hosts[i]; i++) {
        EDDY_TRY(session_open(&sessions[i], hosts[i]));
        EDDY_TRY(eddy_exit_stack_push(&opened, session_end, &sessions[i]));
    }
    return eddy_exit_stack_pop_all(&opened, out);
}

static int visit(const char *const *hosts)
{
    struct session sessions[8];
    EDDY_EXIT_STACK(stack);

    EDDY_TRY(open_all(hosts, sessions, &stack));
    puts("all are open");
    return eddy_exit_stack_close(&stack, eddy_sleep(1));
}

static int amain(void)
{
    EDDY_TRY(visit((const char *[]){"a.example", "b.example", "c.example", NULL}));
    int rc = visit((const char *[]){"a.example", "b.example", "down.example", NULL});
    printf("none is open: %s\n", eddy_error_message(rc));
    return rc == -ECONNREFUSED ? 0 : rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
