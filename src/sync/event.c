/* SPDX-License-Identifier: MIT */
/* A flag. A set wakes all who wait now, whatever happens to the flag then. */
#include "sync/waiters.h"

static const struct ed_wait_kind event_kind = {"event.wait", NULL, NULL};

int eddy_event_wait(eddy_event *event)
{
    struct ed_wait wait = ED_WAIT(&event_kind, event, NULL);
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    return event->set ? 0 : ed_waiters_wait(&event->waiters, &wait);
}

void eddy_event_set(eddy_event *event)
{
    struct ed_wait *wait;

    event->set = true;
    while ((wait = ed_waiters_take(&event->waiters)))
        ed_wake(wait, 0);
}

void eddy_event_clear(eddy_event *event)
{
    event->set = false;
}

bool eddy_event_is_set(const eddy_event *event)
{
    return event->set;
}
