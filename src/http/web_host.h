/* SPDX-License-Identifier: MIT */
/* Hosts that applications are mounted for: names in which "*" stands for any bytes. */
#ifndef ED_HTTP_WEB_HOST_H
#define ED_HTTP_WEB_HOST_H

#include <stdbool.h>

/* Whether a text can be one. */
bool ed_web_host_is_mask(const char *mask);

/* Whether a host as a request has it, with a port or without, fits. */
bool ed_web_host_fits(const char *mask, const char *host);

#endif
