/* SPDX-License-Identifier: MIT */
/*
 * A channel asks name servers by c-ares, one question at a time.
 *
 * c-ares knows how to ask: several servers, retries, TCP, search domains. It cannot
 * end one question of many, so each has a channel to itself, whose end ends all of it: its
 * sockets are closed and its callback is over when ed_channel_drop returns. (And each question
 * has a port of its own, which an off-path attacker must guess as well.)
 *
 * c-ares makes its sockets by the functions below. Each is watched by a poll operation,
 * which must complete before the descriptor may be closed, since an engine remembers it: a
 * closed socket leaves the channel at once, and is closed for good when its operation has
 * completed. Everything c-ares does begins with channel_begin and ends with channel_settle,
 * which alone looks at what has changed: whether there is an answer, what to wait for, until when.
 *
 * c-ares counts its times by the real clock. Under a virtual one, the loop is told that
 * somebody else is at work, and a timerfd takes the place of the loop's timer.
 *
 * What comes is checked before c-ares sees it: packets that are no answers are passed over, at
 * most CHANNEL_PACKETS are read in one go, and an answer of more than CHANNEL_ANSWER bytes is
 * refused, since its names may be as long, so that it takes a time that grows as its square.
 *
 * The only file that knows c-ares.
 */
#include "net/channel.h"

#include <arpa/nameser.h>
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/die.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/stats.h"
#include "eddy/error.h"
#include "loop/loop.h"
#include "net/order.h"
#include "os/socket.h"

#define CHANNEL_PACKETS 64
#define CHANNEL_ANSWER 16384
#define ANSWER_NAME 253 /* bytes of a name at most */

struct channel_socket {
    struct ed_op op;
    struct eddy_link_ link;     /* in channel->sockets */
    struct ed_channel *channel; /* NULL: it is closed, and only waits for its operation */
    eddy_loop *loop;
    int fd;
    uint32_t wanted; /* events that c-ares waits for */
    bool stream;
    bool length_read; /* of a stream: the last read was the length of a message */
    bool alarm;       /* the timerfd */
    bool held;        /* the code that runs looks at it again */
};

struct ed_channel {
    ares_channel ares;
    eddy_loop *loop; /* NULL: idle */
    struct ed_question *question;
    bool answered;
    bool starved; /* an allocation has failed */
    struct eddy_list_ sockets;
    struct eddy_timer_ timer;
    struct channel_socket *alarm; /* instead of the timer, under a virtual clock */
    int packets;                  /* that may still be read in this go */
    int error;                    /* why there was no socket */
    int verdict;                  /* what the last server that refused has said */
};

/* c-ares's memory ---------------------------------------------------------------- */

static bool channel_counts_memory;
static __thread bool channel_memory_failed; /* an allocation of this thread's c-ares */

static void *channel_check(void *memory)
{
    channel_memory_failed |= memory == NULL;
    return memory;
}

static void *channel_alloc(size_t size)
{
    return channel_check(ed_alloc(size));
}

static void *channel_realloc(void *memory, size_t size)
{
    return channel_check(ed_realloc(memory, size));
}

static void channel_free(void *memory)
{
    ed_free(memory);
}

void ed_channel_count_memory(void)
{
    channel_counts_memory = true;
}

static void channel_init_library(void)
{
    if (channel_counts_memory)
        ares_library_init_mem(ARES_LIB_INIT_ALL, channel_alloc, channel_free, channel_realloc);
    else
        ares_library_init(ARES_LIB_INIT_ALL);
}

/* Sockets ------------------------------------------------------------------------ */

static void channel_ready(struct ed_op *op);

static void socket_free(struct channel_socket *socket)
{
    ed_engine_forget(socket->loop->engine, socket->fd);
    ed_socket_close(socket->fd);
    ed_free(socket);
}

static int socket_new(struct ed_channel *channel, int fd, struct channel_socket **out)
{
    struct channel_socket *socket = ed_alloc_zero(sizeof *socket);

    if (!socket) {
        ed_socket_close(fd);
        return -ENOMEM;
    }
    socket->op = (struct ed_op){.done = channel_ready, .kind = ED_OP_POLL, .fd = fd};
    socket->channel = channel;
    socket->loop = channel->loop;
    socket->fd = fd;
    ed_list_append(&channel->sockets, &socket->link);
    *out = socket;
    return 0;
}

/* Takes a socket out of its channel, and closes it as soon as nothing uses it. */
static void socket_leave(struct channel_socket *socket)
{
    ed_list_remove(&socket->channel->sockets, &socket->link);
    socket->channel = NULL;
    if (socket->op.in_flight)
        ed_engine_cancel(socket->loop->engine, &socket->op);
    else if (!socket->held)
        socket_free(socket);
}

static struct channel_socket *socket_find(const struct ed_channel *channel, int fd)
{
    ED_LIST_FOR_EACH(link, &channel->sockets) {
        struct channel_socket *socket = ed_container_of(link, struct channel_socket, link);

        if (socket->fd == fd)
            return socket;
    }
    ed_die("c-ares uses the descriptor %d, which is not of its channel", fd);
}

/* Waits for what is wanted now; an operation for something else is ended first. */
static void socket_watch(struct channel_socket *socket)
{
    if (socket->op.in_flight) {
        if (socket->op.events != socket->wanted)
            ed_engine_cancel(socket->loop->engine, &socket->op);
    } else if (socket->wanted) {
        socket->op.events = socket->wanted;
        ed_engine_submit(socket->loop->engine, &socket->op);
    }
}

/* What c-ares calls; like the system calls they stand for, they set errno ---------- */

static int channel_refuse(struct ed_channel *channel, int error)
{
    if (error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM)
        channel->error = error;
    errno = -error;
    return -1;
}

static ares_socket_t on_socket(int family, int type, int protocol, void *data)
{
    struct ed_channel *channel = data;
    struct channel_socket *socket;
    int fd = ed_socket_open(family, type, protocol), rc = fd, on = 1;

    if (fd >= 0)
        rc = socket_new(channel, fd, &socket);
    if (rc < 0)
        return channel_refuse(channel, rc);
    socket->stream = type == SOCK_STREAM;
    if (socket->stream)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int on_close(ares_socket_t fd, void *data)
{
    socket_leave(socket_find(data, fd));
    return 0;
}

static int
on_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size, void *data)
{
    int rc = ed_socket_connect(fd, address, size);

    return rc == 0 ? 0 : channel_refuse(data, rc);
}

/* Looks at the beginning of a message: whether it is an answer, and what it says. */
static bool channel_sees_answer(struct ed_channel *channel, const unsigned char *data, ssize_t size)
{
    if (size < NS_HFIXEDSZ || !(data[2] & 0x80))
        return false;
    switch (data[3] & 15) {
    case ns_r_servfail:
    case ns_r_notimpl: channel->verdict = EDDY_EDNS_FAILED; break;
    case ns_r_refused: channel->verdict = EDDY_EDNS_REFUSED; break;
    default: break;
    }
    return true;
}

static ssize_t channel_receive_stream(struct ed_channel *channel, struct channel_socket *socket,
                                      void *data, size_t size)
{
    bool first = socket->length_read;
    ssize_t count;

    if (size > CHANNEL_ANSWER) {
        channel->verdict = EDDY_EDNS_BAD_ANSWER;
        errno = EMSGSIZE;
        return -1;
    }
    count = recvfrom(socket->fd, data, size, 0, NULL, NULL);
    if (count < 0)
        return -1;
    socket->length_read = size <= 2 && (size_t)count == size;
    if (first)
        (void)channel_sees_answer(channel, data, count); /* c-ares checks the rest */
    return count;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *data, size_t size, int flags,
                               struct sockaddr *from, ares_socklen_t *from_size, void *context)
{
    struct ed_channel *channel = context;
    struct channel_socket *socket = socket_find(channel, fd);
    ssize_t count;

    if (socket->stream)
        return channel_receive_stream(channel, socket, data, size);
    while (channel->packets-- > 0) {
        count = recvfrom(fd, data, size, flags, from, from_size);
        if (count < 0 || channel_sees_answer(channel, data, count))
            return count;
    }
    errno = EAGAIN;
    return -1;
}

/* An error that a datagram of before has met (ICMP) must not keep this one back: c-ares would
 * take it for this one's, and wait for the answer to the other. */
static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *parts, int count, void *data)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

    if (sent < 0 && errno == ECONNREFUSED && !socket_find(data, fd)->stream)
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent;
}

/* c-ares waits for something else at a socket: for nothing before it is closed. */
static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
    socket_find(data, fd)->wanted = (readable ? ED_POLL_IN : 0) | (writable ? ED_POLL_OUT : 0);
}

/* The answer ----------------------------------------------------------------------- */

static int channel_code(const struct ed_channel *channel, int status)
{
    if (channel->starved || channel_memory_failed)
        return -ENOMEM;
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENODATA: return EDDY_EDNS_NO_DATA;
    case ARES_ENOTFOUND: return EDDY_EDNS_NOT_FOUND;
    case ARES_EBADNAME: return EDDY_EDNS_BAD_NAME;
    case ARES_EREFUSED: return EDDY_EDNS_REFUSED;
    case ARES_EBADRESP: return EDDY_EDNS_BAD_ANSWER;
    case ARES_ETIMEOUT: return EDDY_EDNS_TIMEOUT;
    case ARES_ENOMEM: return -ENOMEM;
    case ARES_ECONNREFUSED:
        return channel->error     ? channel->error
               : channel->verdict ? channel->verdict
                                  : EDDY_EDNS_UNREACHABLE;
    default: return EDDY_EDNS_FAILED;
    }
}

/* Whether each alias is a name, and leads on from the one before it: there are one or two chains,
 * of the A and of the AAAA records. c-ares follows an alias of whatever name. */
static bool answer_is_linked(const struct ares_addrinfo *answer)
{
    const char *name = answer->name;

    for (const struct ares_addrinfo_cname *alias = answer->cnames; alias; alias = alias->next) {
        if (!alias->alias || !alias->name || !answer->name || strlen(alias->name) > ANSWER_NAME)
            return false;
        if (strcasecmp(alias->alias, name) != 0 && strcasecmp(alias->alias, answer->name) != 0)
            return false;
        name = alias->name;
    }
    return true;
}

static const char *answer_canonical(const struct ares_addrinfo *answer)
{
    const char *name = answer->name;

    for (const struct ares_addrinfo_cname *alias = answer->cnames; alias; alias = alias->next)
        name = alias->name;
    return name ? name : "";
}

static void answer_add(eddy_addresses *found, const struct sockaddr *address, size_t size)
{
    eddy_address *place = &found->at[found->count];

    memset(place, 0, sizeof *place);
    memcpy(&place->as, address, size);
    place->size = (socklen_t)size;
    for (size_t i = 0; i < found->count; i++)
        if (eddy_address_equal(&found->at[i], place))
            return;
    found->count++;
}

static int answer_take(const struct ares_addrinfo *answer, struct ed_question *question)
{
    eddy_addresses found = {0, NULL, NULL};

    if (!answer_is_linked(answer))
        return EDDY_EDNS_BAD_ANSWER;
    found.at = ed_alloc(ED_ORDER_MAX * sizeof *found.at);
    if (question->canonical)
        found.canonical = ed_strdup(answer_canonical(answer));
    if (!found.at || (question->canonical && !found.canonical)) {
        eddy_addresses_free(&found);
        return -ENOMEM;
    }
    for (const struct ares_addrinfo_node *node = answer->nodes; node; node = node->ai_next) {
        bool ip = node->ai_family == AF_INET || node->ai_family == AF_INET6;
        size_t size =
            node->ai_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

        if (ip && found.count < ED_ORDER_MAX &&
            (!question->family || node->ai_family == question->family))
            answer_add(&found, node->ai_addr, size);
    }
    if (found.count == 0) {
        eddy_addresses_free(&found);
        return EDDY_EDNS_NO_DATA;
    }
    for (size_t i = 0; i < found.count; i++)
        (void)eddy_address_set_port(&found.at[i], question->port); /* each has one */
    question->found = found;
    return 0;
}

static void on_addresses(void *data, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct ed_channel *channel = data;

    (void)timeouts;
    channel->answered = true;
    channel->question->rc = status == ARES_SUCCESS && answer
                                ? answer_take(answer, channel->question)
                                : channel_code(channel, status);
    if (answer)
        ares_freeaddrinfo(answer);
}

static int answer_take_name(const char *name, struct ed_question *question)
{
    size_t length = name ? strlen(name) : 0;

    if (length == 0 || length > ANSWER_NAME)
        return EDDY_EDNS_BAD_ANSWER;
    memcpy(question->host, name, length + 1);
    return 0;
}

static void on_name(void *data, int status, int timeouts, unsigned char *answer, int size)
{
    struct ed_channel *channel = data;
    struct hostent *host = NULL;

    (void)timeouts;
    channel->answered = true;
    if (status == ARES_SUCCESS)
        status = ares_parse_ptr_reply(answer, size, NULL, 0, AF_INET, &host);
    channel->question->rc = status == ARES_SUCCESS
                                ? answer_take_name(host->h_name, channel->question)
                                : channel_code(channel, status);
    if (status == ARES_SUCCESS)
        ares_free_hostent(host);
}

/* Asking --------------------------------------------------------------------------- */

static void channel_begin(struct ed_channel *channel)
{
    channel->packets = CHANNEL_PACKETS;
    channel_memory_failed = false;
}

/* Sets the alarm or timer to when c-ares wants to be called again. */
static void channel_set_timer(struct ed_channel *channel)
{
    struct timeval place, *left = ares_timeout(channel->ares, NULL, &place);
    int64_t ns = left ? left->tv_sec * ED_SECOND + left->tv_usec * 1000 + 1000000 : ED_SECOND;

    if (channel->alarm) {
        struct itimerspec when = {.it_value = {ns / ED_SECOND, ns % ED_SECOND}};

        timerfd_settime(channel->alarm->fd, 0, &when, NULL);
    } else {
        ed_loop_stop_timer(channel->loop, &channel->timer);
        ed_loop_start_timer(channel->loop, &channel->timer,
                            ed_time_add(ed_loop_now(channel->loop), ns));
    }
}

static void channel_become_idle(struct ed_channel *channel)
{
    if (channel->alarm) {
        socket_leave(channel->alarm);
        channel->alarm = NULL;
        channel->loop->jobs--;
    } else {
        ed_loop_stop_timer(channel->loop, &channel->timer);
    }
    ED_ASSERT(ed_list_empty(&channel->sockets));
    channel->loop = NULL;
}

/* Looks at what c-ares has done. Whether there is an answer: then the channel is idle. */
static bool channel_settle(struct ed_channel *channel)
{
    channel->starved |= channel_memory_failed;
    if (channel->answered) {
        channel_become_idle(channel);
        return true;
    }
    channel_set_timer(channel);
    ED_LIST_FOR_EACH(link, &channel->sockets)
        socket_watch(ed_container_of(link, struct channel_socket, link));
    return false;
}

/* Lets c-ares look at a socket, -1: none, and at the clock. */
static void channel_process(struct ed_channel *channel, int readable, int writable)
{
    channel_begin(channel);
    ares_process_fd(channel->ares, readable, writable);
    if (channel_settle(channel))
        channel->question->done(channel->question);
}

/* A descriptor cannot be waited for: the question fails. */
static void channel_fail(struct ed_channel *channel, int error)
{
    channel_begin(channel);
    ares_cancel(channel->ares);
    ED_ASSERT(channel->answered);
    eddy_addresses_free(&channel->question->found);
    channel->question->rc = error;
    (void)channel_settle(channel); /* it is answered */
    channel->question->done(channel->question);
}

static void channel_ready(struct ed_op *op)
{
    struct channel_socket *socket = ed_container_of(op, struct channel_socket, op);
    struct ed_channel *channel = socket->channel;
    uint32_t trouble = ED_POLL_ERR | ED_POLL_HUP;

    socket->held = true;
    if (!channel) {
        /* only this was waited for */
    } else if (op->result == -ECANCELED) {
        socket_watch(socket); /* for something else now */
    } else if (op->result < 0) {
        channel_fail(channel, op->result);
    } else if (socket->alarm) {
        channel_process(channel, -1, -1);
    } else {
        uint32_t events = (uint32_t)op->result;
        bool in = events & (ED_POLL_IN | trouble);
        bool out = (events & (ED_POLL_OUT | trouble)) && (socket->wanted & ED_POLL_OUT);

        channel_process(channel, in ? socket->fd : -1, out ? socket->fd : -1);
    }
    socket->held = false;
    if (!socket->channel && !op->in_flight)
        socket_free(socket);
}

static void channel_expired(struct eddy_timer_ *timer)
{
    channel_process(ed_container_of(timer, struct ed_channel, timer), -1, -1);
}

/* The clock of a question in a loop whose own is virtual. */
static int channel_open_alarm(struct ed_channel *channel)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int rc;

    if (fd < 0)
        return -errno;
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    rc = socket_new(channel, fd, &channel->alarm);
    if (rc < 0)
        return rc;
    channel->alarm->alarm = true;
    channel->alarm->wanted = ED_POLL_IN;
    channel->loop->jobs++;
    return 0;
}

/* The name under which the name of an address is found, RFC 1035 3.5, RFC 3596 2.5. */
static void channel_reverse(const eddy_address *address, char *name, size_t size)
{
    const unsigned char *b = (const unsigned char *)&address->as.in.sin_addr;
    size_t length = 0;

    if (address->as.any.sa_family == AF_INET) {
        snprintf(name, size, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
        return;
    }
    b = address->as.in6.sin6_addr.s6_addr;
    for (int i = 15; i >= 0; i--)
        length += (size_t)snprintf(name + length, size - length, "%x.%x.", b[i] & 15, b[i] >> 4);
    snprintf(name + length, size - length, "ip6.arpa");
}

bool ed_channel_ask(struct ed_channel *channel, eddy_loop *loop, struct ed_question *question)
{
    struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT | ARES_AI_CANONNAME,
                                        .ai_family = question->family,
                                        .ai_socktype = SOCK_STREAM};
    char reverse[80];

    ED_ASSERT(!channel->loop);
    channel->loop = loop;
    channel->question = question;
    channel->answered = channel->starved = false;
    channel->error = channel->verdict = 0;
    question->rc = loop->virtual_clock ? channel_open_alarm(channel) : 0;
    if (question->rc < 0) {
        channel->loop = NULL;
        return true;
    }
    channel_begin(channel);
    if (question->name) {
        ares_getaddrinfo(channel->ares, question->name, NULL, &hints, on_addresses, channel);
    } else {
        channel_reverse(question->address, reverse, sizeof reverse);
        ares_query(channel->ares, reverse, ns_c_in, ns_t_ptr, on_name, channel);
    }
    return channel_settle(channel);
}

void ed_channel_drop(struct ed_channel *channel)
{
    channel_begin(channel);
    ares_cancel(channel->ares);
    ED_ASSERT(channel->answered);
    eddy_addresses_free(&channel->question->found);
    (void)channel_settle(channel); /* it is answered */
}

/* Opening and closing -------------------------------------------------------------- */

static int channel_set_servers(ares_channel ares, const struct ed_channel_options *options)
{
    struct ares_addr_port_node nodes[ED_CHANNEL_SERVERS];

    if (options->server_count == 0)
        return ARES_SUCCESS;
    memset(nodes, 0, sizeof nodes);
    for (size_t i = 0; i < options->server_count; i++) {
        const eddy_address *server = &options->servers[i];

        nodes[i].family = server->as.any.sa_family;
        nodes[i].udp_port = nodes[i].tcp_port = eddy_address_port(server);
        if (nodes[i].family == AF_INET)
            memcpy(&nodes[i].addr.addr4, &server->as.in.sin_addr, 4);
        else
            memcpy(&nodes[i].addr.addr6, &server->as.in6.sin6_addr, 16);
        if (i > 0)
            nodes[i - 1].next = &nodes[i];
    }
    return ares_set_servers_ports(ares, nodes);
}

static int channel_open_ares(struct ed_channel *channel, const struct ed_channel_options *options)
{
    static const struct ares_socket_functions functions = {on_socket, on_close, on_connect,
                                                           on_receive, on_send};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF | ARES_OPT_NOROTATE;
    char lookups[] = "b"; /* no files: hosts.c has read them */
    struct ares_options wanted = {.flags = ARES_FLAG_NOALIASES,
                                  .timeout = options->timeout,
                                  .tries = options->tries,
                                  .lookups = lookups,
                                  .sock_state_cb = on_state,
                                  .sock_state_cb_data = channel,
                                  .resolvconf_path = (char *)(uintptr_t)options->configuration};
    int status;

    if (options->domain_count >= 0) {
        mask |= ARES_OPT_DOMAINS;
        wanted.domains = (char **)(uintptr_t)options->domains;
        wanted.ndomains = options->domain_count;
    }
    channel_begin(channel);
    status = ares_init_options(&channel->ares, &wanted, mask);
    if (status != ARES_SUCCESS)
        return channel_code(channel, status);
    ares_set_socket_functions(channel->ares, &functions, channel);
    status = channel_set_servers(channel->ares, options);
    if (status != ARES_SUCCESS || channel_memory_failed)
        ares_destroy(channel->ares);
    return channel_code(channel, status);
}

int ed_channel_open(const struct ed_channel_options *options, struct ed_channel **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ed_channel *channel = ed_alloc_zero(sizeof *channel);
    int rc;

    if (!channel)
        return -ENOMEM;
    pthread_once(&once, channel_init_library);
    channel->timer = (struct eddy_timer_)ED_TIMER_INIT(channel_expired);
    rc = channel_open_ares(channel, options);
    if (rc < 0) {
        ed_free(channel);
        return rc;
    }
    *out = channel;
    return 0;
}

void ed_channel_close(struct ed_channel *channel)
{
    if (!channel)
        return;
    ED_ASSERT(!channel->loop);
    ares_destroy(channel->ares);
    ed_free(channel);
}

void ed_channel_servers(const struct ed_channel *channel, char *text, size_t size)
{
    struct ares_addr_port_node *servers = NULL;
    size_t length = 0;

    text[0] = '\0';
    if (ares_get_servers_ports(channel->ares, &servers) != ARES_SUCCESS)
        return;
    for (const struct ares_addr_port_node *s = servers; s && length < size; s = s->next) {
        char ip[INET6_ADDRSTRLEN] = "";

        ares_inet_ntop(s->family, &s->addr, ip, sizeof ip);
        length += (size_t)snprintf(text + length, size - length,
                                   s->family == AF_INET6 ? "%s[%s]:%d" : "%s%s:%d",
                                   length ? ", " : "", ip, s->udp_port ? s->udp_port : 53);
    }
    ares_free_data(servers);
}
