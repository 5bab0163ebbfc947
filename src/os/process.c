/* SPDX-License-Identifier: MIT */
/*
 * The life of a child process.
 *
 * From its start to its end one poll of its pidfd is with the engine. When that says that the
 * process has ended, it is reaped at once, whoever waits for it or not, and its code goes to all
 * who wait, each into its own place. So a zombie lasts no longer than the loop takes to look, and
 * no signal is needed for it.
 *
 * Three must be over before the object is freed: the handle's hold (a close or a detach), the
 * process, and the poll. Calls inside are counted; a close waits until they have left.
 *
 * The pidfd is kept as long as the object, also behind the reaping: a group of the process's own
 * may outlive it, and by the pidfd a signal reaches no stranger that has got the same id.
 */
#include "os/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/time.h"
#include "task/scope.h"

#define PROCESS_LOST 255               /* the code of one that somebody else has reaped */
#define PROCESS_AGAIN (ED_SECOND / 10) /* until a watch that failed is tried again */
#define PROCESS_GROUP_SIGNAL (1u << 2) /* PIDFD_SIGNAL_PROCESS_GROUP of Linux 6.9 */

static bool process_runs(const eddy_process *p)
{
    return p->returncode == EDDY_RUNNING;
}

/* Its end ------------------------------------------------------------------------------------ */

static void process_release(eddy_process *p)
{
    ed_engine_forget(p->loop->engine, p->child.pidfd);
    ed_loop_disown(p->loop, p->child.pidfd);
    close(p->child.pidfd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    ed_process_free(p);
}

/* Frees it when nobody needs it any more. */
static void process_settle(eddy_process *p)
{
    if (!p->let_go || process_runs(p) || p->watch.in_flight || p->inside > 0 || p->left)
        return;
    ed_loop_remove_resource(p->loop, &p->resource);
    process_release(p);
}

/* Gives the code to all of a list. */
static void process_tell(struct eddy_list_ *list, int code)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(list))) {
        struct ed_wait *wait = ed_container_of(link, struct ed_wait, link);

        *(int *)wait->data = code;
        ed_wake(wait, 0);
    }
}

static void process_ended(eddy_process *p, int code)
{
    p->returncode = code;
    if (!p->let_go)
        p->loop->programs--;
    ed_loop_stop_timer(p->loop, &p->again);
    process_tell(&p->waiters, code);
    if (p->watch.in_flight)
        ed_engine_cancel(p->loop->engine, &p->watch);
}

static int process_code(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status : -info->si_status;
}

/* Asks the kernel, and reaps it if it has ended. */
static void process_look(eddy_process *p, int flags)
{
    siginfo_t info = {.si_pid = 0};
    int rc;

    do
        rc = waitid(P_PIDFD, (id_t)p->child.pidfd, &info, WEXITED | flags) < 0 ? -errno : 0;
    while (rc == -EINTR);
    if (rc == 0 && info.si_pid != 0) {
        process_ended(p, process_code(&info));
    } else if (rc < 0) {
        process_ended(p, PROCESS_LOST);
        ed_loop_report(
            p->loop, EDDY_REPORT_RESOURCE, rc, NULL,
            "the exit of process %d (%s) is lost, its code is taken for %d: somebody else "
            "has reaped it, or SIGCHLD is ignored",
            (int)p->child.pid, p->name, PROCESS_LOST);
    }
}

static void process_watch(eddy_process *p)
{
    p->watch.events = ED_POLL_IN;
    ed_engine_submit(p->loop->engine, &p->watch);
}

static void process_watch_again(struct eddy_timer_ *timer)
{
    eddy_process *p = ed_container_of(timer, eddy_process, again);

    process_look(p, WNOHANG);
    if (process_runs(p))
        process_watch(p);
    else
        process_settle(p);
}

static void process_watched(struct ed_op *op)
{
    eddy_process *p = ed_container_of(op, eddy_process, watch);

    if (p->left)
        return;
    if (process_runs(p) && op->result >= 0)
        process_look(p, WNOHANG);
    if (process_runs(p))
        ed_loop_start_timer(p->loop, &p->again,
                            ed_time_add(ed_loop_now(p->loop), op->result < 0 ? PROCESS_AGAIN : 0));
    else
        process_settle(p);
}

/* Its start ---------------------------------------------------------------------------------- */

static void process_describe(struct ed_resource *resource, char *text, size_t size)
{
    const eddy_process *p = ed_container_of(resource, eddy_process, resource);

    snprintf(text, size, "process %d (%s)", (int)p->child.pid, p->name);
}

static int process_kill(const eddy_process *p);

/* The loop closes over it: nobody runs any more. One that has a handle is killed, and waited for
 * in the end; one that was detached is left alone. */
static void process_left(struct ed_resource *resource, bool end)
{
    eddy_process *p = ed_container_of(resource, eddy_process, resource);

    if (!end) {
        p->left = true;
        if (!p->let_go)
            p->unkillable = process_kill(p) == -EPERM;
        ed_engine_cancel(p->loop->engine, &p->watch);
        return;
    }
    memset(&p->waiters, 0, sizeof p->waiters); /* of tasks that are gone */
    if (process_runs(p))
        process_look(p, p->let_go || p->unkillable ? WNOHANG : 0);
    process_release(p);
}

eddy_process *ed_process_new(char *name)
{
    eddy_process *p = name ? ed_alloc_zero(sizeof *p) : NULL;

    if (!p) {
        ed_free(name);
        return NULL;
    }
    p->loop = eddy_thread_.loop;
    p->name = name;
    p->returncode = EDDY_RUNNING;
    p->watch.done = process_watched;
    p->watch.kind = ED_OP_POLL;
    p->watch.steady = true;
    p->again = (struct eddy_timer_)ED_TIMER_INIT(process_watch_again);
    p->resource.describe = process_describe;
    p->resource.close = process_left;
    return p;
}

void ed_process_free(eddy_process *p)
{
    ed_free(p->name);
    ed_free(p);
}

void ed_process_begin(eddy_process *p, struct ed_child child)
{
    p->child = child;
    p->watch.fd = child.pidfd;
    p->loop->programs++;
    ed_loop_enter_resource(p->loop, &p->resource);
    ed_loop_own(p->loop, child.pidfd);
    process_watch(p);
}

/* Waiting ------------------------------------------------------------------------------------ */

int ed_process_enter(eddy_process *p)
{
    int rc;

    ED_ASSERT(p->loop == eddy_thread_.loop);
    p->inside++;
    rc = ed_checkpoint();
    if (rc == 0 && p->closing)
        rc = ed_raise(-ESHUTDOWN, "process %d (%s) is being closed", (int)p->child.pid, p->name);
    return rc;
}

void ed_process_leave(eddy_process *p)
{
    struct ed_wait *closer = p->closer;

    if (--p->inside > 0)
        return;
    p->closer = NULL;
    if (closer)
        ed_wake(closer, 0);
    else
        process_settle(p);
}

static const struct ed_wait_kind process_wait_kind = {"process.wait", NULL, NULL};

int ed_process_await(eddy_process *p, int *code)
{
    struct ed_wait wait = ED_WAIT(&process_wait_kind, p, &p->waiters);

    *code = p->returncode;
    if (!process_runs(p))
        return 0;
    if (wait.task->pending)
        return wait.task->pending; /* nothing would interrupt this wait any more */
    wait.data = code;
    return ed_park(&wait);
}

int eddy_process_wait(eddy_process *p, int *code)
{
    int ended, rc = ed_process_enter(p);

    if (rc == 0)
        rc = ed_process_await(p, &ended);
    ed_process_leave(p);
    if (rc == 0 && code)
        *code = ended;
    return rc;
}

int eddy_process_check(eddy_process *p)
{
    int code, rc = ed_process_enter(p);

    if (rc == 0)
        rc = ed_process_await(p, &code);
    if (rc == 0 && code == EDDY_RUNNING)
        rc = ed_raise(EDDY_EPROCESS, "%s goes on without us", p->name);
    else if (rc == 0 && code > 0)
        rc = ed_raise(EDDY_EPROCESS, "%s ended with code %d", p->name, code);
    else if (rc == 0 && code < 0)
        rc = ed_raise(EDDY_EPROCESS, "%s was ended by signal %d (%s)", p->name, -code,
                      sigdescr_np(-code) ? sigdescr_np(-code) : "unknown");
    ed_process_leave(p);
    return rc;
}

/* Signals ------------------------------------------------------------------------------------ */

/* A kernel that cannot signal a group by a pidfd says so by EINVAL; one that knows, or lets us do,
 * none of it by ENOSYS. The id is safe as long as the process is not reaped; that of a group as
 * long as anybody is in it. */
static int process_signal(const eddy_process *p, int number)
{
    unsigned flags = p->leads ? PROCESS_GROUP_SIGNAL : 0;

    if (syscall(SYS_pidfd_send_signal, p->child.pidfd, number, NULL, flags) == 0)
        return 0;
    if ((errno != EINVAL && errno != ENOSYS) || !(p->leads || process_runs(p)))
        return -errno;
    return kill(p->leads ? -p->child.pid : p->child.pid, number) < 0 ? -errno : 0;
}

/* SIGKILL for all that we can reach; the result is the process's own, not that of its group. */
static int process_kill(const eddy_process *p)
{
    int rc = process_signal(p, SIGKILL);

    if (p->leads && process_runs(p) &&
        syscall(SYS_pidfd_send_signal, p->child.pidfd, SIGKILL, NULL, 0) < 0)
        rc = errno == ENOSYS ? rc : -errno;
    return rc;
}

int eddy_process_send_signal(eddy_process *p, int number)
{
    int rc;

    ED_ASSERT(p->loop == eddy_thread_.loop);
    if (process_runs(p))
        process_look(p, WNOHANG);
    rc = process_runs(p) || p->leads ? process_signal(p, number) : -ESRCH;
    if (rc == -ESRCH)
        return ed_raise(rc, "process %d (%s) has ended", (int)p->child.pid, p->name);
    if (rc < 0)
        return ed_raise(rc, "signal %d cannot be sent to process %d (%s): %s", number,
                        (int)p->child.pid, p->name, eddy_strerror(rc));
    return 0;
}

int eddy_process_terminate(eddy_process *p)
{
    return eddy_process_send_signal(p, SIGTERM);
}

int eddy_process_kill(eddy_process *p)
{
    return eddy_process_send_signal(p, SIGKILL);
}

/* The close ---------------------------------------------------------------------------------- */

void ed_process_close_streams(eddy_process *p)
{
    static const int inputs[] = {0, ED_PROCESS_TERMINAL};

    for (int i = 0; i < 2; i++)
        if (p->streams[inputs[i]])
            eddy_stream_abort(p->streams[inputs[i]]); /* else it waits until the input has gone */
    for (int i = 0; i < ED_PROCESS_STREAMS; i++)
        (void)eddy_stream_close(&p->streams[i]); /* nobody asks whether all has gone */
}

static bool process_ask_to_end(eddy_process *p)
{
    int code;

    if (eddy_thread_.task->pending || p->stop_timeout < 0)
        return false;
    if (p->streams[ED_PROCESS_TERMINAL])
        (void)process_signal(p, SIGHUP);
    if (process_signal(p, SIGTERM) < 0)
        return false;

    EDDY_TIMEOUT(limit, p->stop_timeout);
    return ed_process_await(p, &code) == 0;
}

/* Gives the process time to end, also when a signal has stopped the block: that is how programs
 * are asked to end what they have in order. Whether it has ended. */
static bool process_stop_kindly(eddy_process *p)
{
    struct eddy_scope_ ending;
    bool ended;

    ed_scope_enter(&ending, ED_SCOPE_ENDING, "eddy_process_close");
    ended = process_ask_to_end(p);
    ed_scope_exit(&ending);
    return ended;
}

/* Waits for the exit, whatever happens. */
static void process_join(eddy_process *p)
{
    struct ed_wait wait = ED_WAIT(&process_wait_kind, p, &p->waiters);
    int code;

    if (!process_runs(p))
        return;
    wait.data = &code;
    wait.shielded = true;
    (void)ed_park(&wait); /* nothing cuts it short */
}

/* Ends it; but not one that we must not kill, such as another user's: that goes on, and who waits
 * for it is told so. */
static void process_end(eddy_process *p)
{
    if (process_runs(p))
        process_look(p, WNOHANG);
    if (process_runs(p) && !process_stop_kindly(p) && process_kill(p) == -EPERM) {
        ed_loop_report(p->loop, EDDY_REPORT_RESOURCE, -EPERM, NULL,
                       "process %d (%s) goes on: we are not permitted to kill it",
                       (int)p->child.pid, p->name);
        process_tell(&p->waiters, EDDY_RUNNING);
        return;
    }
    process_join(p);
    if (p->leads)
        (void)process_signal(p, SIGKILL); /* what it has left of its group, if anything */
}

static const struct ed_wait_kind process_close_kind = {"process.close", NULL, NULL};

/* Waits until nobody is inside any more: all have been told. */
static void process_wait_for_callers(eddy_process *p)
{
    struct ed_wait wait = ED_WAIT(&process_close_kind, p, NULL);

    if (p->inside == 0)
        return;
    wait.shielded = true;
    p->closer = &wait;
    (void)ed_park(&wait); /* nothing cuts it short */
}

/* Nobody has a handle any more. */
static void process_let_go(eddy_process *p)
{
    p->let_go = true;
    p->resource.describe = NULL;
    if (process_runs(p))
        p->loop->programs--;
    process_settle(p);
}

static int process_close_first(eddy_process *p)
{
    int code;

    p->closing = true;
    process_end(p);
    code = p->returncode;
    ed_process_close_streams(p);
    process_wait_for_callers(p);
    process_tell(&p->closers, code);
    process_let_go(p);
    return code;
}

/* Another task closes it already. */
static int process_close_follow(eddy_process *p)
{
    struct ed_wait wait = ED_WAIT(&process_close_kind, p, &p->closers);
    int code = 0;

    wait.data = &code;
    wait.shielded = true;
    (void)ed_park(&wait); /* nothing cuts it short */
    return code;
}

static void process_check_task(const eddy_process *p, const char *what)
{
    if (ed_unlikely(!eddy_thread_.task))
        ed_die("%s is called outside a task: it waits", what);
    ED_ASSERT(p->loop == eddy_thread_.loop);
}

int eddy_process_close(eddy_process **process)
{
    eddy_process *p = *process;
    struct ed_error *error;
    int code;

    if (!p)
        return 0;
    process_check_task(p, "eddy_process_close");
    *process = NULL;
    error = ed_error_set_aside(); /* that of a stream, say, is nobody's */
    code = p->closing ? process_close_follow(p) : process_close_first(p);
    ed_error_put_back(error);
    return code;
}

void eddy_process_end_scope_(eddy_process **process)
{
    (void)eddy_process_close(process); /* nobody asks; who wants to know closes by hand */
}

void eddy_process_detach(eddy_process **process)
{
    eddy_process *p = *process;
    struct ed_error *error;

    if (!p)
        return;
    process_check_task(p, "eddy_process_detach");
    *process = NULL;
    if (p->closing)
        ed_die("eddy_process_detach: another task closes the process");
    p->closing = true;
    error = ed_error_set_aside();
    for (int i = 0; i < ED_PROCESS_STREAMS; i++)
        (void)eddy_stream_close(&p->streams[i]); /* nobody asks whether all has gone */
    ed_error_put_back(error);
    process_tell(&p->closers, p->returncode); /* who came meanwhile: it goes on */
    process_let_go(p);
}

/* What is known of it ------------------------------------------------------------------------ */

pid_t eddy_process_pid(const eddy_process *process)
{
    return process->child.pid;
}

int eddy_process_returncode(const eddy_process *process)
{
    return process->returncode;
}
