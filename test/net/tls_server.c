/* SPDX-License-Identifier: MIT */
/*
 * Whose a connection is: the server's, which closes it behind the handler, whatever the handler
 * has done to its stream meanwhile: closed it, put TLS over it, taken it away.
 */
#include <eddy.h>
#include <eddy/tls.h>

#include "harness.h"
#include "net/tls_certificate.h"

enum deed { CLOSES, CLOSES_BY_SCOPE, DETACHES, STARTS_TLS, STARTS_TLS_AND_CLOSES, READS_TLS };

/* What the handler of a test does, and how it ends. */
struct plan {
    enum deed deed;
    bool client_speaks_tls;
    int result; /* of the handler, when it comes so far */
    int tls;    /* what starting TLS gave */
    eddy_tls_context *server, *client;
};

static int handler(eddy_stream *stream, void *argument)
{
    struct plan *plan = argument;
    char byte;

    switch (plan->deed) {
    case CLOSES: (void)eddy_stream_close(&stream); break;
    case CLOSES_BY_SCOPE: {
        EDDY_STREAM mine = stream;

        (void)mine;
        break;
    }
    case DETACHES:
        eddy_server_detach(stream);
        (void)eddy_stream_close(&stream);
        break;
    case STARTS_TLS: plan->tls = eddy_start_tls_server(&stream, plan->server); break;
    case STARTS_TLS_AND_CLOSES:
        plan->tls = eddy_start_tls_server(&stream, plan->server);
        (void)eddy_stream_close(&stream);
        break;
    case READS_TLS:
        EDDY_TRY(eddy_start_tls_server(&stream, plan->server));
        EDDY_TRY(eddy_write(stream, "half", 4));
        return (int)eddy_read(stream, &byte, 1);
    }
    return plan->result;
}

static int begin(struct plan *plan, eddy_server **server, eddy_stream **client)
{
    const eddy_tls_options own = {.certificate_pem = certificate_server()->pem,
                                  .key_pem = certificate_server()->key_pem};
    const eddy_tls_options peer = {.ca_pem = certificate_root()->pem};

    EDDY_TRY(eddy_tls_server_context(&own, &plan->server));
    EDDY_TRY(eddy_tls_client_context(&peer, &plan->client));
    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", handler, plan, server));
    EDDY_TRY(eddy_tcp_connect("127.0.0.1", eddy_server_port(*server), NULL, client));
    if (plan->client_speaks_tls)
        return eddy_start_tls(client, plan->client, "127.0.0.1");
    return eddy_printf(*client, "no TLS at all\n");
}

static void end(struct plan *plan)
{
    eddy_tls_context_free(plan->server);
    eddy_tls_context_free(plan->client);
}

/* Runs a plan to its end, and returns what the client reads last. */
static ssize_t run(struct plan *plan)
{
    EDDY_DEFER(end, plan);
    EDDY_SERVER server = NULL;
    EDDY_STREAM client = NULL;
    char data[100];
    ssize_t size;

    EDDY_TRY(begin(plan, &server, &client));
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        continue;
    (void)eddy_stream_close(&client);
    EDDY_TRY(eddy_server_shutdown(server, 10));
    return size;
}

TEST(server_connection_may_be_closed_by_its_handler)
{
    for (enum deed deed = CLOSES; deed <= DETACHES; deed++) {
        struct plan plan = {.deed = deed};
        ssize_t size = run(&plan);

        CHECK(size == 0 || size == -ECONNRESET); /* what the client has sent was not read */
    }
}

TEST(server_connection_whose_tls_fails_is_gone)
{
    for (enum deed deed = STARTS_TLS; deed <= STARTS_TLS_AND_CLOSES; deed++) {
        struct plan plan = {.deed = deed};

        (void)run(&plan);
        CHECK_EQ(plan.tls, EDDY_ETLS_NOT_TLS);
    }
}

TEST(server_closes_what_tls_has_put_in_the_place_of_a_connection)
{
    for (enum deed deed = STARTS_TLS; deed <= STARTS_TLS_AND_CLOSES; deed++) {
        struct plan plan = {.deed = deed, .client_speaks_tls = true};

        CHECK_EQ(run(&plan), 0); /* with its goodbye */
        CHECK_EQ(plan.tls, 0);
    }
}

/* What a handler has left half must not look as if it were whole. */
TEST(server_says_no_goodbye_for_a_handler_that_failed)
{
    struct plan plan = {.deed = STARTS_TLS, .client_speaks_tls = true, .result = -ECONNRESET};

    CHECK_EQ(run(&plan), EDDY_ETLS_TRUNCATED);
}

TEST(server_breaks_the_stream_that_tls_has_put_in_the_place_of_a_connection)
{
    struct plan plan = {.deed = READS_TLS, .client_speaks_tls = true};
    EDDY_DEFER(end, &plan);
    EDDY_SERVER server = NULL;
    EDDY_STREAM client = NULL;
    char data[4];

    CHECK_OK(begin(&plan, &server, &client));
    CHECK_OK(eddy_read_exactly(client, data, sizeof data));
    eddy_server_abort_clients(server);
    CHECK_OK(eddy_server_shutdown(server, 10));
    CHECK_EQ(eddy_read(client, data, 1), -ECONNRESET);
}
