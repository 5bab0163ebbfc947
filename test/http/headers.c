/* SPDX-License-Identifier: MIT */
/* Header fields. */
#include "http/headers.h"

#include <eddy/stream_class.h>

#include "harness.h"

RAW_TEST(headers_keep_their_order_and_are_found_without_regard_to_case)
{
    EDDY_HEADERS headers = eddy_headers_new();
    size_t index = 0;

    CHECK_OK(eddy_headers_add(headers, "Accept", "text/html"));
    CHECK_OK(eddy_headers_add(headers, "X-One", "1"));
    CHECK_OK(eddy_headers_add(headers, "accept", " \ttext/plain\t "));
    CHECK_EQ(eddy_headers_count(headers), 3);
    CHECK_STR(eddy_headers_get(headers, "ACCEPT"), "text/html");
    CHECK(!eddy_headers_get(headers, "Accep"));
    CHECK(!eddy_headers_get(headers, "X\rOne"));
    CHECK_STR(eddy_headers_at(headers, 2).name, "accept");
    CHECK_STR(eddy_headers_at(headers, 2).value, "text/plain");
    CHECK(!eddy_headers_at(headers, 3).name);
    CHECK_STR(eddy_headers_next(headers, "Accept", &index), "text/html");
    CHECK_STR(eddy_headers_next(headers, "Accept", &index), "text/plain");
    CHECK(!eddy_headers_next(headers, "Accept", &index));
}

/* H-SES-6: what is set replaces all of its name, at the place of the first. */
RAW_TEST(headers_that_are_set_replace_all_of_their_name)
{
    EDDY_HEADERS headers = eddy_headers_new();

    CHECK_OK(eddy_headers_add(headers, "A", "1"));
    CHECK_OK(eddy_headers_add(headers, "B", "2"));
    CHECK_OK(eddy_headers_add(headers, "a", "3"));
    CHECK_OK(eddy_headers_add(headers, "C", "4"));
    CHECK_OK(eddy_headers_set(headers, "a", "5"));
    CHECK_OK(eddy_headers_set(headers, "D", "6"));
    CHECK_EQ(eddy_headers_count(headers), 4);
    CHECK_STR(eddy_headers_at(headers, 0).value, "5");
    CHECK_STR(eddy_headers_at(headers, 1).value, "2");
    CHECK_STR(eddy_headers_at(headers, 2).value, "4");
    CHECK_STR(eddy_headers_at(headers, 3).value, "6");
    CHECK_EQ(eddy_headers_remove(headers, "b"), 1);
    CHECK_EQ(eddy_headers_remove(headers, "b"), 0);
    CHECK_EQ(eddy_headers_count(headers), 3);
}

/* H-REQ-12, H-SRESP-6, H-SEC-10 to -12: no name or value ends a line, or hides something. */
RAW_TEST(headers_take_no_name_or_value_that_would_end_a_line)
{
    static const char *const names[] = {"",     " ",    "a b", "a:",  "a\r\nb", "a\n",
                                        "\xc3", "a\tb", "(a)", "a\"", "a/b",    "a\x7f"};
    static const char *const values[] = {"a\r\nb",   "a\nb",  "a\rb", "a\x01", "a\x7f",
                                         "\x1b[31m", "a\r\n", "\n",   "\r"};
    EDDY_HEADERS headers = eddy_headers_new();

    for (size_t i = 0; i < ED_ARRAY_LENGTH(names); i++) {
        CHECK_FAILS(eddy_headers_add(headers, names[i], "x"), -EINVAL, "name");
        CHECK_FAILS(eddy_headers_set(headers, names[i], "x"), -EINVAL, "name");
    }
    for (size_t i = 0; i < ED_ARRAY_LENGTH(values); i++) {
        CHECK_FAILS(eddy_headers_add(headers, "X-Value", values[i]), -EINVAL, "X-Value");
        CHECK_FAILS(eddy_headers_set(headers, "X-Value", values[i]), -EINVAL, "control");
    }
    CHECK_EQ(eddy_headers_count(headers), 0);
    CHECK_OK(eddy_headers_add(headers, "X-Value", ""));
    CHECK_OK(eddy_headers_add(headers, "X-Value", "tab\there, and \xc3\xa9 too"));
    CHECK_EQ(eddy_headers_count(headers), 2);
}

RAW_TEST(headers_of_a_message_that_came_cannot_be_changed)
{
    struct ed_arena arena = {0};
    struct eddy_headers headers;

    ed_headers_init(&headers, &arena);
    for (int i = 0; i < 100; i++)
        CHECK_OK(ed_headers_put(&headers, "Name", 4, "value", 5));
    headers.received = true;
    CHECK_FAILS(eddy_headers_add(&headers, "A", "1"), -EPERM, "came");
    CHECK_FAILS(eddy_headers_set(&headers, "A", "1"), -EPERM, "came");
    CHECK_FAILS(eddy_headers_remove(&headers, "Name"), -EPERM, "came");
    CHECK_EQ(eddy_headers_count(&headers), 100);
    CHECK(ed_headers_find(&headers, "nAME", 4, 99) == &headers.fields[99]);
    CHECK(!ed_headers_find(&headers, "nAME", 4, 100));
    ed_arena_free(&arena);
}

RAW_TEST(headers_that_are_null_are_a_lack_of_memory)
{
    CHECK_EQ(eddy_headers_add(NULL, "A", "1"), -ENOMEM);
    CHECK_EQ(eddy_headers_set(NULL, "A", "1"), -ENOMEM);
    CHECK_EQ(eddy_headers_remove(NULL, "A"), -ENOMEM);
    CHECK_EQ(eddy_headers_count(NULL), 0);
    CHECK(!eddy_headers_get(NULL, "A"));
    CHECK(!eddy_headers_at(NULL, 0).name);
    CHECK(!eddy_headers_has_token(NULL, "A", "b"));
    eddy_headers_free(NULL);
}

RAW_TEST(headers_have_the_tokens_of_all_their_lists)
{
    EDDY_HEADERS headers = eddy_headers_new();

    CHECK_OK(eddy_headers_add(headers, "Connection", "keep-alive, ,Upgrade ,\t\"a, close\""));
    CHECK_OK(eddy_headers_add(headers, "Connection", "x-last"));
    CHECK(eddy_headers_has_token(headers, "connection", "KEEP-ALIVE"));
    CHECK(eddy_headers_has_token(headers, "connection", "upgrade"));
    CHECK(eddy_headers_has_token(headers, "connection", "x-last"));
    CHECK(!eddy_headers_has_token(headers, "connection", "close"));
    CHECK(!eddy_headers_has_token(headers, "connection", "keep"));
    CHECK(!eddy_headers_has_token(headers, "connection", ""));
    CHECK(!eddy_headers_has_token(headers, "upgrade", "upgrade"));
}

struct members {
    char text[128];
    int left; /* until it is enough */
};

static bool gather_member(const char *member, size_t size, void *argument)
{
    struct members *members = argument;
    size_t used = strlen(members->text);

    snprintf(members->text + used, sizeof members->text - used, "[%.*s]", (int)size, member);
    return --members->left > 0;
}

RAW_TEST(headers_lists_are_split_outside_of_quotes)
{
    static const struct {
        const char *value, *members;
    } lists[] = {
        {"", ""},
        {" , ,\t,", ""},
        {"a", "[a]"},
        {" a b ;q=\"1,2\" , c", "[a b ;q=\"1,2\"][c]"},
        {"\"a\\\",b\", c", "[\"a\\\",b\"][c]"},
        {"\"open, to the end", "[\"open, to the end]"},
        {"\"\\", "[\"\\]"},
    };
    struct members members;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(lists); i++) {
        members = (struct members){.left = 99};
        ed_each_member(lists[i].value, gather_member, &members);
        CHECK_STR(members.text, lists[i].members);
    }
    members = (struct members){.left = 2};
    ed_each_member("a,b,c", gather_member, &members);
    CHECK_STR(members.text, "[a][b]");
}

static int headers_each_allocation(void)
{
    EDDY_HEADERS headers = eddy_headers_new();
    char name[] = "Name-a";

    for (int i = 0; i < 40; i++) {
        name[5] = (char)('a' + i % 26);
        EDDY_TRY(eddy_headers_add(headers, name,
                                  "a value that is long enough to fill blocks soon,"
                                  " which takes some more words than that"));
    }
    EDDY_TRY(eddy_headers_set(headers, "Name-a", "short"));
    return 0;
}
EDDY_ASYNC(headers_each_allocation);

RAW_TEST(headers_survive_the_failure_of_each_allocation)
{
    CHECK_OK(eddy_test_allocations(headers_each_allocation));
}
