/* SPDX-License-Identifier: MIT */
/* The file of hosts. */
#include "net/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

static char path[] = "/tmp/eddy-hosts-XXXXXX";

static void write_hosts(const char *text, size_t size)
{
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, text, size) != (ssize_t)size)
        test_fail(__FILE__, __LINE__, "cannot write %s", path);
    close(fd);
}

static const char *first_of(const char *name, int family)
{
    static char text[EDDY_ADDRESS_TEXT];
    EDDY_ADDRESSES(found);

    if (ed_hosts_find(path, name, family, false, &found) < 0)
        return "none";
    return eddy_address_text(&found.at[0], text, sizeof text);
}

RAW_TEST(hosts_are_found_by_all_their_names)
{
    static const char text[] = "# 10.0.0.9 comment\n"
                               "\t10.0.0.1\tone  uno # eins\r\n"
                               "10.0.0.2 two\n"
                               "::2 two zwei\n"
                               "10.0.0.2 two\n"
                               "not.an.address three\n"
                               "10.0.0.4\n"
                               "\n"
                               "10.0.0.5 five.example";
    EDDY_ADDRESSES(found);
    char name[EDDY_HOST_TEXT] = "untouched";
    eddy_address address;

    write_hosts(text, sizeof text - 1);
    CHECK_STR(first_of("one", 0), "10.0.0.1:0");
    CHECK_STR(first_of("UNO", 0), "10.0.0.1:0");
    CHECK_STR(first_of("eins", 0), "none");
    CHECK_STR(first_of("comment", 0), "none");
    CHECK_STR(first_of("three", 0), "none");
    CHECK_STR(first_of("on", 0), "none");
    CHECK_STR(first_of("five.example", AF_INET), "10.0.0.5:0");
    CHECK_STR(first_of("five.example", AF_INET6), "none");
    CHECK_STR(first_of("two", AF_INET6), "[::2]:0");
    CHECK_OK(ed_hosts_find(path, "zwei", 0, true, &found));
    CHECK_STR(found.canonical, "two");
    eddy_addresses_free(&found);
    CHECK_OK(ed_hosts_find(path, "two", 0, false, &found));
    CHECK_EQ(found.count, 2); /* one is there twice */
    CHECK_OK(eddy_address_from_ip("10.0.0.1", 99, &address));
    CHECK_OK(ed_hosts_name(path, &address, name));
    CHECK_STR(name, "one");
    CHECK_OK(eddy_address_from_ip("10.0.0.4", 99, &address));
    CHECK_EQ(ed_hosts_name(path, &address, name), -ENOENT);
    CHECK_STR(name, "one");
    unlink(path);
    CHECK_STR(first_of("one", 0), "none");
    CHECK_EQ(ed_hosts_name(path, &address, name), -ENOENT);
}

static size_t add(char *place, const char *text)
{
    memcpy(place, text, strlen(text));
    return strlen(text);
}

/* A line is cut, and its rest is not taken for another. */
RAW_TEST(line_of_hosts_that_is_too_long_is_cut)
{
    static char text[8192];
    size_t length = add(text, "10.0.0.1 start ");

    while (length < 4000)
        length += add(text + length, "10.0.0.66 evil ");
    length += add(text + length, "end\n10.0.0.2 after\n");
    write_hosts(text, length);
    CHECK_STR(first_of("start", 0), "10.0.0.1:0");
    CHECK_STR(first_of("evil", 0), "10.0.0.1:0");
    CHECK_STR(first_of("end", 0), "none");
    CHECK_STR(first_of("after", 0), "10.0.0.2:0");
    unlink(path);
}

RAW_TEST(hosts_of_random_bytes_do_no_harm)
{
    static char text[20000];
    unsigned seed = 11;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "10.:fe \n\t#a\0\xff"[rand_r(&seed) % 13];
    write_hosts(text, sizeof text);
    for (int i = 0; i < 10; i++) {
        EDDY_ADDRESSES(found);
        int rc = ed_hosts_find(path, i % 2 ? "a" : "1", 0, true, &found);

        CHECK(rc == 0 || rc == -ENOENT);
    }
    CHECK_EQ(ed_hosts_find("/", "a", 0, false, &(eddy_addresses){0, NULL, NULL}), -ENOENT);
    unlink(path);
}
