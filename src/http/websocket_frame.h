/* SPDX-License-Identifier: MIT */
/* Frames of a WebSocket (RFC 6455, 5.2): headers, masks, and which frame may come when. */
#ifndef ED_HTTP_WEBSOCKET_FRAME_H
#define ED_HTTP_WEBSOCKET_FRAME_H

#include "base/compat.h"

#define ED_FRAME_FIN 0x80u
#define ED_FRAME_RSV1 0x40u /* of the first frame of a message: it is compressed (RFC 7692, 6) */
#define ED_FRAME_OPCODE 0x0fu
#define ED_FRAME_CONTROL 0x08u /* the bit of the opcode */

enum ed_opcode {
    ED_OPCODE_CONTINUATION = 0x0,
    ED_OPCODE_TEXT = 0x1,
    ED_OPCODE_BINARY = 0x2,
    ED_OPCODE_CLOSE = 0x8,
    ED_OPCODE_PING = 0x9,
    ED_OPCODE_PONG = 0xa,
};

#define ED_FRAME_HEADER 14   /* bytes of a header at most */
#define ED_FRAME_CONTENT 125 /* bytes in a control frame at most */

struct ed_frame {
    uint8_t first; /* FIN, the reserved bits, the opcode */
    bool masked;
    uint32_t mask; /* as its bytes lie in memory */
    uint64_t size; /* bytes of the payload */
};

/* What may come now. */
struct ed_frame_rules {
    bool any;        /* only the lengths are looked at */
    bool masked;     /* each frame must be masked; else none may be */
    bool compressed; /* RSV1 has a meaning */
    bool fragmented; /* a message has begun and not ended */
};

/* Reads a header from the first `size` bytes of a frame. Returns how many bytes it has; 0 when it
 * is not whole; -EPROTO, as soon as the bytes that are there break a rule, with *why set. */
int ed_frame_parse(const char *data, size_t size, const struct ed_frame_rules *rules,
                   struct ed_frame *out, const char **why);

/* Writes a header. Returns how many bytes it has. */
size_t ed_frame_pack(char to[ED_FRAME_HEADER], const struct ed_frame *frame);

/* Puts a mask on bytes, or takes it off; `from` may be `to`. `offset` is where in the payload they
 * are. */
void ed_frame_mask(char *to, const char *from, size_t size, uint32_t mask, uint64_t offset);

/* A fresh mask, of the kernel's random bytes. 0, or an error of getrandom(2). */
int ed_frame_new_mask(uint32_t *mask);

/* Whether a close may have a code: RFC 6455, 7.4, and what was registered since. */
bool ed_close_code_is_valid(int code);

#endif
