/* SPDX-License-Identifier: MIT */
/* The client and servers of others: Python's aiohttp, nginx, OpenSSL's s_server. */
#include <eddy/filesystem.h>
#include <eddy/file.h>
#include <eddy/process.h>
#include <eddy/tempfile.h>
#include <eddy/tls.h>
#include <jansson.h>
#include <stdlib.h>

#include "net/peer.h"
#include "net/tls_certificate.h"
#include "stand.h"

/* Runs a test in real time, if the command says that its program is here. */
static void check_real(eddy_call call, const char *needs)
{
    eddy_test_plan plan = {.real_clock = true};

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the other program, too, which takes too long");
    if (system(needs) != 0)
        test_skip(needs);
    CHECK_OK(eddy_test_run(&plan, call));
}

static int peer_start(const char *command, eddy_process **process)
{
    const eddy_process_options options = {.out = EDDY_PIPE, .err = EDDY_STDOUT, .stop_timeout = -1};

    return eddy_create_subprocess_shell(command, &options, process);
}

/* The number behind the last colon of the first line that has a word. */
static int find_port(eddy_process *process, const char *word, unsigned *port)
{
    EDDY_TIMEOUT(limit, 60);
    char line[256];
    ssize_t n;

    while ((n = eddy_read_line(eddy_process_out(process), line, sizeof line)) > 0) {
        const char *colon = strstr(line, word) ? strrchr(line, ':') : NULL;

        if (colon) {
            *port = (unsigned)strtoul(colon + 1, NULL, 10);
            return 0;
        }
    }
    return n < 0 ? (int)n : -ENODATA;
}

/* aiohttp ----------------------------------------------------------------------------------- */

static const char aiohttp_server[] =
    "import asyncio, sys\n"
    "from aiohttp import web\n"
    "async def hello(r): return web.Response(text='hello')\n"
    "async def chunks(r):\n"
    "    s = web.StreamResponse(); s.enable_compression(); await s.prepare(r)\n"
    "    for i in range(100): await s.write(b'0123456789' * 100)\n"
    "    await s.write_eof(); return s\n"
    "async def echo(r): return web.json_response({'method': r.method, 'body': await r.text(),\n"
    "    'length': r.headers.get('Content-Length'), 'query': dict(r.query),\n"
    "    'cookies': dict(r.cookies), 'auth': r.headers.get('Authorization')})\n"
    "async def form(r):\n"
    "    p = await r.post(); f = p['file']\n"
    "    return web.json_response({'a': p['a'], 'name': f.filename, 'size': len(f.file.read())})\n"
    "async def login(r):\n"
    "    a = web.HTTPFound('/echo'); a.set_cookie('session', '42'); raise a\n"
    "async def main():\n"
    "    app = web.Application()\n"
    "    app.add_routes([web.get('/', hello), web.get('/chunks', chunks),\n"
    "        web.route('*', '/echo', echo), web.post('/form', form), web.post('/login', login)])\n"
    "    runner = web.AppRunner(app); await runner.setup()\n"
    "    site = web.TCPSite(runner, '127.0.0.1', 0); await site.start()\n"
    "    print('port:', site._server.sockets[0].getsockname()[1], flush=True)\n"
    "    await asyncio.sleep(1000)\n"
    "asyncio.run(main())\n";

static int get_json(eddy_http_session *session, const char *method, const char *url,
                    const eddy_http_options *options, json_t **value)
{
    EDDY_HTTP_RESPONSE response = NULL;

    EDDY_TRY(eddy_http_request(session, method, url, options, &response));
    EDDY_TRY(eddy_http_raise_for_status(response));
    return eddy_http_json(response, value);
}

/* Whether a member of an object is this text; takes the object with `last`. */
static bool has(json_t *value, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(value, name));

    return text && strcmp(text, expected) == 0;
}

static int check_bodies(eddy_http_session *session)
{
    static char large[200001];
    eddy_http_options with = {.params = EDDY_PAIRS({"q", "a b"}), .bearer = "token"};
    EDDY_FORM form = NULL;
    json_t *value = NULL;
    bool good;

    memset(large, 'x', sizeof large - 1);
    with.body = EDDY_BODY_TEXT("small");
    EDDY_TRY(get_json(session, "PUT", "echo", &with, &value));
    good = has(value, "method", "PUT") && has(value, "body", "small") &&
           has(value, "length", "5") && has(json_object_get(value, "query"), "q", "a b") &&
           has(value, "auth", "Bearer token");
    json_decref(value);
    REQUIRE(good);
    with.body = EDDY_BODY_TEXT(large);
    with.compress = "gzip";
    EDDY_TRY(get_json(session, "POST", "echo", &with, &value));
    good = has(value, "body", large);
    json_decref(value);
    REQUIRE(good);
    EDDY_TRY(eddy_form_new(&form));
    EDDY_TRY(eddy_form_add(form, "a", "1"));
    EDDY_TRY(eddy_form_add_bytes(form, "file", large, 200000,
                                 &(eddy_part_options){.filename = "x.bin"}));
    EDDY_TRY(get_json(session, "POST", "form", &(eddy_http_options){.body = EDDY_BODY_FORM(form)},
                      &value));
    good = has(value, "a", "1") && has(value, "name", "x.bin") &&
           json_integer_value(json_object_get(value, "size")) == 200000;
    json_decref(value);
    REQUIRE(good);
    return 0;
}

static int meet_aiohttp(void)
{
    EDDY_PROCESS process = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    EDDY_TEMPORARY(script);
    char command[300], base[64];
    const char *data;
    json_t *value = NULL;
    unsigned port;
    size_t size;
    bool good;

    EDDY_TRY(eddy_named_temporary_file(&script, NULL));
    EDDY_TRY(eddy_write(script.stream, aiohttp_server, sizeof aiohttp_server - 1));
    snprintf(command, sizeof command, "exec /usr/bin/python3 %s", script.path);
    EDDY_TRY(peer_start(command, &process));
    EDDY_TRY(find_port(process, "port:", &port));
    snprintf(base, sizeof base, "http://127.0.0.1:%u/", port);
    EDDY_TRY(eddy_http_session_open(&(eddy_http_session_options){.base_url = base}, &session));
    for (int i = 0; i < 3; i++)
        EDDY_TRY(stand_get(session, "", "hello"));
    EDDY_TRY(eddy_http_get(session, "chunks", &response));
    EDDY_TRY(eddy_http_read(response, &data, &size));
    REQUIRE(size == 100000 && memcmp(data + 99990, "0123456789", 10) == 0);
    REQUIRE(eddy_http_header(response, "Content-Encoding"));
    EDDY_TRY(check_bodies(session));
    REQUIRE(eddy_http_session_get_counters(session).opened == 1);
    EDDY_TRY(get_json(session, "POST", "login", NULL, &value));
    good = has(value, "method", "GET");
    json_decref(value);
    REQUIRE(good);
    return 0;
}
EDDY_ASYNC(meet_aiohttp);

RAW_TEST(client_meets_aiohttp)
{
    check_real(EDDY_CALL(meet_aiohttp), "/usr/bin/python3 -c 'import aiohttp' 2>/dev/null");
}

/* nginx --------------------------------------------------------------------------------------- */

static int nginx_start(const char *folder, unsigned port, eddy_process **process)
{
    char text[2000], path[300], command[700];
    int size = snprintf(
        text, sizeof text,
        "daemon off; master_process off; pid %s/pid; error_log stderr; events {}\n"
        "http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p;\n"
        "fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n"
        "gzip on; gzip_types *; gzip_min_length 1;\n"
        "server { listen 127.0.0.1:%u; root %s; keepalive_requests 3;\n"
        "location /moved { return 308 /page; } location /small { client_max_body_size 1k;\n"
        "proxy_pass http://127.0.0.1:9; } } }\n",
        folder, folder, folder, folder, folder, folder, port, folder);

    snprintf(path, sizeof path, "%s/conf", folder);
    EDDY_TRY(eddy_replace_file(path, text, (size_t)size, 0));
    snprintf(command, sizeof command, "exec nginx -e stderr -c %s", path);
    return peer_start(command, process);
}

static int meet_nginx(void)
{
    static char page[300001];
    EDDY_PROCESS process = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    EDDY_TEMPORARY(folder);
    char path[300], base[64];
    PEER_FD listener = peer_listen("127.0.0.1", 0, 1);
    unsigned port = peer_port(listener);
    eddy_http_session_options options = {.base_url = base};

    peer_close(&listener);
    memset(page, 'x', sizeof page - 1);
    EDDY_TRY(eddy_temporary_directory(&folder, NULL));
    EDDY_TRY(eddy_chmod(folder.path, 0755));
    snprintf(path, sizeof path, "%s/page", folder.path);
    EDDY_TRY(eddy_replace_file(path, page, 300000, 0644));
    EDDY_TRY(nginx_start(folder.path, port, &process));
    snprintf(base, sizeof base, "http://127.0.0.1:%u/", port);
    options.defaults.retries = &(const eddy_http_retries){.times = 50, .delay = 0.05, .most = 0.3};
    EDDY_TRY(eddy_http_session_open(&options, &session));
    for (int i = 0; i < 8; i++) /* a connection ends every three requests */
        EDDY_TRY(stand_get(session, "page", page));
    EDDY_TRY(stand_get(session, "moved", page));
    EDDY_TRY(eddy_http_get(session, "none", &response));
    REQUIRE(eddy_http_status(response) == 404);
    eddy_http_response_close(&response);
    EDDY_TRY(eddy_http_head(session, "page", &response));
    REQUIRE(eddy_http_status(response) == 200);
    eddy_http_response_close(&response);
    EDDY_TRY(eddy_http_post(session, "small", EDDY_BODY(page, 300000), &response));
    REQUIRE(eddy_http_status(response) == 413); /* early, and the connection is closed */
    return 0;
}
EDDY_ASYNC(meet_nginx);

RAW_TEST(client_meets_nginx)
{
    check_real(EDDY_CALL(meet_nginx), "command -v nginx >/dev/null");
}

/* OpenSSL ------------------------------------------------------------------------------------- */

static int meet_openssl(void)
{
    const eddy_tls_options options = tls_client_options();
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_PROCESS process = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};
    char command[600], url[64], *text = NULL;
    unsigned port;
    bool found;

    snprintf(command, sizeof command,
             "exec openssl s_server -accept 127.0.0.1:0 -www -cert %s -key %s 2>&1",
             certificate_file(certificate_server()->pem),
             certificate_file(certificate_server()->key_pem));
    EDDY_TRY(peer_start(command, &process));
    EDDY_TRY(find_port(process, "ACCEPT", &port));
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    EDDY_TRY(eddy_tls_client_context(&options, &context));
    EDDY_TRY(eddy_http_session_open(NULL, &session));
    with.tls = context;
    EDDY_TRY(eddy_http_request(session, "GET", url, &with, &response));
    EDDY_TRY(eddy_http_text(response, &text));
    found = strstr(text, "s_server") != NULL;
    eddy_free(text);
    REQUIRE(found && strcmp(eddy_http_content_type(response), "text/html") == 0);
    return 0;
}
EDDY_ASYNC(meet_openssl);

RAW_TEST(client_meets_openssl)
{
    check_real(EDDY_CALL(meet_openssl), "command -v openssl >/dev/null");
}
