/* SPDX-License-Identifier: MIT */
/*
 * The register of memory in flight: a list, since it is for looking at each free
 * in tests and debugging, where some hundred operations are in flight.
 */
#include "base/flight.h"

#include "base/die.h"
#include "base/list.h"

__thread struct eddy_list_ ed_flights __attribute__((tls_model("initial-exec")));

static bool flight_watching; /* atomic */

void ed_flight_watch(bool watch)
{
    __atomic_store_n(&flight_watching, watch, __ATOMIC_RELAXED);
}

bool ed_flight_watched(void)
{
    return __atomic_load_n(&flight_watching, __ATOMIC_RELAXED);
}

void ed_flight_begin(struct ed_flight *flight)
{
    flight->entered = ed_flight_watched();
    if (flight->entered)
        ed_list_append(&ed_flights, &flight->link);
}

void ed_flight_end(struct ed_flight *flight)
{
    if (flight->entered)
        ed_list_remove(&ed_flights, &flight->link);
    flight->entered = false;
}

static bool flight_overlaps(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (uintptr_t)a < (uintptr_t)b + b_size && (uintptr_t)b < (uintptr_t)a + a_size;
}

void ed_flight_check_slow(const void *memory, size_t size, const char *how, const char *where)
{
    ED_LIST_FOR_EACH(link, &ed_flights) {
        const struct ed_flight *flight = ed_container_of(link, const struct ed_flight, link);

        if (flight->memory && flight_overlaps(memory, size, flight->memory, flight->size))
            ed_die("memory is %s at %s while an operation \"%s\", submitted at %s, has its %zu "
                   "bytes at %p in flight",
                   how, where, flight->what, flight->where, flight->size, flight->memory);
        if (flight_overlaps(memory, size, flight, sizeof *flight))
            ed_die("memory is %s at %s while the operation \"%s\" that stands in it, submitted at "
                   "%s, is in flight",
                   how, where, flight->what, flight->where);
    }
}
