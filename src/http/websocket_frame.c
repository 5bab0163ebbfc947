/* SPDX-License-Identifier: MIT */
/*
 * Frames of a WebSocket. Pure: bytes in, bytes out.
 *
 * A header is judged as its bytes come: each rule (RFC 6455, 5.2, 5.4, 5.5) is applied as soon as
 * the bytes that it needs are there, so that whole frames and single bytes get the same verdict,
 * and a frame that is too long is refused before any of it is kept. The same holds for the order in
 * which it is written: reserved bits, opcode, its place in the message, mask, length.
 *
 * wslay is not used for this, but for the other side in the tests. Its frames say nothing before
 * the first byte of the payload is there, so that neither an unknown opcode nor a length over the
 * limit could be refused by the header; its events keep a block for each fragment, so that a byte
 * costs some eighty; its memory is none that can be counted or made to fail; and it masks byte by
 * byte, so that a frame of 64 bytes takes 360 ns to pack and read.
 */
#include "http/websocket_frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "eddy/stream_class.h"

#define MASKS 64 /* that are taken from the kernel at once */

/* What of the first byte is wrong; NULL: nothing. */
static const char *frame_check_first(uint8_t first, const struct ed_frame_rules *rules)
{
    unsigned opcode = first & ED_FRAME_OPCODE, reserved = first & 0x70u;

    if (reserved & ~ED_FRAME_RSV1)
        return "a frame has reserved bits";
    if (opcode > ED_OPCODE_PONG || (opcode > ED_OPCODE_BINARY && opcode < ED_OPCODE_CLOSE))
        return "a frame has an opcode that does not exist";
    if (reserved &&
        (!rules->compressed || opcode == ED_OPCODE_CONTINUATION || (opcode & ED_FRAME_CONTROL)))
        return "a frame has the bit of a compressed message and may not";
    if ((opcode & ED_FRAME_CONTROL) && !(first & ED_FRAME_FIN))
        return "a control frame is fragmented";
    if (opcode == ED_OPCODE_CONTINUATION && !rules->fragmented)
        return "a frame continues no message";
    if ((opcode == ED_OPCODE_TEXT || opcode == ED_OPCODE_BINARY) && rules->fragmented)
        return "a message begins inside another";
    return NULL;
}

/* The same of the second byte. */
static const char *
frame_check_second(uint8_t first, uint8_t second, const struct ed_frame_rules *rules)
{
    bool masked = second & 0x80u;

    if (masked != rules->masked)
        return masked ? "a server's frame is masked" : "a client's frame is not masked";
    if ((first & ED_FRAME_CONTROL) && (second & 0x7fu) > ED_FRAME_CONTENT)
        return "a control frame is longer than 125 bytes";
    return NULL;
}

/* Reads a length behind the first two bytes, which say how long it is. */
static const char *frame_read_size(const char *data, unsigned bytes, uint64_t *size)
{
    uint16_t two;
    uint64_t eight;

    if (bytes == 2) {
        memcpy(&two, data, sizeof two);
        *size = be16toh(two);
        return *size < 126 ? "a length is not in its shortest form" : NULL;
    }
    memcpy(&eight, data, sizeof eight);
    *size = be64toh(eight);
    if (*size >> 63)
        return "a length is negative";
    return *size <= UINT16_MAX ? "a length is not in its shortest form" : NULL;
}

int ed_frame_parse(const char *data, size_t size, const struct ed_frame_rules *rules,
                   struct ed_frame *out, const char **why)
{
    uint8_t first, second = 0;
    unsigned at = 2, bytes;

    if (size == 0)
        return 0;
    first = (uint8_t)data[0];
    *why = rules->any ? NULL : frame_check_first(first, rules);
    if (!*why && size >= 2) {
        second = (uint8_t)data[1];
        *why = rules->any ? NULL : frame_check_second(first, second, rules);
    }
    if (*why || size < 2)
        return *why ? -EPROTO : 0;
    out->first = first;
    out->masked = second & 0x80u;
    out->size = second & 0x7fu;
    bytes = out->size < 126 ? 0 : out->size == 126 ? 2 : 8;
    if (size < at + bytes)
        return 0;
    if (bytes > 0 && (*why = frame_read_size(data + at, bytes, &out->size)) && !rules->any)
        return -EPROTO;
    at += bytes;
    if (!out->masked)
        return (int)at;
    if (size < at + sizeof out->mask)
        return 0;
    memcpy(&out->mask, data + at, sizeof out->mask);
    return (int)(at + sizeof out->mask);
}

size_t ed_frame_pack(char to[ED_FRAME_HEADER], const struct ed_frame *frame)
{
    unsigned char mask_bit = frame->masked ? 0x80u : 0;
    uint64_t eight = htobe64(frame->size);
    uint16_t two = htobe16((uint16_t)frame->size);
    size_t at = 2;

    to[0] = (char)frame->first;
    if (frame->size < 126) {
        to[1] = (char)(mask_bit | (unsigned char)frame->size);
    } else if (frame->size <= UINT16_MAX) {
        to[1] = (char)(mask_bit | 126u);
        memcpy(to + at, &two, sizeof two);
        at += sizeof two;
    } else {
        to[1] = (char)(mask_bit | 127u);
        memcpy(to + at, &eight, sizeof eight);
        at += sizeof eight;
    }
    if (frame->masked) {
        memcpy(to + at, &frame->mask, sizeof frame->mask);
        at += sizeof frame->mask;
    }
    return at;
}

void ed_frame_mask(char *to, const char *from, size_t size, uint32_t mask, uint64_t offset)
{
    unsigned char bytes[8];
    uint64_t wide, word;

    memcpy(bytes, &mask, 4);
    memcpy(bytes + 4, &mask, 4);
    memcpy(&mask, bytes + (offset & 3), 4); /* begins where these bytes do */
    memcpy(bytes, &mask, 4);
    memcpy(bytes + 4, &mask, 4);
    memcpy(&wide, bytes, 8);
    for (; size >= 8; to += 8, from += 8, size -= 8) {
        memcpy(&word, from, 8);
        word ^= wide;
        memcpy(to, &word, 8);
    }
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(from[i] ^ (char)bytes[i]);
}

int ed_frame_new_mask(uint32_t *mask)
{
    static __thread uint32_t masks[MASKS];
    static __thread unsigned left;
    int rc = left > 0 ? 0 : eddy_random_(masks, sizeof masks);

    if (rc < 0)
        return rc;
    if (left == 0)
        left = MASKS;
    *mask = masks[--left];
    return 0;
}

bool ed_close_code_is_valid(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
