/* SPDX-License-Identifier: MIT */
/*
 * Ping-pong: each connection has `depth` messages in flight, and sends a new one
 * for each that has come back. What comes back is compared.
 *
 * The bytes of a connection are a random text, repeated without end; all
 * connections send the same one, each starting elsewhere. So a byte that was
 * lost, doubled or sent to another shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

#define TEXT 65521 /* bytes; a prime, so that no two messages in a row are equal */
#define EVENTS 1024

struct client {
    int fd;
    uint64_t sent, received; /* bytes, from where it started */
};

/* The text, and its begin once more, for a piece that begins at its end. */
static unsigned char text[TEXT + BLOCK];

static void text_fill(void)
{
    srandom(1);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i < TEXT ? (unsigned char)random() : text[i - TEXT];
}

static void client_send(struct client *client, size_t length)
{
    while (length > 0) {
        ssize_t n = send(client->fd, text + client->sent % TEXT, length, MSG_NOSIGNAL);

        if (n < 0)
            fail("send", errno);
        client->sent += (uint64_t)n;
        length -= (size_t)n;
    }
}

/* Takes what has come; returns how many messages have become complete. */
static uint64_t client_receive(struct client *client, size_t size)
{
    static unsigned char buffer[BLOCK];
    uint64_t before = client->received / size;
    ssize_t n = recv(client->fd, buffer, sizeof buffer, 0);

    if (n <= 0)
        fail("recv", n < 0 ? errno : ECONNRESET);
    if (memcmp(buffer, text + client->received % TEXT, (size_t)n) != 0)
        fail("a reply has wrong bytes", EPROTO);
    client->received += (uint64_t)n;
    return client->received / size - before;
}

static struct client *clients_open(const struct load *load, int epoll_fd)
{
    struct client *clients = allocate(load->connections, sizeof *clients);

    for (unsigned i = 0; i < load->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

        clients[i].fd = connect_to(load, i);
        /* Each starts at a message of its own, and thus counts whole messages. */
        clients[i].sent = clients[i].received = i * 7ULL * load->size;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event) < 0)
            fail("epoll_ctl", errno);
    }
    return clients;
}

void load_echo(const struct load *load)
{
    static struct epoll_event events[EVENTS];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct client *clients = clients_open(load, epoll_fd);
    struct window window;
    uint64_t count = 0;

    if (load->size * load->depth > BLOCK)
        fail("more than 64 KiB in flight", EINVAL);
    text_fill();
    for (unsigned i = 0; i < load->connections; i++)
        client_send(&clients[i], load->size * load->depth);
    window_start(&window, load);
    while (!window_over(&window, count, count * load->size)) {
        int n = epoll_wait(epoll_fd, events, EVENTS, 1000);

        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;
            uint64_t messages = client_receive(client, load->size);

            client_send(client, messages * load->size);
            count += messages;
        }
    }
    free(clients);
}
