/* SPDX-License-Identifier: MIT */
/* The calls of a session's hooks: a request's are its response's, which is there from the start. */
#include "http/client.h"

void ed_trace_call(const eddy_http_response *response, enum eddy_http_event event, int code,
                   size_t bytes)
{
    response->trace->hook(event, response->method, response->url, response->head.status, code,
                          bytes, response->trace_argument, response->trace->argument);
}
