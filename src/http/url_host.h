/* SPDX-License-Identifier: MIT */
/* Hosts of URLs. */
#ifndef ED_HTTP_URL_HOST_H
#define ED_HTTP_URL_HOST_H

#include "base/compat.h"

#define ED_URL_HOST 256 /* bytes of a host, with a NUL */

/*
 * Reads a host as it stands in a URL: a name, in any script, an IPv4 address, or an IPv6 address in
 * brackets. `out` is what names the same host everywhere: small letters, a name in its ASCII form,
 * an IPv6 address in its shortest form without brackets. 0; -ENOMEM; EDDY_EURL, with a text.
 */
int ed_url_host(const char *text, size_t size, char out[ED_URL_HOST]);

#endif
