/* SPDX-License-Identifier: MIT */
/*
 * Questions to name servers: c-ares, driven by a loop. See channel.c.
 *
 *             ask                the answer, or drop
 *   idle ----------> asking ------------------------> idle
 */
#ifndef ED_NET_CHANNEL_H
#define ED_NET_CHANNEL_H

#include "base/compat.h"
#include "eddy/dns.h"

#define ED_CHANNEL_SERVERS 16
#define ED_CHANNEL_DOMAINS 8

/* Whom to ask, and how. All is the caller's; copied when a channel is opened. */
struct ed_channel_options {
    eddy_address servers[ED_CHANNEL_SERVERS];
    size_t server_count; /* 0: those of the configuration file */
    char *domains[ED_CHANNEL_DOMAINS];
    int domain_count; /* -1: those of the configuration file */
    const char *configuration;
    int timeout; /* ms */
    int tries;
};

/* What is asked, and the answer. */
struct ed_question {
    /* set by whoever asks; valid until the answer */
    const char *name;            /* of which the addresses are wanted, or NULL: */
    const eddy_address *address; /* of which the name is */
    int family;
    uint16_t port;
    bool canonical;
    void (*done)(struct ed_question *question);

    /* the answer */
    int rc;
    eddy_addresses found; /* owned by whoever asked */
    char host[EDDY_HOST_TEXT];
};

struct ed_channel;

/* Opens a channel; nothing is asked, and no descriptor opened. Returns 0, or with *out
 * untouched -ENOMEM or an EDDY_EDNS_ code. */
int ed_channel_open(const struct ed_channel_options *options, struct ed_channel **out);

/* Closes a channel that is idle; NULL is left alone. */
void ed_channel_close(struct ed_channel *channel);

/*
 * Asks by an idle channel, in a loop's thread. Returns true when the answer is there already;
 * else question->done is called by the loop once it is. The channel is idle again then.
 */
bool ed_channel_ask(struct ed_channel *channel, eddy_loop *loop, struct ed_question *question);

/* Ends what is asked, without an answer. The channel is idle then. */
void ed_channel_drop(struct ed_channel *channel);

/* Writes who is asked: "192.0.2.1:53, [2001:db8::1]:53". */
void ed_channel_servers(const struct ed_channel *channel, char *text, size_t size);

/* For tests, before the first channel: c-ares's memory is the library's, counted and made to
 * fail. Else it is of malloc(3), since the program may use c-ares too, and that has one
 * allocator a process. */
void ed_channel_count_memory(void);

#endif
