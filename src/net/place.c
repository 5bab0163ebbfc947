/* SPDX-License-Identifier: MIT */
/*
 * SCHEME://HOST:PORT and unix:PATH, taken apart. An IPv6 address stands in brackets; its scope
 * may follow a percent sign. Nothing is looked up, and whether a host is a name is not asked.
 */
#include "net/place.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "task/task.h"

static int place_bad(const char *text, size_t size, const char *why)
{
    return ed_raise(-EINVAL, "\"%.*s\" is not a place to connect to or listen at: %s",
                    (int)(size < 200 ? size : 200), text, why);
}

/* "80": 0 to 65535, digits only. */
static bool place_read_port(const char *text, size_t size, uint16_t *out)
{
    unsigned port = 0;

    if (size == 0 || size > 5)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= 65535;
}

static int place_read_path(const char *text, size_t size, size_t skip, struct ed_place *out)
{
    if (size - skip == 0)
        return place_bad(text, size, "the path is missing");
    if (size - skip >= ED_PLACE_HOST || memchr(text, '\0', size))
        return place_bad(text, size, "the path is too long");
    memcpy(out->host, text + skip, size - skip);
    out->host[size - skip] = '\0';
    out->port = 0;
    return 0;
}

/* HOST:PORT behind SCHEME://. */
static int place_read_host(const char *text, size_t size, size_t skip, struct ed_place *out)
{
    const char *host = text + skip, *colon = memrchr(host, ':', size - skip);
    size_t length;

    if (!colon || !place_read_port(colon + 1, (size_t)(text + size - colon - 1), &out->port))
        return place_bad(text, size, "a port from 0 to 65535 must stand behind the host");
    length = (size_t)(colon - host);
    if (length > 0 && host[0] == '[') {
        if (length < 2 || host[length - 1] != ']' || !memchr(host, ':', length))
            return place_bad(text, size, "the brackets do not hold an IPv6 address");
        host++;
        length -= 2;
    } else if (memchr(host, ':', length)) {
        return place_bad(text, size, "an IPv6 address stands in brackets");
    }
    if (length >= ED_PLACE_HOST || memchr(host, '\0', length) || memchr(host, '/', length))
        return place_bad(text, size, "the host is not a name");
    memcpy(out->host, host, length);
    out->host[length] = '\0';
    return 0;
}

int ed_place_parse(const char *text, size_t size, struct ed_place *out)
{
    size_t scheme = 0;

    while (scheme < size && (isalnum((unsigned char)text[scheme]) || text[scheme] == '+'))
        scheme++;
    if (scheme == 0 || scheme >= sizeof out->scheme || scheme == size || text[scheme] != ':')
        return place_bad(text, size, "it begins with tcp://, unix: or another scheme");
    memcpy(out->scheme, text, scheme);
    out->scheme[scheme] = '\0';
    if (strcmp(out->scheme, "unix") == 0)
        return place_read_path(text, size, scheme + 1, out);
    if (size < scheme + 3 || memcmp(text + scheme, "://", 3) != 0)
        return place_bad(text, size, "\"://\" must stand behind the scheme");
    return place_read_host(text, size, scheme + 3, out);
}
