/* SPDX-License-Identifier: MIT */
/*
 * Peers of other makes: socat, nc and Python's asyncio, on both ends. Each test starts the
 * program and talks to it in real time; without the program it is skipped.
 */
#include <signal.h>

#include "net/peer.h"

#define VOLUME 300000 /* bytes there and back */

/* A program, with its standard input and output. */
struct program {
    pid_t pid;
    int in, out; /* -1: closed, or a stream's */
};

static void program_end(struct program *program)
{
    peer_close(&program->in);
    peer_close(&program->out);
    if (program->pid > 0) {
        (void)kill(program->pid, SIGKILL);
        (void)waitpid(program->pid, NULL, 0);
    }
    program->pid = 0;
}

#define PROGRAM(name) EDDY_CLEANUP_(program_end) struct program name = {0, -1, -1}

/* Starts a program of PATH; the test is skipped when there is none. */
static int program_start(struct program *program, const char *const *words)
{
    int in[2], out[2];
    char found[300];

    snprintf(found, sizeof found, "command -v %s >/dev/null", words[0]);
    if (system(found) != 0) {
        snprintf(found, sizeof found, "there is no %s here", words[0]);
        test_skip(found);
    }
    REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    program->pid = fork();
    if (program->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    program->in = in[1];
    program->out = out[0];
    return 0;
}

#define START(program, ...) program_start((program), (const char *const[]){__VA_ARGS__, NULL})

static int echo(eddy_stream *stream, void *argument)
{
    char data[20000];
    ssize_t size;

    (void)argument;
    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    return (int)size;
}

static int send_sequence(eddy_stream *stream, bool closes)
{
    char data[7000];

    for (size_t at = 0; at < VOLUME; at += sizeof data) {
        size_t step = VOLUME - at < sizeof data ? VOLUME - at : sizeof data;

        peer_fill(data, at, step);
        EDDY_TRY(eddy_write(stream, data, step));
    }
    return closes ? eddy_stream_close(&stream) : eddy_write_eof(stream);
}
EDDY_ASYNC(send_sequence, eddy_stream *, bool);

static int receive_sequence(eddy_stream *stream)
{
    static char data[VOLUME];

    EDDY_TRY(eddy_read_exactly(stream, data, sizeof data));
    REQUIRE(peer_is_filled(data, 0, sizeof data));
    REQUIRE(eddy_read(stream, data, 1) == 0);
    return 0;
}
EDDY_ASYNC(receive_sequence, eddy_stream *);

/* Sends the sequence to a program that echoes, half-closes, and reads it back. */
static int talk_to(const char *place)
{
    EDDY_STREAM stream = NULL;
    int rc = -ECONNREFUSED;

    for (int i = 0; i < 1000 && (rc == -ECONNREFUSED || rc == -ENOENT); i++) { /* it is starting */
        rc = eddy_connect(place, &stream);
        if (rc < 0)
            EDDY_TRY(eddy_sleep(0.01));
    }
    EDDY_TRY(rc);
    return eddy_gather(EDDY_CALL(send_sequence, stream, false),
                       EDDY_CALL(receive_sequence, stream));
}
EDDY_ASYNC(talk_to, const char *);

/* Sends the sequence through a program that is a client of an echo server. */
static int talk_through(struct program *program)
{
    EDDY_STREAM in = NULL;
    EDDY_STREAM out = NULL;
    eddy_stream *taken;

    EDDY_TRY(eddy_stream_from_fd(program->in, &in));
    program->in = -1;
    EDDY_TRY(eddy_stream_from_fd(program->out, &out));
    program->out = -1;
    taken = in;
    in = NULL;
    return eddy_gather(EDDY_CALL(send_sequence, taken, true), EDDY_CALL(receive_sequence, out));
}

static int free_port(void)
{
    PEER_FD probe = peer_listen("127.0.0.1", 0, 1);

    return peer_port(probe);
}

static int in_real_time(eddy_call call)
{
    setenv("EDDY_CLOCK", "real", 1);
    return eddy_run_call(call);
}

/* socat. */

RAW_TEST(socat_listens_at_a_port)
{
    PROGRAM(socat);
    char address[80], place[40];
    int port = free_port();

    snprintf(address, sizeof address, "TCP-LISTEN:%d,bind=127.0.0.1,reuseaddr", port);
    snprintf(place, sizeof place, "tcp://127.0.0.1:%d", port);
    CHECK_OK(START(&socat, "socat", "-t10", address, "EXEC:cat"));
    CHECK_OK(in_real_time(EDDY_CALL(talk_to, place)));
}

RAW_TEST(socat_listens_at_a_path)
{
    PROGRAM(socat);
    char address[80], path[40], place[50];
    int rc;

    snprintf(path, sizeof path, "/tmp/eddy-socat-%d", getpid());
    snprintf(address, sizeof address, "UNIX-LISTEN:%s", path);
    snprintf(place, sizeof place, "unix:%s", path);
    CHECK_OK(START(&socat, "socat", "-t10", address, "EXEC:cat"));
    rc = in_real_time(EDDY_CALL(talk_to, place));
    (void)unlink(path);
    CHECK_OK(rc);
}

static int serve_socat(void)
{
    EDDY_SERVER server = NULL;
    char places[100], address[100], path[50];

    snprintf(path, sizeof path, "/tmp/eddy-peers-%d", getpid());
    snprintf(places, sizeof places, "tcp://127.0.0.1:0,unix:%s", path);
    EDDY_TRY(eddy_start_server(places, echo, NULL, &server));
    for (int i = 0; i < 2; i++) {
        PROGRAM(socat);

        if (i == 0)
            snprintf(address, sizeof address, "TCP:127.0.0.1:%d", eddy_server_port(server));
        else
            snprintf(address, sizeof address, "UNIX-CONNECT:%s", path);
        EDDY_TRY(START(&socat, "socat", "-t10", "-", address));
        EDDY_TRY(talk_through(&socat));
    }
    return 0;
}
EDDY_ASYNC(serve_socat);

RAW_TEST(socat_connects_to_a_server)
{
    CHECK_OK(in_real_time(EDDY_CALL(serve_socat)));
}

/* nc. */

static int serve_nc(void)
{
    EDDY_SERVER server = NULL;
    PROGRAM(nc);
    char port[8];

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    snprintf(port, sizeof port, "%d", eddy_server_port(server));
    EDDY_TRY(START(&nc, "nc", "-N", "127.0.0.1", port));
    return talk_through(&nc);
}
EDDY_ASYNC(serve_nc);

RAW_TEST(nc_connects_to_a_server)
{
    CHECK_OK(in_real_time(EDDY_CALL(serve_nc)));
}

/* What is sent to nc comes out of it, and the other way round. */
static int talk_to_nc(struct program *nc, const char *place)
{
    EDDY_STREAM stream = NULL;
    EDDY_STREAM out = NULL;
    int rc = -ECONNREFUSED;

    for (int i = 0; i < 1000 && rc == -ECONNREFUSED; i++) {
        rc = eddy_connect(place, &stream);
        if (rc < 0)
            EDDY_TRY(eddy_sleep(0.01));
    }
    EDDY_TRY(rc);
    EDDY_TRY(eddy_stream_from_fd(nc->out, &out));
    nc->out = -1;
    return eddy_gather(EDDY_CALL(send_sequence, stream, false), EDDY_CALL(receive_sequence, out));
}
EDDY_ASYNC(talk_to_nc, struct program *, const char *);

RAW_TEST(nc_listens_at_a_port)
{
    PROGRAM(nc);
    char port[8], place[40];

    snprintf(port, sizeof port, "%d", free_port());
    snprintf(place, sizeof place, "tcp://127.0.0.1:%s", port);
    CHECK_OK(START(&nc, "nc", "-lN", "127.0.0.1", port));
    peer_close(&nc.in);
    CHECK_OK(in_real_time(EDDY_CALL(talk_to_nc, &nc, place)));
}

/* Python's asyncio: the other implementation of the same model. */

static const char asyncio_server[] =
    "import asyncio\n"
    "async def echo(reader, writer):\n"
    "    while data := await reader.read(5000):\n"
    "        writer.write(data)\n"
    "        await writer.drain()\n"
    "    writer.write_eof()\n"
    "    writer.close()\n"
    "    await writer.wait_closed()\n"
    "async def main():\n"
    "    server = await asyncio.start_server(echo, '127.0.0.1', 0)\n"
    "    print(server.sockets[0].getsockname()[1], flush=True)\n"
    "    async with server:\n"
    "        await server.serve_forever()\n"
    "asyncio.run(main())\n";

static int talk_to_asyncio(struct program *python)
{
    EDDY_STREAM out = NULL;
    char port[16], place[48];

    EDDY_TRY(eddy_stream_from_fd(python->out, &out));
    python->out = -1;
    REQUIRE(eddy_read_line(out, port, sizeof port) > 1);
    snprintf(place, sizeof place, "tcp://127.0.0.1:%d", (int)strtol(port, NULL, 10));
    for (int i = 0; i < 3; i++)
        EDDY_TRY(talk_to(place));
    return 0;
}
EDDY_ASYNC(talk_to_asyncio, struct program *);

RAW_TEST(asyncio_serves_a_stream)
{
    PROGRAM(python);

    CHECK_OK(START(&python, "python3", "-c", asyncio_server));
    CHECK_OK(in_real_time(EDDY_CALL(talk_to_asyncio, &python)));
}

/* Reads what the server says in each of asyncio's ways; says how it went. */
static const char asyncio_client[] =
    "import asyncio, sys\n"
    "async def main():\n"
    "    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))\n"
    "    data = bytes(range(256)) * 2000 + b'the end\\n'\n"
    "    async def send():\n"
    "        for at in range(0, len(data), 9000):\n"
    "            writer.write(data[at:at + 9000])\n"
    "            await writer.drain()\n"
    "        writer.write_eof()\n"
    "    sender = asyncio.create_task(send())\n"
    "    first = await reader.readexactly(512000)\n"
    "    assert first == data[:512000]\n"
    "    assert await reader.readline() == b'the end\\n'\n"
    "    assert await reader.read() == b''\n"
    "    await sender\n"
    "    writer.close()\n"
    "    await writer.wait_closed()\n"
    "    print('well', flush=True)\n"
    "asyncio.run(main())\n";

static int serve_asyncio(void)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM out = NULL;
    PROGRAM(python);
    char port[8], line[16];

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    snprintf(port, sizeof port, "%d", eddy_server_port(server));
    EDDY_TRY(START(&python, "python3", "-c", asyncio_client, port));
    EDDY_TRY(eddy_stream_from_fd(python.out, &out));
    python.out = -1;
    REQUIRE(eddy_read_line(out, line, sizeof line) == 5 && strcmp(line, "well\n") == 0);
    return 0;
}
EDDY_ASYNC(serve_asyncio);

RAW_TEST(asyncio_connects_to_a_server)
{
    CHECK_OK(in_real_time(EDDY_CALL(serve_asyncio)));
}
