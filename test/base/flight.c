/* SPDX-License-Identifier: MIT */
/* The register of memory in flight: what is entered may not be lost. */
#include "base/flight.h"

#include "base/memory.h"
#include "harness.h"

static struct ed_flight flight;

static void flight_of(const void *memory, size_t size)
{
    flight =
        (struct ed_flight){.memory = memory, .size = size, .what = "recv", .where = "socket.c:7"};
    ed_flight_begin(&flight);
}

static void free_a_buffer(void)
{
    char *buffer = ed_alloc(100);

    flight_of(buffer + 40, 10);
    ed_free(buffer);
}

static void move_a_buffer(void)
{
    char *buffer = ed_alloc(100);

    flight_of(buffer + 99, 1);
    (void)ed_realloc(buffer, 200);
}

static void free_the_operation(void)
{
    struct ed_flight *own = ed_alloc_zero(sizeof *own);

    *own = (struct ed_flight){.what = "poll", .where = "socket.c:8"};
    ed_flight_begin(own);
    ed_free(own);
}

static void unmap_a_buffer(void)
{
    char *memory = ed_map(65536, 65536);

    flight_of(memory + 65535, 1);
    ed_unmap(memory, 65536);
}

RAW_TEST(flight_memory_that_is_lost_aborts_and_names_both_places)
{
    CHECK_DIES(free_a_buffer, "memory is freed at " __FILE__);
    CHECK_DIES(free_a_buffer, "\"recv\", submitted at socket.c:7");
    CHECK_DIES(move_a_buffer, "memory is moved at " __FILE__);
    CHECK_DIES(free_the_operation, "the operation \"poll\" that stands in it, submitted at "
                                   "socket.c:8, is in flight");
    CHECK_DIES(unmap_a_buffer, "memory is unmapped at");
}

RAW_TEST(flight_memory_beside_a_buffer_may_be_freed)
{
    char *buffer = ed_alloc(100), *other = ed_alloc(100);

    flight_of(buffer, 100);
    ed_free(other);
    ed_flight_end(&flight);
    ed_free(buffer); /* it has landed */
    CHECK(ed_flights == 0);
}

RAW_TEST(flight_is_entered_only_while_it_is_watched)
{
    char *buffer = ed_alloc(100);

    ed_flight_watch(false);
    flight_of(buffer, 100);
    ed_flight_watch(true); /* one that began unwatched stays so */
    ed_free(buffer);
    ed_flight_end(&flight);
    flight_of(NULL, 0);
    ed_flight_watch(false); /* and the other way round */
    ed_flight_end(&flight);
    CHECK(ed_flights == 0);
}

/* Entries move when others go, and into larger memory: each stays what it is. */
RAW_TEST(flight_register_keeps_hundreds_apart)
{
    static struct ed_flight flights[500];
    static char buffers[500];

    for (int i = 0; i < 500; i++) {
        flights[i] = (struct ed_flight){&buffers[i], 1, "send", "socket.c:9", 0};
        ed_flight_begin(&flights[i]);
    }
    CHECK_EQ(ed_flights, 500);
    for (int i = 0; i < 500; i += 2)
        ed_flight_end(&flights[i]);
    for (int i = 0; i < 500; i += 2)
        ed_flight_check(&buffers[i], 1, "freed", "here");
    for (int i = 499; i > 0; i -= 2)
        ed_flight_end(&flights[i]);
    CHECK_EQ(ed_flights, 0);
    ed_flight_check(buffers, sizeof buffers, "freed", "here");
}
