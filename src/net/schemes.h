/* SPDX-License-Identifier: MIT */
/* Kinds of places that other libraries bring, such as tls:// (schemes.c). */
#ifndef ED_NET_SCHEMES_H
#define ED_NET_SCHEMES_H

#include "eddy/net.h"

/* NULL when nobody has brought it. */
const struct eddy_scheme_ *ed_scheme_find(const char *name);

/* -EPROTONOSUPPORT, with what is missing or known as its text. */
int ed_scheme_unknown(const char *name);

#endif
