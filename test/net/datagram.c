/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: rules A-UDP-1 to A-UDP-5 and A-UDP-8, several tasks at one endpoint, cancel and
 * close. Opening stands in datagram_open.c.
 */
#include "eddy/datagram.h"

#include <netinet/udp.h>

#include "base/fault.h"
#include "datagrams.h"

struct got {
    char data[16];
    ssize_t size;
    int order; /* which of all it was */
};

static int got_count;

static int receive(eddy_datagram *d, struct got *got)
{
    got->size = eddy_datagram_receive(d, got->data, sizeof got->data, NULL);
    got->order = ++got_count;
    return got->size < 0 ? (int)got->size : 0;
}
EDDY_ASYNC(receive, eddy_datagram *, struct got *);

static int receive_and_go_on(eddy_datagram *d, struct got *got, int *next)
{
    got->size = eddy_datagram_receive(d, got->data, sizeof got->data, NULL);
    *next = eddy_sleep(0);
    return 0;
}
EDDY_ASYNC(receive_and_go_on, eddy_datagram *, struct got *, int *);

static int send_text(eddy_datagram *from, const char *text, const eddy_datagram *to)
{
    return eddy_datagram_send_to(from, text, strlen(text), eddy_datagram_local(to));
}
EDDY_ASYNC(send_text, eddy_datagram *, const char *, const eddy_datagram *);

/* A-UDP-1 */
TEST(datagrams_keep_their_boundaries_and_tell_their_sender)
{
    UDP(one);
    UDP(other);
    eddy_address from;
    char data[16];

    CHECK_OK(send_text(one, "first", other));
    CHECK_OK(send_text(one, "", other)); /* empty ones are delivered too */
    CHECK_OK(send_text(one, "third", other));
    CHECK_EQ(eddy_datagram_receive(other, data, sizeof data, &from), 5);
    CHECK(memcmp(data, "first", 5) == 0);
    CHECK(eddy_address_equal(&from, eddy_datagram_local(one)));
    CHECK_EQ(eddy_datagram_receive(other, data, sizeof data, NULL), 0);
    CHECK_EQ(eddy_datagram_receive(other, data, sizeof data, NULL), 5);
    CHECK(memcmp(data, "third", 5) == 0);
}

TEST(datagram_receive_waits_for_one)
{
    UDP(one);
    UDP(other);
    struct got got = {.size = 0};
    EDDY_TASK task = eddy_create_task(receive, other, &got);

    test_settle();
    CHECK(!eddy_task_done(task));
    CHECK_OK(send_text(one, "late", other));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(got.size, 4);
}

TEST(datagram_that_does_not_fit_is_cut_and_says_so)
{
    UDP(one);
    UDP(other);
    eddy_address from = {.size = 0};
    char data[4] = "....";
    ssize_t size;

    CHECK_OK(send_text(one, "0123456789", other));
    CHECK_OK(send_text(one, "next", other));
    size = eddy_datagram_receive(other, data, 3, &from);
    CHECK_EQ(size, EDDY_ELIMIT);
    CHECK_HAS(eddy_error_message(EDDY_ELIMIT), "10 bytes");
    CHECK(memcmp(data, "012.", 4) == 0);
    CHECK(eddy_address_equal(&from, eddy_datagram_local(one)));
    CHECK_EQ(eddy_datagram_receive(other, data, 4, NULL), 4); /* that is another one */
    CHECK_EQ(eddy_datagram_get_counters(other).truncated, 1);
    CHECK_EQ(eddy_datagram_get_counters(other).received_bytes, 7);
}

TEST(datagram_that_is_too_long_is_refused)
{
    UDP(one);
    UDP(other);
    static char data[65508];
    static char got[65507];

    CHECK_EQ(eddy_datagram_send_to(one, data, 65508, eddy_datagram_local(other)), -EMSGSIZE);
    CHECK_OK(eddy_datagram_send_to(one, data, 65507, eddy_datagram_local(other)));
    CHECK_EQ(eddy_datagram_receive(other, got, sizeof got, NULL), 65507);
}

/* A-UDP-2 */
TEST(datagram_endpoint_that_is_connected_has_one_peer)
{
    UDP(one);
    UDP(other);
    EDDY_DATAGRAM connected = NULL;
    char data[16];
    int rc;

    CHECK_OK(datagram_connect(one, &connected));
    CHECK(eddy_address_equal(eddy_datagram_remote(connected), eddy_datagram_local(one)));
    CHECK(eddy_datagram_remote(one) == NULL);
    CHECK_OK(eddy_datagram_send(connected, "a", 1));
    CHECK_OK(eddy_datagram_send_to(connected, "b", 1, eddy_datagram_local(one)));
    CHECK_OK(eddy_datagram_send_to(connected, "c", 1, NULL));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, NULL), 1);
        CHECK_EQ(data[0], "abc"[i]);
    }
    rc = send_text(connected, "d", other);
    CHECK_EQ(rc, -EINVAL);
    CHECK_HAS(eddy_error_message(rc), "not its peer's");
    CHECK_OK(send_text(other, "stranger", connected)); /* is not received */
    CHECK_OK(send_text(one, "friend", connected));
    CHECK_EQ(eddy_datagram_receive(connected, data, sizeof data, NULL), 6);
    CHECK_EQ(eddy_datagram_send(one, "e", 1), -EDESTADDRREQ);
}

/* A-UDP-3: the next call tells, and the endpoint goes on. */
TEST(datagram_refusal_is_told_once_and_the_endpoint_goes_on)
{
    EDDY_DATAGRAM connected = NULL;
    UDP(one);
    eddy_address address = *eddy_datagram_local(one);
    char place[64], data[4];

    CHECK_OK(datagram_connect(one, &connected));
    eddy_datagram_close(&one);
    CHECK_OK(eddy_datagram_send(connected, "a", 1));
    CHECK_EQ(eddy_datagram_send(connected, "b", 1), -ECONNREFUSED);
    CHECK_OK(eddy_datagram_send(connected, "c", 1));
    CHECK_EQ(eddy_datagram_receive(connected, data, sizeof data, NULL), -ECONNREFUSED);
    snprintf(place, sizeof place, "udp://127.0.0.1:%d", eddy_address_port(&address));
    CHECK_OK(eddy_datagram_open(place, NULL, &one));
    CHECK_OK(eddy_datagram_send(connected, "d", 1));
    CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, NULL), 1);
    CHECK_EQ(data[0], 'd');
}

/* A-UDP-3, with a receiver that waits. */
TEST(datagram_refusal_wakes_the_receiver)
{
    EDDY_DATAGRAM connected = NULL;
    UDP(one);
    struct got got = {.size = 0};

    CHECK_OK(datagram_connect(one, &connected));
    eddy_datagram_close(&one);
    EDDY_TASK task = eddy_create_task(receive, connected, &got);
    test_settle();
    CHECK_OK(eddy_datagram_send(connected, "a", 1));
    CHECK_EQ(eddy_await(task), -ECONNREFUSED);
}

TEST(datagrams_are_received_in_batches)
{
    UDP(one);
    UDP(other);
    char room[40][4];
    eddy_datagram_message messages[40];
    char text[8];
    ssize_t count;

    for (int i = 0; i < 40; i++)
        messages[i] = (eddy_datagram_message){.data = room[i], .size = sizeof room[i]};
    CHECK_OK(send_text(one, "too long", other));
    for (int i = 1; i < 36; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_OK(send_text(one, text, other));
    }
    count = eddy_datagram_receive_many(other, messages, 40);
    CHECK_EQ(count, EDDY_DATAGRAM_BATCH);
    CHECK(messages[0].truncated);
    CHECK_EQ(messages[0].length, 4);
    for (int i = 1; i < count; i++) {
        CHECK(!messages[i].truncated);
        CHECK_EQ(messages[i].length, i < 10 ? 1 : 2);
        CHECK(eddy_address_equal(&messages[i].from, eddy_datagram_local(one)));
    }
    CHECK_EQ(eddy_datagram_receive_many(other, messages, 40), 4); /* those that are there */
    CHECK_EQ(room[3][1], '5');
    CHECK_EQ(eddy_datagram_receive_many(other, messages, 0), -EINVAL);
    CHECK_EQ(eddy_datagram_get_counters(other).received, 36);
}

static int receive_batch(eddy_datagram *d, ssize_t *count)
{
    char room[4][8];
    eddy_datagram_message messages[4];

    for (int i = 0; i < 4; i++)
        messages[i] = (eddy_datagram_message){.data = room[i], .size = sizeof room[i]};
    *count = eddy_datagram_receive_many(d, messages, 4);
    return *count < 0 ? (int)*count : 0;
}
EDDY_ASYNC(receive_batch, eddy_datagram *, ssize_t *);

TEST(datagram_batch_waits_for_the_first)
{
    UDP(one);
    UDP(other);
    ssize_t count = 0;
    EDDY_TASK task = eddy_create_task(receive_batch, other, &count);

    test_settle();
    CHECK(!eddy_task_done(task));
    CHECK_OK(send_text(one, "x", other));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(count, 1);
}

/* Peers 6a (libmill 132): two receivers, one datagram each, in their order. */
TEST(datagram_receivers_take_turns)
{
    UDP(one);
    UDP(other);
    struct got got[4];
    EDDY_TASK a = eddy_create_task(receive, other, &got[0]);
    EDDY_TASK b = eddy_create_task(receive, other, &got[1]);
    EDDY_TASK c = eddy_create_task(receive, other, &got[2]);

    test_settle();
    for (int i = 0; i < 4; i++)
        CHECK_OK(send_text(one, &"3\0002\0001\0000"[6 - 2 * i], other));
    CHECK_OK(receive(other, &got[3])); /* behind those that wait */
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
    CHECK_OK(eddy_await(c));
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(got[i].data[0], '0' + i);
        CHECK_EQ(got[i].order, i + 1);
    }
}

/* Promise 3: no datagram is lost to a cancel. */
TEST(datagram_receive_that_is_cancelled_leaves_it_to_the_next)
{
    UDP(one);
    UDP(other);
    struct got got = {.size = 0}, again = {.size = 0};
    int next = 0;
    EDDY_TASK task = eddy_create_task(receive_and_go_on, other, &got, &next);

    test_settle();
    CHECK_OK(send_text(one, "mine", other));
    CHECK_OK(eddy_cancel(task)); /* in the tick in which it comes */
    CHECK_OK(eddy_await(task));
    CHECK_EQ(next, -ECANCELED);
    if (got.size == -ECANCELED)
        CHECK_OK(receive(other, &again));
    CHECK(got.size == 4 || again.size == 4);
}

static void no_faults(const int *unused)
{
    (void)unused;
    for (int i = 0; i < ED_FAULT_COUNT; i++)
        (void)ed_fault_set((enum ed_fault)i, 0, 0); /* the counts do not matter */
}
#define FAULTS() EDDY_CLEANUP_(no_faults) int faults = 0

TEST(datagram_receive_faster_than_its_cancel_has_succeeded)
{
    FAULTS();
    UDP(one);
    UDP(other);
    struct got got = {.size = 0};
    int next = 0;
    EDDY_TASK task = eddy_create_task(receive_and_go_on, other, &got, &next);

    test_settle();
    CHECK_OK(send_text(one, "mine", other));
    ed_fault_set(ED_FAULT_CANCEL, 1, -EAGAIN);
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(got.size, 4);
    CHECK_EQ(next, -ECANCELED);
}

/* Each error at once, and behind a wait; the endpoint goes on. */
TEST(datagram_calls_that_are_made_to_fail_leave_the_endpoint_usable)
{
    FAULTS();
    UDP(one);
    UDP(other);
    struct got got = {.size = 0};

    for (uint64_t nth = 1; nth <= 2; nth++) {
        ed_fault_set(ED_FAULT_RECV, nth, -ENOBUFS);
        EDDY_TASK task = eddy_create_task(receive, other, &got);
        CHECK_EQ(eddy_await(task), -ENOBUFS);
    }
    ed_fault_set(ED_FAULT_SEND, 1, -ENOBUFS);
    CHECK_EQ(send_text(one, "lost", other), -ENOBUFS);
    ed_fault_set(ED_FAULT_SEND, 1, ED_FAULT_SHORT);
    CHECK_EQ(send_text(one, "short", other), -EIO);
    CHECK_OK(receive(other, &got)); /* what the fault has let through */
    CHECK_OK(send_text(one, "whole", other));
    CHECK_OK(receive(other, &got));
    CHECK_EQ(got.size, 5);
}

/* Rule of close: those inside are told, whether they have their turn or wait for it. */
TEST(datagram_close_ends_those_that_wait)
{
    eddy_datagram *d = datagram_somewhere();
    struct got got = {.size = 0};

    CHECK(d);
    EDDY_TASK a = eddy_create_task(receive, d, &got);
    EDDY_TASK b = eddy_create_task(receive, d, &got);
    test_settle(); /* may be cut short: the close comes all the same */
    eddy_datagram_close(&d);
    CHECK(d == NULL);
    CHECK_EQ(eddy_await(a), -ESHUTDOWN);
    CHECK_EQ(eddy_await(b), -ESHUTDOWN);
    eddy_datagram_close(&d);
}

/* A-UDP-8 differs: a task that still has the handle while another closes gets an error. */
static int close_it(eddy_datagram *d)
{
    eddy_datagram_close(&d);
    return 0;
}
EDDY_ASYNC(close_it, eddy_datagram *);

TEST(datagram_calls_during_a_close_are_refused)
{
    eddy_datagram *d = datagram_somewhere();
    struct got got = {.size = 0};

    CHECK(d);
    eddy_address address = *eddy_datagram_local(d);
    EDDY_TASK waiting = eddy_create_task_eager(receive, d, &got);
    EDDY_TASK closer = eddy_create_task_eager(close_it, d);
    CHECK_EQ(eddy_datagram_send_nowait(d, "x", 1, &address), -ESHUTDOWN);
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_await(waiting), -ESHUTDOWN);
}

/* A close is a release: a cancelled task closes too. */
TEST(datagram_close_is_not_refused)
{
    eddy_datagram *d = datagram_somewhere();
    struct got got = {.size = 0};

    CHECK(d);
    EDDY_TASK waiting = eddy_create_task_eager(receive, d, &got);
    EDDY_TASK closer = eddy_create_task(close_it, d);
    CHECK_OK(eddy_cancel(closer));
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_await(waiting), -ESHUTDOWN);
}

static int send_in_callback(void *argument)
{
    eddy_datagram *d = argument;

    return eddy_datagram_send_nowait(d, "callback", 8, eddy_datagram_local(d));
}

/* A-UDP-4: a direct send, from callbacks as well. */
TEST(datagram_send_nowait_sends_at_once)
{
    UDP(one);
    struct got got = {.size = 0};
    eddy_handle handle = eddy_loop_call_soon(eddy_get_running_loop(), send_in_callback, one);
    EDDY_DEFER(test_cancel_handle, &handle);

    CHECK_OK(receive(one, &got));
    CHECK_EQ(got.size, 8);
    CHECK_EQ(eddy_datagram_send_nowait(one, "x", 1, NULL), -EDESTADDRREQ);
    CHECK_EQ(eddy_datagram_get_counters(one).sent, 1);
    CHECK_EQ(eddy_datagram_get_counters(one).sent_bytes, 8);
}

struct fleet {
    eddy_datagram *collector;
    bool seen[1000];
    int readings;
};

static int measure(const eddy_datagram *collector, int sensor)
{
    EDDY_DATAGRAM mine = NULL;

    EDDY_TRY(datagram_connect(collector, &mine));
    for (int i = 0; i < 3; i++) {
        EDDY_TRY(eddy_sleep(1 + sensor % 50));
        EDDY_TRY(eddy_datagram_send(mine, &sensor, sizeof sensor));
    }
    return 0;
}
EDDY_ASYNC(measure, const eddy_datagram *, int);

static int collect(struct fleet *fleet, int readings)
{
    int values[EDDY_DATAGRAM_BATCH];
    eddy_datagram_message messages[EDDY_DATAGRAM_BATCH];

    for (int i = 0; i < EDDY_DATAGRAM_BATCH; i++)
        messages[i] = (eddy_datagram_message){.data = &values[i], .size = sizeof values[i]};
    while (fleet->readings < readings) {
        ssize_t count = eddy_datagram_receive_many(fleet->collector, messages, EDDY_DATAGRAM_BATCH);

        EDDY_TRY(count);
        for (ssize_t i = 0; i < count; i++)
            fleet->seen[values[i]] = true;
        fleet->readings += (int)count;
    }
    return 0;
}
EDDY_ASYNC(collect, struct fleet *, int);

static int run_fleet(int sensors)
{
    static struct fleet fleet;
    EDDY_DATAGRAM collector = NULL;
    EDDY_GROUP(group);

    EDDY_TRY(eddy_datagram_open("udp://127.0.0.1:0", NULL, &collector));
    fleet = (struct fleet){.collector = collector};
    EDDY_TRY(eddy_group_create_task(&group, collect, &fleet, sensors * 3));
    for (int i = 0; i < sensors; i++)
        EDDY_TRY(eddy_group_create_task(&group, measure, collector, i));
    EDDY_TRY(eddy_group_join(&group));
    for (int i = 0; i < sensors; i++)
        REQUIRE(fleet.seen[i]);
    return 0;
}
EDDY_ASYNC(run_fleet, int);

RAW_TEST(datagrams_of_a_thousand_sensors_all_arrive)
{
    CHECK_OK(eddy_test(run_fleet, test_is_slow() ? 200 : 1000));
}

RAW_TEST(datagrams_stand_every_cancel_order_and_failing_allocation)
{
    CHECK_OK(eddy_test_thoroughly(run_fleet, 3));
}

static int leave_open(void)
{
    eddy_datagram *d = NULL;
    struct got got;

    EDDY_TRY(eddy_datagram_open("udp://127.0.0.1:0", NULL, &d));
    eddy_task *task = eddy_create_task(receive, d, &got);
    eddy_task_detach(&task);
    return eddy_sleep(0);
}
EDDY_ASYNC(leave_open);

/* What is left open is closed with the loop, and said. */
RAW_TEST(datagram_endpoint_ends_with_its_loop)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_open)));
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "a datagram endpoint (127.0.0.1:");
    CHECK_HAS(test_report(), "was pending when its loop was closed");
    eddy_loop_free(loop);
}
