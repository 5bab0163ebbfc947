/* SPDX-License-Identifier: MIT */
/*
 * Random programs in which tasks contend: a bounded queue, a lock, a semaphore, an
 * event, a condition, with timeouts, cancels and a shutdown, all at few different
 * times, so that everything meets everything in one tick. There is no model; what is
 * checked are the invariants that hold in whatever order things happen:
 *
 * - items put = got + left or dropped, each once, those that one task gets of another
 *   in its order;
 * - a lock has one holder, who came before all that still wait; permits are never more
 *   than there are; a wait that succeeds was set or notified;
 * - time never goes back, no sleep or timeout is early, nor late on the virtual clock;
 * - every task ends once, all of them in bounded time, and nothing is left behind;
 * - each of N ready tasks runs once before any runs again;
 * - two runs of one seed do the same, also when the order is shuffled from it.
 */
#include <errno.h>

#include "eddy/debug.h"
#include "seeds.h"
#include "task/park.h"

#define ACTORS 12
#define STEPS 30
#define SECONDS_AT_MOST 10000 /* of virtual time, for a whole program */

struct actor {
    int index, steps;
    eddy_task *task; /* NULL: has ended */
    int ends;
    int put;                /* items so far */
    int got[ACTORS];        /* the last item of each producer, plus one */
    uint64_t asks_for_lock; /* when it began to wait, in the order of such */
};

static struct actor actors[ACTORS];
static int actor_count;
static uint64_t program_seed, trace;
static bool shuffled;
static double latest; /* time seen so far */

static eddy_queue queue;
static size_t queue_size;
static enum { ABSENT, OFFERED, PUT = 2, REFUSED = 4, GOT = 8 } items[ACTORS][STEPS];

static eddy_lock lock;
static struct actor *holder;
static uint64_t lock_asks;

static eddy_semaphore semaphore;
static long permits, permits_taken;

static eddy_event event;
static int event_sets;

static eddy_condition condition;
static int notified, woken;

/* Ends the test where an invariant does not hold, and says how to come back. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s; again with EDDY_TEST_SEED=%llu%s", #condition,      \
                      (unsigned long long)program_seed, shuffled ? ", shuffled" : "");             \
    } while (0)

static void trace_add(int actor, int what, int rc)
{
    double time = eddy_time();

    HOLDS(time >= latest);
    latest = time;
    trace = (trace ^ (uint64_t)(actor << 20 ^ what << 12 ^ -rc)) * 0x100000001b3u;
    trace = (trace ^ (uint64_t)(time * 1000)) * 0x100000001b3u;
}

/* What an operation under a limit returned: a timeout comes at its time exactly. */
static int check_limit(int rc, const eddy_timeout *limit)
{
    HOLDS(rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT || rc == -ESHUTDOWN);
    if (rc == -ETIMEDOUT)
        HOLDS(eddy_timeout_expired(limit) && eddy_time() == eddy_timeout_when(limit));
    if (eddy_timeout_expired(limit))
        HOLDS(eddy_time() >= eddy_timeout_when(limit));
    return rc;
}

/* The operations ---------------------------------------------------------------- */

static int act_sleep(struct actor *self)
{
    double seconds = random_below(4), begun = eddy_time();
    int rc = eddy_sleep(seconds);

    (void)self;
    if (rc == 0)
        HOLDS(eddy_time() == begun + seconds);
    return rc;
}

static int act_sleep_shielded(struct actor *self)
{
    EDDY_SHIELD(shield);
    HOLDS(act_sleep(self) == 0);
    return 0;
}

static int act_put(struct actor *self)
{
    int item = self->index * STEPS + self->put, rc;

    items[self->index][self->put] |= OFFERED;
    EDDY_TIMEOUT(limit, random_below(5));
    rc = check_limit(eddy_queue_put(&queue, &item), &limit);
    items[self->index][self->put++] |= rc == 0 ? PUT : REFUSED;
    return rc;
}

static void note_got(struct actor *self, int item)
{
    int producer = item / STEPS, number = item % STEPS;

    HOLDS(items[producer][number] & OFFERED && !(items[producer][number] & (GOT | REFUSED)));
    items[producer][number] |= GOT;
    HOLDS(number >= self->got[producer]);
    self->got[producer] = number + 1;
}

static int act_get(struct actor *self)
{
    int item, rc;

    EDDY_TIMEOUT(limit, random_below(5));
    rc = check_limit(eddy_queue_get(&queue, &item), &limit);
    if (rc == 0)
        note_got(self, item);
    return rc;
}

/* Whether a task waits in the list of an object, in this tick too. */
static bool waits_at(const struct actor *actor, const void *object)
{
    return actor->task && actor->task->wait && actor->task->wait->object == object;
}

static void note_holder(struct actor *self)
{
    HOLDS(!holder);
    holder = self;
    HOLDS(lock.locked && lock.owner == self->task);
    for (int i = 0; i < actor_count; i++)
        if (&actors[i] != self && waits_at(&actors[i], &lock) && actors[i].asks_for_lock)
            HOLDS(actors[i].asks_for_lock > self->asks_for_lock);
    self->asks_for_lock = 0;
}

static int take_lock(struct actor *self)
{
    int rc;

    EDDY_TIMEOUT(limit, random_below(8));
    self->asks_for_lock = ++lock_asks;
    rc = check_limit(eddy_lock_acquire(&lock), &limit);
    if (rc == 0)
        note_holder(self);
    self->asks_for_lock = 0;
    return rc;
}

static void give_lock(struct actor *self)
{
    HOLDS(holder == self);
    holder = NULL;
    HOLDS(eddy_lock_release(&lock) == 0);
}

static int act_lock(struct actor *self)
{
    EDDY_TRY(take_lock(self));
    EDDY_DEFER(give_lock, self);
    return act_sleep(self);
}

static void give_permit(void *unused)
{
    (void)unused;
    permits_taken--;
    HOLDS(eddy_semaphore_release(&semaphore) == 0);
}

static int take_permit(void)
{
    EDDY_TIMEOUT(limit, random_below(5));
    return check_limit(eddy_semaphore_acquire(&semaphore), &limit);
}

static int act_semaphore(struct actor *self)
{
    EDDY_TRY(take_permit());
    HOLDS(++permits_taken <= permits);
    EDDY_DEFER(give_permit, NULL);
    return act_sleep(self);
}

static int act_event(struct actor *self)
{
    int sets = event_sets, rc;
    bool set = event.set;

    (void)self;
    switch (random_below(3)) {
    case 0:
        eddy_event_set(&event);
        event_sets++;
        return 0;
    case 1: eddy_event_clear(&event); return 0;
    }
    EDDY_TIMEOUT(limit, random_below(4));
    rc = check_limit(eddy_event_wait(&event), &limit);
    if (rc == 0)
        HOLDS(set || event_sets > sets);
    return rc;
}

static int act_wait(struct actor *self)
{
    int rc;

    EDDY_TRY(take_lock(self));
    EDDY_DEFER(give_lock, self);
    EDDY_TIMEOUT(limit, random_below(6));
    holder = NULL;
    rc = eddy_condition_wait(&condition);
    note_holder(self); /* whatever it returned, later than the limit perhaps */
    if (rc == 0)
        HOLDS(++woken <= notified);
    return rc;
}

static int act_notify(struct actor *self)
{
    int waiting = 0, count = 1 + random_below(3);

    EDDY_TRY(take_lock(self));
    EDDY_DEFER(give_lock, self);
    ED_LIST_FOR_EACH(link, &condition.waiters.list)
        waiting++;
    HOLDS(eddy_condition_notify(&condition, (size_t)count) == 0);
    notified += count < waiting ? count : waiting;
    return act_sleep(self);
}

static int act_cancel(struct actor *self)
{
    struct actor *other = &actors[random_below(actor_count)];

    if (other != self && other->task)
        HOLDS(eddy_cancel(other->task) == 0);
    return 0;
}

static int act_shut_down(struct actor *self)
{
    (void)self;
    if (random_below(20) == 0)
        eddy_queue_shutdown(&queue, random_below(2));
    return 0;
}

static int (*const acts[])(struct actor *) = {
    act_sleep, act_sleep_shielded, act_put,       act_put,       act_get,   act_get,
    act_lock,  act_lock,           act_semaphore, act_semaphore, act_event, act_event,
    act_wait,  act_notify,         act_cancel,    act_shut_down,
};

/* The program --------------------------------------------------------------------- */

/* A cancelled actor goes on at times; without that it ends soon. */
static int act_on(struct actor *self)
{
    for (int i = 0; i < self->steps; i++) {
        int which = random_below((int)ED_ARRAY_LENGTH(acts));
        int rc = acts[which](self);

        trace_add(self->index, which, rc);
        if (rc == -ECANCELED) {
            HOLDS(eddy_cancelled());
            if (random_below(4) == 0)
                return rc;
            HOLDS(eddy_uncancel() == 0);
        }
    }
    return 0;
}

static int run_actor(struct actor *self)
{
    int rc;

    self->task = eddy_current_task();
    rc = act_on(self);
    self->task = NULL;
    self->ends++;
    return rc;
}
EDDY_ASYNC(run_actor, struct actor *);

/* Nothing is held, and every item is where it belongs. */
static void check_end(void)
{
    int item;

    HOLDS(!holder && !lock.locked && permits_taken == 0 && semaphore.value == permits);
    HOLDS(eddy_time() < SECONDS_AT_MOST);
    for (int i = 0; i < actor_count; i++)
        HOLDS(actors[i].ends == 1);
    HOLDS(queue.maxsize == queue_size && eddy_queue_size(&queue) <= queue_size);
    while (eddy_queue_get_nowait(&queue, &item) == 0)
        note_got(&actors[0], item);
    for (int i = 0; i < actor_count; i++)
        for (int j = 0; j < actors[i].put; j++)
            if (items[i][j] & GOT)
                HOLDS(items[i][j] == (OFFERED | PUT | GOT));
            else
                HOLDS(items[i][j] == (OFFERED | REFUSED) || queue.shut);
}

static int run_program(void)
{
    {
        EDDY_GROUP(group);
        for (int i = 0; i < actor_count; i++)
            HOLDS(eddy_group_create_task(&group, run_actor, &actors[i]) == 0);
        HOLDS(eddy_group_join(&group) == 0);
    }
    check_end();
    eddy_queue_deinit(&queue);
    return 0;
}
EDDY_ASYNC(run_program);

static void program_make(uint64_t seed)
{
    random_begin(seed);
    program_seed = seed;
    trace = 0xcbf29ce484222325u;
    latest = 0;
    memset(actors, 0, sizeof actors);
    memset(items, 0, sizeof items);
    actor_count = 2 + random_below(ACTORS - 1);
    for (int i = 0; i < actor_count; i++)
        actors[i] = (struct actor){.index = i, .steps = 5 + random_below(STEPS - 5)};
    queue_size = (size_t)(1 + random_below(4));
    eddy_queue_init(&queue, sizeof(int), queue_size);
    lock = (eddy_lock)EDDY_LOCK_INIT;
    condition = (eddy_condition)EDDY_CONDITION_INIT(&lock);
    event = (eddy_event)EDDY_EVENT_INIT;
    permits = 1 + random_below(3);
    semaphore = (eddy_semaphore)EDDY_BOUNDED_SEMAPHORE_INIT(permits);
    holder = NULL;
    lock_asks = 0;
    permits_taken = 0;
    event_sets = notified = woken = 0;
}

static uint64_t run_seed(uint64_t seed)
{
    eddy_stats s;

    program_make(seed);
    HOLDS(eddy_run(run_program) == 0);
    eddy_get_stats(&s);
    HOLDS(!s.loops && !s.tasks && !s.timers && !s.operations && !s.stacks && !s.blocks);
    return trace;
}

static void run_twice(uint64_t seed)
{
    char number[24];
    uint64_t first;

    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    for (int i = 0; i < 2; i++) {
        shuffled = i == 1;
        setenv("EDDY_SEED", shuffled ? number : "", 1);
        first = run_seed(seed);
        HOLDS(run_seed(seed) == first);
    }
}

/* The invariants above, and the same trace each time. */
RAW_TEST(random_contention_breaks_no_invariant_and_is_repeatable)
{
    seeds_run(run_twice, 300);
}

/* Fairness ------------------------------------------------------------------------ */

static int rounds[200], runner_count;

static int run_rounds(int index)
{
    for (int i = 0; i < 50; i++) {
        rounds[index]++;
        for (int j = 0; j < runner_count; j++)
            HOLDS(rounds[j] == rounds[index] || rounds[j] == rounds[index] - 1);
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(run_rounds, int);

static int run_all_rounds(void)
{
    EDDY_GROUP(group);
    for (int i = 0; i < runner_count; i++)
        HOLDS(eddy_group_create_task(&group, run_rounds, i) == 0);
    return eddy_group_join(&group);
}
EDDY_ASYNC(run_all_rounds);

static void run_fairly(uint64_t seed)
{
    char number[24];

    program_seed = seed;
    random_begin(seed);
    runner_count = 1 + random_below((int)ED_ARRAY_LENGTH(rounds));
    memset(rounds, 0, sizeof rounds);
    shuffled = random_below(2);
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    setenv("EDDY_SEED", shuffled ? number : "", 1);
    HOLDS(eddy_run(run_all_rounds) == 0);
}

/* Nobody is more than one round ahead, in any turn and any order. */
RAW_TEST(ready_tasks_run_once_each_before_any_runs_again)
{
    seeds_run(run_fairly, 50);
}
