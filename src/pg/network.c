/* SPDX-License-Identifier: MIT */
/*
 * Texts of addresses: inet and cidr, macaddr and macaddr8, and of UUIDs. The C library writes IPv6
 * as the server does: both have it from BIND.
 */
#include "pg/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pg/scan.h"

char *eddy_pg_inet_text(eddy_pg_inet inet, bool cidr, char text[EDDY_PG_TEXT_SIZE])
{
    int bits = inet.ipv6 ? 128 : 32;
    size_t size;

    (void)inet_ntop(inet.ipv6 ? AF_INET6 : AF_INET, inet.bytes, text, EDDY_PG_TEXT_SIZE);
    size = strlen(text);
    if (cidr || inet.prefix != bits)
        (void)snprintf(text + size, EDDY_PG_TEXT_SIZE - size, "/%u", inet.prefix);
    return text;
}

int pg_scan_inet(const char *text, size_t size, eddy_pg_inet *out)
{
    const char *slash = memchr(text, '/', size);
    size_t length = slash ? (size_t)(slash - text) : size;
    eddy_pg_inet inet = {.ipv6 = memchr(text, ':', length) != NULL};
    int bits = inet.ipv6 ? 128 : 32;
    char address[INET6_ADDRSTRLEN];
    int64_t prefix = bits;

    if (length >= sizeof address || memchr(text, '\0', size))
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';
    if (inet_pton(inet.ipv6 ? AF_INET6 : AF_INET, address, inet.bytes) != 1)
        return -EINVAL;
    if (slash) {
        struct pg_scan scan = {slash + 1, text + size};

        if (pg_scan_digits(&scan, 3, &prefix) == 0 || !pg_scan_ended(&scan) || prefix > bits)
            return -EINVAL;
    }
    inet.prefix = (uint8_t)prefix;
    *out = inet;
    return 0;
}

bool pg_inet_is_network(const eddy_pg_inet *inet)
{
    for (unsigned bit = inet->prefix; bit < (inet->ipv6 ? 128u : 32u); bit++)
        if (inet->bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

char *eddy_pg_mac_text(eddy_pg_mac mac, char text[EDDY_PG_TEXT_SIZE])
{
    text[0] = '\0';
    for (size_t i = 0; i < mac.size && i < sizeof mac.bytes; i++)
        (void)snprintf(text + (i > 0 ? 3 * i - 1 : 0), 4, "%s%02x", i > 0 ? ":" : "", mac.bytes[i]);
    return text;
}

static int network_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next two digits as a byte, or -1. */
static int network_byte(struct pg_scan *scan)
{
    int high = scan->end - scan->at < 2 ? -1 : network_hex(scan->at[0]);
    int low = high < 0 ? -1 : network_hex(scan->at[1]);

    if (low < 0)
        return -1;
    scan->at += 2;
    return high * 16 + low;
}

/* Between its bytes stand the same separators at equal distances of 1, 2 or 3 bytes, or none. */
int pg_scan_mac(const char *text, size_t size, eddy_pg_mac *out)
{
    struct pg_scan scan = {text, text + size};
    eddy_pg_mac mac = {.size = 0};
    char separator = '\0';
    unsigned every = 0;

    while (!pg_scan_ended(&scan) && mac.size < sizeof mac.bytes) {
        char next = pg_scan_peek(&scan);
        int byte;

        if (mac.size > 0 && every == 0 && (next == ':' || next == '-' || next == '.')) {
            separator = next;
            every = mac.size;
        }
        if (every > 0 && mac.size % every == 0 && !pg_scan_char(&scan, separator))
            return -EINVAL;
        byte = network_byte(&scan);
        if (byte < 0)
            return -EINVAL;
        mac.bytes[mac.size++] = (uint8_t)byte;
    }
    if (!pg_scan_ended(&scan) || (mac.size != 6 && mac.size != 8) || every > 4)
        return -EINVAL;
    *out = mac;
    return 0;
}

eddy_pg_mac pg_mac_widen(eddy_pg_mac mac)
{
    if (mac.size == 8)
        return mac;
    return (eddy_pg_mac){.bytes = {mac.bytes[0], mac.bytes[1], mac.bytes[2], 0xff, 0xfe,
                                   mac.bytes[3], mac.bytes[4], mac.bytes[5]},
                         .size = 8};
}

char *eddy_pg_uuid_text(eddy_pg_uuid uuid, char text[EDDY_PG_TEXT_SIZE])
{
    char *at = text;

    for (size_t i = 0; i < sizeof uuid.bytes; i++)
        at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       uuid.bytes[i]);
    return text;
}

/* With a "-" behind every second byte or not, in braces or not, as the server takes them. */
int pg_scan_uuid(const char *text, size_t size, eddy_pg_uuid *out)
{
    struct pg_scan scan = {text, text + size};
    bool braces = pg_scan_char(&scan, '{');
    eddy_pg_uuid uuid;

    for (size_t i = 0; i < sizeof uuid.bytes; i++) {
        int byte = network_byte(&scan);

        if (byte < 0)
            return -EINVAL;
        uuid.bytes[i] = (uint8_t)byte;
        if (i % 2 == 1 && i < 15)
            (void)pg_scan_char(&scan, '-');
    }
    if ((braces && !pg_scan_char(&scan, '}')) || !pg_scan_ended(&scan))
        return -EINVAL;
    *out = uuid;
    return 0;
}

int eddy_pg_inet_parse(const char *text, eddy_pg_inet *out)
{
    return pg_scan_inet(text, strlen(text), out);
}

int eddy_pg_mac_parse(const char *text, eddy_pg_mac *out)
{
    return pg_scan_mac(text, strlen(text), out);
}

int eddy_pg_uuid_parse(const char *text, eddy_pg_uuid *out)
{
    return pg_scan_uuid(text, strlen(text), out);
}
