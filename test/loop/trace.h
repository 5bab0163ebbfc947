/* SPDX-License-Identifier: MIT */
/* What the tests of the loop have in common: callbacks that leave a trace. */
#ifndef TRACE_H
#define TRACE_H

#include <stdlib.h>

#include "harness.h"
#include "loop/loop.h"

/* The words of all callbacks that ran, each with a space behind it. */
static char trace[8192];

static inline int trace_add(void *word)
{
    size_t length = strlen(trace);

    snprintf(trace + length, sizeof trace - length, "%s ", (const char *)word);
    return 0;
}

/* A loop of the test's own, whose reports are watched. */
static inline eddy_loop *loop_open(void)
{
    eddy_loop *loop;
    int rc = eddy_loop_new(&loop);

    if (rc < 0)
        test_fail(__FILE__, __LINE__, "eddy_loop_new: %s", eddy_strerror(rc));
    test_watch_reports(loop);
    return loop;
}

static inline int loop_stop(void *loop)
{
    eddy_loop_stop(loop);
    return 0;
}

/* Runs until a time of the loop's clock that is `seconds` away. */
static inline int loop_run_for(eddy_loop *loop, double seconds)
{
    (void)eddy_loop_call_later(loop, seconds, loop_stop, loop);
    return eddy_loop_run_forever(loop);
}

/* The same loop, on a real clock: for tests of what the virtual one would hide. */
static inline eddy_loop *loop_open_real(void)
{
    setenv("EDDY_CLOCK", "", 1);
    return loop_open();
}

#endif
