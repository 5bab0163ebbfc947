/* SPDX-License-Identifier: MIT */
/*
 * When a request is tried again, and how long it waits before. Nothing here sends one.
 *
 * The delay doubles with each try, and is then cut by up to a half by chance, so that clients that
 * failed together do not come back together. A server's Retry-After counts instead.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compat.h"
#include "http/client.h"

bool ed_retry_is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET",     "HEAD",  "PUT",  "DELETE",
                                          "OPTIONS", "TRACE", "QUERY"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

bool ed_retry_helps(int code)
{
    switch (code) {
    case EDDY_EHTTP_DISCONNECTED:
    case EDDY_EHTTP_CONNECT_TIMEOUT:
    case EDDY_EHTTP_READ_TIMEOUT:
    case EDDY_EDNS_TIMEOUT:
    case EDDY_EDNS_FAILED:
    case EDDY_EDNS_UNREACHABLE:
    case EDDY_ETLS_TRUNCATED:
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -EPIPE:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENETDOWN: return true;
    default: return false;
    }
}

/* Those of curl's --retry. */
bool ed_retry_helps_status(int status)
{
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* What Retry-After says (RFC 9110, 10.2.3): seconds, or a date; -1 when it says neither. */
static double retry_after(const char *value)
{
    size_t digits = strspn(value, "0123456789");
    time_t when;

    if (digits > 0 && value[digits] == '\0')
        return digits < 10 ? strtod(value, NULL) : EDDY_FOREVER;
    if (eddy_http_parse_date(value, &when) < 0)
        return -1;
    return when > time(NULL) ? difftime(when, time(NULL)) : 0;
}

double
ed_retry_delay(const eddy_http_retries *retries, unsigned tries, const char *value, double random)
{
    double delay = value ? retry_after(value) : -1;

    if (delay < 0) {
        delay = ldexp(retries->delay, tries < 100 ? (int)tries : 100);
        if (delay > retries->most)
            delay = retries->most;
        delay *= (1 + random) / 2;
    }
    return delay < retries->most ? delay : retries->most;
}
