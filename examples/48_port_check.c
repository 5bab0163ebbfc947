/* SPDX-License-Identifier: MIT */
/*
 * Looks which TCP ports of a host are open: up to 100 at a time, a second for each.
 *
 *     48_port_check HOST FIRST-LAST
 */
#include <eddy.h>
#include <stdio.h>

/* Tries one port, and gives its permit back. */
static int check(const eddy_address *host, int port, eddy_semaphore *limit)
{
    eddy_address address = *host;
    EDDY_DEFER(eddy_semaphore_release, limit);
    EDDY_TIMEOUT(patience, 1.0);
    EDDY_STREAM peer = NULL;

    EDDY_TRY(eddy_address_set_port(&address, (uint16_t)port));
    int rc = eddy_address_connect(&address, NULL, &peer);
    if (rc == 0)
        printf("%d is open\n", port);
    else if (eddy_timeout_expired(&patience))
        printf("%d does not answer\n", port);
    else if (rc != -ECONNREFUSED)
        return rc;
    return 0;
}
EDDY_ASYNC(check, const eddy_address *, int, eddy_semaphore *);

static int amain(int argc, char **argv)
{
    eddy_semaphore limit = EDDY_SEMAPHORE_INIT(100);
    int first, last;

    if (argc != 3 || sscanf(argv[2], "%d-%d", &first, &last) != 2 || first < 1 || last > 65535) {
        fprintf(stderr, "usage: %s HOST FIRST-LAST\n", argv[0]);
        return 2;
    }

    EDDY_ADDRESSES(host);
    EDDY_TRY(eddy_getaddrinfo(argv[1], 0, NULL, &host));

    EDDY_GROUP(checks);
    for (int port = first; port <= last; port++) {
        EDDY_TRY(eddy_semaphore_acquire(&limit)); /* so there are no more than 100 tasks */
        eddy_group_create_task(&checks, check, &host.at[0], port, &limit);
    }
    return eddy_group_join(&checks);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
