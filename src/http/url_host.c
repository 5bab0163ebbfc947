/* SPDX-License-Identifier: MIT */
/*
 * Hosts. What a program checks and what it connects to must be one and the same, so a host has one
 * spelling. Numbers are addresses in their usual form only: what others read as an address all the
 * same, such as 127.1, 0x7f000001 or 0177.0.0.1, is neither that nor a name.
 *
 * Names beyond ASCII become IDNA 2008 names, after the mapping of UTS 46, which makes small letters
 * of large ones; what comes of it is looked at as if it had been written so.
 */
#include "http/url_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <idn2.h>
#include <string.h>

#include "eddy/error.h"

#define HOST_LABEL 63 /* bytes */
#define HOST_NAME 253

static bool host_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a label is a number: of digits, or of 0x and hexadecimal ones. */
static bool host_is_number(const char *label, size_t size)
{
    size_t digits = strspn(label, "0123456789");

    if (size > 1 && label[0] == '0' && (label[1] | 0x20) == 'x')
        return 2 + strspn(label + 2, "0123456789abcdefABCDEF") >= size;
    return digits >= size;
}

/* Checks the characters and labels of a name: where its last label begins, or -1. */
static ptrdiff_t host_last_label(const char *name, size_t size)
{
    size_t label = 0;

    for (size_t i = 0; i < size; i++) {
        if (name[i] == '.') {
            if (i == label || i - label > HOST_LABEL)
                return -1;
            if (i + 1 < size)
                label = i + 1;
            continue;
        }
        if (!host_is_digit(name[i]) && (name[i] < 'a' || name[i] > 'z') && name[i] != '-' &&
            name[i] != '_')
            return -1;
    }
    if (size - label > HOST_LABEL + (size_t)(name[size - 1] == '.'))
        return -1;
    return (ptrdiff_t)label;
}

/* A name in ASCII, or an IPv4 address. */
static int host_read_name(const char *text, size_t size, char out[ED_URL_HOST])
{
    struct in_addr address;
    ptrdiff_t last;
    size_t label;

    if (size == 0)
        return eddy_raise(EDDY_EURL, "the host is missing");
    if (size > HOST_NAME + (text[size - 1] == '.'))
        return eddy_raise(EDDY_EURL, "the host is longer than %d bytes", HOST_NAME);
    for (size_t i = 0; i < size; i++)
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    out[size] = '\0';
    last = host_last_label(out, size);
    if (last < 0)
        return eddy_raise(EDDY_EURL, "the host is not a name");
    label = size - (size_t)last - (out[size - 1] == '.');
    if (host_is_number(out + last, label) && inet_pton(AF_INET, out, &address) != 1)
        return eddy_raise(EDDY_EURL, "the host is a number, but not an address of four of them");
    return 0;
}

/* A name beyond ASCII. */
static int host_read_international(const char *text, size_t size, char out[ED_URL_HOST])
{
    uint8_t *ascii = NULL;
    char copy[4 * HOST_NAME];
    int rc;

    if (size >= sizeof copy)
        return eddy_raise(EDDY_EURL, "the host is too long");
    memcpy(copy, text, size);
    copy[size] = '\0';
    rc = idn2_lookup_u8((const uint8_t *)copy, &ascii,
                        IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);
    if (rc == IDN2_MALLOC)
        return -ENOMEM;
    if (rc != IDN2_OK)
        return eddy_raise(EDDY_EURL, "the host is not a name: %s", idn2_strerror(rc));
    rc = host_read_name((const char *)ascii, strlen((const char *)ascii), out);
    idn2_free(ascii);
    return rc;
}

static int host_read_brackets(const char *text, size_t size, char out[ED_URL_HOST])
{
    struct in6_addr address;
    char copy[INET6_ADDRSTRLEN];

    if (size > 2 && size - 2 < sizeof copy && text[size - 1] == ']') {
        memcpy(copy, text + 1, size - 2);
        copy[size - 2] = '\0';
        if (inet_pton(AF_INET6, copy, &address) == 1 &&
            inet_ntop(AF_INET6, &address, out, ED_URL_HOST))
            return 0;
    }
    return eddy_raise(EDDY_EURL, "the host's brackets do not hold an IPv6 address");
}

int ed_url_host(const char *text, size_t size, char out[ED_URL_HOST])
{
    if (size > 0 && *text == '[')
        return host_read_brackets(text, size, out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] & 0x80)
            return host_read_international(text, size, out);
    }
    return host_read_name(text, size, out);
}
