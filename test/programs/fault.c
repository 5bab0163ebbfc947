/* SPDX-License-Identifier: MIT */
/*
 * What EDDY_FAULT does to a process that starts with it.
 *
 *     fault checks     four checks of each kind
 *     fault engine     operations of an engine: two no-ops, two polls of a pipe that
 *                      can be read, and a cancelled poll of one that cannot
 *     fault sockets    a connection that is made, used twice and closed
 */
#include <arpa/inet.h>
#include <eddy/error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/engine.h"

static int checks(void)
{
    static const struct {
        const char *name;
        enum ed_fault kind;
    } kinds[] = {{"alloc", ED_FAULT_ALLOC},
                 {"nop", ED_FAULT_NOP},
                 {"poll", ED_FAULT_POLL},
                 {"cancel", ED_FAULT_CANCEL},
                 {"thread", ED_FAULT_THREAD}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        printf("%s", kinds[i].name);
        for (int n = 0; n < 4; n++)
            printf(" %s", eddy_error_name(ed_fault_check(kinds[i].kind)));
        putchar('\n');
    }
    return 0;
}

static void print_done(struct ed_op *op)
{
    printf("%s %s\n",
           op->kind == ED_OP_NOP ? "nop"
           : op->cancelled       ? "cancelled poll"
                                 : "poll",
           op->result > 0 ? "ready" : eddy_error_name(op->result));
}

static int engine(void)
{
    struct ed_op ops[5] = {{.kind = ED_OP_NOP},
                           {.kind = ED_OP_NOP},
                           {.kind = ED_OP_POLL},
                           {.kind = ED_OP_POLL},
                           {.kind = ED_OP_POLL}};
    struct ed_engine *engine;
    int full[2], empty[2];

    if (pipe(full) < 0 || pipe(empty) < 0 || write(full[1], "x", 1) != 1 ||
        ed_engine_open(&engine) < 0)
        return 1;
    for (int i = 0; i < 5; i++) {
        ops[i].done = print_done;
        ops[i].fd = i == 4 ? empty[0] : full[0];
        ops[i].events = ED_POLL_IN;
        ed_engine_submit(engine, &ops[i]);
        if (i == 4)
            ed_engine_cancel(engine, &ops[i]);
        while (engine->in_flight && i < 4)
            if (ed_engine_wait(engine, 1000000000) < 0)
                return 1;
    }
    if (ed_engine_wait(engine, 0) < 0 || write(empty[1], "x", 1) != 1)
        return 1;
    while (engine->in_flight)
        if (ed_engine_wait(engine, 1000000000) < 0)
            return 1;
    ed_engine_close(engine);
    return 0;
}

static void end_done(struct ed_op *op)
{
    (void)op;
}

/* Runs an operation, again if it fails and `insist`, and prints how it went. */
static int run(struct ed_engine *engine, struct ed_op *op, const char *name, bool insist)
{
    bool counts = op->kind == ED_OP_SEND || op->kind == ED_OP_RECV;

    op->done = end_done;
    do {
        ed_engine_submit(engine, op);
        while (op->in_flight)
            if (ed_engine_wait(engine, 1000000000) < 0)
                return -1;
        printf("%s ", name);
        if (counts)
            printf("%d ", op->result > 0 ? op->result : 0);
        puts(op->result < 0 ? eddy_error_name(op->result) : "0");
    } while (insist && op->result < 0);
    return op->result;
}

static int sockets(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), server;
    struct sockaddr *name = (struct sockaddr *)&address;
    struct ed_engine *engine;
    char data[10] = {0};

    if (bind(listener, name, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, name, &size) < 0 || ed_engine_open(&engine) < 0)
        return 1;
    run(engine,
        &(struct ed_op){.kind = ED_OP_CONNECT, .fd = client, .address = name, .address_size = size},
        "connect", true);
    server = run(engine, &(struct ed_op){.kind = ED_OP_ACCEPT, .fd = listener}, "accept", true);
    for (int i = 0; i < 2; i++) {
        struct ed_op op = {.kind = ED_OP_SEND, .fd = client, .data = data, .size = sizeof data};

        run(engine, &op, "send", false);
        op = (struct ed_op){.kind = ED_OP_RECV, .fd = server, .data = data, .size = sizeof data};
        run(engine, &op, "recv", false);
    }
    run(engine, &(struct ed_op){.kind = ED_OP_CLOSE, .fd = server}, "close", false);
    if (recv(client, data, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
        puts("not closed");
    close(client);
    close(listener);
    ed_engine_close(engine);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "checks";

    return strcmp(what, "engine") == 0    ? engine()
           : strcmp(what, "sockets") == 0 ? sockets()
                                          : checks();
}
