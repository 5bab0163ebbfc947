/* SPDX-License-Identifier: MIT */
/* Accepting again and again: each connection once, none left behind by a cancel. */
#include <sys/resource.h>

#include "base/fault.h"
#include "engine/stage.h"

#define CLIENTS 400

static struct acceptor {
    struct ed_op op;
    int listener, clients, enough, last;
    int client[CLIENTS];
    int accepted, seen[CLIENTS]; /* how often each client's number came */
    struct sockaddr_un address;
    socklen_t size;
} acceptor;

static void connection_take(int fd)
{
    int number = -1;

    if (recv(fd, &number, sizeof number, 0) != sizeof number || !is_cloexec_nonblocking(fd))
        test_fail(__FILE__, __LINE__, "no connection of a client's");
    acceptor.seen[number]++;
    close(fd);
}

static void acceptor_done(struct ed_op *op)
{
    if (!waiting || acceptor.last != 1 || op->more != op->in_flight)
        test_fail(__FILE__, __LINE__, "done was called at a wrong time");
    if (!op->more) {
        acceptor.last = op->result;
        return;
    }
    connection_take(op->result);
    if (++acceptor.accepted == acceptor.enough)
        ed_engine_cancel(engine, op);
}

static void acceptor_start(void)
{
    acceptor.op =
        (struct ed_op){.done = acceptor_done, .kind = ED_OP_ACCEPT_MANY, .fd = acceptor.listener};
    acceptor.last = 1;
    ed_engine_submit(engine, &acceptor.op);
}

static void acceptor_open(void)
{
    acceptor = (struct acceptor){.last = 1};
    acceptor.listener = unix_listen(4096, &acceptor.address, &acceptor.size);
}

static int clients_come(int count)
{
    for (int i = 0; i < count; i++, acceptor.clients++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        REQUIRE(connect(fd, (struct sockaddr *)&acceptor.address, acceptor.size) == 0);
        REQUIRE(write(fd, &acceptor.clients, sizeof(int)) == sizeof(int));
        acceptor.client[acceptor.clients] = fd;
    }
    return 0;
}

/* Takes what is left in the queue, and looks for clients that were lost. */
static int acceptor_close(int lost)
{
    int fd, missing = 0;

    while ((fd = accept4(acceptor.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        connection_take(fd);
    for (int i = 0; i < acceptor.clients; i++) {
        REQUIRE(acceptor.seen[i] <= 1);
        missing += 1 - acceptor.seen[i];
        close(acceptor.client[i]);
    }
    REQUIRE(missing == lost);
    close(acceptor.listener);
    return 0;
}

static int acceptor_settle(void)
{
    int64_t end = ed_time_monotonic() + 30 * ED_SECOND;

    while (acceptor.accepted < acceptor.clients && acceptor.last == 1)
        REQUIRE(ed_time_monotonic() < end && wait_for(50 * MS) == 0);
    return 0;
}

RAW_TEST(accept_many_delivers_each_connection_until_it_is_cancelled)
{
    engine_begin();
    acceptor_open();
    CHECK_OK(clients_come(10));
    acceptor_start();
    CHECK_OK(acceptor_settle());
    CHECK_OK(clients_come(1));
    CHECK_OK(acceptor_settle());
    CHECK_OK(clients_come(300)); /* more than one event takes */
    CHECK_OK(acceptor_settle());
    CHECK(acceptor.op.in_flight);
    ed_engine_cancel(engine, &acceptor.op);
    CHECK_OK(wait_all());
    CHECK_EQ(acceptor.last, -ECANCELED);
    CHECK_EQ(acceptor.accepted, 311);
    CHECK_OK(acceptor_close(0));
    engine_end();
}

RAW_TEST(accept_many_that_is_cancelled_at_any_moment_loses_no_connection)
{
    engine_begin();
    for (int round = 0; round < 60; round++) {
        acceptor_open();
        acceptor.enough = round % 3 == 2 ? 3 : 0; /* by its own done */
        if (round % 2)
            CHECK_OK(clients_come(5));
        acceptor_start();
        if (round % 5 == 1)
            flush();
        if (round % 5 > 1)
            CHECK_OK(wait_for(0));
        CHECK_OK(clients_come(5));
        if (!acceptor.enough && acceptor.op.in_flight)
            ed_engine_cancel(engine, &acceptor.op);
        if (round % 7 == 0)
            CHECK_OK(clients_come(2));
        CHECK_OK(wait_all());
        CHECK_EQ(acceptor.last, -ECANCELED);
        CHECK_OK(acceptor_close(0));
    }
    engine_end();
}

RAW_TEST(accept_many_again_goes_on_where_the_cancelled_one_stopped)
{
    engine_begin();
    acceptor_open();
    for (int round = 0; round < 50; round++) {
        acceptor_start();
        CHECK_OK(clients_come(3));
        if (round % 2)
            CHECK_OK(wait_for(0));
        CHECK_OK(clients_come(3));
        ed_engine_cancel(engine, &acceptor.op);
        CHECK_OK(wait_all());
    }
    acceptor_start();
    CHECK_OK(acceptor_settle());
    CHECK_EQ(acceptor.accepted, 300);
    ed_engine_cancel(engine, &acceptor.op);
    CHECK_OK(wait_all());
    CHECK_OK(acceptor_close(0));
    engine_end();
}

/* It ends with the kernel's error; the connection waits until there is a descriptor. */
RAW_TEST(accept_many_without_descriptors_ends_and_leaves_the_connection)
{
    struct rlimit limit;
    int lowest;

    if (ed_running_on_valgrind())
        test_skip("valgrind keeps to the limit itself, and closes what comes behind it");
    engine_begin();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int waits = 0; waits < 2; waits++) {
        acceptor_open();
        if (!waits)
            CHECK_OK(clients_come(1));
        lowest = dup(0);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)lowest + 1, limit.rlim_max}), 0);
        acceptor_start();
        if (waits) {
            CHECK_OK(wait_for(0));
            close(lowest);
            CHECK_OK(clients_come(1)); /* takes the last one */
        }
        CHECK_OK(wait_all());
        CHECK_EQ(acceptor.last, -EMFILE);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        acceptor_start();
        CHECK_OK(acceptor_settle());
        CHECK_EQ(acceptor.accepted, 1);
        ed_engine_cancel(engine, &acceptor.op);
        CHECK_OK(wait_all());
        CHECK_OK(acceptor_close(0));
        if (!waits)
            close(lowest);
    }
    engine_end();
}

/* Counted one by one. The connection that it met is closed. */
RAW_TEST(accept_many_ends_with_the_fault_of_its_nth_connection)
{
    engine_begin();
    for (int waits = 0; waits < 2; waits++) {
        acceptor_open();
        (void)ed_fault_set(ED_FAULT_ACCEPT, 3, -EMFILE);
        acceptor_start();
        if (waits)
            CHECK_OK(wait_for(0));
        CHECK_OK(clients_come(3));
        CHECK_OK(wait_all());
        CHECK_EQ(acceptor.last, -EMFILE);
        CHECK_EQ(acceptor.accepted, 2);
        CHECK_OK(acceptor_close(1));
    }
    engine_end();
}
