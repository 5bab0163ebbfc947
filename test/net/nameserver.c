/* SPDX-License-Identifier: MIT */
/* A name server for tests: see nameserver.h. Its thread blocks in poll(2) only. */
#include "net/nameserver.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness.h"
#include "net/channel.h"

#define HELD 512
#define CLIENTS 64

struct message {
    unsigned char bytes[100000];
    size_t size;
};

struct held {
    struct sockaddr_in from;
    unsigned char bytes[512];
    size_t size;
};

struct nameserver {
    pthread_t thread;
    char place[32];
    int udp, tcp, other, stop;
    int asked;    /* atomic */
    int released; /* atomic: the gate is open */
    bool gate_open;
    struct held held[HELD];
    int held_count;
    int clients[CLIENTS];
    int client_count;
    unsigned seed;
    struct message answer;
};

/* All tests of names count what c-ares allocates. */
__attribute__((constructor)) static void nameserver_count_memory(void)
{
    ed_channel_count_memory();
}

/* Writing answers -------------------------------------------------------------------- */

static void put(struct message *m, const void *bytes, size_t size)
{
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put16(struct message *m, unsigned value)
{
    unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};

    put(m, bytes, 2);
}

static void put_name(struct message *m, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        unsigned char size = (unsigned char)length;

        put(m, &size, 1);
        put(m, name, length);
        name += length + (name[length] == '.');
    }
    put(m, "", 1);
}

/* A record whose owner is the question's (NULL) or another name. */
static void put_head(struct message *m, const char *owner, unsigned type, size_t size)
{
    if (owner)
        put_name(m, owner);
    else
        put16(m, 0xc00c);
    put16(m, type);
    put16(m, 1);
    put16(m, 0);
    put16(m, 60);
    put16(m, (unsigned)size);
    m->bytes[7]++; /* the number of answers, of which the tests need 255 at most by this */
}

static void put_address(struct message *m, const char *owner, unsigned type, unsigned last)
{
    unsigned char v4[4] = {192, 0, 2, (unsigned char)last};
    unsigned char v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = (unsigned char)last};

    put_head(m, owner, type, type == 1 ? 4 : 16);
    put(m, type == 1 ? v4 : v6, type == 1 ? 4 : 16);
}

static void put_alias(struct message *m, const char *owner, unsigned type, const char *target)
{
    struct message name = {.size = 0};

    put_name(&name, target);
    put_head(m, owner, type, name.size);
    put(m, name.bytes, name.size);
}

/* Thousands of addresses. */
static void put_many(struct message *m, unsigned type, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_address(m, NULL, type, i % 256);
        m->bytes[m->size - 2] = (unsigned char)(i / 256);
    }
    m->bytes[6] = (unsigned char)(count >> 8);
    m->bytes[7] = (unsigned char)count;
}

/* An alias whose text has `length` bytes, and its address. */
static void put_wide(struct message *m, unsigned type, size_t length)
{
    char text[512];
    size_t place;

    memset(text, 'w', length);
    for (size_t i = 63; i < length; i += 64)
        text[i] = '.';
    text[length] = '\0';
    put_alias(m, NULL, 5, text);
    place = m->size - length - 2;
    put_address(m, NULL, type, 1);
    m->bytes[m->size - (type == 1 ? 16 : 28)] = (unsigned char)(0xc0 | place >> 8);
    m->bytes[m->size - (type == 1 ? 15 : 27)] = (unsigned char)place;
}

static void put_malformed(struct message *m, const char *label, unsigned type)
{
    size_t before = m->size;

    if (strcmp(label, "loop") == 0) { /* the owner is a pointer to itself */
        put_address(m, NULL, type, 1);
        m->bytes[before] = (unsigned char)(0xc0 | before >> 8);
        m->bytes[before + 1] = (unsigned char)before;
    } else if (strcmp(label, "far") == 0) { /* one behind the end */
        put_address(m, NULL, type, 1);
        m->bytes[before] = m->bytes[before + 1] = 0xff;
    } else if (strncmp(label, "wide", 4) == 0) {
        put_wide(m, type, (size_t)atol(label + 4));
    } else { /* an address without its last bytes */
        put_address(m, NULL, type, 1);
        m->size -= 3;
    }
}

static void put_aliases(struct message *m, const char *label, unsigned type)
{
    if (strcmp(label, "alias") == 0) {
        put_alias(m, NULL, 5, "one.example");
        put_alias(m, "one.example", 5, "two.example");
        put_address(m, "two.example", type, 1);
    } else if (strcmp(label, "ring") == 0) {
        put_alias(m, NULL, 5, "one.example");
        put_alias(m, "one.example", 5, "ring.example");
        put_alias(m, "ring.example", 5, "one.example");
    } else if (strcmp(label, "alien") == 0) { /* a chain that does not begin at the question */
        put_alias(m, "somebody.example", 5, "evil.example");
        put_address(m, "evil.example", type, 66);
    } else {
        put_address(m, "evil.example", type, 66);
    }
}

static void put_random(struct message *m, unsigned *seed, bool all)
{
    if (all) {
        m->size = 2 + (size_t)rand_r(seed) % 400;
        for (size_t i = 2; i < m->size; i++)
            m->bytes[i] = (unsigned char)rand_r(seed);
        m->bytes[2] |= 0x80;
        return;
    }
    for (int i = rand_r(seed) % 6; i >= 0; i--)
        m->bytes[2 + (size_t)rand_r(seed) % (m->size - 2)] = (unsigned char)rand_r(seed);
    if (rand_r(seed) % 4 == 0)
        m->size -= (size_t)rand_r(seed) % 40;
}

/* Reading questions ------------------------------------------------------------------ */

struct question {
    char name[512], label[64];
    unsigned type;
    size_t size; /* of header and question */
};

static bool question_read(const unsigned char *bytes, size_t size, struct question *q)
{
    size_t at = 12, length = 0;

    while (at < size && bytes[at] && length + bytes[at] + 2 < sizeof q->name) {
        memcpy(q->name + length, bytes + at + 1, bytes[at]);
        length += bytes[at] + 1u;
        q->name[length - 1] = '.';
        at += bytes[at] + 1u;
    }
    if (length == 0 || at + 5 > size)
        return false;
    q->name[length - 1] = '\0';
    q->type = (unsigned)bytes[at + 1] << 8 | bytes[at + 2];
    q->size = at + 5;
    snprintf(q->label, sizeof q->label, "%.*s", (int)strcspn(q->name, "."), q->name);
    return true;
}

static bool is_one_of(const char *label, const char *words)
{
    const char *found = strstr(words, label);
    size_t length = strlen(label);

    return found && (found == words || found[-1] == ' ') && strchr(" ", found[length]);
}

static unsigned code_of(const char *label)
{
    static const char *const codes[] = {"noerror", "formerr", "servfail",
                                        "nx",      "notimp",  "refused"};

    for (unsigned i = 1; i < 6; i++)
        if (strcmp(label, codes[i]) == 0)
            return i;
    return 0;
}

/* The PTR of 1.2.0.192.in-addr.arpa and the like. */
static void put_pointer(struct message *m, const char *label)
{
    switch (atol(label)) {
    case 1: put_alias(m, NULL, 12, "host.example"); break;
    case 2: put_alias(m, NULL, 12, "not a.host\n.example"); break;
    case 3: put_alias(m, "other.example", 12, "evil.example"); break;
    default: m->bytes[3] |= 3; break;
    }
}

/* Writes the answer, as far as one datagram or TCP message goes. */
static void answer_write(struct nameserver *server, const unsigned char *bytes,
                         const struct question *q, bool tcp)
{
    struct message *m = &server->answer;

    m->size = 0;
    put(m, bytes, q->size);
    m->bytes[2] |= 0x80;
    m->bytes[3] = 0x80 | (unsigned char)code_of(q->label);
    m->bytes[10] = m->bytes[11] = 0;
    if (q->type == 12)
        put_pointer(m, q->label);
    else if (!tcp && is_one_of(q->label, "tc tcslice tcclose tcsilent many huge"))
        m->bytes[2] |= 2;
    else if (strcmp(q->label, "many") == 0)
        put_many(m, q->type, 300);
    else if (strcmp(q->label, "huge") == 0)
        put_many(m, q->type, q->type == 1 ? 4000 : 2000);
    else if (is_one_of(q->label, "alias ring alien foreign"))
        put_aliases(m, q->label, q->type);
    else if (is_one_of(q->label, "loop far cut") || strncmp(q->label, "wide", 4) == 0)
        put_malformed(m, q->label, q->type);
    else if (strcmp(q->label, "v4") == 0 || strcmp(q->label, "v6") == 0)
        q->type == (q->label[1] == '4' ? 1 : 28) ? put_address(m, NULL, q->type, 1) : (void)0;
    else if (is_one_of(q->label, "both gate wrongid zero otherport flood tc tcslice mutant"))
        put_address(m, NULL, q->type, 1);
    else if (!is_one_of(q->label, "empty echo random silent tcsilent tcclose") &&
             !code_of(q->label))
        m->bytes[3] |= 3;
    if (is_one_of(q->label, "random mutant"))
        put_random(m, &server->seed, q->label[0] == 'r');
}

/* Sending ---------------------------------------------------------------------------- */

static void send_datagram(int fd, const void *bytes, size_t size, const struct sockaddr_in *to)
{
    (void)!sendto(fd, bytes, size, 0, (const struct sockaddr *)to, sizeof *to);
}

/* What comes before the answer of some names, all of it trash with a wrong address. */
static void
send_trash(struct nameserver *server, const struct question *q, const struct sockaddr_in *to)
{
    struct message *m = &server->answer;
    struct message trash = {.size = 0};

    put(&trash, m->bytes, m->size);
    trash.bytes[trash.size - 1] = 66; /* of the address */
    if (strcmp(q->label, "zero") == 0)
        send_datagram(server->udp, "", 0, to);
    if (strcmp(q->label, "otherport") == 0)
        send_datagram(server->other, trash.bytes, trash.size, to);
    trash.bytes[0] ^= 0x55;
    if (strcmp(q->label, "wrongid") == 0)
        send_datagram(server->udp, trash.bytes, trash.size, to);
    for (int i = 0; i < 80 && strcmp(q->label, "flood") == 0; i++)
        send_datagram(server->udp, trash.bytes, trash.size - (size_t)i % 20, to);
}

static void answer_datagram(struct nameserver *server, const unsigned char *bytes, size_t size,
                            const struct sockaddr_in *to)
{
    struct question q;

    if (!question_read(bytes, size, &q) || strcmp(q.label, "silent") == 0)
        return;
    answer_write(server, bytes, &q, false);
    if (strcmp(q.label, "echo") == 0)
        send_datagram(server->udp, bytes, size, to);
    else
        send_trash(server, &q, to);
    if (strcmp(q.label, "echo") != 0)
        send_datagram(server->udp, server->answer.bytes, server->answer.size, to);
}

static void take_datagram(struct nameserver *server)
{
    struct held held;
    struct question q;
    socklen_t length = sizeof held.from;
    ssize_t size = recvfrom(server->udp, held.bytes, sizeof held.bytes, 0,
                            (struct sockaddr *)&held.from, &length);

    if (size < 12)
        return;
    __atomic_add_fetch(&server->asked, 1, __ATOMIC_RELEASE);
    held.size = (size_t)size;
    if (question_read(held.bytes, held.size, &q) && strcmp(q.label, "gate") == 0 &&
        !server->gate_open) {
        if (server->held_count < HELD)
            server->held[server->held_count++] = held;
        return;
    }
    answer_datagram(server, held.bytes, held.size, &held.from);
}

static void open_gate(struct nameserver *server)
{
    server->gate_open = true;
    for (int i = 0; i < server->held_count; i++)
        answer_datagram(server, server->held[i].bytes, server->held[i].size, &server->held[i].from);
    server->held_count = 0;
}

/* By TCP: a question that comes whole, as all small ones do on loopback. False: close it. */
static bool answer_client(struct nameserver *server, int fd)
{
    unsigned char bytes[1024];
    ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    struct question q;
    struct message framed = {.size = 0};

    if (size < 14 || !question_read(bytes + 2, (size_t)size - 2, &q) ||
        strcmp(q.label, "tcclose") == 0)
        return false;
    __atomic_add_fetch(&server->asked, 1, __ATOMIC_RELEASE);
    if (strcmp(q.label, "tcsilent") == 0)
        return true;
    for (size_t at = 0; at + 2 < (size_t)size;) { /* both questions may have come */
        size_t part = (size_t)bytes[at] << 8 | bytes[at + 1];

        if (!question_read(bytes + at + 2, part, &q))
            return false;
        answer_write(server, bytes + at + 2, &q, true);
        framed.size = 0;
        put16(&framed, (unsigned)server->answer.size);
        put(&framed, server->answer.bytes, server->answer.size);
        for (size_t sent = 0; sent < framed.size;) {
            size_t step = strcmp(q.label, "tcslice") == 0 ? 1 : framed.size - sent;
            ssize_t n = send(fd, framed.bytes + sent, step, MSG_NOSIGNAL);

            if (n < 0)
                return false;
            sent += (size_t)n;
        }
        at += part + 2;
    }
    return true;
}

/* The thread ------------------------------------------------------------------------- */

static void serve_clients(struct nameserver *server, const struct pollfd *polled, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        if (!polled[i].revents || answer_client(server, server->clients[i]))
            continue;
        close(server->clients[i]);
        server->clients[i] = server->clients[--server->client_count];
    }
}

static void *serve(void *argument)
{
    struct nameserver *server = argument;

    for (;;) {
        struct pollfd polled[3 + CLIENTS] = {
            {server->stop, POLLIN, 0}, {server->udp, POLLIN, 0}, {server->tcp, POLLIN, 0}};
        int count = server->client_count;
        uint64_t word;

        for (int i = 0; i < count; i++)
            polled[3 + i] = (struct pollfd){server->clients[i], POLLIN, 0};
        polled[2].events = count < CLIENTS ? POLLIN : 0;
        if (poll(polled, 3 + (nfds_t)count, -1) < 0)
            continue;
        if (polled[0].revents) {
            if (read(server->stop, &word, sizeof word) < 0 ||
                !__atomic_load_n(&server->released, __ATOMIC_ACQUIRE))
                return NULL;
            __atomic_store_n(&server->released, 0, __ATOMIC_RELEASE);
            open_gate(server);
        }
        if (polled[1].revents)
            take_datagram(server);
        serve_clients(server, polled + 3, count);
        if (polled[2].revents)
            server->clients[server->client_count++] = accept(server->tcp, NULL, NULL);
    }
}

static int bound_socket(int type, uint16_t port, uint16_t *out)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        close(fd);
        return -1;
    }
    *out = ntohs(address.sin_port);
    return fd;
}

struct nameserver *nameserver_start(void)
{
    struct nameserver *server = calloc(1, sizeof *server);
    uint16_t port = 0, other;

    server->seed = (unsigned)getpid();
    server->tcp = -1;
    for (int i = 0; i < 100 && server->tcp < 0; i++) { /* a port that is free in both */
        server->udp = bound_socket(SOCK_DGRAM, 0, &port);
        server->tcp = bound_socket(SOCK_STREAM, port, &other);
        if (server->tcp < 0)
            close(server->udp);
    }
    server->other = bound_socket(SOCK_DGRAM, 0, &other);
    server->stop = eventfd(0, EFD_CLOEXEC);
    if (server->tcp < 0 || listen(server->tcp, 64) < 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0)
        test_fail(__FILE__, __LINE__, "the name server cannot start");
    snprintf(server->place, sizeof server->place, "127.0.0.1:%u", port);
    return server;
}

void nameserver_stop(struct nameserver *server)
{
    uint64_t one = 1;

    __atomic_store_n(&server->released, 0, __ATOMIC_RELEASE);
    (void)!write(server->stop, &one, sizeof one);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->client_count; i++)
        close(server->clients[i]);
    close(server->udp);
    close(server->tcp);
    close(server->other);
    close(server->stop);
    free(server);
}

int nameserver_resolver(const struct nameserver *server, bool patient, eddy_resolver **out)
{
    eddy_resolver_options options = {.servers = server->place,
                                     .timeout = patient ? 30 : 0.02,
                                     .tries = 2,
                                     .domains = "",
                                     .hosts = ""};

    return eddy_resolver_new(&options, out);
}

int nameserver_look_up(eddy_resolver *resolver, const char *name, eddy_addresses *out)
{
    eddy_lookup_options options = {.resolver = resolver};

    return eddy_getaddrinfo(name, 80, &options, out);
}

const char *nameserver_place(const struct nameserver *server)
{
    return server->place;
}

int nameserver_asked(const struct nameserver *server)
{
    return __atomic_load_n(&server->asked, __ATOMIC_ACQUIRE);
}

void nameserver_open_gate(struct nameserver *server)
{
    uint64_t one = 1;

    __atomic_store_n(&server->released, 1, __ATOMIC_RELEASE);
    (void)!write(server->stop, &one, sizeof one);
}
