/* SPDX-License-Identifier: MIT */
/* permessage-deflate (RFC 7692): the compression of messages. What is agreed on it is in
 * websocket_extension.h. */
#ifndef ED_HTTP_WEBSOCKET_DEFLATE_H
#define ED_HTTP_WEBSOCKET_DEFLATE_H

#include "base/buffer.h"
#include "base/compat.h"

/* What was agreed. */
struct ed_deflate_terms {
    bool agreed;
    bool server_alone, client_alone; /* its messages stand each by itself: no_context_takeover */
    int server_bits, client_bits;    /* of the window: 8 to 15 */
};

struct ed_deflate; /* both directions of one connection */

/* 0, -ENOMEM. Memory for a direction is taken when it is first used. */
int ed_deflate_open(const struct ed_deflate_terms *terms, bool client, struct ed_deflate **out);
void ed_deflate_close(struct ed_deflate *deflate); /* NULL too */

/* Whether messages can be compressed: zlib knows no window of 8 bits. */
bool ed_deflate_can_send(const struct ed_deflate *deflate);

/* Appends a piece of a message, compressed, to a buffer: what the frame takes. 0; -ENOMEM: the
 * connection must not be used any more. */
int ed_deflate_send(struct ed_deflate *deflate, const void *data, size_t size, bool last,
                    struct eddy_buffer_ *out);

/* Takes what it can of *in, and puts what it can at `out`: returns how many bytes, with *in and
 * *in_size moved on. When it is `size` of them there may be more. -EBADMSG, -ENOMEM. */
ssize_t ed_deflate_receive(struct ed_deflate *deflate, const char **in, size_t *in_size, char *out,
                           size_t size);
/* What every message ends with, on its way to the function above (RFC 7692, 7.2.2). */
#define ED_DEFLATE_TAIL "\x00\x00\xff\xff"
#define ED_DEFLATE_TAIL_SIZE 4
/* The message has ended, with its tail. */
void ed_deflate_received(struct ed_deflate *deflate);

#endif
