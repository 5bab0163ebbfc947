/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail, each in its turn: a program that exchanges checked bytes over all
 * kinds of streams runs under a library that makes the nth call of a name fail. For each call
 * and error it runs with n = 1, 2, 3 and so on, at full depth, until a run meets no failure.
 *
 * Every run ends in time, without a crash, a leak or more calls than a few retries cost. What
 * may pass (EINTR, EAGAIN, a short count, an accept without descriptors) is not seen; anything
 * else is an error that says what failed.
 */
#include "base/compat.h"
#include "harness.h"
#include "programs/program.h"

#define RETRIES 300 /* calls that a failure may cost */

struct fault {
    const char *call, *errors;
};

static const struct fault passing[] = {
    {"accept4", "EINTR EMFILE ECONNABORTED EAGAIN EPROTO ENFILE ENOBUFS ENOMEM"},
    {"close", "EINTR"},
    {"connect", "EINTR"},
    {"epoll_pwait2", "EINTR ENOSYS EPERM"},
    {"epoll_wait", "EINTR"},
    {"read", "EINTR EAGAIN short"},
    {"recv", "short EINTR EAGAIN"},
    {"send", "short EINTR EAGAIN"},
    {"sendfile", "short EINTR EAGAIN"},
    {"sendmsg", "short EINTR EAGAIN"},
    {"write", "EINTR EAGAIN short"},
};

static const struct fault failing[] = {
    {"bind", "EACCES EADDRINUSE"},
    {"close", "EIO ENOSPC"},
    {"connect", "ECONNREFUSED ETIMEDOUT EADDRNOTAVAIL EHOSTUNREACH EAGAIN"},
    {"epoll_create1", "EMFILE ENFILE ENOMEM"},
    {"epoll_ctl", "ENOSPC ENOMEM"},
    {"eventfd", "EMFILE ENFILE ENOMEM"},
    {"getsockname", "ENOBUFS"},
    {"getsockopt", "ENOBUFS"},
    {"listen", "EADDRINUSE"},
    {"read", "EIO"},
    {"recv", "ECONNRESET ETIMEDOUT ENOMEM"},
    {"send", "EPIPE ECONNRESET ENOBUFS ENOMEM"},
    {"sendfile", "EIO EPIPE ENOMEM"},
    {"sendmsg", "ECONNRESET EPIPE ENOBUFS"},
    {"setsockopt", "ENOBUFS ENOMEM"},
    {"shutdown", "ENOTCONN"},
    {"socket", "EMFILE ENFILE ENOBUFS ENOMEM EACCES"},
    {"write", "EPIPE EIO ENOSPC"},
};

/* One run of the program. */
struct run {
    char text[8192];
    int status;
    unsigned long calls, failed;
};

static struct run run;

/* The runtime of gcc's sanitizers wants to come first, unless told. */
static const char *run_sanitizer(void)
{
    static char text[500];
    const char *before = getenv("ASAN_OPTIONS");

    snprintf(text, sizeof text, "ASAN_OPTIONS=%s:verify_asan_link_order=0", before ? before : "");
    return text;
}

static void run_under(const char *faults)
{
    static char preload[4200], shim[600];
    const char *counted;

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", program_path("libshim.so"));
    snprintf(shim, sizeof shim, "SHIM=%s", faults);
    run.status = program_run(run.text, sizeof run.text, preload, run_sanitizer(), "EDDY_STATS=1",
                             faults ? shim : "SHIM=", "exchange", NULL);
    counted = strstr(run.text, "shim: ");
    run.calls = run.failed = 0;
    if (counted)
        sscanf(counted, "shim: %lu calls, %lu failed", &run.calls, &run.failed);
}

static void run_check(const char *faults, bool passes, unsigned long most)
{
    const char *left = strstr(run.text, "eddy: loops ");

    CHECK_THAT(WIFEXITED(run.status) && WEXITSTATUS(run.status) <= (passes ? 0 : 1),
               "%s: status %#x: %s", faults, (unsigned)run.status, run.text);
    CHECK_THAT(left && strstr(left, "loops 0, tasks 0, generators 0, timers 0, operations 0, "
                                    "descriptors 0, threads 0, stacks 0, blocks 0, bytes 0\n"),
               "%s: left behind: %s", faults, run.text);
    CHECK_THAT(run.calls <= most, "%s: %lu calls: %s", faults, run.calls, run.text);
}

/* An error has the name of what was injected, or of what the other end saw of it, and says
 * where it came from; of ENOMEM there is but one text. */
static void run_check_error(const char *faults, const char *error)
{
    static const char *const places[] = {"no event loop", "cannot listen", "cannot connect",
                                         "read:",         "write:",        "sendfile:",
                                         "close:",        "the echo of"};
    static const char *const seen[] = {"ECONNRESET", "EPIPE", "EDDY_EINCOMPLETE", "ENOBUFS"};
    const char *text = strstr(run.text, "exchange: failed: ");
    bool named = false, placed = false;

    if (WEXITSTATUS(run.status) == 0)
        return;
    CHECK_THAT(text, "%s: silent: %s", faults, run.text);
    text += strlen("exchange: failed: ");
    named = strncmp(text, error, strlen(error)) == 0;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(seen); i++)
        named |= strncmp(text, seen[i], strlen(seen[i])) == 0;
    placed = strncmp(text, "ENOMEM: out of memory", 21) == 0;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(places); i++)
        placed |= strstr(text, places[i]) != NULL;
    CHECK_THAT(named && placed, "%s: not clear: %s", faults, run.text);
}

/* Which call is the next to fail. */
static int step(int nth)
{
    return test_is_deep() ? nth + 1 : test_is_slow() ? nth + 7 : nth + 1 + nth / 2;
}

static void sweep_one(const char *call, const char *error, bool passes)
{
    unsigned long most;

    run_under(NULL);
    most = 3 * run.calls + RETRIES;
    for (int nth = 1; nth == 1 || run.failed > 0; nth = step(nth)) {
        char faults[60];

        if (test_is_slow() && !test_is_deep() && nth > 8)
            return;
        snprintf(faults, sizeof faults, "%s:%s:%d", call, error, nth);
        run_under(faults);
        run_check(faults, passes, most);
        run_check_error(faults, error);
    }
}

static void sweep(const struct fault *faults, size_t count, bool passes)
{
    for (size_t i = 0; i < count; i++) {
        char errors[100], *rest = errors;

        snprintf(errors, sizeof errors, "%s", faults[i].errors);
        for (char *error; (error = strsep(&rest, " ")) != NULL;) {
            sweep_one(faults[i].call, error, passes);
            if (test_is_slow() && !test_is_deep())
                break;
        }
    }
}

RAW_TEST(system_calls_that_fail_for_a_moment_are_not_seen)
{
    sweep(passing, ED_ARRAY_LENGTH(passing), true);
}

RAW_TEST(system_calls_that_fail_are_errors_that_say_what_failed)
{
    sweep(failing, ED_ARRAY_LENGTH(failing), false);
}

/* Again and again, and of many kinds at once. */
RAW_TEST(system_calls_may_fail_for_a_moment_all_the_time)
{
    static const char *const storms[] = {
        "recv:short:/3,send:short:/5,sendmsg:short:/3",
        "recv:EINTR:/2,send:EINTR:/2,sendmsg:EINTR:/2,read:EINTR:/2,write:EINTR:/2",
        "recv:EAGAIN:/2,send:EAGAIN:/2,sendmsg:EAGAIN:/2,accept4:EAGAIN:/2,sendfile:EAGAIN:/2",
        "accept4:EMFILE:1-9,recv:EAGAIN:/3",
        "accept4:ECONNABORTED:1-4,accept4:ENOBUFS:/3,epoll_pwait2:EINTR:/2,epoll_wait:EINTR:/2",
        "epoll_pwait2:ENOSYS:/1,epoll_wait:EINTR:/3,recv:short:/3,send:EAGAIN:/3,close:EINTR:/1",
        "read:short:/7,write:short:/3,read:EAGAIN:/2,write:EAGAIN:/2,sendfile:short:/2",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(storms); i++) {
        run_under(storms[i]);
        run_check(storms[i], true, 20000);
    }
}

/* What the shim does is what it says. */
RAW_TEST(system_calls_are_counted_by_the_shim)
{
    run_under("socket:EMFILE:2-3");
    CHECK_HAS(run.text, "exchange: failed: EMFILE: cannot listen at ");
    CHECK_HAS(run.text, " calls, 1 failed\n");
    run_under("socket:EMFILE:2,nonsense");
    CHECK_STR(run.text, "shim: nonsense is not CALL:ERROR:WHICH\n");
}
