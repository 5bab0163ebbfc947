/* SPDX-License-Identifier: MIT */
/* Barriers: rules A-BARR-1 to A-BARR-8. */
#include "harness.h"

static int order[64], passed; /* places in the order in which tasks went on */
static int bumps;

static int meet(eddy_barrier *barrier, int *place)
{
    int rc = eddy_barrier_wait(barrier);

    if (rc < 0)
        return rc;
    order[passed++] = rc;
    *place = rc;
    return 0;
}
EDDY_ASYNC_RESULT(int, meet, eddy_barrier *);

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

/* A-BARR-1, A-BARR-2: places by arrival; the last one does not wait and goes on first. */
TEST(barrier_gives_places_by_arrival_and_the_last_goes_on_first)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(3);
    EDDY_TASK a = eddy_create_task(meet, &barrier);
    EDDY_TASK b = eddy_create_task(meet, &barrier);
    EDDY_TASK c = eddy_create_task(meet, &barrier);
    int place = -1;

    CHECK_OK(eddy_await(a, &place));
    CHECK_EQ(place, 0);
    CHECK_OK(eddy_await(b, &place));
    CHECK_EQ(place, 1);
    CHECK_OK(eddy_await(c, &place));
    CHECK_EQ(place, 2);
    CHECK_EQ(order[0], 2);
    CHECK_EQ(order[1], 0);
    CHECK_EQ(order[2], 1);
}

/* A-BARR-1: fewer than N wait. */
TEST(barrier_holds_until_all_have_come)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(3);
    EDDY_TASK a = eddy_create_task(meet, &barrier);
    EDDY_TASK b = eddy_create_task(meet, &barrier);

    CHECK_OK(eddy_sleep(10));
    CHECK(!eddy_task_done(a) && !eddy_task_done(b));
    CHECK_EQ(barrier.arrived, 2); /* A-BARR-7 */
    CHECK_EQ(eddy_barrier_wait(&barrier), 2);
    CHECK_EQ(barrier.arrived, 0);
    CHECK_OK(eddy_await(b));
}

/* A-BARR-1: a barrier of nobody is an error. */
TEST(barrier_of_no_parties_is_refused)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(0);

    CHECK_EQ(eddy_barrier_wait(&barrier), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "0");
}

static int meet_often(eddy_barrier *barrier, int times, int *rounds)
{
    for (int i = 0; i < times; i++) {
        int rc = eddy_barrier_wait(barrier);

        if (rc < 0)
            return rc;
        rounds[i]++;
        /* whoever comes out of round i sees all of round i, nobody of round i + 2 */
        if (i + 2 < times && rounds[i + 2] > 0)
            test_fail(__FILE__, __LINE__, "a task is two rounds ahead");
    }
    return 0;
}
EDDY_ASYNC(meet_often, eddy_barrier *, int, int *);

/* A-BARR-3: reusable; a newcomer belongs to the next round. */
TEST(barrier_can_be_used_again_and_rounds_do_not_mix)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(4);
    int rounds[100] = {0};
    EDDY_GROUP(group);

    for (int i = 0; i < 4; i++)
        CHECK_OK(eddy_group_create_task(&group, meet_often, &barrier, 100, rounds));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < 100; i++)
        CHECK_EQ(rounds[i], 4);
}

/* A-BARR-4: a cancelled waiter lowers the count, and breaks nothing. */
TEST(barrier_waiter_that_is_cancelled_breaks_nothing)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(3);
    EDDY_TASK a = eddy_create_task(meet, &barrier);
    EDDY_TASK b = eddy_create_task(meet, &barrier);
    int place = -1;

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_EQ(barrier.arrived, 1);
    CHECK(!barrier.broken);
    EDDY_TASK c = eddy_create_task(meet, &barrier);
    test_settle();
    CHECK(!eddy_task_done(b) && !eddy_task_done(c));
    CHECK_EQ(eddy_barrier_wait(&barrier), 2);
    CHECK_OK(eddy_await(b, &place));
    CHECK_EQ(place, 0); /* it moved up */
    CHECK_OK(eddy_await(c, &place));
    CHECK_EQ(place, 1);
}

/* Promise 3: the round was complete, so the cancel comes too late for it. */
TEST(barrier_waiter_cancelled_in_the_tick_of_the_round_has_met)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);
    EDDY_TASK a = eddy_create_task(meet, &barrier);

    test_settle();
    CHECK_EQ(eddy_barrier_wait(&barrier), 1);
    CHECK_OK(eddy_cancel(a));
    CHECK_OK(eddy_await(a));
    CHECK_EQ(barrier.arrived, 0);
}

/* A-BARR-5: a reset sends those who wait away, and leaves the barrier whole. */
TEST(barrier_reset_sends_waiters_away_and_mends)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);

    eddy_barrier_reset(&barrier); /* of an empty one: nothing */
    EDDY_TASK a = eddy_create_task(meet, &barrier);
    test_settle();
    eddy_barrier_reset(&barrier);
    CHECK_EQ(eddy_await(a), -EOWNERDEAD);
    EDDY_TASK b = eddy_create_task(meet, &barrier);
    test_settle();
    CHECK_EQ(eddy_barrier_wait(&barrier), 1);
    CHECK_OK(eddy_await(b));
}

/* A-BARR-6: broken for those who wait and those who come, until a reset. */
TEST(barrier_abort_breaks_it_until_a_reset)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);
    EDDY_TASK a = eddy_create_task(meet, &barrier);

    test_settle();
    eddy_barrier_abort(&barrier);
    CHECK(barrier.broken);
    CHECK_EQ(eddy_await(a), -EOWNERDEAD);
    CHECK_EQ(eddy_barrier_wait(&barrier), -EOWNERDEAD);
    eddy_barrier_reset(&barrier);
    EDDY_TASK b = eddy_create_task(meet, &barrier);
    test_settle();
    CHECK_EQ(eddy_barrier_wait(&barrier), 1);
    CHECK_OK(eddy_await(b));
}

static int meet_after_another_text(eddy_barrier *barrier)
{
    (void)eddy_raise(-EOWNERDEAD, "the text of another error");
    REQUIRE(eddy_barrier_wait(barrier) == -EOWNERDEAD);
    REQUIRE(strcmp(eddy_error_message(-EOWNERDEAD), eddy_strerror(-EOWNERDEAD)) == 0);
    return 0;
}
EDDY_ASYNC(meet_after_another_text, eddy_barrier *);

/* Promise 1: a call that fails without a text forgets the text of an earlier error. */
TEST(barrier_abort_is_not_explained_by_an_older_error)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);
    EDDY_TASK a = eddy_create_task(meet_after_another_text, &barrier);

    test_settle();
    eddy_barrier_abort(&barrier);
    CHECK_OK(eddy_await(a));
}

static eddy_barrier one = EDDY_BARRIER_INIT(1);

/* A-BARR-8: one party never waits. */
TEST(barrier_of_one_party_is_no_wait)
{
    EDDY_TASK other = eddy_create_task(bump_for_ever);

    for (int i = 0; i < 5; i++)
        CHECK_EQ(eddy_barrier_wait(&one), 0);
    CHECK_EQ(bumps, 0);
}

/* A timeout is no other than a cancel: the count is lowered. */
TEST(barrier_wait_can_time_out)
{
    eddy_barrier barrier = EDDY_BARRIER_INIT(2);
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_barrier_wait(&barrier), -ETIMEDOUT);
    }
    CHECK_EQ(barrier.arrived, 0);
    EDDY_TASK a = eddy_create_task(meet, &barrier);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(a));
}
