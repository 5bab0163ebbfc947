/* SPDX-License-Identifier: MIT */
/*
 * A look at what the server has said, before libpq reads it. The socket shows it, or, where the
 * connection is encrypted, the library that does so: libpq gives its object away, and OpenSSL can
 * look without taking. Nothing is linked for that: where libpq uses OpenSSL it is there.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "pg/copy.h"

extern int SSL_peek(void *ssl, void *data, int size) __attribute__((weak));

ssize_t pg_peek(PGconn *libpq, unsigned char *bytes, size_t size)
{
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    void *ssl = PQgetssl(libpq);
    ssize_t got;

    if (PQsslInUse(libpq)) {
        got = ssl && SSL_peek ? SSL_peek(ssl, bytes, (int)size) : 0;
        if (got > 0)
            return got;
    }
    got = recvmsg(PQsocket(libpq), &message, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    if (got == 0)
        return -1;
    return PQsslInUse(libpq) ? 0 : got; /* of a record, which is not whole */
}
