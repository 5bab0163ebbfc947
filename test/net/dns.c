/* SPDX-License-Identifier: MIT */
/* Names: what is known without asking, and what is no name. */
#include "eddy/dns.h"

#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "net/nameserver.h"

static const char *text_of(const eddy_addresses *found, size_t index)
{
    static char text[EDDY_ADDRESS_TEXT];

    return index < found->count ? eddy_address_text(&found->at[index], text, sizeof text) : "";
}

/* A-CONN-6: numeric addresses, of either family and with a scope. */
TEST(numeric_address_is_itself_without_a_server)
{
    static const char *const hosts[][2] = {{"192.0.2.1", "192.0.2.1:80"},
                                           {"::1", "[::1]:80"},
                                           {"fe80::1%77777", "[fe80::1%77777]:80"}};
    NAMESERVER(server, resolver, true);

    for (int i = 0; i < 3; i++) {
        EDDY_ADDRESSES(found);
        eddy_lookup_options options = {.resolver = resolver, .canonical = true, .numeric = true};

        CHECK_OK(eddy_getaddrinfo(hosts[i][0], 80, &options, &found));
        CHECK_EQ(found.count, 1);
        CHECK_STR(text_of(&found, 0), hosts[i][1]);
        CHECK_STR(found.canonical, hosts[i][0]);
    }
    CHECK_EQ(nameserver_asked(server), 0);
}

TEST(numeric_lookup_takes_no_name)
{
    EDDY_ADDRESSES(found);
    eddy_lookup_options numeric = {.numeric = true}, six = {.family = AF_INET6};
    eddy_lookup_options bad = {.family = AF_UNIX};

    CHECK_EQ(eddy_getaddrinfo("localhost", 80, &numeric, &found), EDDY_EDNS_BAD_NAME);
    CHECK_EQ(eddy_getaddrinfo("192.0.2.1", 80, &six, &found), EDDY_EDNS_NO_DATA);
    CHECK_EQ(eddy_getaddrinfo("192.0.2.1", 80, &bad, &found), -EINVAL);
    CHECK_EQ(found.count, 0);
}

/* RFC 6761, 6.3: localhost is this machine, whatever a server would say. */
TEST(localhost_is_this_machine_without_a_server)
{
    static const char *const names[] = {"localhost", "LocalHost.", "a.b.localhost"};
    NAMESERVER(server, resolver, true);

    for (int i = 0; i < 3; i++) {
        EDDY_ADDRESSES(found);
        EDDY_ADDRESSES(four);
        eddy_lookup_options options = {.resolver = resolver, .family = AF_INET};

        CHECK_OK(nameserver_look_up(resolver, names[i], &found));
        CHECK_EQ(found.count, 2);
        CHECK_OK(eddy_getaddrinfo(names[i], 80, &options, &four));
        CHECK_EQ(four.count, 1);
        CHECK_STR(text_of(&four, 0), "127.0.0.1:80");
    }
    CHECK_EQ(nameserver_asked(server), 0);
}

/* RFC 7686: names of hidden services do not leave this machine. */
TEST(onion_name_is_not_asked_for)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);

    CHECK_EQ(nameserver_look_up(resolver, "both.onion", &found), EDDY_EDNS_NOT_FOUND);
    CHECK_EQ(nameserver_asked(server), 0);
}

TEST(no_host_is_this_machine_or_all_interfaces)
{
    EDDY_ADDRESSES(here);
    EDDY_ADDRESSES(any);
    EDDY_ADDRESSES(four);
    eddy_lookup_options passive = {.passive = true}, one = {.family = AF_INET, .passive = true};

    CHECK_OK(eddy_getaddrinfo(NULL, 80, NULL, &here));
    CHECK_EQ(here.count, 2);
    CHECK_STR(text_of(&here, 0), "[::1]:80");
    CHECK_OK(eddy_getaddrinfo("", 80, &passive, &any));
    CHECK_EQ(any.count, 2);
    CHECK_STR(text_of(&any, 0), "[::]:80");
    CHECK_OK(eddy_getaddrinfo(NULL, 80, &one, &four));
    CHECK_EQ(four.count, 1);
    CHECK_STR(text_of(&four, 0), "0.0.0.0:80");
}

/* CVE-2024-24806 and its like: what is not a name is not asked for. */
TEST(text_that_is_no_name_is_not_asked_for)
{
    static const char *const texts[] = {
        ".",           "..",        "a..b",        ".a",         "a b.example",
        "a\n.example", "a/b",       "*.example",   "a\\046b",    "b\xc3\xbc.example",
        "1.2.3",       "1.2.3.4.5", "127.1",       "2130706433", "example.123",
        "[::1]",       "::g",       "192.0.2.256", "a,b",        "both.example..",
        "192.0.2.1%1"};
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_THAT(nameserver_look_up(resolver, texts[i], &found) == EDDY_EDNS_BAD_NAME,
                   "\"%s\" is taken", texts[i]);
        CHECK_HAS(eddy_error_message(EDDY_EDNS_BAD_NAME), "is not");
    }
    CHECK_EQ(nameserver_asked(server), 0);
    CHECK_EQ(found.count, 0);
}

/* Reliability 3: lengths 253 to 256 and beyond, and labels of 63 and 64. */
TEST(name_has_253_bytes_at_most_and_labels_63)
{
    NAMESERVER(server, resolver, true);
    EDDY_ADDRESSES(found);

    for (size_t length = 250; length <= 300; length++) {
        char name[320];

        memset(name, 'a', length);
        for (size_t i = 63; i < length; i += 64)
            name[i] = '.';
        name[length] = '\0';
        CHECK_EQ(nameserver_look_up(resolver, name, &found),
                 length <= 253 ? EDDY_EDNS_NOT_FOUND : EDDY_EDNS_BAD_NAME);
        memcpy(name + length, ".", 2);
        CHECK_EQ(nameserver_look_up(resolver, name, &found),
                 length <= 253 ? EDDY_EDNS_NOT_FOUND : EDDY_EDNS_BAD_NAME);
        memcpy(name + 60, "aaaa", 4);
        CHECK_EQ(nameserver_look_up(resolver, name, &found), EDDY_EDNS_BAD_NAME);
    }
}

/* The file of hosts comes first, and counts for both directions. */
TEST(hosts_file_is_asked_before_the_server)
{
    char path[] = "/tmp/eddy-hosts-XXXXXX", host[EDDY_HOST_TEXT];
    struct nameserver *server = nameserver_start();
    EDDY_DEFER(nameserver_stop, server);
    EDDY_RESOLVER(resolver);
    EDDY_ADDRESSES(found);
    EDDY_ADDRESSES(other);
    eddy_address address;
    FILE *file = fdopen(mkstemp(path), "w");

    fputs("192.0.2.77 mine both.example\n", file);
    fclose(file);
    EDDY_DEFER(unlink, path);
    CHECK_OK(eddy_resolver_new(
        &(eddy_resolver_options){.servers = nameserver_place(server), .hosts = path, .domains = ""},
        &resolver));
    eddy_lookup_options options = {.resolver = resolver, .canonical = true};
    CHECK_OK(eddy_getaddrinfo("both.example.", 80, &options, &found));
    CHECK_EQ(found.count, 1);
    CHECK_STR(text_of(&found, 0), "192.0.2.77:80");
    CHECK_STR(found.canonical, "mine");
    CHECK_OK(eddy_getnameinfo(&found.at[0], &options, host, sizeof host));
    CHECK_STR(host, "mine");
    CHECK_EQ(nameserver_asked(server), 0);
    CHECK_OK(eddy_getaddrinfo("v4.example", 80, &options, &other));
    CHECK_STR(text_of(&other, 0), "192.0.2.1:80");
    CHECK_OK(eddy_address_from_ip("192.0.2.1", 0, &address));
    CHECK_OK(eddy_getnameinfo(&address, &options, host, sizeof host));
    CHECK_STR(host, "host.example");
}

/* The domains to search are for names without a dot, in order. */
TEST(name_without_a_dot_is_searched_in_the_domains)
{
    struct nameserver *server = nameserver_start();
    EDDY_DEFER(nameserver_stop, server);
    EDDY_RESOLVER(resolver);
    EDDY_ADDRESSES(found);
    EDDY_ADDRESSES(none);

    CHECK_OK(eddy_resolver_new(&(eddy_resolver_options){.servers = nameserver_place(server),
                                                        .domains = "one.example two.example",
                                                        .hosts = ""},
                               &resolver));
    eddy_lookup_options options = {.resolver = resolver, .family = AF_INET, .canonical = true};
    CHECK_OK(eddy_getaddrinfo("v4", 80, &options, &found));
    CHECK_STR(found.canonical, "v4.one.example");
    CHECK_EQ(nameserver_asked(server), 1);
    CHECK_EQ(eddy_getaddrinfo("nx", 80, &options, &none), EDDY_EDNS_NOT_FOUND);
    CHECK_EQ(nameserver_asked(server), 4); /* in both, and alone */
    CHECK_EQ(eddy_getaddrinfo("nx.", 80, &options, &none), EDDY_EDNS_NOT_FOUND);
    CHECK_EQ(nameserver_asked(server), 5);
}

TEST(name_of_an_address_may_be_the_address)
{
    static const char *const texts[][2] = {{"192.0.2.1:80", "192.0.2.1"},
                                           {"[::1]:80", "::1"},
                                           {"[fe80::1%77777]:80", "fe80::1%77777"}};
    eddy_lookup_options numeric = {.numeric = true};
    char host[EDDY_HOST_TEXT];
    eddy_address address;

    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_address_parse(texts[i][0], &address));
        CHECK_OK(eddy_getnameinfo(&address, &numeric, host, sizeof host));
        CHECK_STR(host, texts[i][1]);
    }
    CHECK_OK(eddy_address_parse("/run/socket", &address));
    CHECK_EQ(eddy_getnameinfo(&address, &numeric, host, sizeof host), -EINVAL);
    address.size = 0;
    CHECK_EQ(eddy_getnameinfo(&address, &numeric, host, sizeof host), -EINVAL);
}
