/* SPDX-License-Identifier: MIT */
/*
 * The rules of redirects (RFC 9110, 15.4): which are followed, by what method, and to where.
 */
#include <string.h>

#include "http/client.h"

bool ed_redirect_follows(int status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308: return true;
    default: return false;
    }
}

const char *ed_redirect_method(int status, const char *method)
{
    if (status == 303 && strcmp(method, "HEAD") != 0)
        return "GET";
    if ((status == 301 || status == 302) && strcmp(method, "POST") == 0)
        return "GET";
    return method;
}

int ed_redirect_target(const eddy_url *url, const char *location, eddy_url **out)
{
    eddy_url *next = NULL;
    int rc = eddy_url_join(url, location, &next);

    if (rc == EDDY_EURL)
        return eddy_raise(EDDY_EHTTP_REDIRECTS, "it is redirected to \"%.200s\": %s", location,
                          eddy_error_message(rc));
    if (rc < 0)
        return rc;
    if ((strcmp(next->scheme, "http") != 0 && strcmp(next->scheme, "https") != 0) || !*next->host) {
        rc = eddy_raise(EDDY_EHTTP_REDIRECTS,
                        "it is redirected to \"%.200s\", which is neither http:// nor https://",
                        next->text);
        eddy_url_free(next);
        return rc;
    }
    *out = next;
    return 0;
}
