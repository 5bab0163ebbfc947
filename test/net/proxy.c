/* SPDX-License-Identifier: MIT */
/*
 * An exchange over a network that does its worst: a proxy of the test's between client and
 * server passes bytes on one by one, and cuts both connections behind the n-th, for every n of
 * the exchange. Bytes out of a stream are a prefix of the bytes in; an error on one connection
 * changes nothing on another.
 */
#include "net/peer.h"

enum cut { RESET, CLOSE };

static struct {
    const eddy_address *server;
    size_t budget, passed; /* bytes that may pass, and that have */
    size_t slice;          /* bytes at once */
    enum cut cut;
} proxy;

/* Answers each line by its length, until the end. */
static int count_lines(eddy_stream *stream, void *argument)
{
    char line[64];
    ssize_t size;

    (void)argument;
    while ((size = eddy_read_line(stream, line, sizeof line)) > 0)
        EDDY_TRY(eddy_printf(stream, "%zd\n", size));
    EDDY_TRY(size);
    return eddy_printf(stream, "bye\n");
}

static void proxy_cut(eddy_stream *stream)
{
    if (proxy.cut == RESET)
        eddy_stream_abort(stream);
}

/* Passes bytes on in one direction; -ECONNABORTED once the budget is used up. */
static int proxy_pump(eddy_stream *from, eddy_stream *to)
{
    char data[64];
    ssize_t size;

    while ((size = eddy_read(from, data, proxy.slice)) > 0) {
        if ((size_t)size > proxy.budget - proxy.passed)
            size = (ssize_t)(proxy.budget - proxy.passed);
        proxy.passed += (size_t)size;
        EDDY_TRY(eddy_write(to, data, (size_t)size));
        EDDY_TRY(eddy_flush(to));
        if (proxy.passed == proxy.budget)
            return -ECONNABORTED;
    }
    EDDY_TRY(size);
    return eddy_write_eof(to);
}
EDDY_ASYNC(proxy_pump, eddy_stream *, eddy_stream *);

static int proxy_run(eddy_stream *client, void *argument)
{
    EDDY_STREAM server = NULL;
    int rc;

    (void)argument;
    EDDY_TRY(eddy_address_connect(proxy.server, NULL, &server));
    rc = eddy_gather(EDDY_CALL(proxy_pump, client, server), EDDY_CALL(proxy_pump, server, client));
    if (rc == -ECONNABORTED) {
        proxy_cut(client);
        proxy_cut(server);
    }
    return rc;
}

/* The client's part: what it reads is written to `answer`, in any case. */
static int client_talk(const eddy_address *address, char *answer, size_t size)
{
    static const char lines[] = "one\nthree\n\na rather long line of text\n";
    EDDY_STREAM stream = NULL;
    size_t got = 0;
    ssize_t n;

    EDDY_TRY(eddy_address_connect(address, NULL, &stream));
    EDDY_TRY(eddy_write(stream, lines, sizeof lines - 1));
    EDDY_TRY(eddy_write_eof(stream));
    while ((n = eddy_read(stream, answer + got, size - 1 - got)) > 0) {
        got += (size_t)n;
        answer[got] = '\0';
    }
    return (int)n;
}

static int exchange_cut_everywhere(enum cut cut, size_t slice)
{
    static const char whole[] = "4\n6\n1\n27\nbye\n";
    EDDY_SERVER server = NULL;
    EDDY_SERVER middle = NULL;
    bool all = false;

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", count_lines, NULL, &server));
    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", proxy_run, NULL, &middle));
    for (size_t budget = 1; !all; budget++) {
        char answer[64] = "", direct[64] = "";
        int rc;

        proxy.server = eddy_server_address(server, 0);
        proxy.budget = budget;
        proxy.passed = 0;
        proxy.slice = slice;
        proxy.cut = cut;
        rc = client_talk(eddy_server_address(middle, 0), answer, sizeof answer);
        REQUIRE(strncmp(answer, whole, strlen(answer)) == 0);
        all = rc == 0 && strcmp(answer, whole) == 0;
        REQUIRE(all || rc == -ECONNRESET || rc == -EPIPE || (rc == 0 && cut == CLOSE));
        REQUIRE(client_talk(proxy.server, direct, sizeof direct) == 0);
        REQUIRE(strcmp(direct, whole) == 0);
        REQUIRE(budget < 200);
    }
    return 0;
}

TEST(exchange_sliced_to_bytes_and_reset_behind_any_of_them)
{
    CHECK_OK(exchange_cut_everywhere(RESET, 1));
}

TEST(exchange_sliced_and_closed_behind_any_byte)
{
    CHECK_OK(exchange_cut_everywhere(CLOSE, 1));
}

TEST(exchange_in_large_slices_cut_behind_any_byte)
{
    CHECK_OK(exchange_cut_everywhere(RESET, 64));
    CHECK_OK(exchange_cut_everywhere(CLOSE, 7));
}
