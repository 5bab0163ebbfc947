/* SPDX-License-Identifier: MIT */
/*
 * The test harness. A test is a sentence; each runs in a process of its own, on
 * each engine, under the virtual clock, and fails on anything that it leaves
 * behind: a task, timer, operation, stack, descriptor, thread or byte.
 *
 *     TEST(name)       its body is the main task of an eddy_run
 *     RAW_TEST(name)   its body is plain code in main()
 *
 * With --every-k the main task of each TEST is run again and again, cancelled at
 * its 1st, 2nd, ... suspension: while it waits, and again just after it was given
 * what it waited for. A check that fails after the cancel ends the body quietly;
 * what must hold is that nothing is left behind. Runs and cancels are those of the
 * testing kit, eddy/test.h.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <eddy.h>
#include <eddy/test.h>
#include <stdio.h>
#include <string.h>

struct test {
    const char *name, *file;
    void (*body)(void);
    int raw;
    struct test *next;
};

void test_register(struct test *test);

#define TEST_DEFINE(test_name, is_raw)                                                             \
    static void test_##test_name(void);                                                            \
    __attribute__((constructor)) static void test_register_##test_name(void)                       \
    {                                                                                              \
        static struct test test = {#test_name, __FILE__, test_##test_name, is_raw, NULL};          \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##test_name(void)
#define TEST(test_name) TEST_DEFINE(test_name, 0)
#define RAW_TEST(test_name) TEST_DEFINE(test_name, 1)

/* Checks, for the bodies of tests; each evaluates its arguments once. */
#define CHECK(condition) CHECK_THAT((condition), "%s", #condition)
#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        long long test_a = (long long)(a), test_b = (long long)(b);                                \
        CHECK_THAT(test_a == test_b, "%s is %lld, not %lld", #a, test_a, test_b);                  \
    } while (0)
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        long long test_rc = (long long)(call);                                                     \
        CHECK_THAT(test_rc >= 0, "%s: %s (%s)", #call, eddy_error_message((int)test_rc),           \
                   eddy_error_name((int)test_rc));                                                 \
    } while (0)
#define CHECK_STR(a, b)                                                                            \
    do {                                                                                           \
        const char *test_a = (a), *test_b = (b);                                                   \
        CHECK_THAT(strcmp(test_a, test_b) == 0, "%s is \"%s\", not \"%s\"", #a, test_a, test_b);   \
    } while (0)
#define CHECK_HAS(text, part)                                                                      \
    do {                                                                                           \
        const char *test_a = (text), *test_b = (part);                                             \
        CHECK_THAT(strstr(test_a, test_b) != NULL, "%s is \"%s\", without \"%s\"", #text, test_a,  \
                   test_b);                                                                        \
    } while (0)
#define CHECK_FAILS(call, code, part)                                                              \
    do {                                                                                           \
        int test_code = (call);                                                                    \
        CHECK_THAT(test_code == (code), "%s is %s", #call, eddy_error_name(test_code));            \
        CHECK_HAS(eddy_error_message(test_code), (part));                                          \
    } while (0)
#define CHECK_THAT(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            if (test_is_cancelled())                                                               \
                return;                                                                            \
            test_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
        }                                                                                          \
    } while (0)

/* The same in functions that return an int: children, threads, callbacks. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            if (test_is_cancelled())                                                               \
                return -ECANCELED;                                                                 \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
        }                                                                                          \
    } while (0)

/* Ends the test's process with a message. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the sweep has cancelled the test's main task. */
bool test_is_cancelled(void);

/* Whether the test is one of the hundreds of runs of a sweep: what is many, or large, for the sake
 * of being many or large, can be less. */
bool test_is_swept(void);

/* Room for a test that needs much, all zero, until its process ends. In place of large static
 * arrays: those of all tests are one program's, and LeakSanitizer looks through them behind each
 * test. */
void *test_room(size_t size);

/* Lets everything that is ready run, until only the caller is left. */
void test_settle(void);

/* Reports go here during a test; those that nobody asked for fail it. Gives the
 * oldest one's message, or "" when there is none. Valid until the next call. */
const char *test_report(void);
/* Takes the reports of another loop of the test's. */
void test_watch_reports(eddy_loop *loop);

/* For EDDY_DEFER: takes a callback back that the test may not come to see. */
void test_cancel_handle(eddy_handle *handle);

/* Runs `function` in a child process; what it wrote to standard error goes to
 * `text`. Returns its wait status. */
int test_fork(void (*function)(void), char *text, size_t size);

/* Checks that `function` aborts with a sentence that has `part`. */
#define CHECK_DIES(function, part)                                                                 \
    do {                                                                                           \
        char test_text[4096];                                                                      \
        int test_status = test_fork((function), test_text, sizeof test_text);                      \
        CHECK_THAT(WIFSIGNALED(test_status) && WTERMSIG(test_status) == SIGABRT,                   \
                   "%s did not abort: %s", #function, test_text);                                  \
        CHECK_HAS(test_text, (part));                                                              \
    } while (0)

#include <signal.h>
#include <sys/wait.h>

/* Marks a test that cannot run here, with the reason; ends it. */
_Noreturn void test_skip(const char *reason);

/* Whether the run is under valgrind or a sanitizer, which are slow. */
bool test_is_slow(void);

/* Whether it is under valgrind, which also goes into the programs that tests start. */
bool test_is_on_valgrind(void);

/* Whether tests with random input are to run at their full volume. */
bool test_is_deep(void);

#endif
