/* SPDX-License-Identifier: MIT */
/*
 * What a code means. The C library's texts serve, but for the codes to which
 * Eddy gives a narrower meaning.
 */
#include "base/error.h"

#include <string.h>

#include "base/compat.h"

static const struct error_text {
    int code;
    const char *text;
} error_texts[] = {
    {0, "success"},
    {-EAGAIN, "not possible without waiting"},
    {-EALREADY, "done already"},
    {-EBUSY, "in use by another task"},
    {-ECANCELED, "cancelled"},
    {-EDEADLK, "deadlock: nothing can wake this task"},
    {-EINPROGRESS, "not done yet"},
    {-EINTR, "interrupted"},
    {-ENOMEM, "out of memory, or a task that could not be created"},
    {-EOVERFLOW, "released or marked done more often than taken"},
    {-EOWNERDEAD, "the barrier is broken"},
    {-EPERM, "not permitted here"},
    {-ESHUTDOWN, "shut down"},
    {-ETIMEDOUT, "timed out"},
    {EDDY_ETEST, "what a test expects does not hold"},
};

const char *eddy_strerror(int code)
{
    const char *text = NULL;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(error_texts); i++)
        if (error_texts[i].code == code)
            return error_texts[i].text;
    if (code < 0 && code >= -4095)
        text = strerrordesc_np(-code);
    return text ? text : "unknown error";
}

const char *eddy_error_name(int code)
{
    const char *name = NULL;

    if (code == 0)
        return "0";
    if (code == EDDY_ETEST)
        return "EDDY_ETEST";
    if (code < 0 && code >= -4095)
        name = strerrorname_np(-code);
    return name ? name : "E?";
}

int ed_error_by_name(const char *name)
{
    for (int code = 1; code <= 4095; code++) {
        const char *known = strerrorname_np(code);

        if (known && strcmp(known, name) == 0)
            return -code;
    }
    return 0;
}
