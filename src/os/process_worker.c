/* SPDX-License-Identifier: MIT */
/*
 * The worker's side of a process pool.
 *
 * A worker is a program like any other until the constructor below finds, before main, that it was
 * started as one: a variable of the environment names a socket and a nonce, and the socket has the
 * same nonce to read. Then it does one job after the other, and never comes back. Whatever is
 * wrong with the variable, the program goes on to its main without it.
 *
 * The end of the socket is the end of the worker, also in the middle of a job: the kernel signals
 * it. So no worker outlives its program.
 */
#include "os/process_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/process_pool.h"
#include "task/task.h"

const char ed_worker_variable[] = "EDDY_WORKER";

static int worker_fd;

struct worker_job {
    struct ed_worker_request request;
    char path[ED_WORKER_PATH];
    void *input;
    eddy_bytes output;
    struct ed_worker_answer answer;
    struct ed_error *error;
};

/* Reads or writes all, or ends the worker: the pool is gone. */
static void worker_read(void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(worker_fd, (char *)data + done, size - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            _exit(0);
    }
}

static void worker_write(const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = send(worker_fd, (const char *)data + done, size - done, MSG_NOSIGNAL);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            _exit(0);
    }
}

static int worker_call(struct worker_job *job, void *code)
{
    const struct ed_worker_request *request = &job->request;
    eddy_bytes_function *on_bytes = (eddy_bytes_function *)(uintptr_t)code;
    eddy_entry *entry = (eddy_entry *)(uintptr_t)code;
    int rc;

    if (request->on_bytes)
        return on_bytes(job->input, request->input_size, &job->output);
    rc = eddy_bytes_resize(&job->output, request->output_size);
    return rc < 0 ? rc : entry(job->input, request->output_size ? job->output.data : NULL);
}

static int worker_run(struct worker_job *job)
{
    const struct ed_worker_request *request = &job->request;
    struct ed_place_in_module place = {job->path, request->identity, request->offset};
    void *code = ed_module_find(&place, true);
    int rc;

    if (!code)
        return ed_raise(-ENOEXEC, "the worker does not find the function: %s has changed",
                        job->path[0] ? job->path : "the program");
    if (!job->input)
        return ed_raise(-ENOMEM, "the worker has no memory for an input of %" PRIu64 " bytes",
                        request->input_size);
    ed_error_start();
    rc = worker_call(job, code);
    if (rc >= 0 && job->output.size > request->limit)
        return ed_raise(EDDY_ELIMIT, "an output of %zu bytes is over the limit of %" PRIu64,
                        job->output.size, request->limit);
    return rc;
}

/* Where an error was raised, for a place in the function's own module. */
static uint64_t worker_where(const struct worker_job *job)
{
    struct ed_place_in_module place;

    if (!job->error || !job->error->where || !ed_module_name(job->error->where, &place) ||
        place.identity != job->request.identity || strcmp(place.path, job->path) != 0)
        return 0;
    return place.offset;
}

static void worker_answer(struct worker_job *job, int rc)
{
    struct ed_worker_answer *answer = &job->answer;

    answer->rc = rc;
    job->error = rc < 0 ? ed_error_take(rc) : NULL;
    answer->where = worker_where(job);
    answer->text_size = job->error ? (uint32_t)strlen(job->error->text) + 1 : 0;
    answer->output_size = rc < 0 ? 0 : job->output.size;
    fflush(NULL); /* what it has printed is out before its caller goes on */
    worker_write(answer, sizeof *answer);
    if (job->error)
        worker_write(job->error->text, answer->text_size);
    worker_write(job->output.data, answer->output_size);
}

/* Takes in an input for which there is no memory. */
static void worker_skip(uint64_t size)
{
    char data[4096];

    for (; size > 0; size -= size < sizeof data ? size : sizeof data)
        worker_read(data, size < sizeof data ? size : sizeof data);
}

static void worker_do_job(void)
{
    struct worker_job job = {.input = NULL};

    worker_read(&job.request, sizeof job.request);
    if (job.request.path_size == 0 || job.request.path_size > sizeof job.path)
        _exit(1);
    worker_read(job.path, job.request.path_size);
    job.path[sizeof job.path - 1] = '\0';
    job.input = ed_alloc(job.request.input_size ? job.request.input_size : 1);
    if (job.input)
        worker_read(job.input, job.request.input_size);
    else
        worker_skip(job.request.input_size);
    worker_answer(&job, worker_run(&job));
    ed_free(job.input);
    ed_free(job.error);
    eddy_bytes_free(&job.output);
}

/* Something has happened to the socket: its end, or only a request. */
static void worker_signalled(int number)
{
    struct pollfd channel = {.fd = worker_fd, .events = POLLRDHUP};
    int error = errno;

    (void)number;
    if (poll(&channel, 1, 0) > 0 && (channel.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        _exit(0);
    errno = error;
}

static _Noreturn void worker_serve(int fd, uint64_t nonce, pid_t parent)
{
    struct sigaction action = {.sa_handler = worker_signalled, .sa_flags = SA_RESTART};

    worker_fd = fd;
    sigemptyset(&action.sa_mask);
    sigaction(SIGIO, &action, NULL);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETOWN, getpid());
    fcntl(fd, F_SETFL, O_ASYNC);
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a fork of the program may hold its end open */
    if (getppid() != parent)
        _exit(0);
    prctl(PR_SET_NAME, "eddy-worker");
    worker_write(&nonce, sizeof nonce);
    for (;;)
        worker_do_job();
}

/* Whether a descriptor is the socket of a pool that has sent this nonce. */
static bool worker_is_channel(int fd, uint64_t nonce, pid_t *parent)
{
    struct ucred peer = {.pid = 0};
    socklen_t size = sizeof peer;
    uint64_t sent = ~nonce;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid() ||
        recv(fd, &sent, sizeof sent, MSG_DONTWAIT | MSG_PEEK) != (ssize_t)sizeof sent ||
        sent != nonce) /* what is no pool's is left unread */
        return false;
    *parent = peer.pid;
    return recv(fd, &sent, sizeof sent, MSG_DONTWAIT) == (ssize_t)sizeof sent;
}

/* Runs in each program that has this file, before its main. */
__attribute__((constructor)) static void worker_look(void)
{
    const char *text = secure_getenv(ed_worker_variable);
    uint64_t nonce;
    pid_t parent;
    int fd;

    if (!text)
        return;
    if (sscanf(text, "%d:%" SCNx64, &fd, &nonce) != 2)
        fd = -1;
    unsetenv(ed_worker_variable); /* what it starts itself is no worker */
    if (fd >= 0 && worker_is_channel(fd, nonce, &parent))
        worker_serve(fd, nonce, parent);
}
