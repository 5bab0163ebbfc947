/* SPDX-License-Identifier: MIT */
#include "http/websocket_frame.h"

#include <stdlib.h>
#include <wslay/wslay.h>

#include "harness.h"

/* Bytes between this side and wslay's. */
struct wire {
    char data[70100];
    size_t size, at;
    uint32_t mask;
};

static ssize_t wire_send(const uint8_t *data, size_t size, int flags, void *argument)
{
    struct wire *wire = argument;

    (void)flags;
    memcpy(wire->data + wire->size, data, size);
    wire->size += size;
    return (ssize_t)size;
}

static ssize_t wire_receive(uint8_t *to, size_t size, int flags, void *argument)
{
    struct wire *wire = argument;

    (void)flags;
    if (size > wire->size - wire->at)
        size = wire->size - wire->at;
    memcpy(to, wire->data + wire->at, size);
    wire->at += size;
    return size > 0 ? (ssize_t)size : -1;
}

static int wire_mask(uint8_t *to, size_t size, void *argument)
{
    memcpy(to, &((struct wire *)argument)->mask, size);
    return 0;
}

static wslay_frame_context_ptr wire_open(struct wire *wire)
{
    static const struct wslay_frame_callbacks callbacks = {wire_send, wire_receive, wire_mask};
    wslay_frame_context_ptr context = NULL;

    (void)wslay_frame_context_init(&context, &callbacks, wire);
    return context;
}

static const size_t sizes[] = {0, 1, 7, 8, 9, 125, 126, 127, 255, 4096, 65535, 65536, 70000};

/* What one packs the other reads, and both write the same bytes. */
static void check_against_wslay(size_t size, bool masked)
{
    static struct wire ours, theirs;
    static char data[70000], back[70000];
    struct ed_frame frame = {.first = 0x82, .masked = masked, .mask = 0x9bc4e127, .size = size},
                    seen;
    struct ed_frame_rules rules = {.masked = masked};
    struct wslay_frame_iocb out = {.fin = 1,
                                   .opcode = 2,
                                   .payload_length = size,
                                   .mask = masked,
                                   .data = (uint8_t *)data,
                                   .data_length = size};
    wslay_frame_context_ptr context;
    const char *why = NULL;
    int head;

    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 7 + i / 251);
    ours.size = theirs.size = theirs.at = 0;
    theirs.mask = frame.mask;
    context = wire_open(&theirs);
    CHECK(context && wslay_frame_send(context, &out) == (ssize_t)size);
    wslay_frame_context_free(context);

    ours.size = ed_frame_pack(ours.data, &frame);
    ed_frame_mask(ours.data + ours.size, data, size, masked ? frame.mask : 0, 0);
    ours.size += size;
    CHECK_EQ(ours.size, theirs.size);
    CHECK(memcmp(ours.data, theirs.data, ours.size) == 0);

    head = ed_frame_parse(theirs.data, theirs.size, &rules, &seen, &why);
    CHECK(head > 0 && seen.size == size && seen.first == 0x82 && seen.masked == masked);
    ed_frame_mask(back, theirs.data + head, size, masked ? seen.mask : 0, 0);
    CHECK(memcmp(back, data, size) == 0);
}

RAW_TEST(websocket_frames_are_those_of_another_library)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(sizes); i++) {
        check_against_wslay(sizes[i], false);
        check_against_wslay(sizes[i], true);
    }
}

RAW_TEST(websocket_frame_is_masked_the_same_in_whatever_pieces)
{
    char data[67], whole[67], pieces[67];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 31);
    ed_frame_mask(whole, data, sizeof data, 0x04030201, 0);
    for (size_t i = 0; i < sizeof data; i++)
        CHECK_EQ((unsigned char)whole[i], (unsigned char)data[i] ^ (i % 4 + 1));
    for (size_t cut = 1; cut < sizeof data; cut++) {
        memcpy(pieces, data, sizeof data);
        for (size_t at = 0; at < sizeof data; at += cut)
            ed_frame_mask(pieces + at, pieces + at, cut < sizeof data - at ? cut : sizeof data - at,
                          0x04030201, at);
        CHECK(memcmp(pieces, whole, sizeof data) == 0);
    }
}

RAW_TEST(websocket_masks_are_fresh)
{
    uint32_t seen[200];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(seen); i++) {
        CHECK_OK(ed_frame_new_mask(&seen[i]));
        for (size_t j = 0; j < i && i < 3; j++)
            CHECK(seen[i] != seen[j]);
    }
}

/* A header that must be refused, and by how many of its bytes. */
struct refused {
    const char *bytes;
    size_t size;
    struct ed_frame_rules rules;
    const char *why;
};
#define REFUSED(bytes, why, ...)                                                                   \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, {__VA_ARGS__}, why                                               \
    }

static const struct refused refused[] = {
    REFUSED("\x91", "reserved bits", .masked = true),
    REFUSED("\xa1", "reserved bits", .masked = true, .compressed = true),
    REFUSED("\xc1", "compressed", .masked = true),
    REFUSED("\xc0", "compressed", .masked = true, .compressed = true, .fragmented = true),
    REFUSED("\xc9", "compressed", .masked = true, .compressed = true),
    REFUSED("\x83", "opcode", .masked = true),
    REFUSED("\x87", "opcode", .masked = true),
    REFUSED("\x8b", "opcode", .masked = true),
    REFUSED("\x8f", "opcode", .masked = true),
    REFUSED("\x08", "fragmented", .masked = true),
    REFUSED("\x09", "fragmented", .masked = true),
    REFUSED("\x80", "continues no", .masked = true),
    REFUSED("\x00", "continues no", .masked = true),
    REFUSED("\x81", "inside another", .masked = true, .fragmented = true),
    REFUSED("\x02", "inside another", .masked = true, .fragmented = true),
    REFUSED("\x81\x05", "not masked", .masked = true),
    REFUSED("\x81\x85", "is masked", .masked = false),
    REFUSED("\x89\xfe", "125", .masked = true),
    REFUSED("\x88\xff", "125", .masked = true),
    REFUSED("\x81\xfe\x00\x7d", "shortest", .masked = true),
    REFUSED("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff", "shortest", .masked = true),
    REFUSED("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00", "negative", .masked = true),
};

/* H-WSC-18: as soon as the byte is there that is wrong, and not before. */
RAW_TEST(websocket_frame_that_breaks_a_rule_is_refused_by_its_byte)
{
    struct ed_frame frame;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(refused); i++) {
        const char *why = NULL;

        for (size_t size = 0; size < refused[i].size; size++)
            CHECK_EQ(ed_frame_parse(refused[i].bytes, size, &refused[i].rules, &frame, &why), 0);
        CHECK_EQ(ed_frame_parse(refused[i].bytes, refused[i].size, &refused[i].rules, &frame, &why),
                 -EPROTO);
        CHECK_HAS(why, refused[i].why);
    }
}

/* H-WSC-19: 1006 is one of those that must not be sent. */
RAW_TEST(websocket_close_codes_are_those_of_the_registry)
{
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999};
    static const int bad[] = {-1,   0,    999,  1004, 1005, 1006, 1015,
                              1016, 1100, 2000, 2999, 5000, 65535};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(good); i++)
        CHECK(ed_close_code_is_valid(good[i]));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK(!ed_close_code_is_valid(bad[i]));
}
