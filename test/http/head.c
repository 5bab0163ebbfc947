/* SPDX-License-Identifier: MIT */
/* What heads say about their messages; what is refused in them stands in reader.c. */
#include "http/head.h"

#include <stdarg.h>

#include "harness.h"

/* Completes a head with a method, target and fields: name, value, ..., NULL. */
static bool complete(struct ed_head *head, struct ed_arena *arena, const char *method,
                     const char *target, int minor, ...)
{
    struct ed_refusal why = {0, NULL};
    const char *name;
    va_list fields;

    *head = (struct ed_head){
        .method = method,
        .method_size = strlen(method),
        .target = target,
        .target_size = strlen(target),
        .minor = minor,
    };
    ed_headers_init(&head->fields, arena);
    va_start(fields, minor);
    while ((name = va_arg(fields, const char *))) {
        const char *value = va_arg(fields, const char *);

        if (ed_headers_put(&head->fields, name, strlen(name), value, strlen(value)) < 0)
            return false;
    }
    va_end(fields);
    return ed_head_complete(head, false, &why);
}

/* H-KEEP-1. */
RAW_TEST(head_says_whether_the_connection_stays)
{
    static const struct {
        int minor;
        const char *connection;
        bool keep_alive;
    } cases[] = {
        {1, "", true},
        {0, "", false},
        {1, "close", false},
        {0, "keep-alive", true},
        {0, "Keep-Alive", true},
        {1, "keep-alive, CLOSE", false},
        {0, "keep-alive, close", false},
        {1, "x, \"close\"", true},
        {1, "closed", true},
    };
    struct ed_arena arena = {0};
    struct ed_head head;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        CHECK(complete(&head, &arena, "GET", "/", cases[i].minor, "Host", "h", "Connection",
                       cases[i].connection, NULL));
        CHECK_EQ(head.keep_alive, cases[i].keep_alive);
    }
    CHECK(complete(&head, &arena, "GET", "/", 1, "Host", "h", "Connection", "a", "Connection",
                   "close", NULL));
    CHECK(!head.keep_alive);
    ed_arena_free(&arena);
}

/* H-PARSE-9: the authority of the target beats Host. */
RAW_TEST(head_says_whom_it_is_for)
{
    static const struct {
        const char *method, *target, *host, *path;
    } cases[] = {
        {"GET", "/a?b", "h:80", "/a?b"},        {"GET", "http://other:81/a?b", "other:81", "/a?b"},
        {"GET", "https://other", "other", "/"}, {"GET", "http://[::1]?b", "[::1]", "/?b"},
        {"OPTIONS", "*", "h:80", "*"},          {"CONNECT", "other:443", "other:443", ""},
    };
    struct ed_arena arena = {0};
    struct ed_head head;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        CHECK(complete(&head, &arena, cases[i].method, cases[i].target, 1, "Host", "h:80", NULL));
        CHECK_STR(head.host, cases[i].host);
        CHECK_STR(head.path, cases[i].path);
    }
    CHECK(complete(&head, &arena, "GET", "/", 0, NULL));
    CHECK_STR(head.host, "");
    ed_arena_free(&arena);
}

RAW_TEST(head_says_what_follows_it)
{
    struct ed_arena arena = {0};
    struct ed_head head;

    CHECK(complete(&head, &arena, "POST", "/", 1, "Host", "h", "Content-Length", "12", "Expect",
                   "100-Continue", NULL));
    CHECK(head.has_body && head.expects && !head.chunked && !head.upgrade);
    CHECK_EQ(head.length, 12);
    CHECK(complete(&head, &arena, "POST", "/", 1, "Host", "h", "Transfer-Encoding", "chunked",
                   "Upgrade", "x", "Connection", "close, Upgrade", NULL));
    CHECK(head.has_body && head.chunked && head.upgrade && !head.expects);
    CHECK_EQ(head.length, -1);
    CHECK(complete(&head, &arena, "POST", "/", 0, "Content-Length", "0", "Expect", "100-continue",
                   "Upgrade", "x", "Connection", "upgrade", NULL));
    CHECK(!head.has_body && !head.upgrade && !head.expects);
    CHECK(
        complete(&head, &arena, "POST", "/", 1, "Host", "h", "Upgrade", "x", "Expect", "x", NULL));
    CHECK(!head.has_body && !head.upgrade && !head.expects);
    ed_arena_free(&arena);
}
