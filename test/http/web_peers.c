/* SPDX-License-Identifier: MIT */
/*
 * Clients of other makes against the web server: curl, wget, Python's aiohttp, and nginx as a proxy
 * in front. In real time; without the program a test is skipped.
 */
#include <eddy/process.h>
#include <eddy/web.h>
#include <eddy/web_request.h>
#include <stdlib.h>

#include "harness.h"
#include "os/folder.h"

struct site {
    struct folder folder;
    const char *command; /* for sh, with $URL and $DIR */
    char out[100000];
    int code;
};

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_printf(request, 200, "hello %s\n", eddy_web_match(request, "name"));
}

static int mirror(eddy_web_request *request, void *unused)
{
    const char *data = NULL;
    size_t size = 0;

    (void)unused;
    EDDY_TRY(eddy_web_read(request, &data, &size));
    return eddy_web_send(request, 200, "text/plain", data, size);
}

static int upload(eddy_web_request *request, void *unused)
{
    const eddy_web_field *fields = NULL;
    ssize_t count = eddy_web_form(request, &fields);

    (void)unused;
    if (count < 0)
        return (int)count;
    return eddy_web_printf(request, 200, "%zd %s %zu\n", count, fields[count - 1].name,
                           fields[count - 1].size);
}

static int stream(eddy_web_request *request, void *unused)
{
    eddy_stream *body = NULL;

    (void)unused;
    EDDY_TRY(eddy_web_begin(request, 200, "text/plain", -1, &body));
    for (int i = 0; i < 1000; i++)
        EDDY_TRY(eddy_printf(body, "line %d\n", i));
    return 0;
}

static int serve_and_run(struct site *site)
{
    const eddy_web_static_options listed = {.index = true};
    const eddy_web_options options = {.compress = true};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_PROCESS process = NULL;
    char script[4096];
    char *out = NULL;
    size_t size = 0;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/hello/{name}", hello, NULL));
    EDDY_TRY(eddy_web_post(app, "/mirror", mirror, NULL));
    EDDY_TRY(eddy_web_put(app, "/mirror", mirror, NULL));
    EDDY_TRY(eddy_web_post(app, "/upload", upload, NULL));
    EDDY_TRY(eddy_web_get(app, "/stream", stream, NULL));
    EDDY_TRY(eddy_web_static(app, "/files", site->folder.path, &listed));
    EDDY_TRY(eddy_web_start(app, "tcp://127.0.0.1:0", &options, &server));
    snprintf(script, sizeof script, "PORT=%d; URL=http://127.0.0.1:$PORT; DIR=%s; %s",
             eddy_server_port(eddy_web_server_listener(server)), site->folder.path, site->command);
    EDDY_TRY(eddy_create_subprocess_exec((const char *const[]){"sh", "-c", script, NULL},
                                         &(eddy_process_options){.out = EDDY_PIPE}, &process));
    EDDY_TRY(eddy_read_all(eddy_process_out(process), sizeof site->out - 1, &out, &size));
    memcpy(site->out, out, size + 1);
    eddy_free(out);
    return eddy_process_wait(process, &site->code);
}
EDDY_ASYNC(serve_and_run, struct site *);

/* What a shell says that has the server. */
static const char *peer_says(const char *program, const char *command)
{
    static struct site site;
    char found[200];
    int rc;

    snprintf(found, sizeof found, "command -v %s >/dev/null 2>&1", program);
    if (system(found) != 0)
        test_skip("the program is not here");
    site = (struct site){.folder = folder_make(), .command = command};
    if (file_add(in(&site.folder, "a.txt"), "0123456789") < 0)
        return "no file";
    rc = eddy_run(serve_and_run, &site);
    if (rc < 0)
        snprintf(site.out, sizeof site.out, "%s", eddy_error_message(rc));
    folder_remove(&site.folder);
    return site.out;
}

RAW_TEST(web_peer_curl)
{
    const char *out = peer_says(
        "curl", "c='curl -sS --max-time 20'; $c $URL/hello/a $URL/hello/b%20c;"
                "$c -d text $URL/mirror; echo; $c -T $DIR/a.txt $URL/mirror; echo;"
                "$c -H 'Transfer-Encoding: chunked' -d chunked $URL/mirror; echo;"
                "head -c 300000 /dev/zero | $c -F f=@- -F last=x $URL/upload;"
                "$c -r 2-4 $URL/files/a.txt; echo; $c -I $URL/files/a.txt | head -n 1;"
                "$c --compressed $URL/stream | tail -n 1; $c -0 $URL/stream | tail -n 1;"
                "$c -o /dev/null -w '%{http_code}\n' $URL/none;"
                "head -c 2000000 /dev/zero | $c -o /dev/null -w '%{http_code}\n' -T - $URL/mirror;"
                "$c -L $URL/files | grep -c a.txt");

    CHECK_STR(out,
              "hello a\nhello b c\ntext\n0123456789\nchunked\n2 last 1\n234\nHTTP/1.1 200 OK\r\n"
              "line 999\nline 999\n404\n413\n1\n");
}

RAW_TEST(web_peer_wget)
{
    const char *out =
        peer_says("wget", "w='wget -q -T 20 -t 1 -O -'; $w $URL/hello/a; $w $URL/files/a.txt; echo;"
                          "$w --post-data=text $URL/mirror; echo; $w $URL/stream | tail -n 1");

    CHECK_STR(out, "hello a\n0123456789\ntext\nline 999\n");
}

RAW_TEST(web_peer_aiohttp)
{
    const char *out = peer_says(
        "python3",
        "/usr/bin/python3 -c 'import aiohttp' 2>/dev/null || { echo none; exit; };"
        "URL=$URL /usr/bin/python3 - <<'END'\n"
        "import aiohttp, asyncio, os\n"
        "async def main():\n"
        "    url = os.environ['URL']\n"
        "    async with aiohttp.ClientSession() as s:\n"
        "        texts = await asyncio.gather(*(fetch(s, f'{url}/hello/{i}') for i in range(50)))\n"
        "        print(sum(len(t) for t in texts))\n"
        "        async with s.post(url + '/mirror', data=b'x' * 100000) as r:\n"
        "            print(r.status, len(await r.read()))\n"
        "        form = aiohttp.FormData()\n"
        "        form.add_field('f', b'y' * 5000, filename='f.bin')\n"
        "        async with s.post(url + '/upload', data=form) as r:\n"
        "            print((await r.text()).strip())\n"
        "        async with s.get(url + '/stream') as r:\n"
        "            print(r.headers.get('Transfer-Encoding'), len(await r.read()))\n"
        "async def fetch(s, url):\n"
        "    async with s.get(url) as r:\n"
        "        return await r.text()\n"
        "asyncio.run(asyncio.wait_for(main(), 30))\n"
        "END");

    if (strcmp(out, "none\n") == 0)
        test_skip("Python has no aiohttp here");
    CHECK_STR(out, "440\n200 100000\n1 f 5000\nchunked 8890\n");
}

RAW_TEST(web_peer_nginx_in_front)
{
    const char *out = peer_says(
        "nginx", "command -v curl >/dev/null || { echo none; exit; };"
                 "cat >$DIR/n.conf <<END\n"
                 "worker_processes 1; daemon off; pid $DIR/pid; error_log /dev/null;\n"
                 "events { }\n"
                 "http { access_log off; client_body_temp_path $DIR/1; proxy_temp_path $DIR/2;\n"
                 " fastcgi_temp_path $DIR/3; uwsgi_temp_path $DIR/4; scgi_temp_path $DIR/5;\n"
                 " upstream eddy { server 127.0.0.1:$PORT; keepalive 4; }\n"
                 " server { listen unix:$DIR/front; location / { proxy_pass http://eddy;\n"
                 "  proxy_http_version 1.1; proxy_set_header Connection \"\"; } } }\n"
                 "END\n"
                 "nginx -c $DIR/n.conf -p $DIR >/dev/null 2>&1 & N=$!;"
                 "for i in 1 2 3 4 5 6 7 8 9 10; do [ -S $DIR/front ] || sleep 0.3; done;"
                 "c=\"curl -sS --max-time 20 --unix-socket $DIR/front\";"
                 "for i in 1 2 3 4 5; do $c http://front/hello/$i; done;"
                 "$c -d text http://front/mirror; echo; $c http://front/stream | tail -n 1;"
                 "$c -r 2-4 http://front/files/a.txt; echo; kill $N; wait $N");

    if (strcmp(out, "none\n") == 0)
        test_skip("there is no curl here");
    CHECK_STR(out, "hello 1\nhello 2\nhello 3\nhello 4\nhello 5\ntext\nline 999\n234\n");
}
