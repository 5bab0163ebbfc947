/* SPDX-License-Identifier: MIT */
/* The access log. */
#ifndef ED_HTTP_WEB_LOG_H
#define ED_HTTP_WEB_LOG_H

#include "http/web_exchange.h"

/* Takes a format apart; the options stay valid. 0; -EINVAL for a format with an unknown field;
 * -ENOMEM. */
int ed_web_log_new(const eddy_web_options *options, struct ed_web_log **out);
void ed_web_log_free(struct ed_web_log *log);

/* Writes the line of a request that is over; `log` NULL: none. Without memory there is none. */
void ed_web_log_write(struct ed_web_log *log, eddy_web_request *request);

#endif
