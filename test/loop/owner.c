/* SPDX-License-Identifier: MIT */
/* Whose a descriptor is: A-FD-5, A-SOCK-8. */
#include "loop/loop.h"

#include "../io/socketpair.h"

RAW_TEST(owner_of_each_descriptor_is_known)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    CHECK(!ed_loop_owns(loop, 0));
    CHECK(!ed_loop_owns(loop, -1));
    ed_loop_disown(loop, 5000);
    for (int fd = 0; fd < 1000; fd += 3)
        ed_loop_own(loop, fd);
    for (int fd = 0; fd < 1000; fd++)
        CHECK_EQ(ed_loop_owns(loop, fd), fd % 3 == 0);
    for (int fd = 0; fd < 1000; fd += 6)
        ed_loop_disown(loop, fd);
    for (int fd = 0; fd < 1000; fd++)
        CHECK_EQ(ed_loop_owns(loop, fd), fd % 6 == 3);
    eddy_loop_free(loop);
}

static int never(void *unused)
{
    (void)unused;
    return 0;
}

/* A-FD-5, A-SOCK-8: a stream's descriptor is nobody else's, until the stream is closed. */
TEST(owner_stream_keeps_others_from_its_descriptor)
{
    eddy_loop *loop = eddy_get_running_loop();
    PAIR(pair, SOCK_STREAM);
    EDDY_STREAM stream = NULL;
    char byte;
    int fd = pair.one, rc;

    CHECK_OK(eddy_stream_from_fd(fd, &stream));
    pair.one = -1;
    rc = (int)eddy_sock_recv(fd, &byte, 1);
    CHECK_EQ(rc, -EBUSY);
    CHECK_HAS(eddy_error_message(rc), "belongs to a stream");
    CHECK_EQ(eddy_sock_send(fd, "a", 1), -EBUSY);
    CHECK_EQ(eddy_wait_readable(fd), -EBUSY);
    CHECK_EQ(eddy_sock_close(fd), -EBUSY);
    CHECK_EQ(eddy_loop_add_reader(loop, fd, never, NULL), -EBUSY);
    CHECK_EQ(eddy_loop_add_writer(loop, fd, never, NULL), -EBUSY);
    CHECK_EQ(write(pair.other, "s", 1), 1);
    CHECK_EQ(eddy_read(stream, &byte, 1), 1);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(dup2(pair.other, fd), fd); /* the number is somebody else's */
    pair.one = fd;
    CHECK_EQ(eddy_sock_send(fd, "a", 1), -EPIPE);
}
