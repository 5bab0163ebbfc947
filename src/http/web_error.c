/* SPDX-License-Identifier: MIT */
/*
 * Errors as answers.
 *
 * What a client is told is the status, and the text that was raised with it; of an error that is no
 * status only the status that it stands for. The text is plain, and said to be that, so that
 * nothing of a request in it can become a page. Fields that were set stay, such as
 * WWW-Authenticate beside 401, but for those that describe a body.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/loop.h"
#include "http/web_exchange.h"

/* The status of an error. Those below 400 are no errors that a client can make use of. */
static int error_status(int rc)
{
    int status = eddy_http_status_of(rc);

    switch (rc) {
    case -ETIMEDOUT: return 504;
    case -ENOSPC:
    case -EDQUOT:
    case -EFBIG: return 507;
    case EDDY_EHTTP_PAYLOAD:
    case EDDY_EHTTP_PROTOCOL: return 400; /* of the request's body */
    default: return status >= 400 && status < 600 ? status : 500;
    }
}

void ed_web_error_tell(const eddy_web_request *request, int rc)
{
    char text[512];
    eddy_report report = {.kind = EDDY_REPORT_HANDLER_FAILED,
                          .code = rc,
                          .message = text,
                          .task = eddy_current_task()};

    if (rc == 0)
        snprintf(text, sizeof text, "%s %.200s: the handler returned without an answer",
                 request->head.method, request->head.target);
    else
        snprintf(text, sizeof text, "%s %.200s: the handler failed: %s (%s)", request->head.method,
                 request->head.target, eddy_error_message(rc), eddy_error_name(rc));
    eddy_loop_call_exception_handler(request->connection->server->loop, &report);
}

/* The text that was raised with it, in the arena; NULL: none. */
static const char *error_text(eddy_web_request *request, int rc)
{
    const char *text = eddy_error_message(rc);

    if (eddy_http_status_of(rc) == 0 || text == eddy_strerror(rc))
        return NULL;
    return ed_arena_copy(&request->arena, text, strlen(text));
}

int ed_web_error_answer(eddy_web_request *request, int rc)
{
    int status = rc == 0 ? 500 : error_status(rc);
    const char *text = rc == 0 ? NULL : error_text(request, rc);

    if (status == 500 && eddy_http_status_of(rc) != 500)
        ed_web_error_tell(request, rc);
    ed_web_answer_drop(request);
    ed_web_answer_drop_fields(request);
    request->answer.close |= status == 408; /* nobody waits for the rest (RFC 9110, 15.5.9) */
    rc = ed_web_answer_put(request, "X-Content-Type-Options", "nosniff");
    if (rc < 0)
        return rc;
    return text ? eddy_web_printf(request, status, "%s\n", text)
                : eddy_web_printf(request, status, "%d %s\n", status, eddy_http_reason(status));
}

/* Lists the methods in the Allow field of a 405 (RFC 9110, 15.5.6). */
static int error_allow(eddy_web_request *request)
{
    const struct ed_route_found *found = &request->target.found;
    char text[1024];
    size_t size = 0;

    for (size_t i = 0; i < found->allowed_count && size < sizeof text; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", i > 0 ? ", " : "",
                                 found->allowed[i]);
    return eddy_web_set_header(request, "Allow", text);
}

int ed_web_no_route(eddy_web_request *request, void *unused)
{
    (void)unused;
    if (!request->target.found.path_known)
        return eddy_raise(EDDY_HTTP_STATUS(404), "404 Not Found");
    EDDY_TRY(error_allow(request));
    return eddy_raise(EDDY_HTTP_STATUS(405), "405 Method Not Allowed");
}
