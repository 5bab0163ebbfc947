/* SPDX-License-Identifier: MIT */
/*
 * The timer queue against a model: an array that is kept sorted by deadline and,
 * where those are equal, by the order of the starts. Rules A-LOOP-6, A-LOOP-7, D-1.
 */
#include "loop/timer.h"

#include "base/time.h"
#include "harness.h"

#define TIMERS 300

static struct ed_timer_queue queue;
static int64_t now;
static uint64_t random_state = 88172645463325252u;

static struct model_timer {
    struct eddy_timer_ timer;
    int64_t when;
} timers[TIMERS];

static int sorted[TIMERS], count; /* the model: indexes of those that are pending */
static uint64_t timer_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void never_fires(struct eddy_timer_ *timer)
{
    (void)timer; /* take_due gives the timer, the loop fires it */
}

/* A deadline of one of the kinds that have broken timer queues. */
static int64_t random_deadline(void)
{
    uint64_t r = timer_random();

    switch (timer_random() % 16) {
    case 0: return now;
    case 1: return now - (int64_t)(r % 1000);
    case 2: return 0;
    case 3: return -(int64_t)(r % 1000000);
    case 4: return r % 2 ? INT64_MIN : INT64_MIN + 1;
    case 5: return ED_NEVER;
    case 6: return ED_NEVER - (int64_t)(r % 1000);
    case 7: return ed_time_add(now, (int64_t)(r >> 1));
    case 8: return ed_time_add(now, (int64_t)(r % 64));
    case 9: return ed_time_add(now, (int64_t)1 << r % 62);
    case 10: return ed_time_add(now, ((int64_t)1 << r % 62) - 1);
    case 11: return count ? timers[sorted[r % (unsigned)count]].when : now; /* an equal one */
    case 12: return ed_time_add(now, (int64_t)(r % 4096));
    default: return ed_time_add(now, (int64_t)(r % 1000000));
    }
}

static void model_insert(int index)
{
    int place = count++;

    while (place > 0 && timers[sorted[place - 1]].when > timers[index].when) {
        sorted[place] = sorted[place - 1];
        place--;
    }
    sorted[place] = index;
}

static void model_remove(int index)
{
    int place = 0;

    while (sorted[place] != index)
        place++;
    memmove(sorted + place, sorted + place + 1, (size_t)(--count - place) * sizeof sorted[0]);
}

static void start_one(int index)
{
    timers[index].when = random_deadline();
    ed_timer_start(&queue, &timers[index].timer, timers[index].when);
    model_insert(index);
}

static int start_or_stop(void)
{
    int index = (int)(timer_random() % TIMERS);
    bool pending = ed_timer_pending(&timers[index].timer);

    if (!pending && timer_random() % 4) {
        start_one(index);
        REQUIRE(ed_timer_pending(&timers[index].timer));
        REQUIRE(timers[index].timer.when == timers[index].when);
    } else {
        ed_timer_stop(&queue, &timers[index].timer); /* no effect if it is not pending */
        REQUIRE(!ed_timer_pending(&timers[index].timer));
        if (pending)
            model_remove(index);
    }
    return 0;
}

static int stop_one(int index)
{
    ed_timer_stop(&queue, &timers[index].timer);
    model_remove(index);
    REQUIRE(!ed_timer_pending(&timers[index].timer));
    return 0;
}

/* What the callback of a timer may do, before the next one is taken: set the timer
 * again, stop the one that is next, perhaps due as well, or any other. */
static int act_as_callback(int index)
{
    switch (timer_random() % 24) {
    case 0: start_one(index); return 0;
    case 1: return count ? stop_one(sorted[0]) : 0;
    case 2:
    case 3: return start_or_stop();
    default: return 0;
    }
}

/* Moves the clock, and takes what is due: in the model's order, and no other. */
static int advance(void)
{
    struct eddy_timer_ *timer;
    uint64_t r = timer_random();
    int64_t step = r % 4 == 0 ? 0 : r % 4 == 1 ? (int64_t)(r % 100) : (int64_t)(r % 500000);

    if (r % 64 == 2 && count)
        step = timers[sorted[(unsigned)count / 2]].when - now; /* a long way, at times */
    now = step > 0 && now < ED_NEVER / 4 ? ed_time_add(now, step % (ED_NEVER / 4)) : now;
    while ((timer = ed_timer_take_due(&queue, now))) {
        REQUIRE(count > 0);
        REQUIRE(timer == &timers[sorted[0]].timer);
        REQUIRE(timers[sorted[0]].when <= now);
        REQUIRE(!ed_timer_pending(timer));
        model_remove(sorted[0]);
        REQUIRE(act_as_callback(
                    (int)(ed_container_of(timer, struct model_timer, timer) - timers)) == 0);
    }
    REQUIRE(count == 0 || timers[sorted[0]].when > now);
    return 0;
}

static int check_next(void)
{
    int64_t next = ed_timer_next(&queue);

    REQUIRE((size_t)count == queue.count);
    if (count == 0)
        REQUIRE(next == ED_NEVER);
    else
        REQUIRE(next <= timers[sorted[0]].when || next <= now);
    return 0;
}

static int run_model(int operations)
{
    for (int i = 0; i < operations; i++) {
        if (i % 20000 == 0) { /* anew: the clock of a queue does not come back from far away */
            count = 0;
            now = (int64_t)(timer_random() >> (2 + timer_random() % 60));
            ed_timer_init(&queue, now);
            for (int j = 0; j < TIMERS; j++)
                timers[j].timer = (struct eddy_timer_)ED_TIMER_INIT(never_fires);
        }
        REQUIRE((timer_random() % 3 ? start_or_stop() : advance()) == 0);
        REQUIRE(check_next() == 0);
    }
    return 0;
}

RAW_TEST(timers_behave_as_a_sorted_list_over_random_operations)
{
    CHECK_EQ(run_model(test_is_deep() ? 10000000 : test_is_slow() ? 40000 : 200000), 0);
}

/* The same order at full size: nothing is stopped, all come out sorted. */
RAW_TEST(timers_come_out_sorted_and_equal_ones_in_order)
{
    static struct eddy_timer_ many[20000];
    struct eddy_timer_ *before = NULL, *timer;
    size_t taken = 0;

    ed_timer_init(&queue, 5);
    for (size_t i = 0; i < 20000; i++) {
        many[i] = (struct eddy_timer_)ED_TIMER_INIT(never_fires);
        ed_timer_start(&queue, &many[i], 5 + (int64_t)(timer_random() % 3000));
    }
    for (now = 5; now < 3100; now += 7)
        while ((timer = ed_timer_take_due(&queue, now))) {
            CHECK(timer->when <= now);
            CHECK(timer->when > now - 7);
            if (before)
                CHECK(before->when < timer->when ||
                      (before->when == timer->when && before < timer));
            before = timer;
            taken++;
        }
    CHECK_EQ(taken, 20000);
    CHECK_EQ(queue.count, 0);
}

RAW_TEST(timer_queue_knows_its_first_deadline_exactly)
{
    struct eddy_timer_ a = ED_TIMER_INIT(never_fires), b = ED_TIMER_INIT(never_fires);

    ed_timer_init(&queue, 100);
    CHECK_EQ(ed_timer_next(&queue), ED_NEVER);
    ed_timer_start(&queue, &a, 123456789);
    CHECK_EQ(ed_timer_next(&queue), 123456789);
    ed_timer_start(&queue, &b, 1234);
    CHECK_EQ(ed_timer_next(&queue), 1234);
    CHECK(ed_timer_take_due(&queue, 1233) == NULL);
    CHECK(ed_timer_take_due(&queue, 1234) == &b);
    CHECK_EQ(ed_timer_next(&queue), 123456789);
    ed_timer_stop(&queue, &a);
    ed_timer_stop(&queue, &a); /* idempotent */
    CHECK_EQ(ed_timer_next(&queue), ED_NEVER);
    CHECK(ed_timer_take_due(&queue, ED_NEVER) == NULL);
}

RAW_TEST(timer_at_one_nanosecond_is_due_then_and_not_before)
{
    struct eddy_timer_ timer = ED_TIMER_INIT(never_fires);

    ed_timer_init(&queue, 0);
    for (int64_t when = 1; when > 0 && when < INT64_MAX / 2; when *= 2) {
        ed_timer_start(&queue, &timer, when);
        CHECK(!ed_timer_take_due(&queue, when - 1));
        CHECK(ed_timer_take_due(&queue, when) == &timer);
    }
}

/* The far end means never, for every time that a clock can show. */
RAW_TEST(timer_at_the_far_end_never_comes)
{
    struct eddy_timer_ never = ED_TIMER_INIT(never_fires), last = ED_TIMER_INIT(never_fires);

    ed_timer_init(&queue, 1);
    ed_timer_start(&queue, &never, ED_NEVER);
    CHECK_EQ(ed_timer_next(&queue), ED_NEVER);
    ed_timer_start(&queue, &last, ED_NEVER - 1);
    CHECK(!ed_timer_take_due(&queue, ED_NEVER - 2));
    CHECK(ed_timer_take_due(&queue, ED_NEVER - 1) == &last);
    CHECK(!ed_timer_take_due(&queue, ED_NEVER - 1));
    CHECK(ed_timer_pending(&never));
    ed_timer_stop(&queue, &never);
    CHECK_EQ(queue.count, 0);
}

static void start_twice(void)
{
    struct eddy_timer_ timer = ED_TIMER_INIT(never_fires);

    ed_timer_init(&queue, 0);
    ed_timer_start(&queue, &timer, 1);
    ed_timer_start(&queue, &timer, 2);
}

RAW_TEST(timer_that_is_pending_is_not_started_again)
{
    CHECK_DIES(start_twice, "broken invariant: !ed_timer_pending(timer)");
}
