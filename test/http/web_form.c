/* SPDX-License-Identifier: MIT */
/* Forms that come. */
#include <sys/resource.h>

#include "http/web.h"

static int show_form(eddy_web_request *request, void *unused)
{
    const eddy_web_field *fields = NULL;
    ssize_t count = eddy_web_form(request, &fields);
    char text[1000] = "";

    (void)unused;
    if (count < 0)
        return (int)count;
    REQUIRE(eddy_web_form(request, &fields) == count);
    for (ssize_t i = 0; i < count; i++) {
        char start[16] = "", *end = text + strlen(text);

        if (fields[i].file)
            REQUIRE(eddy_read(fields[i].file, start, sizeof start - 1) >= 0);
        snprintf(end, sizeof text - (size_t)(end - text), "%s=%s%s%s(%zu);", fields[i].name,
                 fields[i].file ? start : fields[i].value, fields[i].filename ? " of " : "",
                 fields[i].filename ? fields[i].filename : "", fields[i].size);
    }
    return eddy_web_printf(request, 200, "%zd:%s", count, text);
}

static const char *post(eddy_web_server *server, const char *type, const char *body, size_t size)
{
    static char text[3 << 20];
    int used = snprintf(text, sizeof text,
                        "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: %s\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        type, size);

    memcpy(text + used, body, size);
    return web_say_bytes(server, text, (size_t)used + size);
}
#define POST(type, body) post(server, type, body, strlen(body))
#define MULTIPART "multipart/form-data; boundary=B"

/* H-SREQ-3: urlencoded and multipart forms, and nothing for other types. */
TEST(web_form_kinds)
{
    WEB(app, server, NULL);
    static const char parts[] =
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n"
        "Content-Type: text/plain\r\n\r\ncontent\r\n--B--\r\n";

    CHECK_OK(eddy_web_post(app, "/", show_form, NULL));
    WEB_START(app, server);
    CHECK_STR(web_body(POST("application/x-www-form-urlencoded", "a=1&b=x+y%21&a=")),
              "3:a=1(1);b=x y!(4);a=(0);");
    CHECK_STR(web_body(POST(MULTIPART, parts)), "2:a=one(3);f=content of x.txt(7);");
    CHECK_STR(web_body(POST("text/plain", "a=1")), "0:");
    CHECK_STATUS(POST(MULTIPART, "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none"),
                 400);
    CHECK_STATUS(POST("multipart/form-data", parts), 415);
}

/* H-SEC-14: texts count together against the limit, as they are read. */
TEST(web_form_text_limit)
{
    const eddy_web_options options = {.body_size = 8, .linger_time = 0.5};
    WEB(app, server, &options);

#define TEXT(name, value)                                                                          \
    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
    CHECK_OK(eddy_web_post(app, "/", show_form, NULL));
    WEB_START(app, server);
    CHECK_STATUS(POST(MULTIPART, TEXT("a", "1234") TEXT("b", "1234") TEXT("c", "") "--B--\r\n"),
                 200);
    CHECK_STATUS(POST(MULTIPART, TEXT("a", "1234") TEXT("b", "12345") "--B--\r\n"), 413);
    CHECK_STATUS(POST(MULTIPART, TEXT("a", "12345678") TEXT("b", "1") "--B--\r\n"), 413);
    CHECK_STATUS(POST("application/x-www-form-urlencoded", "a=1234567"), 413);
}

/* H-SREQ-3: files go to the disk when they are large, and a disk that is full is 507, with nothing
 * left behind: the file has no name. A limit on the size of files stands for it. */
TEST(web_form_large_files)
{
    const eddy_web_options options = {.linger_time = 0.5};
    static char body[2 << 20];
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, none = {1 << 16, RLIM_INFINITY};
    static const char head[] =
        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n";
    size_t size = sizeof body - 16;
    WEB(app, server, &options);

    memset(body, 'x', sizeof body);
    memcpy(body, head, sizeof head - 1);
    memcpy(body + size - 9, "\r\n--B--\r\n", 9);
    CHECK_OK(eddy_web_post(app, "/", show_form, NULL));
    WEB_START(app, server);
    CHECK_HAS(post(server, MULTIPART, body, size), "f=xxxxxxxxxxxxxxx of x(2097");
    CHECK_OK(getrlimit(RLIMIT_FSIZE, &all));
    none.rlim_max = all.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    CHECK_OK(setrlimit(RLIMIT_FSIZE, &none));
    CHECK_STATUS(post(server, MULTIPART, body, size), 507);
    CHECK_OK(setrlimit(RLIMIT_FSIZE, &all));
}

/* H-SEC-14: what a form costs has a bound, however many files it has, and compressed or not. */
TEST(web_form_many_files)
{
    const eddy_web_options options = {.form_size = 100, .linger_time = 0.5};
    static char body[16 << 10];
    size_t size = 0;
    WEB(app, server, &options);

#define A_FILE(value)                                                                              \
    "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n" value "\r\n"
    CHECK_OK(eddy_web_post(app, "/", show_form, NULL));
    WEB_START(app, server);
    CHECK_STATUS(POST(MULTIPART, A_FILE("1234") A_FILE("5678") "--B--\r\n"), 200);
    for (int files = 0; files < 65; files++)
        size += (size_t)snprintf(body + size, sizeof body - size, A_FILE("1"));
    size += (size_t)snprintf(body + size, sizeof body - size, "--B--\r\n");
    CHECK_STATUS(post(server, MULTIPART, body, size), 413);
    memset(body, 'x', 4096);
    size = (size_t)snprintf(body, sizeof body, A_FILE("%060d") A_FILE("%060d") "--B--\r\n", 1, 2);
    CHECK_STATUS(post(server, MULTIPART, body, size), 413);
}
