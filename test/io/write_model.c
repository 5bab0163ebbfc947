/* SPDX-License-Identifier: MIT */
/*
 * Random writers over a pair, whose limits are small. Each write is a frame: who wrote it,
 * how many bytes follow, and those. Writers are cut short by timeouts; what a write says
 * about how much was taken must agree with what the reader gets: an ended frame is followed
 * by what is left of it, from the same writer, who alone may go on then.
 *
 * In the end all bytes were read that the writers have been told were taken.
 */
#include "script.h"
#include "seeds.h"

#define WRITERS 3
#define FRAME 3000

static uint64_t model_seed;
static eddy_stream *out_end, *in_end;
static uint64_t taken, taken_by[WRITERS], read_of[WRITERS];
static bool slow;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s; again with EDDY_TEST_SEED=%llu", #condition,        \
                      (unsigned long long)model_seed);                                             \
    } while (0)

static void make_frame(char *frame, int who, size_t size)
{
    frame[0] = (char)who;
    frame[1] = (char)(size >> 8);
    frame[2] = (char)size;
    for (size_t i = 3; i < size; i++)
        frame[i] = (char)(i * 5 + (size_t)who);
}

/* Writes in one of the ways; the error, or 0. */
static int write_somehow(const char *data, size_t size)
{
    struct iovec parts[] = {{(char *)(uintptr_t)data, size / 3},
                            {(char *)(uintptr_t)data + size / 3, size - size / 3}};
    int rc;

    switch (random_below(4)) {
    case 0: return eddy_writev(out_end, parts, 2);
    case 1:
        rc = eddy_write_nowait(out_end, data, size);
        if (rc != -EAGAIN)
            return rc;
        HOLDS(eddy_stream_partial(out_end) == 0);
        EDDY_TRY(eddy_drain(out_end));
        return eddy_write(out_end, data, size);
    default: return eddy_write(out_end, data, size);
    }
}

/* The rest of a frame that was cut short must follow before anybody else's. */
static eddy_lock lock = EDDY_LOCK_INIT;

static int write_frame(int who)
{
    char frame[FRAME];
    size_t size = 3 + (size_t)random_below(random_below(3) ? 50 : FRAME - 3), done = 0;

    make_frame(frame, who, size);
    while (done < size) {
        EDDY_TIMEOUT(limit, random_below(2) ? 0.0021 : 10);
        int rc = write_somehow(frame + done, size - done);
        size_t part = rc == 0 ? size - done : eddy_stream_partial(out_end);

        HOLDS(rc == 0 || rc == -ETIMEDOUT || rc == -ECANCELED);
        HOLDS(part <= size - done);
        taken += part;
        taken_by[who] += part;
        done += part;
        if (rc == -ECANCELED)
            return rc;
    }
    return 0;
}

static int write_frames(int who)
{
    for (int i = 0; i < 20; i++) {
        EDDY_TRY(eddy_lock_acquire(&lock));
        int rc = write_frame(who);

        EDDY_TRY(eddy_lock_release(&lock));
        EDDY_TRY(rc);
        if (random_below(4) == 0)
            EDDY_TRY(eddy_sleep(0.001));
    }
    return 0;
}
EDDY_ASYNC(write_frames, int);

static int read_frames(void)
{
    char frame[FRAME], wanted[FRAME];

    for (;;) {
        size_t size;
        int rc = eddy_read_exactly(in_end, frame, 3);

        if (rc == EDDY_EINCOMPLETE) {
            HOLDS(eddy_stream_partial(in_end) == 0);
            return 0;
        }
        EDDY_TRY(rc);
        size = (size_t)(unsigned char)frame[1] << 8 | (unsigned char)frame[2];
        HOLDS(size >= 3 && size <= sizeof frame && frame[0] < WRITERS);
        EDDY_TRY(eddy_read_exactly(in_end, frame + 3, size - 3));
        make_frame(wanted, frame[0], size);
        HOLDS(memcmp(frame, wanted, size) == 0);
        read_of[(int)frame[0]] += size;
        if (slow)
            EDDY_TRY(eddy_sleep(0.003));
    }
}
EDDY_ASYNC(read_frames);

static int program(void)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    memset(taken_by, 0, sizeof taken_by);
    memset(read_of, 0, sizeof read_of);
    taken = 0;
    lock = (eddy_lock)EDDY_LOCK_INIT;
    slow = random_below(2);
    EDDY_TRY(eddy_stream_pair(&one, &other));
    out_end = one;
    in_end = other;
    EDDY_TRY(eddy_stream_set_limit(other, 1 + (size_t)random_below(500)));
    EDDY_TRY(eddy_stream_set_write_limits(one, (size_t)random_below(800), SIZE_MAX));
    EDDY_TASK reader = eddy_create_task(read_frames);
    EDDY_TASK a = eddy_create_task(write_frames, 0);
    EDDY_TASK b = eddy_create_task(write_frames, 1);
    EDDY_TASK c = eddy_create_task(write_frames, 2);
    EDDY_TRY(eddy_await(a));
    EDDY_TRY(eddy_await(b));
    EDDY_TRY(eddy_await(c));
    EDDY_TRY(eddy_stream_close(&one));
    EDDY_TRY(eddy_await(reader));
    for (int i = 0; i < WRITERS; i++)
        HOLDS(taken_by[i] == read_of[i]);
    HOLDS(eddy_stream_get_counters(other).received == taken);
    return 0;
}
EDDY_ASYNC(program);

static void run_program(uint64_t seed)
{
    int rc;

    random_begin(seed);
    model_seed = seed;
    rc = eddy_test_seeds(seed, 1, program);
    if (rc < 0)
        test_fail(__FILE__, __LINE__, "%s; EDDY_TEST_SEED=%llu", eddy_error_message(rc),
                  (unsigned long long)seed);
}

RAW_TEST(write_in_all_ways_gives_the_bytes_in_order)
{
    seeds_run(run_program, 200);
}
