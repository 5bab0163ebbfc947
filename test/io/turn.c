/* SPDX-License-Identifier: MIT */
/* Turns at a descriptor: their order, and the end of a line with everybody in it. */
#include "io/turn.h"

#include "socketpair.h"

static const struct ed_wait_kind turn_kind = ED_TURN_WAIT_KIND("test.turn");

static int order[16], served;

static int take_byte(struct ed_line *line, int fd, int who)
{
    char byte;
    int rc;
    ED_LINE_TURN(turn);

    turn.awaited.op.kind = ED_OP_RECV;
    turn.awaited.op.fd = fd;
    turn.awaited.op.data = &byte;
    turn.awaited.op.size = 1;
    rc = ed_line_do(line, &turn, &turn_kind);
    if (rc < 0)
        return rc;
    order[served++ % 16] = who;
    return 0;
}
EDDY_ASYNC(take_byte, struct ed_line *, int, int);

static int end_line(struct ed_line *line)
{
    ed_line_end(line, -ESHUTDOWN);
    ed_line_wait(line);
    return 0;
}
EDDY_ASYNC(end_line, struct ed_line *);

TEST(turns_are_taken_first_come_first_served)
{
    PAIR(pair, SOCK_STREAM);
    struct ed_line line = {.ended = 0};
    EDDY_GROUP(group);

    for (int i = 0; i < 8; i++)
        CHECK_OK(eddy_group_create_task(&group, take_byte, &line, pair.one, i));
    test_settle();
    CHECK(!ed_line_is_free(&line));
    CHECK_EQ(eddy_thread_.loop->engine->in_flight, 1); /* the others' are not begun */
    CHECK_EQ(write(pair.other, "01234567", 8), 8);
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < 8; i++)
        CHECK_EQ(order[i], i);
    CHECK(ed_line_is_free(&line));
}

/* Whatever state a turn is in when its line ends: waiting, in the kernel, just given. */
TEST(turns_end_with_their_line)
{
    PAIR(pair, SOCK_STREAM);
    struct ed_line line = {.ended = 0};
    EDDY_TASK a = eddy_create_task(take_byte, &line, pair.one, 0);
    EDDY_TASK b = eddy_create_task(take_byte, &line, pair.one, 1);
    EDDY_TASK c = eddy_create_task(take_byte, &line, pair.one, 2);

    test_settle();
    CHECK_EQ(write(pair.other, "0", 1), 1);
    CHECK_OK(eddy_await(a)); /* b has been given its turn by now, or has begun */
    EDDY_TASK closer = eddy_create_task_eager(end_line, &line);
    CHECK_EQ(take_byte(&line, pair.one, 3), -ESHUTDOWN);
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_await(b), -ESHUTDOWN);
    CHECK_EQ(eddy_await(c), -ESHUTDOWN);
    CHECK(ed_list_empty(&line.turns));
    CHECK_EQ(take_byte(&line, pair.one, 4), -ESHUTDOWN);
}

TEST(turn_that_is_cancelled_leaves_the_rest_in_order)
{
    PAIR(pair, SOCK_STREAM);
    struct ed_line line = {.ended = 0};
    EDDY_TASKS(tasks, 4);

    CHECK(tasks);
    for (int i = 0; i < 4; i++)
        tasks[i] = eddy_create_task(take_byte, &line, pair.one, i);
    test_settle();
    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_cancel(tasks[i]));
    CHECK_EQ(write(pair.other, "0", 1), 1);
    CHECK_OK(eddy_await(tasks[3]));
    CHECK_EQ(order[0], 3);
}
