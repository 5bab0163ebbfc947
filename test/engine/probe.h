/* SPDX-License-Identifier: MIT */
/*
 * An engine under test, and operations that count how often they completed. Time
 * here is real: an engine knows no other. Waits are short, or ended by a wake.
 */
#ifndef PROBE_H
#define PROBE_H

#include <unistd.h>

#include "base/time.h"
#include "engine/engine.h"
#include "harness.h"

#define MS INT64_C(1000000)

struct probe {
    struct ed_op op;
    int calls;
    int result; /* of the last call */
};

static struct ed_engine *engine;
static bool waiting; /* inside ed_engine_wait or _flush: where alone done is called */

static inline void probe_done(struct ed_op *op)
{
    struct probe *probe = ed_container_of(op, struct probe, op);

    if (!waiting || op->in_flight)
        test_fail(__FILE__, __LINE__, "an operation completed outside a wait");
    probe->calls++;
    probe->result = op->result;
}

static inline struct probe probe_poll(int fd, uint32_t events)
{
    return (struct probe){
        .op = {.done = probe_done, .kind = ED_OP_POLL, .fd = fd, .events = events}};
}

static inline int wait_for(int64_t timeout)
{
    int rc;

    waiting = true;
    rc = ed_engine_wait(engine, timeout);
    waiting = false;
    return rc;
}

static inline void flush(void)
{
    waiting = true;
    ed_engine_flush(engine);
    waiting = false;
}

/* Waits, for some seconds at most, until nothing is in flight. */
static inline int wait_all(void)
{
    int64_t end = ed_time_monotonic() + ED_SECOND * (test_is_slow() ? 30 : 10);

    while (engine->in_flight && ed_time_monotonic() < end)
        REQUIRE(wait_for(50 * MS) == 0);
    return engine->in_flight ? -ETIMEDOUT : 0;
}

static inline void engine_begin(void)
{
    int rc = ed_engine_open(&engine);

    if (rc < 0)
        test_fail(__FILE__, __LINE__, "ed_engine_open: %s", eddy_strerror(rc));
}

static inline void engine_end(void)
{
    if (engine->in_flight)
        test_fail(__FILE__, __LINE__, "%zu operations are left", engine->in_flight);
    ed_engine_close(engine);
}

static inline void close_both(const int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

#endif
