/* SPDX-License-Identifier: MIT */
/* TLS over sockets, with others at the other end: OpenSSL's programs, curl, Python. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "net/tls_certificate.h"

/* Runs a test in real time. */
#define IN_REAL_TIME(f, ...)                                                                       \
    do {                                                                                           \
        eddy_test_plan real_plan = {.real_clock = true};                                           \
        CHECK_OK(eddy_test_run(&real_plan, EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__)));              \
    } while (0)

static void need(const char *program)
{
    char command[128];

    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    if (test_is_on_valgrind())
        test_skip("valgrind goes into the other program, too, which takes too long");
    if (system(command) != 0)
        test_skip(program);
}

/* A command of the shell's, in a thread: its output, and its status. */
struct command {
    char text[1024], output[4096];
    int status;
};

static int command_run(struct command *command)
{
    FILE *pipe = popen(command->text, "r");
    size_t size;

    if (!pipe)
        return -errno;
    size = fread(command->output, 1, sizeof command->output - 1, pipe);
    command->output[size] = '\0';
    command->status = pclose(pipe);
    return 0;
}
EDDY_ASYNC(command_run, struct command *);

/* A program that runs beside the test, whose output is read. */
struct program {
    pid_t pid;
    eddy_stream *output;
};

static int program_start(struct program *program, const char *command)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    program->pid = fork();
    if (program->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    return eddy_stream_from_fd(ends[0], &program->output);
}

static void program_end(struct program *program)
{
    if (program->pid > 0) {
        kill(program->pid, SIGKILL);
        waitpid(program->pid, NULL, 0);
    }
    (void)eddy_stream_close(&program->output);
}

/* The port in the first line of its output that has the word. */
static int program_port(struct program *program, const char *word, uint16_t *port)
{
    EDDY_TIMEOUT(limit, 10);
    char line[256];
    ssize_t n;

    while ((n = eddy_read_line(program->output, line, sizeof line)) > 0) {
        const char *colon = strstr(line, word) ? strrchr(line, ':') : NULL;

        if (colon) {
            *port = (uint16_t)strtoul(colon + 1, NULL, 10);
            return 0;
        }
    }
    return n < 0 ? (int)n : -ENODATA;
}

/* Eddy is the server. */

static int echo(eddy_stream *client, void *unused)
{
    char data[4096];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read(client, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(client, data, (size_t)size));
    return (int)size;
}

static int page(eddy_stream *client, void *unused)
{
    char line[512];
    ssize_t size;

    (void)unused;
    while ((size = eddy_read_line(client, line, sizeof line)) > 2)
        continue;
    EDDY_TRY((int)size);
    return eddy_printf(client, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                               "Connection: close\r\n\r\nhello");
}

/* Serves while a command runs, in whose text %u is the port and %s the root's file. */
static int
serve_command(eddy_connection_handler *handler, const char *text, struct command *command)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    eddy_server_options wrap = {.wrap = eddy_tls_serve};
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_tls_server_context(&options, &context));
    wrap.wrap_argument = context;
    EDDY_TRY(eddy_start_server_with("tls://127.0.0.1:0", &wrap, handler, NULL, &server));
    *command = (struct command){.status = -1};
    snprintf(command->text, sizeof command->text, text, eddy_server_port(server),
             certificate_file(certificate_root()->pem));
    EDDY_TRY(eddy_to_thread(command_run, command));
    if (command->status != 0)
        fprintf(stderr, "%s\n%s\n", command->text, command->output);
    return eddy_expect_equal(command->status, 0);
}

static int serve_s_client(const char *version)
{
    struct command command;
    char text[512];

    snprintf(text, sizeof text,
             "(echo hello; sleep 0.3) | timeout 10 openssl s_client -connect 127.0.0.1:%%u "
             "-CAfile %%s -verify_return_error -verify_hostname a.test -servername a.test %s "
             "-quiet -no_ign_eof 2>&1",
             version);
    EDDY_TRY(serve_command(echo, text, &command));
    return eddy_expect(strstr(command.output, "hello\n") != NULL);
}
EDDY_ASYNC(serve_s_client, const char *);

RAW_TEST(tls_serves_openssl)
{
    need("openssl");
    IN_REAL_TIME(serve_s_client, "-tls1_2");
    IN_REAL_TIME(serve_s_client, "-tls1_3");
}

static int serve_curl(void)
{
    struct command command;

    EDDY_TRY(serve_command(page,
                           "port=%u; timeout 10 curl -sS --cacert %s "
                           "https://127.0.0.1:$port/ 2>&1",
                           &command));
    return eddy_expect(strcmp(command.output, "hello") == 0);
}
EDDY_ASYNC(serve_curl);

RAW_TEST(tls_serves_curl)
{
    need("curl");
    IN_REAL_TIME(serve_curl);
}

static const char python_client[] =
    "import socket, ssl, sys\n"
    "context = ssl.create_default_context(cafile=sys.argv[2])\n"
    "plain = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)\n"
    "tls = context.wrap_socket(plain, server_hostname='a.test')\n"
    "for size in 1, 100, 70000:\n"
    "    data = bytes(i % 251 for i in range(size))\n"
    "    tls.sendall(data)\n"
    "    got = b''\n"
    "    while len(got) < size:\n"
    "        got += tls.recv(size - len(got))\n"
    "    assert got == data\n"
    "tls.unwrap().close()\n"
    "print('done')\n";

static int serve_python(void)
{
    struct command command;
    char text[512];

    snprintf(text, sizeof text, "timeout 20 python3 %s %%u %%s 2>&1",
             certificate_file(python_client));
    EDDY_TRY(serve_command(echo, text, &command));
    return eddy_expect(strcmp(command.output, "done\n") == 0);
}
EDDY_ASYNC(serve_python);

/* A-TLS-4: Python's unwrap waits for the goodbye of the server. */
RAW_TEST(tls_serves_python)
{
    need("python3");
    IN_REAL_TIME(serve_python);
}

/* Eddy is the client. */

static int ask(uint16_t port, const char *version, const char *text, const char *expected)
{
    eddy_tls_options options = tls_client_options();
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_STREAM peer = NULL;
    eddy_tls_info info;
    char line[64];
    ssize_t n;

    EDDY_TRY(eddy_tls_client_context(&options, &context));
    EDDY_TRY(eddy_tls_connect("127.0.0.1", port, context, NULL, &peer));
    EDDY_TRY(eddy_tls_get_info(peer, &info));
    EDDY_TRY(eddy_expect(strcmp(info.version, version) == 0));
    EDDY_TRY(eddy_write(peer, text, strlen(text)));
    n = eddy_read_line(peer, line, sizeof line);
    EDDY_TRY((int)n);
    EDDY_TRY(eddy_expect(strcmp(line, expected) == 0));
    return eddy_stream_close(&peer);
}

static int ask_s_server(const char *option, const char *version)
{
    struct program program = {0};
    EDDY_DEFER(program_end, &program);
    char text[512];
    uint16_t port = 0;

    snprintf(text, sizeof text,
             "exec openssl s_server -accept 127.0.0.1:0 -cert %s -key %s -rev %s",
             certificate_file(certificate_server()->pem),
             certificate_file(certificate_server()->key_pem), option);
    EDDY_TRY(program_start(&program, text));
    EDDY_TRY(program_port(&program, "ACCEPT", &port));
    EDDY_TRY(ask(port, version, "hello\n", "olleh\n"));
    return ask(port, version, "again\n", "niaga\n");
}
EDDY_ASYNC(ask_s_server, const char *, const char *);

RAW_TEST(tls_speaks_with_openssl)
{
    need("openssl");
    IN_REAL_TIME(ask_s_server, "-tls1_2", "TLSv1.2");
    IN_REAL_TIME(ask_s_server, "-tls1_3", "TLSv1.3");
}

static const char python_server[] =
    "import asyncio, ssl, sys\n"
    "context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\n"
    "context.load_cert_chain(sys.argv[1], sys.argv[2])\n"
    "async def serve(reader, writer):\n"
    "    while data := await reader.read(5000):\n"
    "        writer.write(data)\n"
    "        await writer.drain()\n"
    "    writer.close()\n"
    "async def main():\n"
    "    server = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=context)\n"
    "    print('port: %d' % server.sockets[0].getsockname()[1], flush=True)\n"
    "    await server.serve_forever()\n"
    "asyncio.run(main())\n";

static int ask_asyncio(void)
{
    struct program program = {0};
    EDDY_DEFER(program_end, &program);
    char text[512];
    uint16_t port = 0;

    snprintf(text, sizeof text, "exec python3 %s %s %s", certificate_file(python_server),
             certificate_file(certificate_server()->pem),
             certificate_file(certificate_server()->key_pem));
    EDDY_TRY(program_start(&program, text));
    EDDY_TRY(program_port(&program, "port", &port));
    EDDY_TRY(ask(port, "TLSv1.3", "hello\n", "hello\n"));
    return ask(port, "TLSv1.3", "again\n", "again\n");
}
EDDY_ASYNC(ask_asyncio);

RAW_TEST(tls_speaks_with_asyncio)
{
    need("python3");
    IN_REAL_TIME(ask_asyncio);
}

/* tls:// */

static int connect_itself(void)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    eddy_server_options wrap = {.wrap = eddy_tls_serve};
    EDDY_SERVER server = NULL;
    EDDY_STREAM peer = NULL;
    char place[64], data[8];

    EDDY_TRY(eddy_tls_server_context(&options, &context));
    EDDY_TRY(
        eddy_expect_error(eddy_start_server("tls://127.0.0.1:0", echo, NULL, &server), -EINVAL));
    wrap.wrap_argument = context;
    EDDY_TRY(eddy_start_server_with("tls://127.0.0.1:0", &wrap, echo, NULL, &server));
    snprintf(place, sizeof place, "tls://127.0.0.1:%u", eddy_server_port(server));
    EDDY_TRY(eddy_connect(place, &peer));
    EDDY_TRY(eddy_expect(strcmp(eddy_stream_kind(peer), "tls") == 0));
    EDDY_TRY(eddy_expect(strncmp(eddy_stream_peer_name(peer), "127.0.0.1:", 10) == 0));
    EDDY_TRY(eddy_write(peer, "ping", 4));
    EDDY_TRY(eddy_read_exactly(peer, data, 4));
    return eddy_stream_close(&peer);
}
EDDY_ASYNC(connect_itself);

RAW_TEST(tls_is_a_kind_of_place)
{
    setenv("SSL_CERT_FILE", certificate_file(certificate_root()->pem), 1);
    IN_REAL_TIME(connect_itself);
}

/* A-TLS-2, -6: a client that speaks plain text never comes to the handler; the loop is told. */
static int serve_plain_text(void)
{
    struct command command;
    const char *report;

    test_watch_reports(eddy_get_running_loop());
    EDDY_TRY(serve_command(
        page, "timeout 10 curl -sS http://127.0.0.1:%u/ 2>&1 || echo failed; : %s", &command));
    report = test_report();
    EDDY_TRY(eddy_expect(strstr(report, "it began with \"GET / HT\"") != NULL));
    return eddy_expect(strstr(command.output, "failed") != NULL);
}
EDDY_ASYNC(serve_plain_text);

RAW_TEST(tls_server_reports_a_client_that_speaks_plain_text)
{
    need("curl");
    IN_REAL_TIME(serve_plain_text);
}
