/* SPDX-License-Identifier: MIT */
/*
 * The register of memory in flight: an array, searched at each free, since it is for
 * tests and debugging, where some hundred operations are in flight. Entries are
 * copies: an operation in a frame that was left may be overwritten already when
 * that is noticed.
 */
#include "base/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"

#define FLIGHTS_INLINE 32

struct flight_entry {
    struct ed_flight *flight;
    struct ed_flight copy;
};

__thread size_t ed_flights __attribute__((tls_model("initial-exec")));

static bool flight_watching; /* atomic */
static __thread struct flight_entry flight_first[FLIGHTS_INLINE];
static __thread struct flight_entry *flight_entries; /* NULL: the above */
static __thread size_t flight_capacity;

void ed_flight_watch(bool watch)
{
    __atomic_store_n(&flight_watching, watch, __ATOMIC_RELAXED);
}

bool ed_flight_watched(void)
{
    return __atomic_load_n(&flight_watching, __ATOMIC_RELAXED);
}

static struct flight_entry *flight_at(size_t index)
{
    return &(flight_entries ? flight_entries : flight_first)[index];
}

/* Room for one more entry, in memory that nobody counts; whether there is. */
static bool flight_make_room(void)
{
    size_t capacity = 2 * (flight_entries ? flight_capacity : FLIGHTS_INLINE);
    struct flight_entry *entries;

    if (ed_flights < (flight_entries ? flight_capacity : FLIGHTS_INLINE))
        return true;
    entries = realloc(flight_entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    if (!flight_entries)
        memcpy(entries, flight_first, sizeof flight_first);
    flight_entries = entries;
    flight_capacity = capacity;
    return true;
}

void ed_flight_begin(struct ed_flight *flight)
{
    flight->entry = 0;
    if (ed_likely(!ed_flight_watched()) || !flight_make_room())
        return;
    *flight_at(ed_flights) = (struct flight_entry){flight, *flight};
    flight->entry = ++ed_flights;
}

void ed_flight_end(struct ed_flight *flight)
{
    struct flight_entry *last;

    if (ed_likely(flight->entry == 0))
        return;
    last = flight_at(--ed_flights);
    last->flight->entry = flight->entry;
    *flight_at(flight->entry - 1) = *last;
    flight->entry = 0;
    if (ed_flights == 0) {
        free(flight_entries);
        flight_entries = NULL;
    }
}

static bool flight_overlaps(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (uintptr_t)a < (uintptr_t)b + b_size && (uintptr_t)b < (uintptr_t)a + a_size;
}

void ed_flight_check_slow(const void *memory, size_t size, const char *how, const char *where)
{
    for (size_t i = 0; i < ed_flights; i++) {
        const struct ed_flight *held = &flight_at(i)->copy;

        if (held->memory && flight_overlaps(memory, size, held->memory, held->size))
            ed_die("memory is %s at %s while an operation \"%s\", submitted at %s, has its %zu "
                   "bytes at %p in flight",
                   how, where, held->what, held->where, held->size, held->memory);
        if (flight_overlaps(memory, size, flight_at(i)->flight, sizeof *held))
            ed_die("memory is %s at %s while the operation \"%s\" that stands in it, submitted at "
                   "%s, is in flight",
                   how, where, held->what, held->where);
    }
}
