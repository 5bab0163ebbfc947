/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <signal.h>

bool server_start(const struct competitor *competitor, const char *const *more, struct server *out)
{
    const char *arguments[8] = {"0"};

    for (size_t i = 0; more[i] && i < 6; i++)
        arguments[i + 1] = more[i];
    out->process = competitor_start(competitor, arguments, 0);
    if (fscanf(out->process.out, "ready %u", &out->port) == 1)
        return true;
    fprintf(stderr, "net: %s does not get ready\n", competitor->name);
    server_stop(out);
    return false;
}

void server_stop(struct server *server)
{
    kill(server->process.pid, SIGTERM);
    (void)process_wait(&server->process); /* it has been measured, however it ends */
}
