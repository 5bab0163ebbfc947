/* SPDX-License-Identifier: MIT */
/* Streams over descriptors, whose names are addresses: read when they are asked for. */
#include "net/descriptor.h"

#include <string.h>

#include "eddy/address.h"
#include "io/descriptor.h"

static void descriptor_name(const struct sockaddr *any, socklen_t size, char *text, size_t room)
{
    eddy_address address = {.size = size};

    memcpy(&address.as, any, size);
    eddy_address_text(&address, text, room);
}

int ed_socket_stream(int fd, int family, eddy_stream **out)
{
    return ed_socket_new(fd, family == AF_UNIX ? ED_SOCKET_UNIX : ED_SOCKET_TCP, descriptor_name,
                         out);
}

int eddy_stream_from_fd(int fd, eddy_stream **out)
{
    return ed_descriptor_stream(fd, descriptor_name, out);
}
