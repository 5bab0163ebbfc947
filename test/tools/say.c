/* SPDX-License-Identifier: MIT */
/* What is printed while nobody reads it. */
#include "tools/say.h"

#include <fcntl.h>
#include <unistd.h>

#include "harness.h"

static int say_much(void)
{
    static char block[4096];

    memset(block, 'x', sizeof block);
    for (int i = 0; i < 200; i++)
        ed_say_bytes(block, sizeof block);
    return eddy_sleep(0);
}
EDDY_ASYNC(say_much);

/* Others run while one waits, who can be stopped; the end does not wait for long either. */
static int say_among_others(void)
{
    EDDY_TASK sayer = eddy_create_task(say_much);
    double begin = eddy_time();

    EDDY_TRY(eddy_sleep(0.05));
    if (eddy_task_done(sayer) || ed_say_now("x", 1))
        return -EDOM;
    eddy_cancel(sayer);
    if (eddy_await(sayer) != -ECANCELED)
        return -EDOM;
    ed_say_end(0.05);
    return eddy_time() - begin < 10 ? 0 : -EDOM;
}
EDDY_ASYNC(say_among_others);

static void say_to_nobody(void)
{
    int ends[2], rc;

    if (pipe(ends) < 0)
        _exit(9);
    dup2(ends[1], STDERR_FILENO);
    alarm(20);
    rc = eddy_run(say_among_others);
    _exit(rc == 0 ? 0 : 1);
}

RAW_TEST(say_holds_nobody_up)
{
    char text[1024];

    CHECK_EQ(test_fork(say_to_nobody, text, sizeof text), 0);
}

static int say_some(void)
{
    ed_say("%s %d\n", "text", 1);
    (void)ed_say_now("now\n", 4);
    ed_say_end(1);
    return 0;
}
EDDY_ASYNC(say_some);

static void say_to_a_reader(void)
{
    ed_say("before\n");
    _exit(eddy_run(say_some));
}

RAW_TEST(say_prints_in_order)
{
    char text[1024];

    CHECK_EQ(test_fork(say_to_a_reader, text, sizeof text), 0);
    CHECK_STR(text, "before\ntext 1\nnow\n");
}
