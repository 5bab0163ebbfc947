/* SPDX-License-Identifier: MIT */
/*
 * async with: an enter that waits, and an exit that waits. In C a context
 * manager is an open and a close; EDDY_DEFER calls the close on every way out
 * of the block, and lets it finish even when the task is cancelled.
 */
#include <eddy.h>
#include <stdio.h>

struct session {
    const char *host;
    int requests;
};

static int session_open(const char *host, struct session *session)
{
    EDDY_TRY(eddy_sleep(0.5)); /* greet the host */
    *session = (struct session){host, 0};
    printf("%s: opened\n", host);
    return 0;
}

static int session_close(struct session *session)
{
    int rc = eddy_sleep(0.5); /* say goodbye; a cancel does not cut it short */

    printf("%s: closed after %d requests\n", session->host, session->requests);
    return rc;
}

static int session_get(struct session *session, const char *path)
{
    EDDY_TRY(eddy_sleep(1));
    session->requests++;
    printf("%s: got %s\n", session->host, path);
    return 0;
}

static int visit(const char *host)
{
    struct session session;
    EDDY_TRY(session_open(host, &session)); /* nothing to close if this fails */
    EDDY_DEFER(session_close, &session);

    EDDY_TRY(session_get(&session, "/"));
    return session_get(&session, "/about");
}

static int amain(void)
{
    EDDY_TRY(visit("patient.example"));

    EDDY_TIMEOUT(limit, 2);
    int rc = visit("hasty.example"); /* cut short in its second request, and closed */
    printf("hasty.example: %s\n", eddy_strerror(rc));
    return eddy_timeout_expired(&limit) ? 0 : rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
