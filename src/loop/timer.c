/* SPDX-License-Identifier: MIT */
/*
 * Timers: a radix heap, which is a hierarchical wheel without ticks.
 *
 * `base` never exceeds the earliest deadline, and only grows. A timer lies at
 * the level of the highest 6-bit digit in which its deadline differs from base,
 * in the bucket of that digit. So all timers of a lower level are earlier than
 * all of a higher one, buckets of one level are in order, and a bucket of level
 * 0 holds timers of one deadline, in the order in which they were started.
 *
 * Starting and stopping are O(1), and allocate nothing. Taking the first moves
 * base to the bound of the lowest bucket and spreads that bucket over the levels
 * below: a timer moves at most 10 times in its life, most of them once or twice.
 * Spreading keeps the order of equal deadlines, since a bucket is spread before
 * anything can be started behind it at a lower level.
 *
 * Why not a binary heap: with a million timers pending, start + stop costs what
 * it costs with a thousand, because both touch only the ends of a few lists.
 */
#include "loop/timer.h"

#include "base/die.h"
#include "base/list.h"
#include "base/stats.h"
#include "base/time.h"

void ed_timer_init(struct ed_timer_queue *queue, int64_t now)
{
    *queue = (struct ed_timer_queue){.base = now};
}

/* The bucket for a deadline that is not before base. */
static unsigned timer_bucket(const struct ed_timer_queue *queue, int64_t when)
{
    uint64_t difference = (uint64_t)when ^ (uint64_t)queue->base;
    unsigned level = difference ? (63u - (unsigned)__builtin_clzll(difference)) / 6 : 0;

    return level * ED_TIMER_SLOTS + ((uint64_t)when >> (level * 6) & 63);
}

/* Into the bucket of base, which has all that is overdue, in order of deadlines. */
static void timer_insert_overdue(struct ed_timer_bucket *bucket, struct eddy_timer_ *timer)
{
    struct eddy_link_ *before = bucket->timers.last;

    while (before && ed_container_of(before, struct eddy_timer_, link)->when > timer->when)
        before = before->prev;
    ed_list_insert_behind(&bucket->timers, before, &timer->link);
}

static void timer_insert(struct ed_timer_queue *queue, struct eddy_timer_ *timer, int64_t when)
{
    unsigned index = timer_bucket(queue, when);
    unsigned level = index / ED_TIMER_SLOTS;
    struct ed_timer_bucket *bucket = &queue->buckets[index];

    if (ed_list_empty(&bucket->timers)) {
        queue->slots[level] |= UINT64_C(1) << (index % ED_TIMER_SLOTS);
        queue->levels |= (uint16_t)(1u << level);
        bucket->bound = when;
    } else if (when < bucket->bound) {
        bucket->bound = when;
    }
    if (ed_unlikely(timer->when < queue->base))
        timer_insert_overdue(bucket, timer);
    else
        ed_list_append(&bucket->timers, &timer->link);
    timer->bucket = (int16_t)index;
}

static void timer_bucket_emptied(struct ed_timer_queue *queue, unsigned index)
{
    unsigned level = index / ED_TIMER_SLOTS;

    queue->slots[level] &= ~(UINT64_C(1) << (index % ED_TIMER_SLOTS));
    if (!queue->slots[level])
        queue->levels &= (uint16_t) ~(1u << level);
}

void ed_timer_start(struct ed_timer_queue *queue, struct eddy_timer_ *timer, int64_t when)
{
    ED_ASSERT(!ed_timer_pending(timer));
    timer->when = when;
    timer_insert(queue, timer, when > queue->base ? when : queue->base);
    ed_count(&queue->count, 1);
}

void ed_timer_stop(struct ed_timer_queue *queue, struct eddy_timer_ *timer)
{
    struct ed_timer_bucket *bucket;

    if (!ed_timer_pending(timer))
        return;
    bucket = &queue->buckets[timer->bucket];
    ed_list_remove(&bucket->timers, &timer->link);
    if (ed_list_empty(&bucket->timers))
        timer_bucket_emptied(queue, (unsigned)timer->bucket);
    timer->bucket = -1;
    ed_count(&queue->count, -1);
}

/* The bucket with the earliest timers; there must be one. */
static unsigned timer_first_bucket(const struct ed_timer_queue *queue)
{
    unsigned level = (unsigned)__builtin_ctz(queue->levels);

    return level * ED_TIMER_SLOTS + (unsigned)__builtin_ctzll(queue->slots[level]);
}

int64_t ed_timer_next(const struct ed_timer_queue *queue)
{
    return queue->levels ? queue->buckets[timer_first_bucket(queue)].bound : ED_NEVER;
}

struct eddy_timer_ *ed_timer_take_due(struct ed_timer_queue *queue, int64_t now)
{
    while (queue->levels) {
        unsigned index = timer_first_bucket(queue);
        struct ed_timer_bucket *bucket = &queue->buckets[index];
        struct eddy_list_ spread;
        struct eddy_link_ *link;

        if (bucket->bound > now)
            return NULL;
        if (index < ED_TIMER_SLOTS) {
            struct eddy_timer_ *timer =
                ed_container_of(bucket->timers.first, struct eddy_timer_, link);

            ed_timer_stop(queue, timer);
            return timer;
        }
        queue->base = bucket->bound;
        spread = bucket->timers;
        bucket->timers = (struct eddy_list_){NULL, NULL};
        timer_bucket_emptied(queue, index);
        while ((link = ed_list_pop(&spread))) {
            struct eddy_timer_ *timer = ed_container_of(link, struct eddy_timer_, link);

            timer_insert(queue, timer, timer->when > queue->base ? timer->when : queue->base);
        }
    }
    return NULL;
}
