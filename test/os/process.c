/* SPDX-License-Identifier: MIT */
/*
 * The life of a child process. Real programs run here, in real time: what a test waits for is
 * their exit, and where it has to wait for something to happen in one, a byte that it writes.
 */
#include "eddy/process.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/fault.h"
#include "loop/loop.h"
#include "os/child.h"

static int run_line(const char *line, int *code)
{
    EDDY_PROCESS process = NULL;

    EDDY_TRY(eddy_create_subprocess_shell(line, NULL, &process));
    return eddy_process_wait(process, code);
}

/* A-SUBP-3 */
TEST(process_code_is_its_exit_code_or_the_negative_signal)
{
    EDDY_PROCESS process = NULL;
    int code = 99;

    CHECK_OK(run_line("exit 0", &code));
    CHECK_EQ(code, 0);
    CHECK_OK(run_line("exit 255", &code));
    CHECK_EQ(code, 255);
    CHECK_OK(run_line("kill -TERM $$", &code));
    CHECK_EQ(code, -SIGTERM);
    CHECK_OK(start_ready("echo; read x", (eddy_process_options){.in = EDDY_PIPE}, &process));
    CHECK(child_lives(eddy_process_pid(process)));
    CHECK_EQ(eddy_process_returncode(process), EDDY_RUNNING);
    CHECK_OK(eddy_process_end_input(process));
    CHECK_OK(eddy_process_wait(process, NULL));
    CHECK_EQ(eddy_process_returncode(process), 1);
    CHECK_OK(eddy_process_wait(process, &code)); /* again, at once */
    CHECK_EQ(code, 1);
    CHECK_EQ(eddy_process_close(&process), 1);
    CHECK(process == NULL);
    CHECK_EQ(eddy_process_close(&process), 0);
    CHECK(no_child_is_left());
}

TEST(process_check_makes_an_error_of_a_failure)
{
    EDDY_PROCESS good = NULL, bad = NULL, killed = NULL;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &good));
    CHECK_OK(eddy_create_subprocess_shell("exit 3", NULL, &bad));
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &killed));
    CHECK_OK(eddy_process_check(good));
    CHECK_FAILS(eddy_process_check(bad), EDDY_EPROCESS, "exit 3 ended with code 3");
    CHECK_OK(eddy_process_kill(killed));
    CHECK_FAILS(eddy_process_check(killed), EDDY_EPROCESS, "sleep was ended by signal 9 (Killed)");
    CHECK_STR(eddy_error_name(EDDY_EPROCESS), "EDDY_EPROCESS");
}

static int wait_for(eddy_process *process, int *code)
{
    return eddy_process_wait(process, code);
}
EDDY_ASYNC_RESULT(int, wait_for, eddy_process *);

/* A-SUBP-4: many may wait. And a process that has ended before anybody waits is no other. */
TEST(process_is_waited_for_by_many)
{
    EDDY_PROCESS process = NULL;
    EDDY_GROUP(group);
    int codes[5] = {0};

    CHECK_OK(
        start_ready("echo; read x; exit 7", (eddy_process_options){.in = EDDY_PIPE}, &process));
    for (int i = 0; i < 5; i++)
        CHECK_OK(eddy_group_create_task(&group, wait_for, process, &codes[i]));
    test_settle();
    CHECK_OK(eddy_process_end_input(process));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(codes[i], 7);
}

/* A-SUBP-14: it is reaped as soon as the loop looks, whoever waits. */
TEST(process_is_reaped_though_nobody_waits)
{
    EDDY_PROCESS process = NULL;
    pid_t pid;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &process));
    pid = eddy_process_pid(process);
    while (eddy_process_returncode(process) == EDDY_RUNNING)
        CHECK_OK(eddy_sleep(0.001));
    CHECK(no_child_is_left());
    CHECK_EQ(eddy_process_pid(process), pid);
    CHECK_OK(eddy_process_check(process));
}

/* A-SUBP-4, on purpose not as asyncio: the exit counts, not the pipes, which a grandchild may
 * keep open. */
TEST(process_wait_ends_with_the_process_not_with_its_pipes)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE, .new_group = true};
    char line[20];
    ssize_t size;
    int code = -1;

    CHECK_OK(eddy_create_subprocess_shell("sleep 100 & echo $!; exit 4", &options, &process));
    CHECK_OK(eddy_process_wait(process, &code));
    CHECK_EQ(code, 4);
    CHECK_OK(eddy_read_line(eddy_process_out(process), line, sizeof line));
    {
        EDDY_TIMEOUT(limit, 0); /* it is open still */
        size = eddy_read(eddy_process_out(process), line + 10, 1);
    }
    CHECK_EQ(size, -ETIMEDOUT);
    CHECK(child_lives(number_of(line)));
    CHECK_EQ(eddy_process_close(&process), 4); /* with a group of its own, of which all end */
    CHECK(child_dies(number_of(line)));
}

/* A-SUBP-7 */
TEST(process_goes_on_when_a_wait_is_cancelled)
{
    EDDY_PROCESS process = NULL;
    int rc;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
    {
        EDDY_TIMEOUT(limit, 0.001);
        rc = eddy_process_wait(process, NULL);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(child_lives(eddy_process_pid(process)));
}

/* A-SUBP-8 */
TEST(process_that_has_ended_takes_no_signal)
{
    EDDY_PROCESS process = NULL;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
    CHECK_FAILS(eddy_process_send_signal(process, 12345), -EINVAL, "signal 12345 cannot be sent");
    CHECK_OK(eddy_process_send_signal(process, SIGUSR1));
    CHECK_OK(eddy_process_wait(process, NULL));
    CHECK_EQ(eddy_process_returncode(process), -SIGUSR1);
    CHECK_FAILS(eddy_process_terminate(process), -ESRCH, "(sleep) has ended");
    CHECK_EQ(eddy_process_kill(process), -ESRCH);
}

/* The same when the loop has not looked yet; then a signal is what finds its end. */
TEST(process_end_is_found_by_a_signal)
{
    EDDY_PROCESS process = NULL;
    siginfo_t info;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &process));
    if (eddy_process_returncode(process) != EDDY_RUNNING)
        return;
    CHECK_EQ(waitid(P_PID, (id_t)eddy_process_pid(process), &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(eddy_process_kill(process), -ESRCH);
    CHECK_EQ(eddy_process_returncode(process), 0);
    CHECK(no_child_is_left());
}

TEST(process_is_ended_by_sigterm_at_the_end_of_its_block)
{
    double began = real_time();
    pid_t pid;
    {
        EDDY_PROCESS process = NULL;

        CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
        pid = eddy_process_pid(process);
    }
    CHECK(!child_lives(pid) && no_child_is_left());
    CHECK(real_time() < began + 4);
}

static const char deaf[] = "trap '' TERM; echo; while :; do sleep 100; done";

/* Issue, 3: a process that ignores SIGTERM. */
TEST(process_that_ignores_sigterm_is_killed_after_its_time)
{
    EDDY_PROCESS process = NULL;
    double began, took;

    CHECK_OK(start_ready(deaf, (eddy_process_options){.stop_timeout = 0.05, .new_group = true},
                         &process));
    began = real_time();
    CHECK_EQ(eddy_process_close(&process), -SIGKILL);
    took = real_time() - began;
    CHECK(took > 0.045 && took < 3);
    CHECK(no_child_is_left());
}

TEST(process_gets_its_time_to_end_in_order)
{
    EDDY_PROCESS process = NULL;

    CHECK_OK(start_ready("trap 'sleep 0.05; exit 9' TERM; echo; while :; do sleep 0.01; done",
                         (eddy_process_options){.stop_timeout = 0}, &process));
    CHECK_EQ(eddy_process_close(&process), 9);
}

TEST(process_without_time_is_killed_at_once)
{
    EDDY_PROCESS process = NULL;

    CHECK_OK(
        start_ready(deaf, (eddy_process_options){.stop_timeout = -1, .new_group = true}, &process));
    CHECK_EQ(eddy_process_close(&process), -SIGKILL);
}

static int close_deaf(eddy_process *process)
{
    return eddy_process_close(&process) == -SIGKILL ? 0 : -EPROTO;
}
EDDY_ASYNC(close_deaf, eddy_process *);

/* A close in a task that is cancelled, before or meanwhile, does not wait. */
TEST(process_is_killed_at_once_in_a_cancelled_task)
{
    eddy_process_options options = {.stop_timeout = 1000, .new_group = true};
    EDDY_PROCESS process = NULL, other = NULL;
    int rc;

    CHECK_OK(start_ready(deaf, options, &process));
    CHECK_OK(start_ready(deaf, options, &other));
    {
        EDDY_TIMEOUT(limit, 0);
        rc = eddy_sleep(1);
        CHECK_EQ(eddy_process_close(&process), -SIGKILL);
    }
    CHECK_EQ(rc, -ETIMEDOUT);

    EDDY_TASK task = eddy_create_task(close_deaf, other);

    other = NULL;
    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK(no_child_is_left());
}

/* With a group of its own, whoever is in it. */
TEST(process_group_gets_the_signals)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE, .new_session = true};
    char line[20];
    pid_t sleeper;

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the children, too, which may be slow to take a signal");
    CHECK_OK(eddy_create_subprocess_shell("sleep 100 & echo $!; wait", &options, &process));
    CHECK_OK(eddy_read_line(eddy_process_out(process), line, sizeof line));
    sleeper = number_of(line);
    CHECK_OK(eddy_process_terminate(process));
    CHECK_OK(eddy_process_wait(process, NULL));
    CHECK(child_dies(sleeper));
}

/* Nor does it matter that the leader has ended, and been reaped. */
TEST(process_group_gets_signals_behind_the_end_of_its_leader)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE, .new_group = true};
    char line[20];

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the sleeper, too, which may be slow to take a signal");
    CHECK_OK(eddy_create_subprocess_shell("sleep 100 & echo $!", &options, &process));
    CHECK_OK(eddy_read_line(eddy_process_out(process), line, sizeof line));
    CHECK_OK(eddy_process_check(process));
    CHECK_OK(eddy_process_terminate(process));
    CHECK(child_dies(number_of(line)));
}

/* Those that wait, or come while it ends. */
TEST(process_close_tells_all_who_are_inside)
{
    EDDY_PROCESS process = NULL;
    eddy_process *again;
    int code = 0;

    CHECK_OK(start_ready(deaf, (eddy_process_options){.stop_timeout = 0.05, .new_group = true},
                         &process));
    again = process;
    EDDY_TASK waiter = eddy_create_task(wait_for, process);
    EDDY_TASK closer = eddy_create_task(close_deaf, process);
    EDDY_TASK follower = eddy_create_task(close_deaf, process);

    process = NULL;
    test_settle();
    CHECK_FAILS(eddy_process_wait(again, NULL), -ESHUTDOWN, "is being closed");
    CHECK_OK(eddy_await(waiter, &code));
    CHECK_EQ(code, -SIGKILL);
    CHECK_OK(eddy_await(closer));
    CHECK_OK(eddy_await(follower));
}

/* A task that reads what a process writes, when that is closed. */
static int read_on(eddy_process *process)
{
    char byte;

    return (int)eddy_read(eddy_process_out(process), &byte, 1);
}
EDDY_ASYNC(read_on, eddy_process *);

TEST(process_close_gets_readers_out)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE};
    int rc;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &process));
    EDDY_TASK reader = eddy_create_task(read_on, process);

    test_settle();
    CHECK_EQ(eddy_process_close(&process), -SIGTERM);
    rc = eddy_await(reader);
    CHECK(rc == 0 || rc == -ESHUTDOWN); /* the end may come first */
}

TEST(process_that_is_detached_goes_on_and_is_reaped)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_PIPE};
    pid_t pid;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "0.1"), &options, &process));
    pid = eddy_process_pid(process);
    eddy_process_detach(&process);
    CHECK(process == NULL);
    eddy_process_detach(&process);
    CHECK(child_lives(pid));
    CHECK_OK(until_no_child_is_left());
}

static int detach_it(eddy_process *process)
{
    eddy_process_detach(&process);
    return 0;
}
EDDY_ASYNC(detach_it, eddy_process *);

static int close_running(eddy_process *process)
{
    return eddy_process_close(&process) == EDDY_RUNNING ? 0 : -EPROTO;
}
EDDY_ASYNC(close_running, eddy_process *);

/* A detach waits until the process has taken its input; a close that comes meanwhile goes with
 * it. */
TEST(process_close_behind_a_detach_goes_on)
{
    static char input[300000];
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_PIPE, .new_group = true};
    pid_t pid;

    CHECK_OK(eddy_create_subprocess_shell("cat >/dev/null; exec sleep 100", &options, &process));
    pid = eddy_process_pid(process);
    kill(-pid, SIGSTOP);
    CHECK_OK(eddy_write_nowait(eddy_process_in(process), input, sizeof input));
    EDDY_TASK detacher = eddy_create_task(detach_it, process);

    test_settle();
    CHECK(!eddy_task_done(detacher));
    EDDY_TASK closer = eddy_create_task(close_running, process);

    process = NULL;
    test_settle();
    kill(-pid, SIGCONT);
    CHECK_OK(eddy_await(closer));
    CHECK_OK(eddy_await(detacher));
    kill(-pid, SIGKILL);
    CHECK_OK(until_no_child_is_left());
}

static pid_t left; /* a process that outlived its loop */

static int detach_and_leave(void)
{
    EDDY_PROCESS process = NULL, ended = NULL;
    siginfo_t info;
    pid_t pid;

    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &ended));
    left = eddy_process_pid(process);
    pid = eddy_process_pid(ended);
    eddy_process_detach(&process);
    eddy_process_detach(&ended);
    (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT); /* or it was reaped already */
    return 0;
}
EDDY_ASYNC(detach_and_leave);

/* It stays alone behind the loop; one that has ended meanwhile is reaped all the same. */
RAW_TEST(process_that_is_detached_outlives_its_loop)
{
    int status;

    CHECK_OK(eddy_run(detach_and_leave));
    CHECK(child_lives(left));
    CHECK_EQ(kill(left, SIGKILL), 0);
    CHECK_EQ(waitpid(-1, &status, 0), left);
    CHECK(no_child_is_left());
}

static eddy_process *forgotten;

static int forget(void)
{
    eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE};

    return eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &forgotten);
}
EDDY_ASYNC(forget);

/* A-SUBP-9 */
RAW_TEST(process_over_which_its_loop_closes_is_killed_reaped_and_reported)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(forget)));
    eddy_loop_free(loop);
    CHECK(no_child_is_left());
    CHECK_HAS(test_report(), "(sleep) was not closed");
    CHECK_STR(test_report(), ""); /* its streams are not told of */
}

/* A-SUBP-12 */
TEST(process_that_somebody_else_has_reaped_has_code_255)
{
    EDDY_PROCESS process = NULL;
    int code = 0;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &process));
    CHECK_EQ(waitpid(eddy_process_pid(process), NULL, 0), eddy_process_pid(process));
    CHECK_OK(eddy_process_wait(process, &code));
    CHECK_EQ(code, 255);
    CHECK_HAS(test_report(), "is lost, its code is taken for 255");
    CHECK_STR(test_report(), "");
}

TEST(process_of_a_program_that_ignores_sigchld_has_code_255)
{
    EDDY_PROCESS process = NULL;
    int code = 0;

    signal(SIGCHLD, SIG_IGN);
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), NULL, &process));
    CHECK_OK(eddy_process_wait(process, &code));
    CHECK_EQ(code, 255);
    CHECK_HAS(test_report(), "or SIGCHLD is ignored");
    signal(SIGCHLD, SIG_DFL);
}

static int seen; /* atomic: signals */

static void count_signal(int number)
{
    (void)number;
    __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
}

/* A-SUBP-11: the program's own handler stays, and is called as for any child. */
TEST(process_leaves_the_programs_sigchld_alone)
{
    struct sigaction action = {.sa_handler = count_signal}, after;
    int code = -1;

    sigaction(SIGCHLD, &action, NULL);
    CHECK_OK(run_line("exit 5", &code));
    CHECK_EQ(code, 5);
    CHECK_EQ(__atomic_load_n(&seen, __ATOMIC_RELAXED), 1);
    sigaction(SIGCHLD, NULL, &after);
    CHECK(after.sa_handler == count_signal);
    signal(SIGCHLD, SIG_DFL);
}

/* A watch that fails is tried again: no exit is missed for it. */
TEST(process_exit_is_noticed_behind_a_watch_that_failed)
{
    EDDY_PROCESS process = NULL;
    int code = -1;

    (void)ed_fault_set(ED_FAULT_POLL, 1, -ENOSPC);
    CHECK_OK(eddy_create_subprocess_shell("sleep 0.01; exit 6", NULL, &process));
    CHECK_OK(eddy_process_wait(process, &code));
    (void)ed_fault_set(ED_FAULT_POLL, 0, 0);
    CHECK_EQ(code, 6);
}

static int run_one(int number)
{
    EDDY_PROCESS process = NULL;
    char line[40];
    int code;

    snprintf(line, sizeof line, "exit %d", number % 256);
    EDDY_TRY(eddy_create_subprocess_shell(line, NULL, &process));
    EDDY_TRY(eddy_process_wait(process, &code));
    return code == number % 256 ? 0 : -EPROTO;
}
EDDY_ASYNC(run_one, int);

TEST(process_two_hundred_at_once)
{
    EDDY_GROUP(group);

    for (int i = 0; i < (test_is_swept() ? 10 : test_is_slow() ? 40 : 200); i++)
        CHECK_OK(eddy_group_create_task(&group, run_one, i));
    CHECK_OK(eddy_group_join(&group));
    CHECK(no_child_is_left());
}

static int count_open(void)
{
    int first = dup(0);

    close(first);
    return first;
}

TEST(process_a_thousand_one_after_the_other)
{
    int first = 0;

    for (int i = 0; i < (test_is_swept() ? 10 : test_is_slow() ? 50 : 1000); i++) {
        EDDY_PROCESS process = NULL;
        eddy_process_options options = {.out = EDDY_PIPE};

        CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("/bin/true"), &options, &process));
        CHECK_OK(eddy_process_check(process));
        CHECK_EQ(eddy_process_close(&process), 0);
        CHECK(no_child_is_left());
        first = first ? first : count_open();
        CHECK_EQ(count_open(), first);
    }
}

static int run_some(void)
{
    for (int i = 0; i < (test_is_slow() ? 5 : 40); i++)
        EDDY_TRY(run_one(i));
    return 0;
}
EDDY_ASYNC(run_some);

static void *run_loop(void *unused)
{
    return eddy_run(run_some) == 0 ? unused : &left;
}

/* A-SUBP-11: in any thread. */
RAW_TEST(process_of_several_loops_in_threads)
{
    pthread_t threads[4];
    void *failure;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, run_loop, NULL), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failure);
        CHECK(failure == NULL);
    }
    CHECK(no_child_is_left());
}

/* As eddy/process.h says: the virtual clock keeps pace with the real one. */
TEST(process_lets_time_pass_as_outside_under_the_virtual_clock)
{
    EDDY_PROCESS process = NULL;
    double began;
    int rc;

    CHECK_OK(start_ready("echo; read x", (eddy_process_options){.in = EDDY_PIPE}, &process));
    began = real_time();
    CHECK_OK(eddy_sleep(0.05));
    CHECK(real_time() - began > 0.049);
    CHECK_OK(eddy_process_end_input(process));
    {
        EDDY_TIMEOUT(limit, 15);
        rc = eddy_process_wait(process, NULL);
    }
    CHECK_OK(rc);
    began = real_time();
    CHECK_OK(eddy_sleep(3600)); /* it has ended */
    CHECK(real_time() - began < 60);
}

/* A container's filter may refuse it. */
TEST(process_is_signalled_by_its_id_where_there_is_no_other_way)
{
    EDDY_PROCESS process = NULL, group = NULL;
    eddy_process_options options = {.new_group = true};

    without_call(SYS_pidfd_send_signal);
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), NULL, &process));
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &group));
    CHECK_OK(eddy_process_send_signal(process, SIGUSR1));
    CHECK_OK(eddy_process_wait(process, NULL));
    CHECK_EQ(eddy_process_returncode(process), -SIGUSR1);
    CHECK_EQ(eddy_process_kill(process), -ESRCH);
    CHECK_EQ(eddy_process_close(&group), -SIGTERM);
}

/* Nobody waits for ever for one that has become another user's. */
TEST(process_that_must_not_be_killed_goes_on)
{
    EDDY_PROCESS process = NULL;
    int code = 0;

    if (geteuid() != 0)
        test_skip("only root may have processes that it may not kill afterwards");
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "0.1"), NULL, &process));
    EDDY_TASK waiter = eddy_create_task(wait_for, process);

    test_settle();
    CHECK_EQ(setresuid(65534, 65534, 65534), 0);
    CHECK_EQ(eddy_process_close(&process), EDDY_RUNNING);
    CHECK_HAS(test_report(), "(sleep) goes on: we are not permitted to kill it");
    CHECK_OK(eddy_await(waiter, &code));
    CHECK_EQ(code, EDDY_RUNNING);
    CHECK_OK(until_no_child_is_left());
}

/* Nor for one that leads a group of which others may be killed: those are. */
TEST(process_that_must_not_be_killed_is_left_by_its_group)
{
    EDDY_PROCESS leader = NULL, other = NULL;
    eddy_process_options options = {.in = EDDY_PIPE, .new_group = true, .stop_timeout = -1};

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the children, too, which may be slow to take a signal");
    if (geteuid() != 0)
        test_skip("only root may have processes that it may not kill afterwards");
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("cat"), &options, &leader));
    options = (eddy_process_options){
        .group = eddy_process_pid(leader), .set_user = true, .user = 65534, .gid = 65534};
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &other));
    CHECK_EQ(setresuid(65534, 65534, 65534), 0);
    CHECK_EQ(eddy_process_close(&leader), EDDY_RUNNING); /* until its input ends */
    CHECK_HAS(test_report(), "(cat) goes on: we are not permitted to kill it");
    CHECK_OK(eddy_process_wait(other, NULL));
    CHECK_EQ(eddy_process_returncode(other), -SIGKILL);
    CHECK_OK(until_no_child_is_left());
}

static int forget_and_become_another(void)
{
    eddy_process_options options = {.out = EDDY_DEVNULL, .err = EDDY_DEVNULL, .new_group = true};

    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &forgotten));
    fprintf(stderr, "%d\n", (int)eddy_process_pid(forgotten));
    return setresuid(65534, 65534, 65534) < 0 ? -errno : 0;
}
EDDY_ASYNC(forget_and_become_another);

static void run_and_become_another(void)
{
    _exit(eddy_run(forget_and_become_another) < 0);
}

RAW_TEST(process_that_must_not_be_killed_does_not_hold_up_the_end_of_the_loop)
{
    char text[1000];
    int status;

    if (geteuid() != 0)
        test_skip("only root may have processes that it may not kill afterwards");
    status = test_fork(run_and_become_another, text, sizeof text);
    CHECK_EQ(kill(number_of(text), SIGKILL), 0);
    CHECK_EQ(status, 0);
    CHECK_HAS(text, "(sleep) was not closed");
}

static void close_outside(void)
{
    forgotten = (eddy_process *)(uintptr_t)8;
    (void)eddy_process_close(&forgotten);
}

RAW_TEST(process_close_outside_a_task_aborts)
{
    CHECK_DIES(close_outside, "eddy_process_close is called outside a task");
}

static int all_of_it(void)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE, .stop_timeout = 2};
    eddy_process_output output = {.out = NULL};
    int code = -1;

    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("cat"), &options, &process));
    EDDY_DEFER(eddy_process_output_free, &output);
    EDDY_TRY(eddy_write(eddy_process_in(process), "a", 1));
    EDDY_TRY(eddy_process_communicate(process, "b", 1, &output));
    EDDY_TRY(eddy_expect(strcmp(output.out, "ab") == 0 && output.out_size == 2));
    EDDY_TRY(eddy_process_wait(process, &code));
    EDDY_TRY(eddy_expect(code == 0));
    EDDY_TRY(eddy_process_check(process));
    return eddy_expect(eddy_process_close(&process) == 0);
}
EDDY_ASYNC(all_of_it);

RAW_TEST(process_survives_every_cancel_and_every_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(all_of_it));
    CHECK(no_child_is_left());
    CHECK_OK(eddy_test_allocations(all_of_it));
    CHECK(no_child_is_left());
    CHECK_OK(eddy_test_seeds(1, test_is_slow() ? 5 : 20, all_of_it));
}
