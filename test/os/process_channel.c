/* SPDX-License-Identifier: MIT */
/* Workers that do not say what a worker says, or not at once. */
#include <errno.h>
#include <unistd.h>

#include "harness.h"
#include "os/process_worker.h"

enum lie { GARBAGE, TEXT_TOO_LONG, OUTPUT_TOO_LONG, OUTPUT_TOO_SHORT, HALF, LIES };

/* Writes an answer of its own into the socket, and waits for its end. */
static int lie(int how, int *out)
{
    struct ed_worker_answer answer = {.output_size = sizeof *out};

    *out = 0;
    switch (how) {
    case GARBAGE: memset(&answer, 0xaa, sizeof answer); break;
    case TEXT_TOO_LONG: answer = (struct ed_worker_answer){-EIO, ED_WORKER_TEXT + 1, 0, 0}; break;
    case OUTPUT_TOO_LONG: answer.output_size = UINT64_MAX; break;
    case OUTPUT_TOO_SHORT: answer.output_size = 1; break;
    default: (void)!write(ED_WORKER_FD, &answer, sizeof answer / 2); _exit(0);
    }
    (void)!write(ED_WORKER_FD, &answer, sizeof answer);
    pause();
    return 0;
}
EDDY_ASYNC_RESULT(int, lie, int);

/* Writes the right answer, byte by byte. */
static int stammer(int *out)
{
    struct ed_worker_answer answer = {.output_size = sizeof *out};

    *out = 42;
    for (size_t i = 0; i < sizeof answer + sizeof *out; i++) {
        (void)!write(ED_WORKER_FD,
                     i < sizeof answer ? (char *)&answer + i : (char *)out + (i - sizeof answer),
                     1);
        usleep(500);
    }
    _exit(0);
}
EDDY_ASYNC_RESULT(int, stammer);

static int fine(int *out)
{
    *out = 1;
    return 0;
}
EDDY_ASYNC_RESULT(int, fine);

TEST(worker_that_lies_is_killed)
{
    int out;

    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    for (int how = 0; how < LIES; how++) {
        CHECK_EQ(eddy_to_process(pool, lie, how, &out), EDDY_EPROCESS);
        CHECK_OK(eddy_to_process(pool, fine, &out));
    }
}

/* What a worker has sent counts, although it has ended. */
TEST(worker_that_ends_behind_its_answer_has_answered)
{
    int out = 0;

    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_to_process(pool, stammer, &out));
        CHECK_EQ(out, 42);
        CHECK_OK(eddy_to_process(pool, fine, &out));
    }
}
