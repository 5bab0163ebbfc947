/* SPDX-License-Identifier: MIT */
/*
 * A pool's end of a worker: its process, and the socket over which it gets jobs.
 *
 *     start --> rests --> works: sends the request, receives the answer --> rests
 *                 |         |
 *                 +---------+--> exited: what is left in the socket is received, then it is freed
 *
 * Three operations of the engine: the pidfd is polled all the time, the others work with a job. An
 * end of the socket before the answer is the end of the worker, whatever it does: it is killed. The
 * pidfd decides, since a child of the job's may keep the socket open. A worker is freed when it is
 * reaped and nothing of it is in flight.
 *
 * A worker that had rested may end before it reads the request. Then the kernel says that bytes
 * were left unread, and the job, which has not begun, is given to another one.
 *
 * None of the three wakes anybody by itself: a job that is waited for is counted by the loop as a
 * thread's would be, and a pool that rests is no reason to wait (loop.quiet).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/stats.h"
#include "os/process_pool.h"

static void worker_submit(struct ed_worker *w, struct ed_op *op)
{
    w->pool->loop->quiet++;
    ed_engine_submit(w->pool->loop->engine, op);
}

static void worker_move(struct ed_worker *w, bool rests)
{
    struct eddy_list_ *from = w->rests ? &w->pool->resting : &w->pool->working;

    ed_list_remove(from, &w->link);
    w->rests = rests;
    if (rests)
        ed_list_prepend(&w->pool->resting, &w->link);
    else
        ed_list_append(&w->pool->working, &w->link);
}

static void worker_condemn(struct ed_worker *w)
{
    if (w->condemned)
        return;
    w->condemned = true;
    w->pool->live--;
    worker_move(w, false);
}

bool ed_worker_is_there(struct ed_worker *w)
{
    struct pollfd end = {.fd = w->child.pidfd, .events = POLLIN};

    if (poll(&end, 1, 0) != 1)
        return true;
    worker_condemn(w);
    return false;
}

void ed_worker_signal(struct ed_worker *w, int number)
{
    if (number == SIGKILL)
        worker_condemn(w);
    if (!w->exited && syscall(SYS_pidfd_send_signal, w->child.pidfd, number, NULL, 0) < 0 &&
        errno == ENOSYS)
        (void)kill(w->child.pid, number); /* a filter of system calls; it is not reaped yet */
}

/* Its end ---------------------------------------------------------------------- */

static void worker_fail_job(struct ed_worker *w)
{
    struct ed_process_job *job = w->job;
    const char *name = job->wait ? job->name : "";
    const char *signal_name = w->exit_by_signal ? sigabbrev_np(w->exit_number) : NULL;

    w->job = NULL;
    if (!w->greeted)
        ed_process_job_fail(w->pool, job, EDDY_EPROCESS,
                            "the worker for %s() did not come up: it ended with %s %d", name,
                            w->exit_by_signal ? "signal" : "status", w->exit_number);
    else if (signal_name)
        ed_process_job_fail(w->pool, job, EDDY_EPROCESS, "the worker of %s() was ended by SIG%s",
                            name, signal_name);
    else
        ed_process_job_fail(w->pool, job, EDDY_EPROCESS, "the worker of %s() ended with %s %d",
                            name, w->exit_by_signal ? "signal" : "status", w->exit_number);
}

static void worker_free(struct ed_worker *w)
{
    struct eddy_process_pool *pool = w->pool;

    worker_condemn(w);
    ed_list_remove(&pool->working, &w->link);
    if (w->job && w->unread && w->greeted && ed_process_job_again(pool, w->job))
        w->job = NULL;
    if (w->job)
        worker_fail_job(w);
    ed_engine_forget(pool->loop->engine, w->fd);
    ed_engine_forget(pool->loop->engine, w->child.pidfd);
    close(w->fd);
    close(w->child.pidfd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -2);
    ed_free(w);
    pool->workers--;
    ed_process_pool_go_on(pool);
}

/* An operation has completed: whether the job is done, or the worker. */
static void worker_settle(struct ed_worker *w)
{
    struct eddy_process_pool *pool = w->pool;
    struct ed_process_job *job = w->job;

    if (job && w->stage == ED_WORKER_ANSWERED && !w->send.in_flight) {
        w->job = NULL;
        w->jobs++;
        if (pool->jobs_per_worker && w->jobs >= pool->jobs_per_worker)
            ed_worker_signal(w, SIGKILL); /* it has nothing left to do */
        if (!w->condemned)
            worker_move(w, true);
        ed_process_job_end(pool, job);
    }
    if (w->exited && !w->send.in_flight && !w->receive.in_flight)
        worker_free(w);
    else if (job && !w->job)
        ed_process_pool_go_on(pool);
}

/* Reaps it, if it has ended. */
static void worker_reap(struct ed_worker *w)
{
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PIDFD, (id_t)w->child.pidfd, &info, WEXITED | WNOHANG) < 0) {
        w->exited = true; /* somebody else was faster: the program ignores SIGCHLD, say */
        w->exit_number = 255;
    } else if (info.si_pid) {
        w->exited = true;
        w->exit_by_signal = info.si_code != CLD_EXITED;
        w->exit_number = info.si_status;
    }
}

static void worker_exited(struct ed_op *op)
{
    struct ed_worker *w = ed_container_of(op, struct ed_worker, exit);

    w->pool->loop->quiet--;
    worker_reap(w);
    if (!w->exited) { /* the poll has failed */
        ed_worker_signal(w, SIGKILL);
        worker_submit(w, op);
        return;
    }
    if (w->send.in_flight)
        ed_engine_cancel(w->pool->loop->engine, &w->send);
    if (w->receive.in_flight) /* what it had still sent comes before that */
        ed_engine_cancel_soon(w->pool->loop->engine, &w->receive);
    worker_settle(w);
}

/* Receiving ---------------------------------------------------------------------- */

static void worker_expect(struct ed_worker *w, enum ed_worker_stage stage, void *data, size_t size)
{
    w->stage = stage;
    w->receive.data = data;
    w->receive.size = size;
}

static bool worker_take_answer(struct ed_worker *w)
{
    const struct ed_worker_answer *answer = &w->answer;
    const struct ed_worker_request *request = &w->job->request;
    struct ed_process_job *job = w->job;

    if (answer->text_size > sizeof w->text || answer->output_size > request->limit ||
        (answer->rc >= 0 && !request->on_bytes && answer->output_size != request->output_size))
        return false;
    job->rc = answer->rc;
    if (answer->output_size && eddy_bytes_resize(&job->output, answer->output_size) < 0)
        return false;
    worker_expect(w, ED_WORKER_ERROR, w->text, answer->text_size);
    return true;
}

/* The text, and the place in this process that was raised at. */
static bool worker_take_error(struct ed_worker *w)
{
    struct ed_process_job *job = w->job;
    struct ed_place_in_module where = {job->path, job->request.identity, w->answer.where};

    if (w->answer.text_size)
        job->error = ed_alloc(sizeof *job->error);
    if (job->error) {
        job->error->code = w->answer.rc;
        job->error->where = w->answer.where ? ed_module_find(&where, false) : NULL;
        snprintf(job->error->text, sizeof job->error->text, "%.*s", (int)sizeof w->text - 1,
                 w->text);
    }
    worker_expect(w, ED_WORKER_OUTPUT, job->output.data, w->answer.output_size);
    return true;
}

/* A stage has come whole; false: it is not what a worker says. */
static bool worker_next_stage(struct ed_worker *w)
{
    switch (w->stage) {
    case ED_WORKER_GREETING:
        w->greeted = w->greeting == w->nonce;
        worker_expect(w, ED_WORKER_ANSWER, &w->answer, sizeof w->answer);
        return w->greeted;
    case ED_WORKER_ANSWER: return worker_take_answer(w);
    case ED_WORKER_ERROR: return worker_take_error(w);
    default: w->stage = ED_WORKER_ANSWERED; return true;
    }
}

static void worker_received(struct ed_op *op)
{
    struct ed_worker *w = ed_container_of(op, struct ed_worker, receive);
    bool fine = op->result > 0;

    w->pool->loop->quiet--;
    if (fine) {
        op->data = (char *)op->data + op->result;
        op->size -= (size_t)op->result;
    }
    while (fine && op->size == 0 && w->stage != ED_WORKER_ANSWERED)
        fine = worker_next_stage(w);
    if (!fine) {
        w->unread |= op->result == -ECONNRESET;
        ed_worker_signal(w, SIGKILL);
    } else if (w->stage != ED_WORKER_ANSWERED) {
        worker_submit(w, op);
        if (w->exited)
            ed_engine_cancel_soon(w->pool->loop->engine, op);
    }
    worker_settle(w);
}

/* Sending ------------------------------------------------------------------------ */

/* Takes what was sent off the parts; whether anything is left. */
static bool worker_sent_so_far(struct ed_worker *w, size_t size)
{
    struct msghdr *message = &w->message;

    while (message->msg_iovlen > 0 && size >= message->msg_iov->iov_len) {
        size -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen == 0)
        return false;
    message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + size;
    message->msg_iov->iov_len -= size;
    return true;
}

/* An error is the end of the worker, which the other two operations see. */
static void worker_sent(struct ed_op *op)
{
    struct ed_worker *w = ed_container_of(op, struct ed_worker, send);

    w->pool->loop->quiet--;
    if (op->result < 0) {
        w->unread |= op->result == -EPIPE || op->result == -ECONNRESET;
        ed_worker_signal(w, SIGKILL);
    } else if (worker_sent_so_far(w, (size_t)op->result) && !w->exited) {
        worker_submit(w, op);
    }
    worker_settle(w);
}

void ed_worker_give(struct ed_worker *w, struct ed_process_job *job)
{
    worker_move(w, false);
    w->job = job;
    w->unread = false;
    job->worker = w;
    w->parts[0] = (struct iovec){&job->request, sizeof job->request};
    w->parts[1] = (struct iovec){(void *)(uintptr_t)job->path, job->request.path_size};
    w->parts[2] = (struct iovec){job->input, job->request.input_size};
    w->message = (struct msghdr){.msg_iov = w->parts, .msg_iovlen = 3};
    w->send = (struct ed_op){.done = worker_sent,
                             .kind = ED_OP_SENDMSG,
                             .fd = w->fd,
                             .message = &w->message,
                             .flags = MSG_NOSIGNAL};
    w->receive = (struct ed_op){.done = worker_received, .kind = ED_OP_RECV, .fd = w->fd};
    if (w->greeted)
        worker_expect(w, ED_WORKER_ANSWER, &w->answer, sizeof w->answer);
    else
        worker_expect(w, ED_WORKER_GREETING, &w->greeting, sizeof w->greeting);
    worker_submit(w, &w->send);
    worker_submit(w, &w->receive);
}

/* Its start ---------------------------------------------------------------------- */

/* Our environment, with the variable; NULL: no memory. */
static const char **worker_environment(const char *setting)
{
    size_t count = 0, kept = 0, length = strlen(ed_worker_variable);
    const char **copy;

    while (environ && environ[count])
        count++;
    copy = ed_alloc((count + 2) * sizeof *copy);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], ed_worker_variable, length) != 0 || environ[i][length] != '=')
            copy[kept++] = environ[i];
    copy[kept++] = setting;
    copy[kept] = NULL;
    return copy;
}

/* This program once more, with one end of the socket. */
static int worker_spawn(struct ed_worker *w, int its_end, int empty)
{
    const char *const argv[] = {"/proc/self/exe", "worker", program_invocation_short_name, NULL};
    struct ed_spawn_fd fds[] = {{empty, STDIN_FILENO}, {its_end, ED_WORKER_FD}};
    char setting[64];
    const char **environment;
    int rc;

    snprintf(setting, sizeof setting, "%s=%d:%016" PRIx64, ed_worker_variable, ED_WORKER_FD,
             w->nonce);
    environment = worker_environment(setting);
    if (!environment)
        return -ENOMEM;
    rc = ed_spawn(
        &(struct ed_spawn){
            .argv = argv, .env = environment, .fds = fds, .fd_count = ED_ARRAY_LENGTH(fds)},
        &w->child);
    ed_free(environment);
    return rc;
}

/* Opens the socket, says the nonce into it, and starts the program. */
static int worker_open(struct ed_worker *w)
{
    int ends[2], empty, rc = 0;

    if (getrandom(&w->nonce, sizeof w->nonce, GRND_NONBLOCK) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (empty < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ||
        send(ends[0], &w->nonce, sizeof w->nonce, MSG_NOSIGNAL) < 0)
        rc = -errno;
    else
        rc = worker_spawn(w, ends[1], empty);
    w->fd = ends[0];
    close(ends[1]);
    if (empty >= 0)
        close(empty);
    if (rc < 0)
        close(ends[0]);
    return rc;
}

int ed_worker_start(struct eddy_process_pool *pool)
{
    struct ed_worker *w = ed_alloc_zero(sizeof *w);
    int rc = w ? worker_open(w) : -ENOMEM;

    if (rc < 0) {
        ed_free(w);
        return rc;
    }
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    w->pool = pool;
    w->exit = (struct ed_op){
        .done = worker_exited, .kind = ED_OP_POLL, .fd = w->child.pidfd, .events = ED_POLL_IN};
    w->rests = true;
    ed_list_prepend(&pool->resting, &w->link);
    pool->workers++;
    pool->live++;
    worker_submit(w, &w->exit);
    return 0;
}
