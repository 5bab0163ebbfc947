/* SPDX-License-Identifier: MIT */
/* Buffers that many sockets share: who gets one, and what comes of those who do not. */
#include <pthread.h>
#include <sys/resource.h>

#include "base/fault.h"
#include "base/memory.h"
#include "engine/stage.h"

/* A receiver of a stream of numbers, each byte its place in the stream modulo 251. */
struct receiver {
    struct ed_op op;
    int ends[2];
    size_t sent, received, deliveries;
    size_t enough; /* bytes after which it cancels itself; 0: never */
    int last;      /* result of the last done; 1: not yet */
};

static void receiver_done(struct ed_op *op)
{
    struct receiver *r = ed_container_of(op, struct receiver, op);

    if (!waiting || r->last != 1 || op->more != op->in_flight)
        test_fail(__FILE__, __LINE__, "done was called at a wrong time");
    if (!op->more) {
        r->last = op->result;
        return;
    }
    if (op->result <= 0)
        test_fail(__FILE__, __LINE__, "it goes on with %d bytes", op->result);
    for (int i = 0; i < op->result; i++, r->received++)
        if (((unsigned char *)op->data)[i] != r->received % 251)
            test_fail(__FILE__, __LINE__, "byte %zu is another's", r->received);
    r->deliveries++;
    if (r->enough && r->received >= r->enough)
        ed_engine_cancel(engine, op);
}

static void receiver_start(struct receiver *r)
{
    r->op = (struct ed_op){.done = receiver_done, .kind = ED_OP_RECV_MANY, .fd = r->ends[0]};
    r->last = 1;
    ed_engine_submit(engine, &r->op);
}

static int receiver_open(struct receiver *r)
{
    *r = (struct receiver){.last = 1};
    return pair_open(r->ends);
}

/* Writes as much of `size` bytes as there is room for. */
static size_t receiver_feed(struct receiver *r, size_t size)
{
    unsigned char data[20000];
    ssize_t count;

    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)((r->sent + i) % 251);
    count = write(r->ends[1], data, size);
    r->sent += count > 0 ? (size_t)count : 0;
    return count > 0 ? (size_t)count : 0;
}

/* Waits until all that was sent is received. */
static int receivers_settle(struct receiver *all, int count)
{
    int64_t end = ed_time_monotonic() + 30 * ED_SECOND;

    for (int i = 0; i < count; i++)
        while (all[i].received < all[i].sent) {
            REQUIRE(ed_time_monotonic() < end && all[i].last == 1);
            REQUIRE(wait_for(50 * MS) == 0);
        }
    return 0;
}

/* Cancels them, and looks for what they left in the kernel. */
static int receivers_close(struct receiver *all, int count)
{
    for (int i = 0; i < count; i++)
        ed_engine_cancel(engine, &all[i].op);
    REQUIRE(wait_all() == 0);
    for (int i = 0; i < count; i++) {
        REQUIRE(all[i].received + fd_drain(all[i].ends[0]) == all[i].sent);
        close_both(all[i].ends);
    }
    return 0;
}

static struct receiver one;

RAW_TEST(recv_many_delivers_in_order_until_it_is_cancelled)
{
    engine_begin();
    CHECK_OK(receiver_open(&one));
    receiver_start(&one);
    for (int i = 0; i < 200; i++) {
        (void)receiver_feed(&one, (size_t)(i * 97) % 20000 + 1);
        if (i % 3 == 0)
            CHECK_OK(receivers_settle(&one, 1));
        CHECK(one.op.in_flight);
    }
    CHECK_OK(receivers_settle(&one, 1));
    CHECK_OK(receivers_close(&one, 1));
    CHECK_EQ(one.last, -ECANCELED);
    engine_end();
}

RAW_TEST(recv_many_ends_with_zero_when_the_peer_closes)
{
    engine_begin();
    for (int waits = 0; waits < 2; waits++) {
        CHECK_OK(receiver_open(&one));
        CHECK_EQ(receiver_feed(&one, 10000), 10000);
        receiver_start(&one);
        if (waits)
            CHECK_OK(receivers_settle(&one, 1));
        close(one.ends[1]);
        CHECK_OK(wait_all());
        CHECK_EQ(one.last, 0);
        CHECK_EQ(one.received, 10000);
        receiver_start(&one); /* and again */
        CHECK_OK(wait_all());
        CHECK_EQ(one.last, 0);
        close(one.ends[0]);
    }
    engine_end();
}

RAW_TEST(recv_many_ends_with_the_error_of_a_reset)
{
    struct linger now = {1, 0};

    engine_begin();
    one = (struct receiver){.last = 1};
    CHECK_OK(tcp_pair(one.ends));
    receiver_start(&one);
    CHECK_EQ(receiver_feed(&one, 100), 100);
    CHECK_OK(receivers_settle(&one, 1));
    CHECK_EQ(setsockopt(one.ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(one.ends[1]);
    CHECK_OK(wait_all());
    CHECK_EQ(one.last, -ECONNRESET);
    close(one.ends[0]);
    engine_end();
}

/* It may still be given what has come before the kernel hears of the cancel; the rest
 * stays there. */
RAW_TEST(recv_many_that_cancels_itself_loses_nothing)
{
    engine_begin();
    for (int round = 0; round < 100; round++) {
        CHECK_OK(receiver_open(&one));
        one.enough = (size_t)round * 50 + 1;
        receiver_start(&one);
        if (round % 2)
            CHECK_OK(wait_for(0));
        while (receiver_feed(&one, 2500) == 2500 && one.sent < 50000)
            continue;
        CHECK_OK(wait_all());
        CHECK_EQ(one.last, -ECANCELED);
        CHECK(one.received >= one.enough);
        CHECK_OK(receivers_close(&one, 1));
    }
    engine_end();
}

RAW_TEST(recv_many_that_is_cancelled_while_bytes_come_loses_nothing)
{
    engine_begin();
    CHECK_OK(receiver_open(&one));
    for (int round = 0; round < 300; round++) {
        receiver_start(&one); /* goes on where the last one stopped */
        if (round % 2)
            (void)receiver_feed(&one, (size_t)round * 10 + 1);
        if (round % 3)
            CHECK_OK(wait_for(0));
        if (round % 4)
            (void)receiver_feed(&one, (size_t)round * 7 + 1);
        ed_engine_cancel(engine, &one.op);
        if (round % 5)
            (void)receiver_feed(&one, 100);
        CHECK_OK(wait_all());
        CHECK_EQ(one.last, -ECANCELED);
    }
    receiver_start(&one);
    CHECK_OK(receivers_settle(&one, 1));
    CHECK_EQ(one.received, one.sent);
    CHECK_OK(receivers_close(&one, 1));
    engine_end();
}

/* As many as the process may have descriptors for. */
static int receivers_most(int wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 64;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > (rlim_t)wanted * 2 + 64 ? wanted : (int)(limit.rlim_cur - 64) / 2;
}

static struct receiver *receivers_new(int count)
{
    struct receiver *all = ed_alloc_zero((size_t)count * sizeof *all);

    for (int i = 0; all && i < count; i++) {
        (void)receiver_open(&all[i]);
        receiver_start(&all[i]);
    }
    return all;
}

/* More sockets have news at once than there are buffers: 64 at first, 4,096 at most. */
static int receivers_crowd(int count, int rounds, size_t size)
{
    struct receiver *all = receivers_new(count);

    REQUIRE(all && wait_for(0) == 0);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < count; i++)
            REQUIRE(receiver_feed(&all[i], size) == size);
        REQUIRE(receivers_settle(all, count) == 0);
        REQUIRE(engine->in_flight == (size_t)count);
    }
    REQUIRE(receivers_close(all, count) == 0);
    ed_free(all);
    return 0;
}

RAW_TEST(recv_many_of_more_sockets_than_buffers_serves_them_all)
{
    engine_begin();
    CHECK_OK(receivers_crowd(65, 3, 100));
    CHECK_OK(receivers_crowd(300, 3, 9000));
    engine_end();
}

RAW_TEST(recv_many_of_more_sockets_than_there_can_be_buffers_serves_them_all)
{
    engine_begin();
    CHECK_OK(receivers_crowd(receivers_most(test_is_slow() ? 600 : 4500), 2, 50));
    engine_end();
}

/* Cancelled in the tick in which the buffers have run out. */
RAW_TEST(recv_many_that_found_no_buffer_can_be_cancelled)
{
    struct receiver *all;

    engine_begin();
    for (int round = 0; round < 4; round++) {
        all = receivers_new(200);
        CHECK_OK(round % 2 ? wait_for(0) : 0);
        for (int i = 0; i < 200; i++)
            CHECK_EQ(receiver_feed(&all[i], 50), 50);
        CHECK_OK(round / 2 ? wait_for(0) : 0);
        CHECK_OK(receivers_close(all, 200));
        for (int i = 0; i < 200; i++)
            CHECK_EQ(all[i].last, -ECANCELED);
        ed_free(all);
    }
    engine_end();
}

/* No more buffers can be made: those that are there come round. */
RAW_TEST(recv_many_without_memory_for_more_buffers_serves_all_with_those_it_has)
{
    struct receiver *all;

    engine_begin();
    CHECK_OK(receiver_open(&one));
    receiver_start(&one);
    CHECK_OK(wait_for(0));
    all = receivers_new(300);
    CHECK_OK(wait_for(0));
    for (int i = 0; i < 300; i++)
        CHECK_EQ(receiver_feed(&all[i], 50), 50);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_OK(receivers_settle(all, 300));
    (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    ed_engine_cancel(engine, &one.op);
    CHECK_OK(receivers_close(all, 300));
    CHECK_OK(receivers_close(&one, 1));
    ed_free(all);
    engine_end();
}

RAW_TEST(recv_many_without_memory_for_its_first_buffers_fails_and_may_be_tried_again)
{
    engine_begin();
    CHECK_OK(receiver_open(&one));
    for (uint64_t nth = 1; nth <= 8; nth++) {
        receiver_start(&one);
        (void)ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        CHECK_OK(wait_for(0));
        (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK(one.last == -ENOMEM || (nth > 1 && one.op.in_flight));
        if (one.op.in_flight)
            ed_engine_cancel(engine, &one.op);
        CHECK_OK(wait_all());
    }
    CHECK_EQ(one.last, -ECANCELED);
    receiver_start(&one);
    CHECK_EQ(receiver_feed(&one, 100), 100);
    CHECK_OK(receivers_settle(&one, 1));
    CHECK_OK(receivers_close(&one, 1));
    engine_end();
}

static struct probe nop_storm[6000];

/* The completion ring overflows, which ends what the kernel repeats by itself; order and
 * bytes are kept when it begins again. */
RAW_TEST(recv_many_goes_on_through_an_overflow_of_completions)
{
    enum { COUNT = 20 };
    struct receiver all[COUNT];

    engine_begin();
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(receiver_open(&all[i]));
        receiver_start(&all[i]);
    }
    CHECK_OK(wait_for(0));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < COUNT; i++)
            (void)receiver_feed(&all[i], 9000);
        for (int i = 0; i < 6000; i++) {
            nop_storm[i] = probe_of(ED_OP_NOP, -1);
            ed_engine_submit(engine, &nop_storm[i].op);
        }
        flush();
        for (int i = 0; i < COUNT; i++)
            (void)receiver_feed(&all[i], 5000);
        CHECK_OK(receivers_settle(all, COUNT));
        while (engine->in_flight > COUNT)
            CHECK_OK(wait_for(50 * MS));
    }
    CHECK_OK(receivers_close(all, COUNT));
    engine_end();
}

/* One sender that never pauses does not keep a wait from coming back. */
static void *feed_for_ever(void *unused)
{
    while (receiver_feed(&one, 20000) > 0)
        continue;
    return unused;
}

RAW_TEST(recv_many_that_is_fed_for_ever_stops_soon_after_its_cancel)
{
    pthread_t thread;

    engine_begin();
    signal(SIGPIPE, SIG_IGN);
    CHECK_OK(receiver_open(&one));
    CHECK_EQ(fcntl(one.ends[1], F_SETFL, 0), 0);
    receiver_start(&one);
    one.enough = 100000;
    CHECK_EQ(pthread_create(&thread, NULL, feed_for_ever, NULL), 0);
    CHECK_OK(wait_all());
    CHECK_EQ(one.last, -ECANCELED);
    CHECK_THAT(one.received < 4000000, "%zu bytes", one.received);
    close(one.ends[0]);
    pthread_join(thread, NULL);
    close(one.ends[1]);
    engine_end();
}

static void feed_itself(struct ed_op *op)
{
    receiver_done(op);
    if (op->more && one.received < 100000)
        (void)receiver_feed(&one, 1);
}

/* Tasks and timers have their turn though there is always more to tell. */
RAW_TEST(recv_many_that_feeds_itself_does_not_keep_a_wait)
{
    engine_begin();
    CHECK_OK(receiver_open(&one));
    receiver_start(&one);
    one.op.done = feed_itself;
    CHECK_OK(wait_for(0));
    CHECK_EQ(receiver_feed(&one, 1), 1);
    CHECK_OK(wait_for(ED_SECOND));
    CHECK_THAT(one.received < 10000, "%zu deliveries in a wait", one.received);
    while (one.received < 2000) /* and goes on in the next */
        CHECK_OK(wait_for(ED_SECOND));
    one.op.done = receiver_done;
    CHECK_OK(receivers_close(&one, 1));
    engine_end();
}

static void child_works(void)
{
    struct receiver mine;

    ed_engine_abandon(engine);
    engine_begin();
    if (receiver_open(&mine) < 0)
        return;
    receiver_start(&mine);
    for (int i = 0; i < 50; i++) {
        (void)receiver_feed(&mine, 5000);
        if (receivers_settle(&mine, 1) < 0)
            return;
    }
    if (receivers_close(&mine, 1) == 0)
        _exit(0);
}

/* The child has copies of the parent's buffers, and an engine of its own. */
RAW_TEST(recv_many_of_a_parent_is_not_disturbed_by_a_child)
{
    char text[4096];

    engine_begin();
    CHECK_OK(receiver_open(&one));
    receiver_start(&one);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(receiver_feed(&one, 9000), 9000);
        CHECK_OK(i % 2 ? receivers_settle(&one, 1) : 0);
        CHECK_THAT(test_fork(child_works, text, sizeof text) == 0, "%s", text);
        CHECK_OK(receivers_settle(&one, 1));
        CHECK(one.op.in_flight);
    }
    CHECK_OK(receivers_close(&one, 1));
    engine_end();
}
