/* SPDX-License-Identifier: MIT */
/* WebSockets with others at the other end: Python's aiohttp, and Node's ws. */
#include <eddy/web.h>
#include <eddy/websocket.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compat.h"
#include "harness.h"

/* Runs a test in real time. */
#define IN_REAL_TIME(f, ...)                                                                       \
    do {                                                                                           \
        eddy_test_plan real_plan = {.real_clock = true};                                           \
        CHECK_OK(eddy_test_run(&real_plan, EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__)));              \
    } while (0)

static void need(const char *command, const char *what)
{
    if (test_is_on_valgrind())
        test_skip("valgrind goes into the other program, too, which takes too long");
    if (system(command) != 0)
        test_skip(what);
}
#define PYTHON "/usr/bin/python3" /* the one that python3-aiohttp is for */
#define NEED_AIOHTTP need("/usr/bin/python3 -c 'import aiohttp' 2>/dev/null", "python3-aiohttp")
#define NEED_NODE                                                                                  \
    need("NODE_PATH=/usr/share/nodejs node -e 'require(\"ws\")' 2>/dev/null", "node-ws")

/* Echo servers; each prints its port. */
static const char aiohttp_server[] =
    "import aiohttp, aiohttp.web as web, asyncio\n"
    "async def echo(request):\n"
    "    ws = web.WebSocketResponse(protocols=('superchat',))\n"
    "    await ws.prepare(request)\n"
    "    async for m in ws:\n"
    "        if m.type == aiohttp.WSMsgType.TEXT: await ws.send_str(m.data)\n"
    "        else: await ws.send_bytes(m.data)\n"
    "    return ws\n"
    "async def main():\n"
    "    app = web.Application()\n"
    "    app.router.add_get('/', echo)\n"
    "    runner = web.AppRunner(app)\n"
    "    await runner.setup()\n"
    "    site = web.TCPSite(runner, '127.0.0.1', 0)\n"
    "    await site.start()\n"
    "    print('port', site._server.sockets[0].getsockname()[1], flush=True)\n"
    "    await asyncio.sleep(60)\n"
    "asyncio.run(main())\n";

static const char node_server[] =
    "const { WebSocketServer } = require('ws');\n"
    "const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 26,\n"
    "    perMessageDeflate: { threshold: 0 },\n"
    "    handleProtocols: p => p.has('superchat') ? 'superchat' : false });\n"
    "server.on('listening', () => console.log('port', server.address().port));\n"
    "server.on('connection', s => s.on('message', (d, b) => s.send(d, { binary: b })));\n";

/* Starts a script whose output begins with "port N"; that port, or an error. */
static int
script_start(const char *program, const char *option, const char *script, eddy_process **process)
{
    char line[64];
    const char *arguments[] = {"env", "NODE_PATH=/usr/share/nodejs", program, option, script, NULL};
    eddy_process_options options = {.out = EDDY_PIPE};

    EDDY_TRY(eddy_create_subprocess_exec(arguments, &options, process));
    EDDY_TRY((int)eddy_read_line(eddy_process_out(*process), line, sizeof line));
    return strncmp(line, "port ", 5) == 0 ? (int)strtol(line + 5, NULL, 10) : -ENODATA;
}

static int
exchange(eddy_websocket *socket, enum eddy_message_kind kind, const char *data, size_t size)
{
    eddy_message message;

    EDDY_TRY(eddy_websocket_send(socket, kind, data, size));
    REQUIRE(eddy_websocket_receive(socket, &message) == 1);
    REQUIRE(message.kind == kind && message.size == size);
    REQUIRE(memcmp(message.text, data, size) == 0);
    return 0;
}

/* Messages of all sizes, whole and in pieces, there and back. */
static int exchange_all(eddy_websocket *socket)
{
    static char data[300000];
    eddy_message message;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)("etaoin shrdlu"[i * i % 13]);
    for (size_t size = 0; size <= sizeof data; size = 3 * size + 5)
        EDDY_TRY(exchange(socket, size % 2 ? EDDY_MESSAGE_TEXT : EDDY_MESSAGE_BINARY, data, size));
    for (int i = 0; i < 4; i++)
        EDDY_TRY(eddy_websocket_send_piece(socket, EDDY_MESSAGE_TEXT, data, 1000, i == 3));
    REQUIRE(eddy_websocket_receive(socket, &message) == 1 && message.size == 4000);
    return eddy_websocket_ping(socket, "are you there?", 14);
}

/* Eddy is the client. */
static int against_server(const char *program, const char *option, const char *script, bool plain)
{
    EDDY_TIMEOUT(limit, 60);
    EDDY_PROCESS process = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    eddy_websocket_options options = {
        .protocols = "chat, superchat", .no_compression = plain, .close_time = 50};
    char url[64];
    int port;

    EDDY_TRY(port = script_start(program, option, script, &process));
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    EDDY_TRY(eddy_http_session_open(NULL, &session));
    EDDY_TRY(eddy_websocket_connect(session, url, &options, &socket));
    REQUIRE(strcmp(eddy_websocket_protocol(socket), "superchat") == 0);
    EDDY_TRY(exchange_all(socket));
    EDDY_TRY(eddy_websocket_begin_close(socket, 4321, "enough"));
    return eddy_websocket_close(&socket);
}
EDDY_ASYNC(against_server, const char *, const char *, const char *, bool);

RAW_TEST(websocket_talks_to_a_server_of_aiohttp)
{
    NEED_AIOHTTP;
    IN_REAL_TIME(against_server, PYTHON, "-c", aiohttp_server, false);
    IN_REAL_TIME(against_server, PYTHON, "-c", aiohttp_server, true);
}

RAW_TEST(websocket_talks_to_a_server_of_node)
{
    NEED_NODE;
    IN_REAL_TIME(against_server, "node", "-e", node_server, false);
    IN_REAL_TIME(against_server, "node", "-e", node_server, true);
}

/* Eddy is the server. */

/* Clients: each says all it has to say to the port that is its argument. */
static const char aiohttp_client[] =
    "import aiohttp, asyncio, sys\n"
    "async def main():\n"
    "    async with aiohttp.ClientSession() as session:\n"
    "        url = 'http://127.0.0.1:' + sys.argv[1] + '/'\n"
    "        async with session.ws_connect(url, protocols=('no', 'superchat'), compress=15,\n"
    "                                      max_msg_size=0) as ws:\n"
    "            assert ws.protocol == 'superchat' and ws.compress\n"
    "            for n in (0, 1, 125, 126, 1000, 65535, 65536, 300000):\n"
    "                await ws.send_str('\\u20ac' * n)\n"
    "                assert await ws.receive_str() == '\\u20ac' * n\n"
    "                await ws.send_bytes(b'\\xff' * n)\n"
    "                assert await ws.receive_bytes() == b'\\xff' * n\n"
    "            await ws.ping()\n"
    "            assert await ws.close(code=4000)\n"
    "            print('code', ws.close_code)\n"
    "asyncio.run(main())\n";

static const char node_client[] =
    "const { WebSocket } = require('ws');\n"
    "const s = new WebSocket('ws://127.0.0.1:' + process.argv[1] + '/', ['no', 'superchat'],\n"
    "    { perMessageDeflate: { threshold: 0 } });\n"
    "const sizes = [0, 1, 125, 126, 1000, 65535, 65536, 300000];\n"
    "let next = 0;\n"
    "const send = () => next < sizes.length ? s.send('\\u20ac'.repeat(sizes[next])) : s.ping();\n"
    "s.on('open', send);\n"
    "s.on('message', d => {\n"
    "    if (d.toString() !== '\\u20ac'.repeat(sizes[next])) throw 'wrong echo';\n"
    "    next++; send(); });\n"
    "s.on('pong', () => s.close(4000, 'enough'));\n"
    "s.on('close', c => console.log('code', s.extensions.includes('deflate') ? c : 'none'));\n";

static int serve_echo(eddy_web_request *request, void *code)
{
    const eddy_websocket_options options = {.protocols = "superchat"};
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    EDDY_TRY(eddy_websocket_accept(request, &options, &socket));
    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        EDDY_TRY(eddy_websocket_send(socket, message.kind, message.text, message.size));
    *(int *)code = eddy_websocket_close_code(socket);
    return rc;
}

static int against_client(const char *program, const char *option, const char *script)
{
    EDDY_TIMEOUT(limit, 60);
    EDDY_PROCESS process = NULL;
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    eddy_process_options options = {.out = EDDY_PIPE};
    char port[16], line[64];
    int code = 0;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", serve_echo, &code));
    EDDY_TRY(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    snprintf(port, sizeof port, "%u", eddy_server_port(eddy_web_server_listener(server)));
    const char *arguments[] = {"env", "NODE_PATH=/usr/share/nodejs", program, option, script, port,
                               NULL};
    EDDY_TRY(eddy_create_subprocess_exec(arguments, &options, &process));
    EDDY_TRY((int)eddy_read_line(eddy_process_out(process), line, sizeof line));
    REQUIRE(strcmp(line, "code 4000\n") == 0 && code == 4000);
    return 0;
}
EDDY_ASYNC(against_client, const char *, const char *, const char *);

RAW_TEST(websocket_serves_a_client_of_aiohttp)
{
    NEED_AIOHTTP;
    IN_REAL_TIME(against_client, PYTHON, "-c", aiohttp_client);
}

RAW_TEST(websocket_serves_a_client_of_node)
{
    NEED_NODE;
    IN_REAL_TIME(against_client, "node", "-e", node_client);
}
