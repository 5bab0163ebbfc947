/* SPDX-License-Identifier: MIT */
/*
 * HTTP: client, server, and what belongs to them. Library eddy-http, which is not part of eddy.h;
 * WebSockets are in eddy/websocket.h.
 */
#ifndef EDDY_HTTP_H
#define EDDY_HTTP_H

#include "eddy/cookie.h"
#include "eddy/form.h"
#include "eddy/http_client.h"
#include "eddy/http_message.h"
#include "eddy/http_middleware.h"
#include "eddy/url.h"
#include "eddy/web.h"
#include "eddy/web_request.h"

#endif
