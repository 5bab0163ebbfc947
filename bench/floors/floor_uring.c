/* SPDX-License-Identifier: MIT */
/*
 * The bare io_uring loop: multishot accept, multishot recv into a ring of
 * provided buffers, and send out of the buffer that was received. One
 * io_uring_enter a batch submits the sends and waits for what comes next.
 *
 * A connection has one send in flight; buffers that arrive meanwhile queue
 * behind it, so that bytes keep their order. A buffer goes back to the ring when
 * it has been sent. A recv that found the ring empty is started again at once;
 * there is no back-pressure: clients that never read may hold all buffers.
 *
 * A stream in one direction is faster with a plain recv or send of one block
 * that all connections share.
 */
#include <errno.h>
#include <liburing.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "listener.h"

#define ENTRIES 1024 /* of the submission ring; the completion ring has 4 times that */
#define BUFFERS 4096 /* provided ones; a power of two */
#define GROUP 0      /* of theirs */
#define NONE (-1)

/* What a completion is of; kept in the low bits of the connection's address. */
enum operation { ACCEPT, RECV, SEND, STREAM, CLOSE };
#define OPERATION_MASK ((uint64_t)7)

struct connection {
    int fd;
    bool receiving;
    bool broken;     /* nothing more can be sent */
    int first, last; /* buffers to be sent, the first is in flight; or NONE */
};

/* What has been received in the provided buffer of the same number. */
struct piece {
    unsigned length;
    int next; /* of the connection's queue, or NONE */
};

static enum service service;
static int listener;
static struct io_uring ring;
static alignas(4096) struct io_uring_buf ring_memory[BUFFERS];
static struct io_uring_buf_ring *const buffers = (struct io_uring_buf_ring *)ring_memory;
static alignas(4096) char bytes[BUFFERS][1024];
static struct piece pieces[BUFFERS];
static alignas(4096) char block[4 * BLOCK];

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

/* Sends the first buffer of the queue: all of it, or there is an error. */
static void start_send(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_sqe();
    int id = connection->first;

    io_uring_prep_send(sqe, connection->fd, bytes[id], pieces[id].length,
                       MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_data64(sqe, (uintptr_t)connection | SEND);
}

/* Fills the block, or writes from it, as it will again when that is done. */
static void start_stream(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_sqe();

    if (service == SERVICE_SOURCE)
        io_uring_prep_send(sqe, connection->fd, block, BLOCK, MSG_NOSIGNAL | MSG_WAITALL);
    else
        io_uring_prep_recv(sqe, connection->fd, block, sizeof block, 0);
    io_uring_sqe_set_data64(sqe, (uintptr_t)connection | STREAM);
}

/* Closes and frees a connection with nothing more to receive, unless it has to send. */
static void close_ended(struct connection *connection)
{
    if (connection->receiving || connection->first != NONE)
        return;
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_close(sqe, connection->fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, CLOSE);
    free(connection);
}

static void give_back(int id)
{
    io_uring_buf_ring_add(buffers, bytes[id], sizeof bytes[id], (unsigned short)id,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static void on_accept(const struct io_uring_cqe *cqe)
{
    if (cqe->res >= 0) {
        struct connection *connection = malloc(sizeof *connection);

        if (!connection)
            fail("malloc", ENOMEM);
        *connection = (struct connection){.fd = cqe->res, .first = NONE};
        if (service == SERVICE_SOURCE || service == SERVICE_SINK)
            start_stream(connection);
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
    if (service != SERVICE_ECHO || connection->broken) {
        give_back(id);
        return;
    }
    pieces[id] = (struct piece){length, NONE};
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
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    connection->receiving = false;
    if (cqe->res > 0 || cqe->res == -ENOBUFS)
        start_recv(connection);
    else
        close_ended(connection);
}

/* Goes on with the next buffer. After an error the rest of the queue is dropped, and the
 * recv is made to end. */
static void on_send(struct connection *connection, int result)
{
    int id = connection->first;

    if (result < 0 || (unsigned)result < pieces[id].length) {
        connection->broken = true;
        shutdown(connection->fd, SHUT_RDWR);
    }
    do {
        connection->first = pieces[id].next;
        give_back(id);
        id = connection->first;
    } while (connection->broken && id != NONE);
    if (id != NONE)
        start_send(connection);
    else
        close_ended(connection);
}

static void on_completion(const struct io_uring_cqe *cqe)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    struct connection *connection = (struct connection *)(uintptr_t)(data & ~OPERATION_MASK);

    switch ((enum operation)(data & OPERATION_MASK)) {
    case ACCEPT: on_accept(cqe); break;
    case RECV: on_recv(connection, cqe); break;
    case SEND: on_send(connection, cqe->res); break;
    case STREAM: cqe->res > 0 ? start_stream(connection) : close_ended(connection); break;
    case CLOSE: fail("close", -cqe->res);
    }
}

static void set_up(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ENTRIES,
    };
    struct io_uring_buf_reg group = {
        .ring_addr = (uintptr_t)buffers,
        .ring_entries = BUFFERS,
        .bgid = GROUP,
    };
    int rc = io_uring_queue_init_params(ENTRIES, &ring, &params);

    if (rc < 0 || (rc = io_uring_register_ring_fd(&ring)) < 0 ||
        (rc = io_uring_register_buf_ring(&ring, &group, 0)) < 0)
        fail("io_uring", -rc);
    for (int id = 0; id < BUFFERS; id++)
        give_back(id);
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
