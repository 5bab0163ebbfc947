/* SPDX-License-Identifier: MIT */
/*
 * The bare io_uring loop: multishot accept, multishot recv into a ring of
 * provided buffers, and send out of the buffer that was received. One
 * io_uring_enter a batch submits the sends and waits for what comes next.
 *
 * A connection has one send in flight; buffers that arrive meanwhile queue
 * behind it, so that bytes keep their order. A buffer goes back to the ring when
 * it has been sent. When the ring is empty a recv ends with ENOBUFS: its
 * connection is starved until the next buffer comes back.
 *
 * A stream in one direction is faster with a plain recv or send of all
 * connections' one block.
 */
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "listener.h"

#define ENTRIES 1024 /* of the submission ring; the completion ring has 4 times that */
#define BUFFERS 4096 /* provided ones; a power of two */
#define BUFFER 1024  /* bytes of one */
#define SINK (4 * BLOCK)
#define GROUP 0 /* of the provided buffers */
#define NONE (-1)

/* What a completion is of; kept in the low bits of the connection's address. */
enum operation { ACCEPT, RECV, SEND, BLOCK_DONE, CLOSE };
#define OPERATION_MASK ((uint64_t)7)

struct connection {
    int fd;
    bool receiving;             /* or starved */
    bool ended;                 /* nothing more is received */
    bool broken;                /* nothing more is sent */
    int first, last;            /* buffers to be sent, the first is in flight; or NONE */
    struct connection *starved; /* the next one of that list */
};

/* What is still to be sent of the provided buffer of the same number. */
struct piece {
    unsigned offset, length;
    int next; /* of the connection's queue, or NONE */
};

static enum service service;
static int listener;
static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *bytes; /* of all buffers */
static struct piece *pieces;
static struct connection *starved;
static unsigned taken; /* buffers that are not in the ring, as far as we know */

static void *allocate(size_t size)
{
    void *memory = aligned_alloc(4096, (size + 4095) / 4096 * 4096);

    if (!memory)
        fail("aligned_alloc", ENOMEM);
    return memory;
}

static struct io_uring_sqe *next_sqe(void)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&ring)))
        io_uring_submit(&ring);
    return sqe;
}

static void start_accept(void)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, ACCEPT);
}

static void start_recv(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_recv_multishot(sqe, connection->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, (uintptr_t)connection | RECV);
    connection->receiving = true;
}

/* Sends the first buffer of the queue. */
static void start_send(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_sqe();
    int id = connection->first;

    io_uring_prep_send(sqe, connection->fd, bytes + (size_t)id * BUFFER + pieces[id].offset,
                       pieces[id].length, MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_data64(sqe, (uintptr_t)connection | SEND);
}

static void buffer_give_back(int id)
{
    struct connection *connection = starved;

    io_uring_buf_ring_add(buffers, bytes + (size_t)id * BUFFER, BUFFER, (unsigned short)id,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
    taken--;
    if (connection) {
        starved = connection->starved;
        start_recv(connection);
    }
}

/* Closes and frees it, if it has ended and nothing is in flight. */
static void close_ended(struct connection *connection)
{
    if (!connection->ended || connection->receiving || connection->first != NONE)
        return;
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_close(sqe, connection->fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, CLOSE);
    free(connection);
}

/* Reads into, or writes from, the one block of all connections, again and again. */
static void start_block(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_sqe();

    if (service == SERVICE_SOURCE)
        io_uring_prep_send(sqe, connection->fd, bytes, BLOCK, MSG_NOSIGNAL | MSG_WAITALL);
    else
        io_uring_prep_recv(sqe, connection->fd, bytes, SINK, 0);
    io_uring_sqe_set_data64(sqe, (uintptr_t)connection | BLOCK_DONE);
}

static void on_accept(const struct io_uring_cqe *cqe)
{
    if (cqe->res >= 0) {
        struct connection *connection = malloc(sizeof *connection);

        if (!connection)
            fail("malloc", ENOMEM);
        *connection = (struct connection){.fd = cqe->res, .first = NONE};
        if (service == SERVICE_SOURCE || service == SERVICE_SINK)
            start_block(connection);
        else
            start_recv(connection);
    } else if (cqe->res != -ECONNABORTED) {
        fail("accept", -cqe->res);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE))
        start_accept();
}

static void on_piece(struct connection *connection, int id, unsigned length)
{
    taken++;
    if (service != SERVICE_ECHO || connection->broken) {
        buffer_give_back(id);
        return;
    }
    pieces[id] = (struct piece){.length = length, .next = NONE};
    if (connection->first == NONE) {
        connection->first = connection->last = id;
        start_send(connection);
    } else {
        pieces[connection->last].next = id;
        connection->last = id;
    }
}

static void on_recv(struct connection *connection, const struct io_uring_cqe *cqe)
{
    if (cqe->res > 0)
        on_piece(connection, (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT), (unsigned)cqe->res);
    else if (cqe->res != -ENOBUFS)
        connection->ended = true;
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    if (connection->ended) {
        connection->receiving = false;
        close_ended(connection);
    } else if (cqe->res == -ENOBUFS && taken == BUFFERS) {
        connection->starved = starved;
        starved = connection;
    } else {
        start_recv(connection);
    }
}

/* Goes on with what a send has left, then with the next buffer. After an error the rest
 * of the queue is dropped, and the recv is made to end. */
static void on_send(struct connection *connection, int result)
{
    int id = connection->first;

    if (result < 0) {
        connection->broken = true;
        shutdown(connection->fd, SHUT_RDWR);
    } else if ((unsigned)result < pieces[id].length) {
        pieces[id].offset += (unsigned)result;
        pieces[id].length -= (unsigned)result;
        start_send(connection);
        return;
    }
    do {
        connection->first = pieces[id].next;
        buffer_give_back(id);
        id = connection->first;
    } while (connection->broken && id != NONE);
    if (id != NONE)
        start_send(connection);
    else
        close_ended(connection);
}

static void on_block(struct connection *connection, int result)
{
    if (result > 0) {
        start_block(connection);
    } else {
        connection->ended = true;
        close_ended(connection);
    }
}

static void on_completion(const struct io_uring_cqe *cqe)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    struct connection *connection = (struct connection *)(uintptr_t)(data & ~OPERATION_MASK);

    switch ((enum operation)(data & OPERATION_MASK)) {
    case ACCEPT: on_accept(cqe); break;
    case RECV: on_recv(connection, cqe); break;
    case SEND: on_send(connection, cqe->res); break;
    case BLOCK_DONE: on_block(connection, cqe->res); break;
    case CLOSE: fail("close", -cqe->res);
    default: break;
    }
}

static void set_up(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ENTRIES,
    };
    int rc = io_uring_queue_init_params(ENTRIES, &ring, &params);

    if (rc < 0)
        fail("io_uring_queue_init_params", -rc);
    rc = io_uring_register_ring_fd(&ring);
    if (rc < 0)
        fail("io_uring_register_ring_fd", -rc);
    buffers = allocate(BUFFERS * sizeof(struct io_uring_buf));
    bytes = allocate(BUFFERS * BUFFER);
    pieces = allocate(BUFFERS * sizeof *pieces);
    io_uring_buf_ring_init(buffers);
    struct io_uring_buf_reg group = {
        .ring_addr = (uintptr_t)buffers,
        .ring_entries = BUFFERS,
        .bgid = GROUP,
    };
    rc = io_uring_register_buf_ring(&ring, &group, 0);
    if (rc < 0)
        fail("io_uring_register_buf_ring", -rc);
    taken = BUFFERS;
    for (unsigned id = 0; id < BUFFERS; id++)
        buffer_give_back((int)id);
}

int main(int argc, char **argv)
{
    struct request request = request_parse(argc, argv);

    service = request.service;
    set_up();
    listener = listener_open(request.port);
    start_accept();
    while (true) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            on_completion(cqe);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
