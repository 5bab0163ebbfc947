/* SPDX-License-Identifier: MIT */
/*
 * The test runner: build/test/run [--engine=uring|epoll] [--every-k] [--guard]
 * [--valgrind] [--list] [NAME...] [-NAME...]. A name selects the tests whose name or
 * file has it; one behind a dash leaves them out.
 *
 * The parent forks a process for each test, two at a time, and reads what it
 * wrote to a temporary file only if it failed. Exit codes of a child: 0 passed,
 * 77 skipped, 78 a sweep that came to its end, else failed.
 *
 * EDDY_TEST_DEPTH=full gives the tests with random input their full volume.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/flight.h"
#include "base/memory.h"

#define PARALLEL 6 /* most of them wait, for the kernel above all */
#define SKIPPED 77
#define SWEPT 78

static struct test *tests, **tests_end = &tests;

static struct {
    bool every_k, guard, valgrind;
    const char *engine;
    const char **names;
    int name_count;
} options = {.engine = "uring"};

/* In the child -------------------------------------------------------------- */

static const struct test *running;
static char reports[16][2048];
static int report_count, report_read;

static eddy_test_plan plan; /* cancel_at: the sweep */

void test_register(struct test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

bool test_is_cancelled(void)
{
    return plan.cancel_at && plan.reached;
}

void *test_room(size_t size)
{
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (room == MAP_FAILED)
        test_fail(__FILE__, __LINE__, "no room for %zu bytes", size);
    return room;
}

bool test_is_swept(void)
{
    return options.every_k;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1);
}

void test_skip(const char *reason)
{
    fprintf(stderr, "skipped: %s\n", reason);
    _exit(SKIPPED);
}

bool test_is_slow(void)
{
    return options.valgrind || ED_ASAN || ED_TSAN;
}

bool test_is_on_valgrind(void)
{
    return options.valgrind;
}

bool test_is_deep(void)
{
    const char *depth = getenv("EDDY_TEST_DEPTH");

    return depth && strcmp(depth, "full") == 0;
}

void test_settle(void)
{
    (void)eddy_test_settle(); /* cancelled by the sweep: the next check tells */
}

void test_cancel_handle(eddy_handle *handle)
{
    (void)eddy_handle_cancel(*handle);
}

static void report_seen(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)unused;
    if (report_count < 16)
        snprintf(reports[report_count++], sizeof reports[0], "%s", report->message);
}

const char *test_report(void)
{
    return report_read < report_count ? reports[report_read++] : "";
}

void test_watch_reports(eddy_loop *loop)
{
    eddy_loop_set_exception_handler(loop, report_seen, NULL);
}

static int test_main(void)
{
    test_watch_reports(eddy_get_running_loop());
    running->body();
    return 0;
}
EDDY_ASYNC(test_main);

static int descriptors_open(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void check_rest(int descriptors)
{
    eddy_stats s;

    eddy_get_stats(&s);
    if (s.loops || s.tasks || s.generators || s.timers || s.operations || s.descriptors ||
        s.threads || s.stacks || s.blocks)
        test_fail(running->file, 0,
                  "left behind: loops %zu, tasks %zu, generators %zu, timers %zu, operations %zu, "
                  "descriptors %zu, threads %zu, stacks %zu, blocks %zu (%zu bytes)",
                  s.loops, s.tasks, s.generators, s.timers, s.operations, s.descriptors, s.threads,
                  s.stacks, s.blocks, s.bytes);
    if (descriptors_open() != descriptors)
        test_fail(running->file, 0, "%d descriptors are open, not %d", descriptors_open(),
                  descriptors);
    if (report_read < report_count && !plan.cancel_at)
        test_fail(running->file, 0, "a report that nobody expected: %s", reports[report_read]);
}

static _Noreturn void run_child(const struct test *test)
{
    int descriptors = descriptors_open();
    int rc;

    running = test;
    setenv("EDDY_ENGINE", options.engine, 1);
    setenv("EDDY_CLOCK", "virtual", 1);
    ed_flight_watch(true);
    (void)ed_memory_guard(options.guard);
    plan.guard = options.guard;
    if (test->raw) {
        test->body();
    } else {
        rc = eddy_test_run(&plan, EDDY_CALL(test_main));
        if (rc < 0)
            test_fail(test->file, 0, "%s", eddy_error_message(rc));
    }
    check_rest(descriptors);
    fflush(stdout);
    exit(plan.cancel_at && !plan.reached ? SWEPT : 0);
}

int test_fork(void (*function)(void), char *text, size_t size)
{
    int ends[2], status;
    size_t length = 0;
    ssize_t n;
    pid_t pid;

    fflush(stdout);
    if (pipe(ends) < 0 || (pid = fork()) < 0)
        test_fail(__FILE__, __LINE__, "fork: %s", strerror(errno));
    if (pid == 0) {
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        alarm(test_is_slow() ? 60 : 10);
        function();
        _exit(0);
    }
    close(ends[1]);
    while (length + 1 < size && (n = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return status;
}

/* In the parent ------------------------------------------------------------- */

struct child {
    pid_t pid;
    const struct test *test;
    FILE *output;
};

static int passed, failed, skipped;

static bool is_called(const struct test *test, const char *name)
{
    return strstr(test->name, name) || strstr(test->file, name);
}

/* Named, and not named with a dash in front. */
static bool selected(const struct test *test)
{
    bool wanted = true, chosen = false;

    for (int i = 0; i < options.name_count; i++) {
        const char *name = options.names[i];

        if (name[0] == '-' && is_called(test, name + 1))
            return false;
        wanted &= name[0] == '-';
        chosen |= name[0] != '-' && is_called(test, name);
    }
    return wanted || chosen;
}

static void child_start(struct child *child, const struct test *test)
{
    fflush(stdout);
    child->test = test;
    child->output = tmpfile();
    child->pid = fork();
    if (child->pid < 0 || !child->output) {
        perror("test/run");
        exit(2);
    }
    if (child->pid > 0)
        return;
    dup2(fileno(child->output), STDOUT_FILENO);
    dup2(fileno(child->output), STDERR_FILENO);
    fclose(child->output);
    alarm(test_is_deep() ? 900 : test_is_slow() ? 120 : 20);
    run_child(test);
}

static void child_print(struct child *child, const char *what)
{
    char line[512];

    printf("%s %s (%s", what, child->test->name, child->test->file);
    if (plan.cancel_at)
        printf(", cancelled %s suspension %u", plan.cancel_late ? "after" : "in", plan.cancel_at);
    printf(", %s)\n", options.engine);
    rewind(child->output);
    while (fgets(line, sizeof line, child->output))
        printf("    %s", line);
}

/* Takes the result of an ended child; its exit code, or -1 for a signal. */
static int child_end(struct child *child, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (code == SKIPPED) {
        skipped++;
        child_print(child, "SKIPPED");
    } else if (code != 0 && code != SWEPT) {
        failed++;
        child_print(child, "FAILED");
        if (WIFSIGNALED(status))
            printf("    killed by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (!plan.cancel_at) {
        passed++;
    }
    fclose(child->output);
    child->pid = 0;
    return code;
}

static void wait_one(struct child *children)
{
    int status;
    pid_t pid = wait(&status);

    for (int i = 0; i < PARALLEL; i++)
        if (children[i].pid == pid && pid > 0)
            child_end(&children[i], status);
}

static void run_all(void)
{
    struct child children[PARALLEL] = {{0}};

    for (const struct test *test = tests; test; test = test->next) {
        int i = 0;

        if (!selected(test))
            continue;
        while (i < PARALLEL && children[i].pid)
            i++;
        if (i == PARALLEL) {
            wait_one(children);
            for (i = 0; children[i].pid;)
                i++;
        }
        child_start(&children[i], test);
    }
    for (int i = 0; i < PARALLEL; i++)
        while (children[i].pid)
            wait_one(children);
}

/* Cancels one test at every suspension, in both ways. */
static void sweep_test(const struct test *test)
{
    for (int after = 0; after < 2; after++) {
        int code = 0;

        for (plan.cancel_at = 1; code == 0 && plan.cancel_at <= 200; plan.cancel_at++) {
            struct child child;
            int status;

            plan.cancel_late = after != 0;
            child_start(&child, test);
            waitpid(child.pid, &status, 0);
            code = child_end(&child, status);
        }
        if (code != 0 && code != SWEPT)
            return;
    }
    plan.cancel_at = 0;
    passed++;
}

/* What the processes that sweep share: which test is next, and their sums. */
struct sweep {
    int next, passed, failed, skipped;
};

/* Sweeps the tests that no other process has taken. */
static void sweep_some(struct sweep *sweep)
{
    int index = 0, mine = __atomic_fetch_add(&sweep->next, 1, __ATOMIC_RELAXED);

    for (const struct test *test = tests; test; test = test->next) {
        if (test->raw || !selected(test) || index++ != mine)
            continue;
        sweep_test(test);
        fflush(stdout);
        mine = __atomic_fetch_add(&sweep->next, 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&sweep->passed, passed, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sweep->failed, failed, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sweep->skipped, skipped, __ATOMIC_RELAXED);
}

/* A test is swept by one process after the other, so several of them are at work. Each writes what
 * it has to say about one test at once. One that dies is a failure. */
static void sweep_all(void)
{
    struct sweep *sweep =
        mmap(NULL, sizeof *sweep, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;

    if (sweep == MAP_FAILED)
        exit((perror("test/run"), 2));
    fflush(stdout);
    for (int i = 0; i < PARALLEL; i++) {
        if (fork() != 0)
            continue;
        setvbuf(stdout, NULL, _IOFBF, 1 << 16);
        sweep_some(sweep);
        fflush(stdout);
        _exit(0);
    }
    while (wait(&status) > 0)
        failed += status != 0;
    passed = sweep->passed;
    failed += sweep->failed;
    skipped = sweep->skipped;
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--engine=", 9) == 0)
            options.engine = argv[i] + 9;
        else if (strcmp(argv[i], "--every-k") == 0)
            options.every_k = true;
        else if (strcmp(argv[i], "--guard") == 0)
            options.guard = true;
        else if (strcmp(argv[i], "--valgrind") == 0)
            options.valgrind = true;
        else if (strcmp(argv[i], "--list") == 0)
            for (const struct test *test = tests; test; test = test->next)
                printf("%s (%s)\n", test->name, test->file);
        else if (strncmp(argv[i], "--", 2) != 0)
            options.names[options.name_count++] = argv[i];
        else
            exit((fprintf(stderr, "test/run: unknown option %s\n", argv[i]), 2));
    }
}

static void check_engine(void)
{
    eddy_loop *loop;
    int rc;

    setenv("EDDY_ENGINE", options.engine, 1);
    rc = eddy_loop_new(&loop);
    if (rc < 0) {
        printf("SKIPPED everything: no engine %s here: %s\n0 passed, 0 failed, 1 skipped\n",
               options.engine, eddy_strerror(rc));
        exit(0);
    }
    eddy_loop_free(loop);
}

int main(int argc, char **argv)
{
    options.names = calloc((size_t)argc, sizeof *options.names);
    read_options(argc, argv);
    check_engine();
    if (options.every_k)
        sweep_all();
    else
        run_all();
    free(options.names);
    printf("%d passed, %d failed", passed, failed);
    printf(skipped ? ", %d skipped\n" : "\n", skipped);
    return failed ? 1 : 0;
}
