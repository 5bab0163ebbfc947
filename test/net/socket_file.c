/* SPDX-License-Identifier: MIT */
/* Files of unix sockets, as a bind makes them: rules A-UNIX-2 and A-UNIX-3. What endpoints and
 * servers make of them stands in their own tests. */
#include "net/socket_file.h"

#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

RAW_TEST(socket_file_is_made_replaced_and_removed)
{
    char folder[] = "/tmp/eddy-file-XXXXXX", path[48];
    struct ed_socket_file file, other;
    eddy_address address;
    int one = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int two = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    CHECK_OK(eddy_address_from_path(path, &address));
    CHECK_STR(ed_socket_path(&address), path);
    CHECK_OK(ed_socket_bind(one, &address, 0640, false, &file));
    CHECK(file.exists);
    CHECK_OK(ed_socket_bind(two, &address, 0, true, &other));
    CHECK(!other.exists);
    ed_socket_file_remove(&file, &address); /* it is not the first one's any more */
    CHECK_EQ(access(path, F_OK), 0);
    ed_socket_file_remove(&other, &address); /* and the second one is to be kept */
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_EQ(close(one) + close(two), 0);
}

RAW_TEST(socket_path_is_of_named_unix_addresses_only)
{
    eddy_address address;
    struct ed_socket_file file;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CHECK_OK(eddy_address_from_path("@abstract", &address));
    CHECK(ed_socket_path(&address) == NULL);
    CHECK_OK(eddy_address_from_ip("127.0.0.1", 0, &address));
    CHECK(ed_socket_path(&address) == NULL);
    CHECK_OK(ed_socket_bind(fd, &address, 0, false, &file));
    CHECK(!file.exists);
    CHECK_EQ(ed_socket_bind(fd, &address, 0, false, &file), -EINVAL); /* it is bound */
    CHECK_EQ(close(fd), 0);
}
