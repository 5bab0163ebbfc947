/* SPDX-License-Identifier: MIT */
/* Opening datagram endpoints: rules A-UDP-2, A-UDP-6 and A-UDP-7, places, options, unix sockets. */
#include "eddy/datagram.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "datagrams.h"

/* A folder of the test's own, removed with the sockets in it. */
struct folder {
    char path[32], one[48], other[48]; /* and two places in it */
};

static struct folder folder_make(void)
{
    struct folder folder = {.path = "/tmp/eddy-dgram-XXXXXX"};

    if (!mkdtemp(folder.path))
        test_fail(__FILE__, __LINE__, "mkdtemp: %s", strerror(errno));
    snprintf(folder.one, sizeof folder.one, "unix:%s/one", folder.path);
    snprintf(folder.other, sizeof folder.other, "unix:%s/other", folder.path);
    return folder;
}

static const char *path_of(const char *place)
{
    return place + strlen("unix:");
}

static void folder_remove(const struct folder *folder)
{
    unlink(path_of(folder->one));
    unlink(path_of(folder->other));
    rmdir(folder->path);
}
#define FOLDER(name) EDDY_CLEANUP_(folder_remove) struct folder name = folder_make()

static int option_of(const eddy_datagram *d, int option)
{
    int value = 0;
    socklen_t size = sizeof value;

    getsockopt(eddy_datagram_fd(d), SOL_SOCKET, option, &value, &size);
    return value;
}

static int pass_one(eddy_datagram *from, eddy_datagram *to, const eddy_address *at)
{
    char data[8];
    ssize_t size;

    EDDY_TRY(eddy_datagram_send_to(from, "hi", 2, at));
    size = eddy_datagram_receive(to, data, sizeof data, NULL);
    return size == 2 ? 0 : size < 0 ? (int)size : -EIO;
}

TEST(datagram_place_must_be_one)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1:80",
                                      "tcp://127.0.0.1:80",
                                      "udp://127.0.0.1",
                                      "udp://127.0.0.1:70000",
                                      "udp://::1:80",
                                      "unix:"};
    EDDY_DATAGRAM d = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_THAT(eddy_datagram_open(bad[i], NULL, &d) == -EINVAL, "\"%s\"", bad[i]);
        CHECK_THAT(eddy_datagram_open(NULL, bad[i], &d) == -EINVAL, "\"%s\"", bad[i]);
    }
    CHECK_EQ(eddy_datagram_open(NULL, NULL, &d), -EINVAL);
    CHECK_EQ(eddy_datagram_open(NULL, "udp://:80", &d), -EINVAL);
    CHECK_EQ(eddy_datagram_open(NULL, "udp://127.0.0.1:0", &d), -EINVAL);
    CHECK_EQ(eddy_datagram_open(NULL, "unix:@", &d), -EINVAL);
    CHECK(d == NULL);
}

TEST(datagram_place_may_be_all_interfaces_or_a_name)
{
    EDDY_DATAGRAM all = NULL;
    EDDY_DATAGRAM named = NULL;
    char place[64];

    CHECK_OK(eddy_datagram_open("udp://:0", NULL, &all));
    CHECK_EQ(eddy_datagram_local(all)->as.any.sa_family, AF_INET);
    snprintf(place, sizeof place, "udp://localhost:%d",
             eddy_address_port(eddy_datagram_local(all)));
    eddy_datagram_options options = {.family = AF_INET};
    CHECK_OK(eddy_datagram_open_with(NULL, place, &options, &named));
    CHECK_OK(pass_one(named, all, NULL));
}

TEST(datagram_endpoints_may_be_of_ipv6)
{
    EDDY_DATAGRAM six = NULL;
    EDDY_DATAGRAM four = NULL;
    char place[64];
    int rc = eddy_datagram_open("udp://[::1]:0", NULL, &six);

    if (rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT)
        return; /* this machine has none */
    CHECK_OK(rc);
    CHECK_OK(pass_one(six, six, eddy_datagram_local(six)));
    snprintf(place, sizeof place, "udp://:%d", eddy_address_port(eddy_datagram_local(six)));
    CHECK_OK(eddy_datagram_open(place, NULL, &four)); /* the ports are not the same ones */
}

/* A-UDP-6 */
TEST(datagram_local_and_remote_must_have_one_family)
{
    FOLDER(folder);
    EDDY_DATAGRAM d = NULL;
    int rc = eddy_datagram_open("udp://127.0.0.1:0", "udp://[::1]:9", &d);

    CHECK_EQ(rc, -EINVAL);
    CHECK_HAS(eddy_error_message(rc), "no address family in common");
    CHECK_EQ(eddy_datagram_open(folder.one, "udp://127.0.0.1:9", &d), -EINVAL);
    CHECK_OK(eddy_datagram_open("udp://127.0.0.1:0", "udp://127.0.0.1:9", &d));
}

/* A-UDP-6 */
TEST(datagram_options_are_set)
{
    EDDY_DATAGRAM one = NULL;
    EDDY_DATAGRAM other = NULL;
    EDDY_DATAGRAM third = NULL;
    eddy_datagram_options options = {
        .broadcast = true, .reuse_port = true, .receive_buffer = 20000, .send_buffer = 30000};
    char place[64];

    CHECK_OK(eddy_datagram_open_with("udp://127.0.0.1:0", NULL, &options, &one));
    CHECK(option_of(one, SO_BROADCAST));
    CHECK_EQ(option_of(one, SO_RCVBUF), 40000); /* the kernel doubles it, socket(7) */
    CHECK_EQ(option_of(one, SO_SNDBUF), 60000);
    CHECK(fcntl(eddy_datagram_fd(one), F_GETFD) & FD_CLOEXEC);
    snprintf(place, sizeof place, "udp://127.0.0.1:%d",
             eddy_address_port(eddy_datagram_local(one)));
    CHECK_OK(eddy_datagram_open_with(place, NULL, &options, &other));
    int rc = eddy_datagram_open(place, NULL, &third);
    CHECK_EQ(rc, -EADDRINUSE);
    CHECK_HAS(eddy_error_message(rc), place + strlen("udp://"));
}

/* A-UDP-6: a broadcast needs the option, and the loopback has an address for it. */
TEST(datagram_broadcast_needs_its_option)
{
    EDDY_DATAGRAM all = NULL;
    EDDY_DATAGRAM one = NULL;
    eddy_datagram_options options = {.broadcast = true};
    eddy_address to;

    CHECK_OK(eddy_datagram_open("udp://:0", NULL, &all));
    CHECK_OK(
        eddy_address_from_ip("127.255.255.255", eddy_address_port(eddy_datagram_local(all)), &to));
    CHECK_EQ(eddy_datagram_send_to(all, "hi", 2, &to), -EACCES);
    CHECK_OK(eddy_datagram_open_with("udp://127.0.0.1:0", NULL, &options, &one));
    CHECK_OK(pass_one(one, all, &to));
}

/* A-UDP-7, A-UNIX-2, A-UNIX-3 */
TEST(datagram_unix_sockets_talk_and_clean_up)
{
    FOLDER(folder);
    EDDY_DATAGRAM one = NULL;
    EDDY_DATAGRAM other = NULL;
    eddy_address from;
    char data[8];

    CHECK_OK(eddy_datagram_open(folder.one, NULL, &one));
    CHECK_OK(eddy_datagram_open(folder.other, folder.one, &other));
    CHECK_OK(eddy_datagram_send(other, "hello", 5));
    CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, &from), 5);
    CHECK_STR(from.as.un.sun_path, path_of(folder.other));
    CHECK_OK(pass_one(one, other, &from));
    CHECK_OK(eddy_datagram_send(other, "", 0));
    CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, &from), 0);
    eddy_datagram_close(&one);
    eddy_datagram_close(&other);
    CHECK_EQ(access(path_of(folder.one), F_OK), -1);
    CHECK_EQ(access(path_of(folder.other), F_OK), -1);
}

TEST(datagram_unix_socket_without_a_name_cannot_be_answered)
{
    EDDY_DATAGRAM one = NULL;
    EDDY_DATAGRAM nameless = NULL;
    EDDY_DATAGRAM chosen = NULL;
    eddy_address from = {.size = 7};
    char place[EDDY_ADDRESS_TEXT + 8], text[EDDY_ADDRESS_TEXT], data[8];

    CHECK_OK(eddy_datagram_open("unix:@", NULL, &one)); /* the kernel finds a name */
    snprintf(place, sizeof place, "unix:%s",
             eddy_address_text(eddy_datagram_local(one), text, sizeof text));
    CHECK_HAS(place, "unix:@");
    CHECK(strlen(place) > strlen("unix:@"));
    CHECK_OK(eddy_datagram_open(NULL, place, &nameless));
    CHECK_EQ(eddy_datagram_local(nameless)->size, 0);
    CHECK_OK(eddy_datagram_send(nameless, "x", 1));
    CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, &from), 1);
    CHECK_EQ(from.size, 0);
    CHECK_OK(eddy_datagram_open("unix:@", place, &chosen));
    CHECK_OK(eddy_datagram_send(chosen, "y", 1));
    CHECK_EQ(eddy_datagram_receive(one, data, sizeof data, &from), 1);
    CHECK_OK(pass_one(one, chosen, &from));
}

/* A-UNIX-2: a socket that was left behind is replaced, another file is not. */
TEST(datagram_stale_socket_file_is_replaced)
{
    FOLDER(folder);
    EDDY_DATAGRAM d = NULL;
    eddy_datagram_options keep = {.keep_file = true, .mode = 0600};
    struct stat status;
    int fd, rc;

    CHECK_OK(eddy_datagram_open_with(folder.one, NULL, &keep, &d));
    CHECK_EQ(stat(path_of(folder.one), &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    eddy_datagram_close(&d);
    CHECK_EQ(access(path_of(folder.one), F_OK), 0);
    CHECK_OK(eddy_datagram_open(folder.one, NULL, &d));
    eddy_datagram_close(&d);
    fd = open(path_of(folder.one), O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    close(fd);
    rc = eddy_datagram_open(folder.one, NULL, &d);
    CHECK_EQ(rc, -EADDRINUSE);
    CHECK_HAS(eddy_error_message(rc), path_of(folder.one));
    CHECK_EQ(access(path_of(folder.one), F_OK), 0);
}

/* A-UNIX-3: a file that another has put there is not removed. */
TEST(datagram_file_of_another_is_left_alone)
{
    FOLDER(folder);
    EDDY_DATAGRAM old = NULL;
    EDDY_DATAGRAM new = NULL;

    CHECK_OK(eddy_datagram_open(folder.one, NULL, &old));
    CHECK_OK(eddy_datagram_open(folder.one, NULL, &new)); /* takes the name over */
    eddy_datagram_close(&old);
    CHECK_EQ(access(path_of(folder.one), F_OK), 0);
    eddy_datagram_close(&new);
    CHECK_EQ(access(path_of(folder.one), F_OK), -1);
}

TEST(datagram_unix_peer_must_be_there)
{
    FOLDER(folder);
    EDDY_DATAGRAM d = NULL;
    int rc = eddy_datagram_open(folder.other, folder.one, &d);

    CHECK_EQ(rc, -ENOENT);
    CHECK_HAS(eddy_error_message(rc), path_of(folder.one));
    CHECK_EQ(access(path_of(folder.other), F_OK), -1); /* what was bound before is gone */
}

static int drain(eddy_datagram *from, int count)
{
    char data[8];

    for (int i = 0; i < count; i++) {
        EDDY_TRY(eddy_sleep(1));
        ssize_t size = eddy_datagram_receive(from, data, sizeof data, NULL);
        EDDY_TRY(size);
        REQUIRE(size == 1); /* whole, also those that had to wait */
    }
    return 0;
}
EDDY_ASYNC(drain, eddy_datagram *, int);

static int flood(eddy_datagram *from, const eddy_address *to, int count)
{
    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_datagram_send_to(from, "x", 1, to));
    return 0;
}
EDDY_ASYNC(flood, eddy_datagram *, const eddy_address *, int);

/* A unix receiver that is full holds its senders up, connected or not. */
TEST(datagram_unix_sender_waits_for_a_full_receiver)
{
    EDDY_DATAGRAM slow = NULL;
    EDDY_DATAGRAM loose = NULL;
    EDDY_DATAGRAM bound = NULL;
    char place[EDDY_ADDRESS_TEXT + 8], text[EDDY_ADDRESS_TEXT];

    CHECK_OK(eddy_datagram_open("unix:@", NULL, &slow));
    snprintf(place, sizeof place, "unix:%s",
             eddy_address_text(eddy_datagram_local(slow), text, sizeof text));
    CHECK_OK(eddy_datagram_open("unix:@", NULL, &loose));
    CHECK_OK(eddy_datagram_open(NULL, place, &bound));
    CHECK_OK(eddy_gather(EDDY_CALL(drain, slow, 1100),
                         EDDY_CALL(flood, loose, eddy_datagram_local(slow), 600),
                         EDDY_CALL(flood, bound, NULL, 500)));
    while (eddy_datagram_send_nowait(loose, "x", 1, eddy_datagram_local(slow)) == 0)
        continue;
    EDDY_TASK stuck = eddy_create_task_eager(flood, loose, eddy_datagram_local(slow), 1);
    CHECK(!eddy_task_done(stuck));
    eddy_datagram_close(&loose);
    CHECK_EQ(eddy_await(stuck), -ESHUTDOWN);
}

TEST(datagram_endpoint_over_a_descriptor)
{
    EDDY_DATAGRAM d = NULL;
    EDDY_DATAGRAM twice = NULL;
    EDDY_DATAGRAM peer = NULL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ends[2];
    eddy_address any;
    char byte;

    CHECK_OK(eddy_address_from_ip("127.0.0.1", 0, &any));
    CHECK_EQ(bind(fd, &any.as.any, any.size), 0);
    CHECK_OK(eddy_datagram_from_fd(fd, &d));
    CHECK_OK(pass_one(d, d, eddy_datagram_local(d)));
    CHECK_EQ(eddy_datagram_from_fd(fd, &twice), -EBUSY);
    CHECK_EQ(eddy_sock_recv(fd, &byte, 1), -EBUSY); /* A-SOCK-8 */
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_EQ(eddy_datagram_from_fd(ends[0], &twice), -EINVAL);
    CHECK_EQ(close(ends[0]) + close(ends[1]), 0); /* was left alone */
    CHECK_EQ(eddy_datagram_from_fd(-1, &twice), -EBADF);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_OK(eddy_datagram_from_fd(ends[0], &twice));
    CHECK_OK(eddy_datagram_from_fd(ends[1], &peer));
    CHECK(eddy_datagram_remote(twice) != NULL);
    CHECK_OK(pass_one(twice, peer, NULL));
}

RAW_TEST(datagram_open_is_for_tasks)
{
    eddy_datagram *d = NULL;

    CHECK_EQ(eddy_datagram_open("udp://127.0.0.1:0", NULL, &d), -EPERM);
    CHECK_EQ(eddy_datagram_from_fd(0, &d), -EPERM);
    eddy_datagram_close(&d);
}
