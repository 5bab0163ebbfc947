/* SPDX-License-Identifier: MIT */
/* Streams over descriptors, with addresses for names. */
#include "net/peer.h"

/* A-CONN-7: a socket that is connected already; it is non-blocking then, close-on-exec is the
 * caller's affair, and it is closed with the stream. */
TEST(descriptor_of_a_connected_socket_becomes_a_stream)
{
    EDDY_STREAM stream = NULL;
    PEER_FD peer = -1;
    char name[EDDY_ADDRESS_TEXT];
    int fd, copy;

    CHECK_OK(peer_pair(AF_INET, &fd, &peer));
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    copy = dup(fd);
    EDDY_DEFER(peer_close, &copy);
    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    CHECK_EQ(eddy_stream_fd(stream), fd);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_STR(eddy_stream_kind(stream), "tcp");
    snprintf(name, sizeof name, "127.0.0.1:%d", peer_port(peer));
    CHECK_STR(eddy_stream_peer_name(stream), name);
    snprintf(name, sizeof name, "127.0.0.1:%d", peer_port(copy));
    CHECK_STR(eddy_stream_local_name(stream), name);
    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
    CHECK(!(fcntl(copy, F_GETFL) & O_NONBLOCK)); /* others that share it find it as it was */
}

TEST(descriptor_is_not_of_two_streams)
{
    EDDY_STREAM stream = NULL;
    EDDY_STREAM again = NULL;
    EDDY_SERVER server = NULL;
    PEER_FD other = -1;
    int fd;

    CHECK_OK(peer_pair(AF_INET, &fd, &other));
    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    CHECK_EQ(eddy_stream_from_fd(fd, &again), -EBUSY);
    CHECK_EQ(eddy_server_from_fd(fd, NULL, NULL, NULL, &server), -EBUSY);
    CHECK(again == NULL && server == NULL);
}
