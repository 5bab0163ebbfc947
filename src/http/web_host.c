/* SPDX-License-Identifier: MIT */
/*
 * Masks of hosts. A host is compared without its port and the dot at its end, and without regard to
 * case. One "*" is tried with no bytes first, and with one more each time that what is behind it
 * does not fit; only the latest one ever has to be tried again, as one before it would only leave
 * it less to begin with.
 */
#include "http/web_host.h"

#include <string.h>

static char host_small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ed_web_host_is_mask(const char *mask)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t size = strlen(mask);

    if (size == 0 || size > 253)
        return false;
    if (*mask == '[')
        return mask[size - 1] == ']' && strspn(mask + 1, "0123456789abcdefABCDEF:.") == size - 2;
    while (*mask && (strchr(letters, *mask) || strchr("-._*", *mask)))
        mask++;
    return *mask == '\0';
}

/* Bytes of a host without its port, and without the dot at its end. */
static size_t host_size(const char *host)
{
    size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

    if (*host == '[' && size > strlen(host))
        return size - 1;
    return size > 1 && host[size - 1] == '.' ? size - 1 : size;
}

bool ed_web_host_fits(const char *mask, const char *host)
{
    const char *end = host + host_size(host), *star = NULL, *from = NULL;

    while (host < end) {
        if (*mask == '*') {
            star = mask++;
            from = host;
        } else if (*mask && host_small(*mask) == host_small(*host)) {
            mask++;
            host++;
        } else if (star) {
            mask = star + 1;
            host = ++from;
        } else {
            return false;
        }
    }
    while (*mask == '*')
        mask++;
    return *mask == '\0';
}
