/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a few connections: receives and sends of all kinds, cancels, peers
 * that write, read and close, faults, numbers that come back, with every buffer on pages of
 * its own that are gone when the operation has completed.
 *
 * The bytes of a stream tell connection and place, so that a byte out of order or of another
 * connection is seen. Each operation completes once; what is not delivered is still there.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "engine/stage.h"
#include "seeds.h"

#define LANES 6
#define SLOTS 4 /* operations of a lane: two that receive, one that sends, one that polls */
#define LARGEST 6000

struct lane;

struct slot {
    struct ed_op op;
    struct lane *lane;
    char *memory; /* given back when it completes */
    struct iovec part;
    struct msghdr message;
};

struct lane {
    struct slot slots[SLOTS];
    int ends[2];
    uint32_t secret;
    size_t sent, received;   /* of what the peer writes */
    size_t written, drained; /* of what our operations send */
    bool broken;             /* the peer is gone, or bytes fell to a fault */
    bool clean;              /* it went with nothing unread: the end must be the end */
};

static struct lane lanes[LANES];
static uint32_t secrets;
static uint64_t submitted, answered;

static unsigned char lane_byte(const struct lane *lane, size_t place, bool outward)
{
    return (unsigned char)((lane->secret * 2 + outward) * 31 + place * 7 + (place >> 8));
}

static void lane_fill(const struct lane *lane, char *data, size_t size, size_t place, bool outward)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (char)lane_byte(lane, place + i, outward);
}

static void
lane_check(const struct lane *lane, const char *data, size_t size, size_t place, bool outward)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)data[i] != lane_byte(lane, place + i, outward))
            test_fail(__FILE__, __LINE__, "lane %d: byte %zu is wrong", (int)(lane - lanes),
                      place + i);
}

static int lane_open(struct lane *lane)
{
    *lane = (struct lane){.secret = ++secrets};
    for (int i = 0; i < SLOTS; i++)
        lane->slots[i].lane = lane;
    REQUIRE(pair_open(lane->ends) == 0);
    if (random_below(2))
        (void)setsockopt(lane->ends[0], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
    return 0;
}

static bool slot_sends(const struct slot *slot)
{
    return slot == &slot->lane->slots[2];
}

static void slot_received(struct slot *slot, const char *data)
{
    struct lane *lane = slot->lane;
    int result = slot->op.result;

    if (result > 0) {
        lane_check(lane, data, (size_t)result, lane->received, false);
        lane->received += (size_t)result;
        return;
    }
    if (result == 0 && !lane->broken)
        test_fail(__FILE__, __LINE__, "an end that nobody made");
    if (result < 0 && result != -ECANCELED && !lane->broken)
        test_fail(__FILE__, __LINE__, "a receive ended with %d", result);
    if (result == 0 && lane->clean && lane->received != lane->sent)
        test_fail(__FILE__, __LINE__, "the end came %zu bytes early", lane->sent - lane->received);
}

static void slot_done(struct ed_op *op)
{
    struct slot *slot = ed_container_of(op, struct slot, op);
    struct lane *lane = slot->lane;
    struct slot *other = &lane->slots[random_below(SLOTS)];

    if (!waiting || op->more != op->in_flight)
        test_fail(__FILE__, __LINE__, "done was called at a wrong time");
    if (op->kind == ED_OP_RECV_MANY)
        slot_received(slot, op->data);
    else if (slot_sends(slot) && op->result >= 0)
        lane->written += (size_t)op->result;
    else if (op->kind == ED_OP_RECV || op->kind == ED_OP_RECVMSG)
        slot_received(slot, slot->memory);
    if (!op->more) {
        ed_free(slot->memory);
        slot->memory = NULL;
        answered++;
    }
    if (random_below(8) == 0)
        ed_engine_cancel(engine, &other->op); /* maybe itself, maybe in the same wait */
}

static int slot_submit(struct slot *slot)
{
    static const enum ed_op_kind in[] = {ED_OP_RECV, ED_OP_RECV, ED_OP_RECVMSG, ED_OP_RECV_MANY};
    static const enum ed_op_kind out[] = {ED_OP_SEND, ED_OP_SEND, ED_OP_SENDMSG};
    struct lane *lane = slot->lane;
    size_t size = (size_t)random_below(random_below(3) ? 50 : LARGEST) + 1;

    if (slot->op.in_flight)
        return 0;
    slot->op = (struct ed_op){.done = slot_done, .fd = lane->ends[0]};
    slot->op.kind = slot == &lane->slots[3] ? ED_OP_POLL
                    : slot_sends(slot)      ? out[random_below(3)]
                                            : in[random_below(4)];
    slot->op.events = random_below(2) ? ED_POLL_IN : ED_POLL_OUT;
    slot->memory = ed_alloc(size);
    REQUIRE(slot->memory);
    if (slot_sends(slot))
        lane_fill(lane, slot->memory, size, lane->written, true);
    slot->part = (struct iovec){slot->memory, size};
    slot->message = (struct msghdr){.msg_iov = &slot->part, .msg_iovlen = 1};
    slot->op.size = size;
    slot->op.data = slot->memory;
    if (slot->op.kind == ED_OP_RECVMSG || slot->op.kind == ED_OP_SENDMSG)
        slot->op.message = &slot->message;
    ed_engine_submit(engine, &slot->op);
    submitted++;
    return 0;
}

static void peer_write(struct lane *lane)
{
    char data[LARGEST];
    size_t size = (size_t)random_below(random_below(2) ? 20 : LARGEST) + 1;
    ssize_t count;

    lane_fill(lane, data, size, lane->sent, false);
    count = lane->broken ? 0 : write(lane->ends[1], data, size);
    lane->sent += count > 0 ? (size_t)count : 0;
}

static void peer_read(struct lane *lane)
{
    char data[LARGEST];
    ssize_t count = lane->broken ? 0 : read(lane->ends[1], data, sizeof data);

    if (count > 0) {
        lane_check(lane, data, (size_t)count, lane->drained, true);
        lane->drained += (size_t)count;
    }
}

/* A peer that goes with bytes unread resets the connection, and what is under way with it. */
static void peer_close(struct lane *lane)
{
    if (lane->broken)
        return;
    if (random_below(2))
        shutdown(lane->ends[0], SHUT_WR);
    lane->clean = !lane->slots[2].op.in_flight;
    for (size_t before = lane->drained - 1; lane->clean && before != lane->drained;) {
        before = lane->drained;
        peer_read(lane);
    }
    lane->broken = true;
    close(lane->ends[1]);
}

static int lane_idle(struct lane *lane)
{
    for (int i = 0; i < SLOTS; i++)
        ed_engine_cancel(engine, &lane->slots[i].op);
    for (int i = 0; i < SLOTS; i++)
        while (lane->slots[i].op.in_flight)
            REQUIRE(wait_for(ED_SECOND) == 0);
    return 0;
}

/* Ends a connection: what was not delivered is still to be had. */
static int lane_close(struct lane *lane)
{
    char data[LARGEST];
    ssize_t count;

    REQUIRE(lane_idle(lane) == 0);
    while ((count = recv(lane->ends[0], data, sizeof data, 0)) > 0) {
        lane_check(lane, data, (size_t)count, lane->received, false);
        lane->received += (size_t)count;
    }
    REQUIRE(lane->received <= lane->sent);
    REQUIRE((lane->broken && !lane->clean) || lane->received == lane->sent);
    for (size_t before = lane->drained - 1; before != lane->drained;) {
        before = lane->drained;
        peer_read(lane);
    }
    REQUIRE(lane->broken || lane->drained == lane->written);
    if (!lane->broken)
        close(lane->ends[1]);
    if (random_below(2)) {
        struct probe probe = probe_of(ED_OP_CLOSE, lane->ends[0]);

        ed_engine_submit(engine, &probe.op);
        while (probe.op.in_flight)
            REQUIRE(wait_for(ED_SECOND) == 0);
        return probe.result;
    }
    if (random_below(2))
        ed_engine_forget(engine, lane->ends[0]);
    close(lane->ends[0]);
    return 0;
}

static void fault_some(void)
{
    static const enum ed_fault kinds[] = {ED_FAULT_RECV, ED_FAULT_SEND, ED_FAULT_CANCEL};
    int which = random_below(3);

    (void)ed_fault_set(kinds[which], (uint64_t)random_below(20) + 1,
                       which < 2 ? ED_FAULT_SHORT : -EALREADY);
}

static int step(void)
{
    struct lane *lane = &lanes[random_below(LANES)];
    struct slot *slot = &lane->slots[random_below(SLOTS)];

    switch (random_below(64)) {
    case 0: fault_some(); break;
    case 1: peer_close(lane); break;
    case 2: return lane_close(lane) < 0 ? -EIO : lane_open(lane);
    case 3: return lane_idle(lane);
    case 4 ... 7: flush(); break;
    case 8 ... 15: return wait_for(0);
    case 16 ... 23: peer_write(lane); break;
    case 24 ... 31: peer_read(lane); break;
    case 32 ... 39: ed_engine_cancel(engine, &slot->op); break;
    default: return slot_submit(slot);
    }
    return 0;
}

static void run_seed(uint64_t seed)
{
    bool brief = test_is_slow() || (test_is_deep() && seed % 8);
    uint64_t before = submitted, steps = brief ? 200 : 1000;

    random_begin(seed);
    engine_begin();
    for (int i = 0; i < LANES; i++)
        CHECK_OK(lane_open(&lanes[i]));
    for (uint64_t i = 0; i < steps; i++)
        CHECK_THAT(step() >= 0, "seed %llu, step %llu", (unsigned long long)seed,
                   (unsigned long long)i);
    for (int i = 0; i < LANES; i++)
        CHECK_OK(lane_close(&lanes[i]));
    CHECK_EQ(engine->in_flight, 0);
    CHECK_EQ(submitted, answered);
    CHECK(submitted > before);
    engine_end();
}

/* A million operations when deep. */
RAW_TEST(random_operations_on_connections_lose_and_mix_nothing)
{
    bool guarded = ed_memory_guard(true);

    signal(SIGPIPE, SIG_IGN); /* of the peers, which write without the engine */
    seeds_run(run_seed, 60);
    (void)ed_memory_guard(guarded);
}

/* Numbers that come back ----------------------------------------------------- */

struct visit {
    struct ed_op op;
    uint32_t secret, got;
    size_t count;
};

static void visit_done(struct ed_op *op)
{
    struct visit *visit = ed_container_of(op, struct visit, op);

    if (op->kind == ED_OP_RECV_MANY && op->more) {
        if (visit->count + (size_t)op->result > sizeof visit->got)
            test_fail(__FILE__, __LINE__, "more than was sent");
        memcpy((char *)&visit->got + visit->count, op->data, (size_t)op->result);
    }
    if (op->result > 0)
        visit->count += (size_t)op->result;
}

static struct visit visit;

static int visit_wait(void)
{
    while (visit.op.in_flight && visit.count < sizeof visit.got)
        REQUIRE(wait_for(ED_SECOND) == 0);
    ed_engine_cancel(engine, &visit.op);
    while (visit.op.in_flight)
        REQUIRE(wait_for(ED_SECOND) == 0);
    return 0;
}

static int visit_receive(int fd, int client, enum ed_op_kind kind, int when)
{
    visit = (struct visit){.secret = ++secrets};
    visit.op = (struct ed_op){.done = visit_done, .kind = kind, .fd = fd};
    visit.op.data = &visit.got;
    visit.op.size = sizeof visit.got;
    if (when == 0)
        REQUIRE(write(client, &visit.secret, 4) == 4);
    ed_engine_submit(engine, &visit.op);
    if (when > 1)
        REQUIRE(wait_for(0) == 0);
    if (when > 0)
        REQUIRE(write(client, &visit.secret, 4) == 4);
    REQUIRE(visit_wait() == 0);
    REQUIRE(visit.count == 4 && visit.got == visit.secret);
    return 0;
}

/* Leaves the engine with every kind of memory of a descriptor: that it was asked for,
 * that it had nothing more, that it is in doubt. */
static int visit_once(int listener, int client)
{
    static const enum ed_op_kind kinds[] = {ED_OP_RECV, ED_OP_RECV_MANY};
    struct probe probe = probe_of(ED_OP_ACCEPT, listener);
    int kept = -1, fd = probe_run(&probe);

    REQUIRE(fd >= 0);
    for (int i = random_below(3); i >= 0; i--)
        REQUIRE(visit_receive(fd, client, kinds[random_below(2)], random_below(3)) == 0);
    if (random_below(3) == 0) { /* one that is cancelled, in the kernel or before */
        probe = probe_poll(fd, ED_POLL_IN);
        ed_engine_submit(engine, &probe.op);
        REQUIRE(random_below(2) == 0 || wait_for(0) == 0);
        ed_engine_cancel(engine, &probe.op);
        REQUIRE(wait_all() == 0);
    }
    if (random_below(16) == 0)
        kept = dup(fd);
    switch (random_below(3)) {
    case 0:
        probe = probe_of(ED_OP_CLOSE, fd);
        REQUIRE(probe_run(&probe) == 0);
        break;
    case 1:
        ed_engine_forget(engine, fd);
        close(fd);
        break;
    default: close(fd); break;
    }
    if (kept >= 0)
        close(kept);
    return fd;
}

RAW_TEST(descriptor_numbers_that_come_back_belong_to_their_connection)
{
    int rounds = test_is_deep() ? 100000 : test_is_slow() ? 300 : 3000;
    struct sockaddr_un address;
    socklen_t size;
    int listener;

    engine_begin();
    random_begin(1);
    listener = unix_listen(16, &address, &size);
    for (int round = 0; round < rounds; round++) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(connect(client, (struct sockaddr *)&address, size), 0);
        CHECK_THAT(visit_once(listener, client) >= 0, "round %d", round);
        close(client);
    }
    close(listener);
    engine_end();
}
