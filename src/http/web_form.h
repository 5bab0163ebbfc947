/* SPDX-License-Identifier: MIT */
/* A form that came with a request. */
#ifndef ED_HTTP_WEB_FORM_H
#define ED_HTTP_WEB_FORM_H

#include "eddy/web_request.h"

struct ed_web_form;

/* Closes its files, which are gone then; NULL too. Suspends, shielded by the caller. */
EDDY_AWAITS void ed_web_form_free(struct ed_web_form *form);

#endif
