/* SPDX-License-Identifier: MIT */
/* A server's handler, tested without a network and without waiting: its client has the other
 * end of a stream in memory, and the clock is virtual. */
#include <eddy.h>
#include <eddy/test.h>
#include <stdio.h>
#include <string.h>

/* What is tested: greets whoever gives his name within five seconds. */
static int greet(eddy_stream *client, void *unused)
{
    char name[32];
    ssize_t size;

    (void)unused;
    {
        EDDY_TIMEOUT(patience, 5);
        size = eddy_read_line(client, name, sizeof name);
    }
    if (size == -ETIMEDOUT)
        return eddy_printf(client, "Too slow!\n");
    if (size == EDDY_ELIMIT) {
        EDDY_TRY(eddy_skip_until(client, "\n", 1)); /* the whole line, which is still there */
        return eddy_printf(client, "Too long!\n");
    }
    EDDY_TRY(size);
    return eddy_printf(client, "Hello, %.*s!\n", (int)strcspn(name, "\r\n"), name);
}

/* What a server does: closes the stream behind its handler, however that ends. */
static int serve(eddy_stream **client)
{
    int rc = greet(*client, NULL);

    (void)eddy_stream_close(client);
    return rc;
}
EDDY_ASYNC(serve, eddy_stream **);

/* A client: gives its name after a pause, and compares the answer, behind which is the end. */
static int talk(eddy_stream *server, const char *name, double pause, const char *right)
{
    char answer[64];
    int rc;

    EDDY_TRY(eddy_sleep(pause));
    rc = eddy_printf(server, "%s\r\n", name);
    if (rc != -EPIPE) /* it has hung up, and said why */
        EDDY_TRY(rc);
    EDDY_TRY(eddy_read_line(server, answer, sizeof answer));
    EDDY_TRY(eddy_expect(strcmp(answer, right) == 0));
    EDDY_TRY(rc = (int)eddy_read(server, answer, sizeof answer));
    return eddy_expect_equal(rc, 0);
}
EDDY_ASYNC(talk, eddy_stream *, const char *, double, const char *);

static int converse(const char *name, double pause, const char *right)
{
    EDDY_STREAM near = NULL, far = NULL;

    EDDY_TRY(eddy_stream_pair(&near, &far));
    return eddy_gather(EDDY_CALL(serve, &near), EDDY_CALL(talk, far, name, pause, right));
}

static int test_greeting(void)
{
    EDDY_TRY(converse("Anna", 4, "Hello, Anna!\n"));
    EDDY_TRY(converse("Bertram", 6, "Too slow!\n"));
    EDDY_TRY(converse("Karl Friedrich Hieronymus von Muenchhausen", 1, "Too long!\n"));
    return eddy_expect(eddy_time() == 4 + 6 + 1);
}
EDDY_ASYNC(test_greeting);

int main(void)
{
    int rc = eddy_test_thoroughly(test_greeting);

    printf("%s\n", rc < 0 ? eddy_error_message(rc) : "passed");
    return rc < 0;
}
