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
    EDDY_TRY(size);
    return eddy_printf(client, "Hello, %.*s!\n", (int)strcspn(name, "\r\n"), name);
}
EDDY_ASYNC(greet, eddy_stream *, void *);

/* A client: gives its name after a pause, and compares the answer. */
static int talk(eddy_stream *server, const char *name, double pause, const char *right)
{
    char answer[64];

    EDDY_TRY(eddy_sleep(pause));
    EDDY_TRY(eddy_printf(server, "%s\r\n", name));
    EDDY_TRY(eddy_read_line(server, answer, sizeof answer));
    return eddy_expect(strcmp(answer, right) == 0);
}
EDDY_ASYNC(talk, eddy_stream *, const char *, double, const char *);

static int test_greeting(void)
{
    EDDY_STREAM near = NULL;
    EDDY_STREAM far = NULL;

    EDDY_TRY(eddy_stream_pair(&near, &far));
    EDDY_TRY(eddy_gather(EDDY_CALL(greet, near, NULL),
                         EDDY_CALL(talk, far, "Anna", 4, "Hello, Anna!\n")));
    EDDY_TRY(eddy_gather(EDDY_CALL(greet, near, NULL),
                         EDDY_CALL(talk, far, "Bertram", 6, "Too slow!\n")));
    return eddy_expect(eddy_time() == 4 + 6);
}
EDDY_ASYNC(test_greeting);

int main(void)
{
    int rc = eddy_test_thoroughly(test_greeting);

    printf("%s\n", rc < 0 ? eddy_error_message(rc) : "passed");
    return rc < 0;
}
