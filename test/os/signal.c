/* SPDX-License-Identifier: MIT */
/* Handlers and receivers of signals: rules A-SIG-1 to A-SIG-6. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/fault.h"
#include "io/socketpair.h"

static char trace[64];

static void note(char word)
{
    trace[strlen(trace)] = word;
}

static int note_word(void *word)
{
    note(*(const char *)word);
    return 0;
}

static eddy_loop *loop(void)
{
    return eddy_get_running_loop();
}

/* From here on the calling thread gets them, within kill(2). */
static void send_signal(int number)
{
    kill(getpid(), number);
}

static int sends(void *number)
{
    send_signal((int)(intptr_t)number);
    return 0;
}

/* Sends it later, unless the block has ended before that. */
#define SEND_AFTER(seconds, number)                                                                \
    EDDY_DEFER(test_cancel_handle, &(eddy_handle[1]){eddy_loop_call_later(                         \
                                       loop(), (seconds), sends, (void *)(intptr_t)(number))}[0])

static bool is_default(int number)
{
    struct sigaction now;

    sigaction(number, NULL, &now);
    return !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

static void remove_handler(void *number)
{
    (void)eddy_loop_remove_signal_handler(loop(), (int)(intptr_t)number);
}
#define HANDLE(number, callback, argument)                                                         \
    CHECK_OK(eddy_loop_add_signal_handler(loop(), (number), (callback), (argument)));              \
    EDDY_DEFER(remove_handler, (void *)(intptr_t)(number))

/* Handlers ---------------------------------------------------------------------- */

static int uses_everything(void *argument)
{
    if (eddy_current_task() || !loop())
        test_fail(__FILE__, __LINE__, "it does not run on the loop's own stack");
    (void)eddy_loop_call_soon(loop(), note_word, argument);
    return 0;
}

/* A-SIG-1: it runs as a callback of the loop, not when the signal comes. */
TEST(signal_handler_runs_as_a_callback_of_the_loop)
{
    HANDLE(SIGUSR1, uses_everything, "a");
    send_signal(SIGUSR1);
    CHECK_STR(trace, "");
    CHECK_OK(eddy_sleep(1));
    CHECK_STR(trace, "a");
    send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK_STR(trace, "aa");
}

static int fails(void *unused)
{
    (void)unused;
    return -EIO;
}

TEST(signal_handler_that_fails_is_reported)
{
    HANDLE(SIGUSR1, fails, NULL);
    send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK_HAS(test_report(), "EIO");
}

/* A-SIG-2: what cannot be handled is refused; the thread does not matter. */
TEST(signal_handler_is_refused_for_what_cannot_be_handled)
{
    int numbers[] = {-1, 0, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32, 65, 1 << 20};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK_FAILS(eddy_loop_add_signal_handler(loop(), numbers[i], note_word, "a"), -EINVAL,
                    "cannot be handled");
        CHECK(!eddy_loop_remove_signal_handler(loop(), numbers[i]));
    }
    CHECK_OK(eddy_loop_add_signal_handler(loop(), SIGRTMAX - 2, note_word, "a"));
    CHECK(eddy_loop_remove_signal_handler(loop(), SIGRTMAX - 2));
}

/* A-SIG-3: adding replaces; removing says whether there was one, and restores. */
TEST(signal_handler_is_replaced_and_removed)
{
    CHECK(!eddy_loop_remove_signal_handler(loop(), SIGUSR1));
    HANDLE(SIGUSR1, note_word, "a");
    CHECK_OK(eddy_loop_add_signal_handler(loop(), SIGUSR1, note_word, "b"));
    send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK_STR(trace, "b");
    CHECK(!is_default(SIGUSR1));
    CHECK(eddy_loop_remove_signal_handler(loop(), SIGUSR1));
    CHECK(is_default(SIGUSR1));
    CHECK(!eddy_loop_remove_signal_handler(loop(), SIGUSR1));
}

static int changes(void *step)
{
    switch ((*(int *)step)++) {
    case 0: return eddy_loop_add_signal_handler(loop(), SIGUSR2, note_word, "2");
    case 1: return eddy_loop_add_signal_handler(loop(), SIGUSR1, changes, step);
    default:
        note(eddy_loop_remove_signal_handler(loop(), SIGUSR1) ? 'r' : 'n');
        note(eddy_loop_remove_signal_handler(loop(), SIGUSR2) ? 'r' : 'n');
        return 0;
    }
}

/* A-SIG-1, -3: handlers are added, replaced and removed in one, also itself. */
TEST(signal_handler_adds_replaces_and_removes_handlers)
{
    int step = 0;

    HANDLE(SIGUSR1, changes, &step);
    EDDY_DEFER(remove_handler, (void *)(intptr_t)SIGUSR2);
    for (int i = 0; i < 3; i++) {
        send_signal(SIGUSR1);
        if (step > 0)
            send_signal(SIGUSR2); /* the last one is removed before its turn: it is the higher */
        CHECK_OK(eddy_sleep(1));
    }
    CHECK_STR(trace, "2rr");
    CHECK(is_default(SIGUSR1));
    CHECK(is_default(SIGUSR2));
}

static eddy_local word_local = EDDY_LOCAL_INIT("word", NULL);

static int note_local(void *unused)
{
    (void)unused;
    return note_word(eddy_local_get(&word_local));
}

/* Its local values are those of who added it. */
TEST(signal_handler_sees_the_local_values_of_who_added_it)
{
    CHECK_OK(eddy_local_set(&word_local, "l", NULL));
    HANDLE(SIGUSR1, note_local, NULL);
    CHECK_OK(eddy_local_set(&word_local, "m", NULL));
    send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK_STR(trace, "l");
}

static int wakes;

static int count_wake(void *unused)
{
    (void)unused;
    wakes++;
    return 0;
}

/* A-SIG-5: several quick ones are at least one, and at most as many. */
TEST(signals_that_come_quickly_are_seen_at_least_once)
{
    HANDLE(SIGUSR1, count_wake, NULL);
    for (int i = 0; i < 5; i++)
        send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK(wakes >= 1 && wakes <= 5);
}

/* A-SIG-6: one that has come and was not seen is dropped with its handler. */
TEST(signal_that_was_not_seen_is_dropped_with_its_handler)
{
    HANDLE(SIGUSR1, note_word, "a");
    send_signal(SIGUSR1);
    CHECK(eddy_loop_remove_signal_handler(loop(), SIGUSR1));
    CHECK_OK(eddy_loop_add_signal_handler(loop(), SIGUSR1, note_word, "b"));
    CHECK_OK(eddy_sleep(1));
    CHECK_STR(trace, "");
}

/* A-SIG-6: the close of a loop removes all; a closed one takes none. */
RAW_TEST(signal_handlers_end_with_their_loop)
{
    eddy_loop *one, *other;

    CHECK_OK(eddy_loop_new(&one));
    CHECK_OK(eddy_loop_new(&other));
    CHECK_OK(eddy_loop_add_signal_handler(one, SIGUSR1, note_word, "a"));
    CHECK_OK(eddy_loop_add_signal_handler(one, SIGUSR2, note_word, "a"));
    CHECK_OK(eddy_loop_add_signal_handler(other, SIGUSR1, note_word, "b"));
    send_signal(SIGUSR1);
    CHECK_OK(eddy_loop_close(one));
    CHECK(is_default(SIGUSR2));
    CHECK(!is_default(SIGUSR1));
    CHECK_EQ(eddy_loop_add_signal_handler(one, SIGUSR1, note_word, "a"), -EPERM);
    CHECK(!eddy_loop_remove_signal_handler(one, SIGUSR1));
    send_signal(SIGUSR1);
    eddy_loop_stop(other);
    CHECK_OK(eddy_loop_run_forever(other));
    CHECK_STR(trace, "b");
    eddy_loop_free(one);
    eddy_loop_free(other);
    CHECK(is_default(SIGUSR1));
}

/* Without memory nothing is taken over. */
TEST(signal_handler_without_memory_leaves_the_signal_alone)
{
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_loop_add_signal_handler(loop(), SIGUSR1, note_word, "a"), -ENOMEM);
    CHECK(is_default(SIGUSR1));
    CHECK_OK(eddy_loop_add_signal_handler(loop(), SIGUSR1, note_word, "a"));
    CHECK(eddy_loop_remove_signal_handler(loop(), SIGUSR1));
}

/* Receivers --------------------------------------------------------------------- */

/* A-SIG-4: a signal wakes the task that waits for it. */
TEST(signal_wait_returns_the_number)
{
    EDDY_SIGNALS(signals, SIGUSR1, SIGHUP);

    SEND_AFTER(1, SIGHUP);
    CHECK_EQ(eddy_signal_wait(&signals), SIGHUP);
    send_signal(SIGUSR1);
    send_signal(SIGHUP);
    CHECK_OK(eddy_sleep(1)); /* nobody waits: they are kept */
    CHECK_EQ(eddy_signal_wait(&signals), SIGHUP);
    CHECK_EQ(eddy_signal_wait(&signals), SIGUSR1);
}

static int wait_and_note(eddy_signals *signals, char word)
{
    int rc = eddy_signal_wait(signals);

    note(rc > 0 ? word : '-');
    return rc;
}
EDDY_ASYNC(wait_and_note, eddy_signals *, char);

/* Each is for one of those who wait at a receiver, and for every receiver. */
TEST(signal_goes_to_the_first_who_waits_at_each_receiver)
{
    EDDY_SIGNALS(one, SIGUSR1);
    EDDY_SIGNALS(two, SIGUSR1);
    EDDY_TASK a = eddy_create_task(wait_and_note, &one, 'a');
    EDDY_TASK b = eddy_create_task(wait_and_note, &one, 'b');
    EDDY_TASK c = eddy_create_task(wait_and_note, &two, 'c');

    test_settle();
    send_signal(SIGUSR1);
    CHECK_OK(eddy_sleep(1));
    CHECK(strchr(trace, 'a') && strchr(trace, 'c') && !strchr(trace, 'b'));
    send_signal(SIGUSR1);
    CHECK_EQ(eddy_await(b), SIGUSR1);
    CHECK_EQ(eddy_await(a), SIGUSR1);
    CHECK_EQ(eddy_await(c), SIGUSR1);
    CHECK_EQ(eddy_signal_wait(&two), SIGUSR1); /* the second, which nobody took */
}

/* Promise 3: a wait that is cut short takes none, and one that was given its signal has it. */
TEST(signal_wait_that_is_cut_short_loses_none)
{
    EDDY_SIGNALS(signals, SIGUSR1);
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_signal_wait(&signals), -ETIMEDOUT);
        send_signal(SIGUSR1);
    }
    CHECK_EQ(eddy_signal_wait(&signals), SIGUSR1);
}

/* Until its end the disposition is taken over, and no longer. */
TEST(signals_are_restored_behind_the_block)
{
    {
        EDDY_SIGNALS(signals, SIGUSR1, SIGUSR1, SIGHUP);
        EDDY_SIGNALS(others, SIGHUP);

        CHECK_OK(signals.error);
        CHECK(!is_default(SIGUSR1));
        CHECK(!is_default(SIGHUP));
    }
    CHECK(is_default(SIGUSR1));
    CHECK(is_default(SIGHUP));
}

/* One that cannot be received spoils the receiver, and no signal is taken over. */
TEST(signals_that_cannot_be_received_are_refused)
{
    EDDY_SIGNALS(signals, SIGUSR1, SIGKILL);

    CHECK_FAILS(eddy_signal_wait(&signals), -EINVAL, "signal 9 cannot be received");
    CHECK(is_default(SIGUSR1));
    CHECK_OK(eddy_sleep(0));
}

TEST(signals_without_memory_are_refused)
{
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    EDDY_SIGNALS(signals, SIGUSR1);

    CHECK_EQ(eddy_signal_wait(&signals), -ENOMEM);
    CHECK(is_default(SIGUSR1));
}

RAW_TEST(signals_outside_a_loop_are_refused)
{
    EDDY_SIGNALS(signals, SIGUSR1);

    CHECK_EQ(eddy_signal_wait(&signals), -EPERM);
    CHECK(is_default(SIGUSR1));
}

static int leave_while_one_waits(void)
{
    eddy_task *task;

    EDDY_SIGNALS(signals, SIGUSR1);
    task = eddy_create_task(wait_and_note, &signals, 'a');
    for (int i = 0; i < 10; i++) /* in any order of what is ready */
        (void)eddy_sleep(0);
    eddy_task_detach(&task);
    return 0;
}
EDDY_ASYNC(leave_while_one_waits);

static void run_and_leave(void)
{
    (void)eddy_run(leave_while_one_waits);
}

RAW_TEST(signals_must_not_end_while_a_task_waits_for_them)
{
    CHECK_DIES(run_and_leave, "EDDY_SIGNALS: the block ends while a task waits");
}

/* Loops, threads and processes ---------------------------------------------------- */

static int waits(int number)
{
    EDDY_SIGNALS(signals, number);

    return eddy_signal_wait(&signals);
}
EDDY_ASYNC(waits, int);

static void *send_from_thread(void *number)
{
    while (is_default((int)(intptr_t)number)) /* nobody has asked yet */
        usleep(1000);
    usleep(2000);
    send_signal((int)(intptr_t)number);
    return NULL;
}

/* A-SIG-4, promise 8: it wakes a loop that rests in the kernel, which is no deadlock. */
RAW_TEST(signal_wakes_a_loop_that_rests)
{
    pthread_t thread;

    if (ED_TSAN)
        test_skip("ThreadSanitizer holds a signal back until a call that it intercepts");
    for (int i = 0; i < 20; i++) {
        pthread_create(&thread, NULL, send_from_thread, (void *)(intptr_t)SIGUSR1);
        CHECK_EQ(eddy_run(waits, SIGUSR1), SIGUSR1);
        pthread_join(thread, NULL);
    }
    CHECK(is_default(SIGUSR1));
}

static int waits_for_ever(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_SIGNALS(signals, SIGUSR1); /* nobody waits for them */

    return eddy_event_wait(&event);
}
EDDY_ASYNC(waits_for_ever);

static int stop_waiting(void *event)
{
    eddy_event_set(event);
    return 0;
}

static int waits_with_handler(void)
{
    eddy_event event = EDDY_EVENT_INIT;

    EDDY_TRY(eddy_loop_add_signal_handler(loop(), SIGALRM, stop_waiting, &event));
    alarm(1);
    return eddy_event_wait(&event);
}
EDDY_ASYNC(waits_with_handler);

/* Promise 8: a handler may wake somebody; signals that nobody waits for, nobody. */
RAW_TEST(signal_handler_is_a_reason_to_wait)
{
    eddy_loop *last;

    if (ED_TSAN)
        test_skip("ThreadSanitizer holds a signal back until a call that it intercepts");
    CHECK_OK(eddy_run(waits_with_handler)); /* and the end of the run removes it */
    CHECK(is_default(SIGALRM));
    CHECK_OK(eddy_loop_new(&last));
    test_watch_reports(last);
    CHECK_EQ(eddy_loop_run_until_complete(last, EDDY_CALL(waits_for_ever)), -EDEADLK);
    CHECK_HAS(test_report(), "deadlock");
    eddy_loop_free(last);
    CHECK_HAS(test_report(), "waits_for_ever");
}

#define LOOPS 8
static int loops_ready, loops_told; /* atomic */

static int waits_in_thread(void)
{
    EDDY_SIGNALS(signals, SIGUSR1);
    int number;

    __atomic_add_fetch(&loops_ready, 1, __ATOMIC_SEQ_CST);
    while ((number = eddy_signal_wait(&signals)) == SIGUSR1) {
        __atomic_add_fetch(&loops_told, 1, __ATOMIC_SEQ_CST);
        break;
    }
    return number;
}
EDDY_ASYNC(waits_in_thread);

static void *run_in_thread(void *unused)
{
    sigset_t all;

    (void)unused;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* it comes in the main thread, all the same */
    return (void *)(intptr_t)eddy_run(waits_in_thread);
}

/* A-SIG-2 differs: any loop in any thread may ask, and one signal is told to all. */
RAW_TEST(signal_is_told_to_every_loop_that_has_asked)
{
    pthread_t threads[LOOPS];

    for (int i = 0; i < LOOPS; i++)
        pthread_create(&threads[i], NULL, run_in_thread, NULL);
    while (__atomic_load_n(&loops_ready, __ATOMIC_SEQ_CST) < LOOPS)
        usleep(100);
    send_signal(SIGUSR1);
    for (int i = 0; i < LOOPS; i++) {
        void *number;

        pthread_join(threads[i], &number);
        CHECK_EQ((intptr_t)number, SIGUSR1);
    }
    CHECK_EQ(loops_told, LOOPS);
    CHECK(is_default(SIGUSR1));
}

static int asks_again_and_again(void)
{
    for (int i = 0; i < (test_is_slow() ? 50 : 500); i++) {
        EDDY_SIGNALS(signals, SIGUSR1, SIGUSR2);
        EDDY_TRY(eddy_loop_add_signal_handler(loop(), SIGUSR1, count_wake, NULL));
        EDDY_TRY(eddy_sleep(0));
        (void)eddy_loop_remove_signal_handler(loop(), SIGUSR1);
    }
    return 0;
}
EDDY_ASYNC(asks_again_and_again);

static void *come_and_go(void *failures)
{
    for (int i = 0; i < 10; i++)
        if (eddy_run(asks_again_and_again) < 0)
            __atomic_add_fetch((int *)failures, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Loops come, ask, and go, while signals pour in. */
RAW_TEST(signals_pour_in_while_loops_come_and_go)
{
    int failures = 0;
    eddy_loop *last;
    pthread_t threads[3];

    CHECK_OK(eddy_loop_new(&last)); /* has them all the time: else the default would end us */
    CHECK_OK(eddy_loop_add_signal_handler(last, SIGUSR1, count_wake, NULL));
    CHECK_OK(eddy_loop_add_signal_handler(last, SIGUSR2, count_wake, NULL));
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, come_and_go, &failures);
    for (int i = 0; i < (test_is_slow() ? 200 : 2000); i++) {
        send_signal(i % 2 ? SIGUSR1 : SIGUSR2);
        usleep(50);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(failures, 0);
    eddy_loop_free(last);
    CHECK(is_default(SIGUSR1));
}

static int forks(void)
{
    EDDY_SIGNALS(signals, SIGUSR1);
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGUSR1, SIG_IGN);
        send_signal(SIGUSR1); /* nothing of it reaches the parent's loop */
        _exit(eddy_run(waits_for_ever) == -EDEADLK ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    REQUIRE(!signals.pending);
    send_signal(SIGUSR1);
    return eddy_signal_wait(&signals);
}
EDDY_ASYNC(forks);

static void leave_block_in_child(void)
{
    EDDY_SIGNALS(signals, SIGUSR1);
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        eddy_signals_end(&signals); /* of a loop that is closed here */
        _exit(is_default(SIGUSR1) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
    CHECK(!is_default(SIGUSR1));
}

/* Signals of a child of fork are its own. */
RAW_TEST(signal_of_a_child_of_fork_is_not_the_parents)
{
    CHECK_EQ(eddy_run(forks), SIGUSR1);
    CHECK(is_default(SIGUSR1));
}

TEST(signals_may_end_in_a_child_of_fork)
{
    leave_block_in_child();
}

/* A-SIG-4: signals do not disturb what waits in the kernel. */
static int echo(eddy_stream *peer)
{
    char data[512];
    ssize_t n;

    while ((n = eddy_read(peer, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(peer, data, (size_t)n));
    return (int)n;
}
EDDY_ASYNC(echo, eddy_stream *);

static int talk(eddy_stream *mine, int rounds)
{
    char data[100], back[100];

    for (int i = 0; i < rounds; i++) {
        memset(data, i, sizeof data);
        EDDY_TRY(eddy_write(mine, data, sizeof data));
        EDDY_TRY(eddy_read_exactly(mine, back, sizeof back));
        REQUIRE(memcmp(data, back, sizeof data) == 0);
        EDDY_TRY(eddy_sleep(0.0005));
    }
    return 0;
}

static int open_pair(eddy_stream **mine, eddy_stream **theirs)
{
    struct pair pair = pair_open(SOCK_STREAM);

    EDDY_TRY(eddy_file_from_fd(pair.one, mine));
    return eddy_file_from_fd(pair.other, theirs);
}

/* Goes on until a signal has come, too, which a busy machine may take its time for. */
static int talks_under_fire(int rounds)
{
    EDDY_STREAM mine = NULL;
    EDDY_STREAM theirs = NULL;

    EDDY_TRY(eddy_loop_add_signal_handler(loop(), SIGUSR1, count_wake, NULL));
    EDDY_TRY(open_pair(&mine, &theirs));
    EDDY_TASK echoes = eddy_create_task(echo, theirs);

    do
        EDDY_TRY(talk(mine, rounds));
    while (wakes == 0 && !ED_TSAN); /* which holds signals back, maybe to the end */
    EDDY_TRY(eddy_write_eof(mine));
    return eddy_await(echoes);
}
EDDY_ASYNC(talks_under_fire, int);

static void *fire(void *end)
{
    while (!__atomic_load_n((int *)end, __ATOMIC_SEQ_CST)) {
        send_signal(SIGUSR1);
        usleep(1000);
    }
    return NULL;
}

/* reliability.md: a thousand signals a second, while streams echo. */
RAW_TEST(a_thousand_signals_a_second_do_not_disturb_an_echo)
{
    int end = 0;
    eddy_loop *last;
    pthread_t thread;

    CHECK_OK(eddy_loop_new(&last));
    CHECK_OK(eddy_loop_add_signal_handler(last, SIGUSR1, count_wake, NULL));
    pthread_create(&thread, NULL, fire, &end);
    CHECK_OK(eddy_run(talks_under_fire, test_is_slow() ? 100 : 1000));
    __atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    eddy_loop_free(last);
}
