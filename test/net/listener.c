/* SPDX-License-Identifier: MIT */
/* What a server listens at: sockets, and the files of unix sockets. */
#include "net/listener.h"

#include <limits.h>

#include "base/fault.h"
#include "net/peer.h"

static const eddy_server_options defaults;

/* Closed at the end of its block. */
static void listener_end(struct ed_listener *listener)
{
    ed_listener_close(listener);
}
#define LISTENER(name) EDDY_CLEANUP_(listener_end) struct ed_listener name = {.fd = -1}

static int
open_ip(const char *ip, uint16_t port, const eddy_server_options *options, struct ed_listener *out)
{
    eddy_address address;

    EDDY_TRY(eddy_address_from_ip(ip, port, &address));
    return ed_listener_open(&address, options, out);
}

static int open_path(const char *path, const eddy_server_options *options, struct ed_listener *out)
{
    eddy_address address;

    EDDY_TRY(eddy_address_from_path(path, &address));
    return ed_listener_open(&address, options, out);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    (void)getsockopt(fd, level, name, &value, &size);
    return value;
}

/* Whether somebody can be connected to. */
static bool answers(const eddy_address *address)
{
    PEER_FD fd = socket(address->as.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, &address->as.any, address->size) == 0;
}

/* A folder of the test's own; all in it is removed with it. */
static void folder_remove(char **folder)
{
    static const char *const names[] = {"socket", "other", "file", "link"};
    char path[PATH_MAX];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof path, "%s/%s", *folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(*folder);
}

static char *folder_make(char *template)
{
    if (!mkdtemp(template))
        test_fail(__FILE__, __LINE__, "mkdtemp: %s", strerror(errno));
    return template;
}

#define FOLDER(name)                                                                               \
    char name##_text[] = "/tmp/eddy-listener-XXXXXX";                                              \
    EDDY_CLEANUP_(folder_remove) char *name = folder_make(name##_text)

static const char *path_in(const char *folder, const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* A-SRV-13, -14: any port, and the options that are the default or not. */
TEST(listener_has_the_options_of_its_server)
{
    const eddy_server_options all = {
        .reuse_port = true, .keep_address = true, .keep_alive = true, .delay_small = true};
    LISTENER(plain);
    LISTENER(other);
    LISTENER(six);

    CHECK_OK(open_ip("127.0.0.1", 0, &defaults, &plain));
    CHECK(eddy_address_port(&plain.address) > 0);
    CHECK_EQ(option(plain.fd, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_EQ(option(plain.fd, SOL_SOCKET, SO_REUSEPORT), 0);
    CHECK_EQ(option(plain.fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK_EQ(option(plain.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK(fcntl(plain.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(answers(&plain.address));
    CHECK_OK(open_ip("127.0.0.1", 0, &all, &other));
    CHECK_EQ(option(other.fd, SOL_SOCKET, SO_REUSEADDR), 0);
    CHECK_EQ(option(other.fd, SOL_SOCKET, SO_REUSEPORT), 1);
    CHECK_EQ(option(other.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(option(other.fd, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_OK(open_ip("::", 0, &defaults, &six));
    CHECK_EQ(option(six.fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

/* A-SRV-15: what cannot be bound says which address it was. */
TEST(listener_that_cannot_bind_names_the_address)
{
    LISTENER(first);
    struct ed_listener second;
    char text[200], name[EDDY_ADDRESS_TEXT];

    CHECK_OK(open_ip("127.0.0.1", 0, &defaults, &first));
    CHECK_EQ(open_ip("127.0.0.1", eddy_address_port(&first.address), &defaults, &second),
             -EADDRINUSE);
    snprintf(text, sizeof text,
             "cannot listen at %s: ", eddy_address_text(&first.address, name, sizeof name));
    CHECK_HAS(eddy_error_message(-EADDRINUSE), text);
    CHECK_EQ(open_ip("192.0.2.1", 0, &defaults, &second), -EADDRNOTAVAIL);
    CHECK_HAS(eddy_error_message(-EADDRNOTAVAIL), "192.0.2.1:0");
}

TEST(listeners_share_a_port_when_both_ask_for_it)
{
    const eddy_server_options shared = {.reuse_port = true};
    LISTENER(first);
    LISTENER(second);

    CHECK_OK(open_ip("127.0.0.1", 0, &shared, &first));
    CHECK_OK(open_ip("127.0.0.1", eddy_address_port(&first.address), &shared, &second));
}

/* A-UNIX-3: the file is there while it listens, and goes with it. */
TEST(listener_removes_its_file)
{
    FOLDER(folder);
    const char *path = path_in(folder, "socket");
    LISTENER(listener);

    CHECK_OK(open_path(path, &defaults, &listener));
    CHECK(exists(path) && answers(&listener.address));
    ed_listener_refuse(&listener);
    CHECK(!exists(path));
    ed_listener_close(&listener);
    CHECK_OK(open_path(path, &defaults, &listener));
    ed_listener_close(&listener);
    CHECK(!exists(path));
}

TEST(listener_keeps_its_file_when_it_is_told)
{
    const eddy_server_options keep = {.keep_file = true};
    FOLDER(folder);
    const char *path = path_in(folder, "socket");
    LISTENER(listener);

    CHECK_OK(open_path(path, &keep, &listener));
    ed_listener_refuse(&listener);
    ed_listener_close(&listener);
    CHECK(exists(path));
    CHECK_OK(open_path(path, &defaults, &listener)); /* A-UNIX-2: and it is replaced */
    CHECK(answers(&listener.address));
}

/* A-UNIX-2: only a socket is replaced, nothing else, and nothing through a link. */
TEST(listener_leaves_foreign_files_alone)
{
    FOLDER(folder);
    const char *file = path_in(folder, "file"), *link = path_in(folder, "link");
    struct ed_listener listener;
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && write(fd, "mine", 4) == 4);
    close(fd);
    CHECK_EQ(open_path(file, &defaults, &listener), -EADDRINUSE);
    CHECK_HAS(eddy_error_message(-EADDRINUSE), file);
    CHECK(exists(file));
    CHECK_EQ(open_path(folder, &defaults, &listener), -EADDRINUSE);
    CHECK_EQ(symlink(file, link), 0);
    CHECK_EQ(open_path(link, &defaults, &listener), -EADDRINUSE);
    CHECK(exists(link) && exists(file));
    CHECK_EQ(open_path(path_in(folder, "no/socket"), &defaults, &listener), -ENOENT);
}

/* A-UNIX-3: a name that another server has taken over meanwhile is that one's. */
TEST(listener_leaves_a_file_that_another_has_replaced)
{
    FOLDER(folder);
    const char *path = path_in(folder, "socket");
    LISTENER(first);
    LISTENER(second);

    CHECK_OK(open_path(path, &defaults, &first));
    CHECK_OK(open_path(path, &defaults, &second));
    ed_listener_refuse(&first);
    ed_listener_close(&first);
    CHECK(exists(path) && answers(&second.address));
    CHECK_EQ(unlink(path), 0); /* gone by itself: nothing to complain about */
    ed_listener_refuse(&second);
}

/* The mode is the file's before anybody can connect, whatever the umask is. */
TEST(listener_gives_its_file_the_mode)
{
    const eddy_server_options options = {.mode = 0600};
    const eddy_server_options open_to_all = {.mode = 0777};
    FOLDER(folder);
    const char *path = path_in(folder, "socket");
    struct stat status;
    LISTENER(listener);
    mode_t mask = umask(0077);

    CHECK_OK(open_path(path, &options, &listener));
    CHECK_EQ(lstat(path, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    ed_listener_close(&listener);
    CHECK_OK(open_path(path, &open_to_all, &listener));
    CHECK_EQ(lstat(path, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0777);
    (void)umask(mask);
}

/* A-UNIX-1: an abstract name has no file, and is free again at once. */
TEST(listener_at_an_abstract_name_has_no_file)
{
    LISTENER(listener);
    struct ed_listener other;
    char name[40];

    snprintf(name, sizeof name, "@eddy-listener-%d", (int)getpid());
    CHECK_OK(open_path(name, &defaults, &listener));
    CHECK(answers(&listener.address));
    CHECK_EQ(open_path(name, &defaults, &other), -EADDRINUSE);
    ed_listener_refuse(&listener);
    ed_listener_close(&listener);
    CHECK_OK(open_path(name, &defaults, &listener));
}

/* Refusing works at once, also while a duplicate of the descriptor, such as an operation's,
 * keeps the socket open. */
TEST(listener_that_refuses_is_not_connected_to)
{
    LISTENER(listener);
    PEER_FD copy = -1;

    CHECK_OK(open_ip("127.0.0.1", 0, &defaults, &listener));
    copy = dup(listener.fd);
    CHECK(answers(&listener.address));
    ed_listener_refuse(&listener);
    CHECK(!answers(&listener.address));
}

/* A listening socket from elsewhere is taken over, as it is; nothing else is. */
TEST(listener_adopts_only_what_listens)
{
    LISTENER(listener);
    PEER_FD datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    PEER_FD plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PEER_FD packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const struct sockaddr_un any = {.sun_family = AF_UNIX};
    int fd = peer_listen("127.0.0.1", 0, 4);

    CHECK_EQ(bind(packets, (const struct sockaddr *)&any, sizeof any.sun_family), 0);
    CHECK_EQ(listen(packets, 1), 0);
    CHECK_EQ(ed_listener_adopt(packets, &defaults, &listener), -EINVAL);
    CHECK_EQ(ed_listener_adopt(datagram, &defaults, &listener), -EINVAL);
    CHECK_EQ(ed_listener_adopt(plain, &defaults, &listener), -EINVAL);
    CHECK_EQ(ed_listener_adopt(-1, &defaults, &listener), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "descriptor -1 does not listen");
    CHECK_OK(ed_listener_adopt(fd, &defaults, &listener));
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(eddy_address_port(&listener.address), peer_port(fd));
}

/* A socket that somebody else has too, such as the process before or after this one, must go on
 * listening for them when this server stops. */
TEST(listener_that_was_adopted_goes_on_for_others)
{
    struct ed_listener listener;
    PEER_FD theirs = peer_listen("127.0.0.1", 0, 4);
    eddy_address address;

    CHECK_OK(ed_listener_adopt(dup(theirs), &defaults, &listener));
    address = listener.address;
    ed_listener_refuse(&listener);
    ed_listener_close(&listener);
    CHECK(answers(&address));
}
