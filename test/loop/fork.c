/* SPDX-License-Identifier: MIT */
/*
 * Loops and fork(2): rule A-POL-5. In a child all loops of the parent are closed, and
 * it may run its own; nothing that it does there disturbs the parent's, whose epoll
 * set or ring it shares. Whoever returns in the child into a loop is told so.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "eddy/debug.h"
#include "loop/trace.h"

/* Runs `function` in a child of the running code: what it exits with, or minus the
 * signal that killed it. What it writes to standard error goes to `text`. */
static char text[2048];

static int in_child(int (*function)(void))
{
    int ends[2], status = -1;
    size_t length = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        test_fail(__FILE__, __LINE__, "fork: %s", strerror(errno));
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        alarm(test_is_slow() ? 60 : 10);
        _exit(function());
    }
    close(ends[1]);
    while ((n = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* In a child a failed check ends it with the number of the line. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int check_child(int (*function)(void))
{
    int code = in_child(function);

    if (code != 0)
        test_fail(__FILE__, __LINE__, "the child ended with %d: %s", code, text);
    return code;
}

static eddy_loop *loop;
static int ends[2]; /* a pipe with a reader of the loop's */

static int read_and_stop(void *unused)
{
    char byte;

    (void)unused;
    REQUIRE(read(ends[0], &byte, 1) == 1);
    trace_add("read");
    return loop_stop(loop);
}

static int nothing(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(nothing);

/* A loop with an operation in the kernel. */
static void open_with_reader(void)
{
    loop = loop_open();
    if (pipe2(ends, O_CLOEXEC) < 0 ||
        eddy_loop_add_reader(loop, ends[0], read_and_stop, NULL) < 0 || loop_run_for(loop, 1) < 0)
        test_fail(__FILE__, __LINE__, "no loop with a reader");
}

/* Whether the parent's loop still does all that it did: its descriptors, timers,
 * posts. Then closes it. */
static void check_undisturbed(void)
{
    trace[0] = '\0';
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "post"));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "read post ");
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    eddy_loop_free(loop);
    close(ends[0]);
    close(ends[1]);
}

/* What a child may do --------------------------------------------------------- */

static int run_own(void)
{
    eddy_stats stats;

    EXPECT(!eddy_get_running_loop());
    EXPECT(!eddy_current_task());
    eddy_get_stats(&stats);
    EXPECT(stats.loops == 0 && stats.tasks == 0 && stats.operations == 0 && stats.threads == 0);
    EXPECT(stats.descriptors == 0);
    EXPECT(eddy_run(nothing) == 0);
    EXPECT(eddy_run(nothing) == 0);
    eddy_get_stats(&stats);
    EXPECT(stats.loops == 0 && stats.descriptors == 0);
    return 0;
}

static int exit_at_once(void)
{
    return 0;
}

static int close_everything(void)
{
    EXPECT(close_range(3, ~0u, 0) == 0);
    return run_own();
}

static int run_own_in_a_grandchild(void)
{
    EXPECT(eddy_run(nothing) == 0);
    return in_child(run_own);
}

static int execute(void)
{
    execl("/bin/true", "true", NULL);
    return 1;
}

static int (*const children[])(void) = {run_own, exit_at_once, close_everything,
                                        run_own_in_a_grandchild, execute};

static int fork_in_a_callback(void *child)
{
    return check_child(*(int (*const *)(void))child);
}

/* A-POL-5, class "fork": children of a program whose loop does not run just now. */
RAW_TEST(fork_outside_a_run_leaves_the_loop_alone_and_the_child_free)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(children); i++) {
        open_with_reader();
        CHECK_EQ(check_child(children[i]), 0);
        check_undisturbed();
    }
}

/* The same in a callback, with the operation in flight. */
RAW_TEST(fork_in_a_callback_leaves_the_loop_alone_and_the_child_free)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(children); i++) {
        open_with_reader();
        (void)eddy_loop_call_soon(loop, fork_in_a_callback, (void *)&children[i]);
        CHECK_OK(loop_run_for(loop, 1));
        check_undisturbed();
    }
}

/* The same in a task, on its stack, beside others. */
TEST(fork_in_a_task_leaves_the_loop_alone_and_the_child_free)
{
    EDDY_TASK other = eddy_create_task(nothing);

    for (size_t i = 0; i < ED_ARRAY_LENGTH(children) && !test_is_cancelled(); i++)
        CHECK_EQ(check_child(children[i]), 0);
    CHECK_OK(eddy_await(other));
}

static int fork_in_a_thread(void)
{
    return check_child(run_own);
}
EDDY_ASYNC(fork_in_a_thread);

/* A thread job forks: the loop is another thread's. */
TEST(fork_in_a_thread_job_leaves_the_child_free)
{
    CHECK_OK(eddy_to_thread(fork_in_a_thread));
}

/* What a child must not do is refused ------------------------------------------ */

static int ignored(void *unused)
{
    (void)unused;
    return 0;
}

static int use_the_parents(void)
{
    eddy_post post = EDDY_POST_INIT(ignored, NULL);

    EXPECT(eddy_loop_is_closed(loop));
    EXPECT(!eddy_loop_is_running(loop));
    EXPECT(eddy_loop_run_forever(loop) == -EPERM);
    EXPECT(eddy_loop_run_until_complete(loop, EDDY_CALL(nothing)) == -EPERM);
    EXPECT(!eddy_loop_create_task(loop, EDDY_CALL(nothing)));
    EXPECT(!eddy_loop_call_soon(loop, ignored, NULL).handle);
    EXPECT(!eddy_loop_call_later(loop, 1, ignored, NULL).handle);
    EXPECT(eddy_loop_call_soon_threadsafe(loop, ignored, NULL) == -EPERM);
    EXPECT(eddy_loop_post(loop, &post) == -EPERM);
    EXPECT(eddy_loop_add_writer(loop, ends[1], ignored, NULL) == -EPERM);
    EXPECT(!eddy_loop_remove_reader(loop, ends[0]));
    eddy_loop_stop(loop);
    EXPECT(eddy_loop_close(loop) == 0);
    eddy_loop_free(loop);
    eddy_loop_free(loop); /* without effect, as often as you like */
    return run_own();
}

static int use_the_parents_in_a_callback(void *unused)
{
    (void)unused;
    return check_child(use_the_parents);
}

/* A-POL-5: running, feeding, closing and freeing the parent's loop. */
RAW_TEST(fork_refuses_the_child_the_parents_loop)
{
    open_with_reader();
    CHECK_EQ(check_child(use_the_parents), 0);
    check_undisturbed();
    open_with_reader();
    (void)eddy_loop_call_soon(loop, use_the_parents_in_a_callback, NULL);
    CHECK_OK(loop_run_for(loop, 1));
    check_undisturbed();
}

static eddy_runner runner = EDDY_RUNNER_INIT;

static int use_the_parents_runner(void)
{
    EXPECT(eddy_runner_run(&runner, EDDY_CALL(nothing)) == -EPERM);
    eddy_runner_close(&runner);
    return run_own();
}

static int stays(void)
{
    EDDY_TRY(eddy_sleep(5));
    trace_add("stayed");
    return 0;
}
EDDY_ASYNC(stays);

static int leaves_one_behind(void)
{
    eddy_task *task = eddy_create_task(stays);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_one_behind);

static int sleep_long(void)
{
    return eddy_sleep(10);
}
EDDY_ASYNC(sleep_long);

/* A runner with a task that is waiting: its clean-up is the parent's. */
RAW_TEST(fork_leaves_the_parents_runner_to_the_parent)
{
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(leaves_one_behind)));
    CHECK_EQ(check_child(use_the_parents_runner), 0);
    CHECK_STR(trace, "");
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sleep_long)));
    CHECK_STR(trace, "stayed ");
    eddy_runner_close(&runner);
}

static int suspend_in_the_child(void)
{
    eddy_lock lock = EDDY_LOCK_INIT;

    EXPECT(eddy_sleep(1) == -EPERM);
    EXPECT(eddy_sleep(0) == -EPERM);
    EXPECT(eddy_lock_acquire(&lock) == -EPERM);
    EXPECT(!eddy_create_task(nothing));
    return 0;
}

/* The task stays with the parent: nothing in the child is one. */
TEST(fork_in_a_task_leaves_the_child_without_a_task)
{
    CHECK_EQ(check_child(suspend_in_the_child), 0);
}

/* Returning in the child ------------------------------------------------------- */

static int words[2]; /* a pipe, of the child's standard error */

/* Forks, and returns in both. */
static pid_t fork_and_return(void)
{
    pid_t pid;

    if (pipe2(words, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        test_fail(__FILE__, __LINE__, "fork: %s", strerror(errno));
    if (pid == 0) {
        alarm(test_is_slow() ? 60 : 10);
        dup2(words[1], STDERR_FILENO);
    }
    return pid;
}

/* What became of a child that has returned: it aborted with this sentence. */
static int check_aborted(pid_t pid, const char *part)
{
    int status = -1;
    ssize_t n;

    REQUIRE(waitpid(pid, &status, 0) == pid);
    n = read(words[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(words[0]);
    close(words[1]);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !strstr(text, part))
        test_fail(__FILE__, __LINE__, "status %#x: %s", status, text);
    return 0;
}

static int return_in_the_child(void *unused)
{
    pid_t pid = fork_and_return();

    (void)unused;
    return pid == 0 ? 0 : check_aborted(pid, "what a loop ran has returned in a child of fork(2)");
}

static pid_t parent;

static int run_in_the_parent(void *unused)
{
    (void)unused;
    if (getpid() != parent)
        fputs("ran on in the child\n", stderr);
    return 0;
}

RAW_TEST(fork_in_a_callback_that_returns_in_the_child_aborts_it)
{
    open_with_reader();
    (void)eddy_loop_call_soon(loop, return_in_the_child, NULL);
    (void)eddy_loop_call_soon(loop, trace_add, "next");
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, return_in_the_child, NULL));
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, trace_add, "posted"));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "next posted ");
    check_undisturbed();
}

/* Nothing else of the loop runs in the child before it is told. */
RAW_TEST(fork_in_a_callback_runs_no_other_callback_in_the_child)
{
    open_with_reader();
    parent = getpid();
    (void)eddy_loop_call_soon(loop, return_in_the_child, NULL);
    (void)eddy_loop_call_soon(loop, run_in_the_parent, NULL);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK(!strstr(text, "ran on"));
    check_undisturbed();
}

static int return_from_a_task(void)
{
    pid_t pid = fork_and_return();

    return pid == 0 ? 0 : check_aborted(pid, "has returned in a child of fork(2)");
}
EDDY_ASYNC(return_from_a_task);

TEST(fork_in_a_task_that_returns_in_the_child_aborts_it)
{
    CHECK_OK(eddy_gather(EDDY_CALL(return_from_a_task), EDDY_CALL(nothing)));
    CHECK_OK(eddy_to_thread(return_from_a_task));
}

static int abandonable_job_forks(void)
{
    return eddy_to_thread_abandonable(return_from_a_task);
}
EDDY_ASYNC(abandonable_job_forks);

/* Not swept: a job that is abandoned goes on beyond the test. */
RAW_TEST(fork_in_an_abandonable_job_that_returns_in_the_child_aborts_it)
{
    CHECK_OK(eddy_run(abandonable_job_forks));
}

static int group_across_a_fork(void)
{
    pid_t pid;

    EDDY_GROUP(group);
    eddy_group_create_task(&group, nothing);
    pid = fork_and_return();
    if (pid == 0)
        return 0; /* its end would wait for a child that does not run here */
    EDDY_TRY(check_aborted(pid, "ends outside its task"));
    return eddy_group_join(&group);
}

TEST(fork_in_a_group_that_ends_in_the_child_aborts_it)
{
    CHECK_OK(group_across_a_fork());
}

/* Descriptors and locks --------------------------------------------------------- */

/* How many descriptors above the standard ones would live through an exec. */
static int inheritable(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    while (folder && (entry = readdir(folder))) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        int flags = entry->d_name[0] == '.' || fd <= 2 ? FD_CLOEXEC : fcntl(fd, F_GETFD);

        count += !(flags & FD_CLOEXEC);
    }
    if (folder)
        closedir(folder);
    return count;
}

static int before;

static int open_all(void)
{
    eddy_loop *second;

    REQUIRE(inheritable() == before);
    REQUIRE(eddy_loop_new(&second) == 0);
    REQUIRE(inheritable() == before);
    eddy_loop_free(second);
    return 0;
}
EDDY_ASYNC(open_all);

static int open_all_with_a_thread(void)
{
    return eddy_to_thread(open_all);
}
EDDY_ASYNC(open_all_with_a_thread);

/* A-POL-5: everything that the library opens is close-on-exec. */
RAW_TEST(descriptors_of_the_library_are_close_on_exec)
{
    before = inheritable(); /* the runner's own */
    CHECK_OK(eddy_run(open_all_with_a_thread));
}

static int run_something(void)
{
    return eddy_run(nothing) < 0;
}

static bool enough; /* atomic */

static void *open_and_close(void *unused)
{
    while (!__atomic_load_n(&enough, __ATOMIC_ACQUIRE))
        if (eddy_run(nothing) < 0)
            return NULL;
    return unused;
}

/* The list of loops, and the handlers of signals, may be in another thread's hands. */
RAW_TEST(fork_while_other_threads_open_and_close_loops_leaves_the_child_free)
{
    pthread_t threads[3];
    void *result;

    if (ED_ASAN || ED_TSAN)
        test_skip("a sanitizer's allocator may be locked for ever in a child of several threads");
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, open_and_close, &enough), 0);
    for (int i = 0; i < (test_is_slow() ? 20 : 200); i++)
        CHECK_EQ(check_child(run_something), 0);
    __atomic_store_n(&enough, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        CHECK(result == &enough);
    }
}
