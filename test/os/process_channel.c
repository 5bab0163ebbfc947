/* SPDX-License-Identifier: MIT */
/* Workers that do not say what a worker says, or not at once. */
#include <errno.h>

#include "os/child.h"
#include "os/place.h"
#include "os/process_worker.h"

#define DIES "WORKER_DIES" /* the variable that makes a worker die over a large input */
#define LARGE (2u << 20)

/* In a worker, before it serves: marks that it was started, and has the kernel end it at its first
 * read of so many bytes, as another would end it that is short of memory. */
__attribute__((constructor(101))) static void die_over_input(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LARGE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    const char *log = getenv(DIES);
    int fd = log && getenv(ed_worker_variable) ? open(log, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    (void)!write(fd, "w", 1);
    close(fd);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(1);
}

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

static int swallow(const void *input, size_t size, eddy_bytes *output)
{
    (void)input, (void)size, (void)output;
    return 0;
}

/* A worker that dies while it takes its input has not begun, and another one gets the job; but not
 * without end: it may be the input that kills them. */
TEST(job_whose_workers_die_over_its_input_fails)
{
    static char input[LARGE];
    int out;

    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
    PLACE;
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    put_file("log", "");
    setenv(DIES, "log", 1);
    CHECK_FAILS(eddy_to_process_bytes(pool, swallow, input, sizeof input, NULL), EDDY_EPROCESS,
                "the worker of swallow() was ended by SIGSYS");
    CHECK_STR(file_text("log"), "wwww");
    unsetenv(DIES);
    CHECK_OK(eddy_to_process(pool, fine, &out)); /* the pool goes on */
}
