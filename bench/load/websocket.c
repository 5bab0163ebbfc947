/* SPDX-License-Identifier: MIT */
/*
 * Ping-pong of WebSocket messages: as load/echo.c, with a frame around each message, masked on its
 * way to the server. A message is one of a few, and what comes back is compared with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

#define EVENTS 1024
#define MESSAGES 64 /* that differ */
#define SMALL 125   /* bytes of a message at most: a header has 2 bytes then */
#define MASKED (6)  /* bytes before a message that is masked */
#define PLAIN (2)

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct client {
    int fd;
    unsigned message; /* number of the one that is on its way */
    size_t received;  /* bytes of its echo */
};

static unsigned char sent[MESSAGES][MASKED + SMALL], expected[MESSAGES][PLAIN + SMALL];

static void messages_make(size_t size)
{
    static const unsigned char mask[4] = {0x9b, 0xc4, 0xe1, 0x27};

    srandom(1);
    for (size_t i = 0; i < MESSAGES; i++) {
        sent[i][0] = expected[i][0] = 0x82;
        sent[i][1] = (unsigned char)(0x80 | size);
        expected[i][1] = (unsigned char)size;
        memcpy(sent[i] + PLAIN, mask, sizeof mask);
        for (size_t j = 0; j < size; j++) {
            expected[i][PLAIN + j] = (unsigned char)random();
            sent[i][MASKED + j] = expected[i][PLAIN + j] ^ mask[j % 4];
        }
    }
}

static void client_send(struct client *client, size_t size)
{
    ssize_t n = send(client->fd, sent[client->message], MASKED + size, MSG_NOSIGNAL);

    if (n != (ssize_t)(MASKED + size))
        fail("send", n < 0 ? errno : EPROTO);
}

/* Takes what has come; whether that was the end of a message. */
static bool client_receive(struct client *client, size_t size)
{
    unsigned char buffer[PLAIN + SMALL];
    size_t left = PLAIN + size - client->received;
    ssize_t n = recv(client->fd, buffer, left, 0);

    if (n <= 0)
        fail("recv", n < 0 ? errno : ECONNRESET);
    if (memcmp(buffer, expected[client->message] + client->received, (size_t)n) != 0)
        fail("a reply has wrong bytes", EPROTO);
    client->received += (size_t)n;
    if (client->received < PLAIN + size)
        return false;
    client->received = 0;
    client->message = (client->message + 1) % MESSAGES;
    return true;
}

/* Connects, and shakes hands. */
static void client_open(struct client *client, const struct load *load, unsigned number)
{
    char answer[2048];
    size_t size = 0;

    client->fd = connect_to(load, number);
    client->message = number % MESSAGES;
    if (send(client->fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        fail("send", errno);
    do {
        ssize_t n = recv(client->fd, answer + size, sizeof answer - 1 - size, 0);

        if (n <= 0)
            fail("handshake", n < 0 ? errno : ECONNRESET);
        size += (size_t)n;
        answer[size] = '\0';
    } while (!strstr(answer, "\r\n\r\n"));
    if (strncmp(answer, "HTTP/1.1 101 ", 13) != 0)
        fail(answer, EPROTO);
}

void load_websocket(const struct load *load)
{
    static struct epoll_event events[EVENTS];
    struct client *clients = allocate(load->connections, sizeof *clients);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct window window;
    uint64_t count = 0;

    if (load->size > SMALL || load->depth != 1)
        fail("messages of at most 125 bytes, one at a time", EINVAL);
    messages_make(load->size);
    for (unsigned i = 0; i < load->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

        client_open(&clients[i], load, i);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event) < 0)
            fail("epoll_ctl", errno);
    }
    for (unsigned i = 0; i < load->connections; i++)
        client_send(&clients[i], load->size);
    window_start(&window, load);
    while (!window_over(&window, count, count * load->size)) {
        int n = epoll_wait(epoll_fd, events, EVENTS, 1000);

        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;

            if (client_receive(client, load->size)) {
                client_send(client, load->size);
                count++;
            }
        }
    }
    free(clients);
}
