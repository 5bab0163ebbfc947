/* SPDX-License-Identifier: MIT */
/*
 * The cancel request: 16 bytes to the server's address over a connection of their own, in which the
 * server is told the process and the secret that it gave us when we logged in.
 *
 * The server closes that connection once it has sent its process the signal. Only then is it known
 * that no signal is on its way any more; a request that went out and was not answered so leaves the
 * connection that it was for unusable. libpq 15 has this as a call that blocks (PQcancel), which is
 * used, in a thread that nobody waits for, where the secret is not known.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "eddy/executor.h"
#include "eddy/net.h"
#include "eddy/sock.h"
#include "pg/handle.h"

#define CANCEL_CODE 80877102 /* 1234 and 5678 in the place of a protocol's version */

static int cancel_address(const eddy_pg_connection *connection, eddy_address *address)
{
    memset(address, 0, sizeof *address);
    address->size = sizeof address->as;
    return getpeername(connection->fd, &address->as.any, &address->size) < 0 ? -errno : 0;
}

/* Sends it, with *sent once it may have arrived, and reads to the end. */
static int cancel_send(const eddy_pg_connection *connection, bool *sent)
{
    uint32_t packet[4] = {htonl(sizeof packet), htonl(CANCEL_CODE),
                          htonl((uint32_t)connection->pid), htonl((uint32_t)connection->key)};
    eddy_address address;
    EDDY_STREAM stream = NULL;
    char byte;
    ssize_t size;

    EDDY_TRY(cancel_address(connection, &address));
    EDDY_TRY(eddy_address_connect(&address, NULL, &stream));
    *sent = true;
    EDDY_TRY(eddy_write(stream, packet, sizeof packet));
    while ((size = eddy_read(stream, &byte, 1)) > 0)
        continue;
    return size == -ECONNRESET ? 0 : (int)size;
}

/* In a thread. */
static int cancel_blocking(void *argument, void *result)
{
    PGcancel *cancel;
    char text[256];
    int done;

    (void)result;
    memcpy(&cancel, argument, sizeof cancel);
    done = PQcancel(cancel, text, sizeof text);
    PQfreeCancel(cancel);
    return done ? 0 : -EIO;
}

static int cancel_in_thread(const eddy_pg_connection *connection, bool *sent)
{
    PGcancel *cancel = PQgetCancel(connection->libpq);

    if (!cancel)
        return -ENOMEM;
    *sent = true;
    return eddy_run_abandonable(NULL,
                                &(eddy_abandonable){.entry = cancel_blocking,
                                                    .name = "PQcancel",
                                                    .args = &cancel,
                                                    .args_size = sizeof cancel},
                                NULL);
}

int pg_cancel_request(eddy_pg_connection *connection)
{
    bool sent = false;
    int rc;

    if (connection->closed)
        return pg_connection_refuse(connection);
    {
        EDDY_TIMEOUT(limit, connection->options.close_timeout);

        eddy_keep_pace_(true);
        rc = connection->has_key ? cancel_send(connection, &sent)
                                 : cancel_in_thread(connection, &sent);
        eddy_keep_pace_(false);
    }
    if (rc < 0 && sent && !connection->closed)
        pg_connection_lose(connection, "the server did not answer a cancel request");
    return rc;
}
