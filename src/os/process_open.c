/* SPDX-License-Identifier: MIT */
/*
 * The making of a child process: options become what os/spawn.h takes.
 *
 * All that can fail here is made first (the object, the pipes with their streams, lists); then the
 * program is started; and what comes after that cannot fail. So a process never has to be killed
 * because something was missing for it. Of each pipe the child's end is ours until the start is
 * over, and the other one is a stream's from its making on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "io/socket.h"
#include "os/process.h"
#include "os/terminal.h"

#define PROCESS_STOP 5 /* seconds between SIGTERM and SIGKILL, unless told */

/* What is collected for one start. */
struct process_plan {
    eddy_process *process;
    const eddy_process_options *options;
    struct ed_spawn_fd *fds;
    size_t fd_count;
    int output;                   /* which descriptor of ours is the child's output */
    int ends[ED_PROCESS_STREAMS]; /* descriptors of the child's that we have opened, or -1 */
    const char **env;             /* the list that is merged, or NULL */
};

static const char *const process_stream_names[] = {"input", "output", "error output"};

/* Environment -------------------------------------------------------------------------------- */

/* Whether two settings are of the same name. */
static bool process_same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");

    return strncmp(a, b, length) == 0 && (b[length] == '=' || !b[length]);
}

static bool process_is_set(const char *const *set, const char *setting)
{
    for (; *set; set++)
        if (process_same_name(setting, *set))
            return true;
    return false;
}

static size_t process_count(const char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

/* The environment of the child: a list that is there, or one that is merged. Ours is copied, since
 * another task may change it while a thread reads it. NULL: no memory. */
static const char *const *process_env(struct process_plan *plan)
{
    static const char *const empty[] = {NULL};
    const char *const *base = plan->options->env;
    const char *const *set = plan->options->set ? plan->options->set : empty;
    size_t count = 0;

    if (base && set == empty)
        return base;
    if (!base)
        base = environ ? (const char *const *)environ : empty;
    plan->env = ed_alloc((process_count(base) + process_count(set) + 1) * sizeof *plan->env);
    if (!plan->env)
        return NULL;
    for (; *base; base++)
        if (!process_is_set(set, *base))
            plan->env[count++] = *base;
    for (; *set; set++)
        if (!process_is_set(set + 1, *set)) /* the last one counts */
            plan->env[count++] = *set;
    plan->env[count] = NULL;
    return plan->env;
}

/* Standard streams --------------------------------------------------------------------------- */

/* A pipe: our end becomes a stream, the child's is returned, or an error. */
static int process_pipe(struct process_plan *plan, int which)
{
    int ends[2], ours, theirs, rc;
    eddy_stream **stream = &plan->process->streams[which];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ours = which == 0 ? ends[1] : ends[0];
    theirs = which == 0 ? ends[0] : ends[1];
    (void)fcntl(ours, F_SETFL, O_NONBLOCK); /* of this end alone; cannot fail */
    rc = ed_socket_new(ours, ED_SOCKET_PIPE, NULL, stream);
    if (rc < 0) {
        close(ours);
        close(theirs);
        return rc;
    }
    ed_socket_is_part(*stream, false);
    if (plan->options->limit)
        (void)eddy_stream_set_limit(*stream, plan->options->limit); /* is not 0 */
    return plan->ends[which] = theirs;
}

static int process_null(struct process_plan *plan, int which)
{
    int fd = open("/dev/null", (which == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

    return fd < 0 ? -errno : (plan->ends[which] = fd);
}

/* Our end becomes a stream, the child's is kept until it runs; 0 or an error. */
static int process_terminal(struct process_plan *plan)
{
    const eddy_process_options *o = plan->options;
    eddy_stream **stream = &plan->process->streams[ED_PROCESS_TERMINAL];
    struct ed_terminal terminal;
    int rc = ed_terminal_open(&terminal, o->pty_rows, o->pty_columns);

    if (rc < 0)
        return rc;
    plan->ends[ED_PROCESS_TERMINAL] = terminal.slave;
    rc = ed_socket_new(terminal.master, ED_SOCKET_TERMINAL, NULL, stream);
    if (rc < 0) {
        close(terminal.master);
        return rc;
    }
    ed_socket_is_part(*stream, true);
    if (o->limit)
        (void)eddy_stream_set_limit(*stream, o->limit); /* is not 0 */
    return 0;
}

/* The descriptor that becomes a standard stream of the child, or an error. */
static int process_source(struct process_plan *plan, int which, int wish)
{
    switch (wish) {
    case EDDY_INHERIT: return plan->options->pty ? plan->ends[ED_PROCESS_TERMINAL] : which;
    case EDDY_PIPE: return process_pipe(plan, which);
    case EDDY_DEVNULL: return process_null(plan, which);
    case EDDY_STDOUT: return which == 2 ? plan->output : -EINVAL;
    default: return wish < 0 ? -EINVAL : wish < EDDY_FD(0) ? -EBADF : wish - EDDY_FD(0);
    }
}

/* What is inherited stays as it is for us, closed or close-on-exec too. */
static int process_plan_streams(struct process_plan *plan, const char *name)
{
    const int wishes[3] = {plan->options->in, plan->options->out, plan->options->err};
    bool used = !wishes[0] || !wishes[1] || !wishes[2]; /* else the terminal would end at once */
    int rc = !plan->options->pty ? 0 : used ? process_terminal(plan) : -EINVAL;

    if (rc < 0)
        return ed_raise(rc, "the terminal of %s: %s", name,
                        used ? eddy_strerror(rc) : "no stream is to be on it");
    for (int i = 0; i < 3; i++) {
        int source = process_source(plan, i, wishes[i]);

        if (source < 0)
            return ed_raise(source, "the %s of %s: %s", process_stream_names[i], name,
                            source == -EINVAL ? "there is no such choice" : eddy_strerror(source));
        if (source != i || wishes[i] != EDDY_INHERIT)
            plan->fds[plan->fd_count++] = (struct ed_spawn_fd){source, i};
        if (i == 1)
            plan->output = source;
    }
    return 0;
}

/* The plan ----------------------------------------------------------------------------------- */

/* The list of descriptors; those that are passed keep their numbers. */
static int process_plan_descriptors(struct process_plan *plan, const char *name)
{
    const int *pass = plan->options->pass;
    size_t count = 3;

    for (; pass && *pass >= 0; pass++)
        count++;
    plan->fds = ed_alloc(count * sizeof *plan->fds);
    if (!plan->fds)
        return ed_fail(-ENOMEM);
    for (pass = plan->options->pass; pass && *pass >= 0; pass++)
        if (*pass > STDERR_FILENO)
            plan->fds[plan->fd_count++] = (struct ed_spawn_fd){*pass, *pass};
    return process_plan_streams(plan, name);
}

/* Frees what was needed for the start only. */
static void process_plan_end(struct process_plan *plan)
{
    for (int i = 0; i < ED_PROCESS_STREAMS; i++)
        if (plan->ends[i] >= 0)
            close(plan->ends[i]);
    ed_free(plan->fds);
    ed_free(plan->env);
}

static int process_start(struct process_plan *plan, const char *const *argv, struct ed_child *child)
{
    const eddy_process_options *o = plan->options;
    struct ed_spawn spawn = {.argv = argv,
                             .directory = o->directory,
                             .new_session = o->new_session || o->pty,
                             .new_group = o->new_group,
                             .group = o->group,
                             .set_user = o->set_user,
                             .user = o->user,
                             .gid = o->gid,
                             .set_umask = o->set_umask,
                             .umask = o->umask,
                             .dies_with_us = o->dies_with_us};
    int rc = process_plan_descriptors(plan, plan->process->name);

    if (rc < 0)
        return rc;
    spawn.set_terminal = o->pty;
    spawn.terminal = plan->ends[ED_PROCESS_TERMINAL];
    spawn.fds = plan->fds;
    spawn.fd_count = plan->fd_count;
    spawn.env = process_env(plan);
    return spawn.env ? ed_spawn_await(&spawn, child) : ed_fail(-ENOMEM);
}

/* A process that does not run: its streams are closed, its error stays. */
static void process_drop(eddy_process *p)
{
    struct ed_error *error = ed_error_set_aside();

    ed_process_close_streams(p);
    ed_process_free(p);
    ed_error_put_back(error);
}

static int process_create(const char *const *argv, const char *name,
                          const eddy_process_options *options, eddy_process **out)
{
    static const eddy_process_options defaults;
    struct process_plan plan = {.options = options ? options : &defaults, .ends = {-1, -1, -1, -1}};
    eddy_process *p = plan.process = ed_process_new(ed_strdup(name));
    struct ed_child child;
    int rc;

    if (!p)
        return ed_fail(-ENOMEM);
    p->leads = plan.options->new_session || plan.options->new_group || plan.options->pty;
    p->stop_timeout = plan.options->stop_timeout;
    if (p->stop_timeout == 0)
        p->stop_timeout = PROCESS_STOP;
    rc = process_start(&plan, argv, &child);
    process_plan_end(&plan);
    if (rc < 0) {
        process_drop(p);
        return rc;
    }
    ed_process_begin(p, child);
    *out = p;
    return 0;
}

int eddy_create_subprocess_exec(const char *const *argv, const eddy_process_options *options,
                                eddy_process **out)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!argv || !argv[0] || !argv[0][0])
        return ed_raise(-EINVAL, "there is no program to run");
    return process_create(argv, argv[0], options, out);
}

int eddy_create_subprocess_shell(const char *line, const eddy_process_options *options,
                                 eddy_process **out)
{
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!line)
        return ed_raise(-EINVAL, "there is no command to run");
    return process_create(argv, line, options, out);
}

eddy_stream *eddy_process_in(const eddy_process *process)
{
    return process->streams[0];
}

eddy_stream *eddy_process_out(const eddy_process *process)
{
    return process->streams[1];
}

eddy_stream *eddy_process_err(const eddy_process *process)
{
    return process->streams[2];
}
