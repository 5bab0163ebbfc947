/* SPDX-License-Identifier: MIT */
/*
 * Child processes: asyncio's create_subprocess_exec and _shell.
 *
 *     EDDY_PROCESS sort = NULL;
 *     eddy_process_options options = {.in = EDDY_PIPE, .out = EDDY_PIPE};
 *     eddy_process_output output;
 *
 *     EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("sort", "-n"), &options, &sort));
 *     EDDY_TRY(eddy_process_communicate(sort, "10\n9\n", 5, &output));
 *     fputs(output.out, stdout);
 *     eddy_process_output_free(&output);
 *     return eddy_process_check(sort);
 *
 * A process is owned by its handle. Closing the handle, as the end of an EDDY_PROCESS's block does
 * on every path, ends the process: SIGTERM, after `stop_timeout` SIGKILL, and the exit is awaited.
 * Nobody is left behind, and no zombie. One that is meant to go on alone is detached by name. A
 * loop that closes over a process kills it, and reports.
 *
 * That is the program's own work. When a signal kills the program itself, as SIGKILL, or SIGTERM
 * where nothing asks for it, its children go on; only the workers of a process pool do not, nor
 * those with `dies_with_us`, prctl(2) PR_SET_PDEATHSIG. That one is for the program itself, not for
 * what it starts in its turn; set-user-id programs shed it; and it strikes at the end of the loop
 * too, a detached one as well.
 *
 * An exit is noticed by a pidfd. No handler of SIGCHLD is needed or touched, in any thread; a
 * program must not reap processes of this library, nor ignore SIGCHLD, which reaps them: the exit
 * status is lost then, and is told as 255.
 *
 * A child gets the three standard streams that were asked for, the descriptors of `pass`, the
 * default signal dispositions and an empty signal mask; no other descriptor, whether it is
 * close-on-exec or not. It is started in a thread, so that a slow disk does not stop the loop.
 *
 * Under the virtual clock time passes as it does outside, as long as a process runs that was not
 * detached. A handle belongs to its loop and thread.
 */
#ifndef EDDY_PROCESS_H
#define EDDY_PROCESS_H

#include <signal.h>
#include <sys/types.h>

#include "eddy/compat.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

typedef struct eddy_process eddy_process;

/* Declares an owning handle: at the end of its block the process is ended as by
 * eddy_process_close.  EDDY_PROCESS child = NULL; */
#define EDDY_PROCESS EDDY_CLEANUP_(eddy_process_end_scope_) __typeof__(eddy_process *)

/* The arguments of a command, the program first: EDDY_ARGV("ls", "-l", path). */
#define EDDY_ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What a standard stream of the child is to be: one of these; or a descriptor of ours, EDDY_FD(fd),
 * which may be a stream's, EDDY_FD(eddy_stream_fd(stream)). It is duplicated, and may be closed
 * afterwards. A stream's does not block, which not every program can take. */
enum {
    EDDY_INHERIT = 0,  /* ours */
    EDDY_PIPE = -1,    /* a pipe, of which we have the other end as a stream */
    EDDY_DEVNULL = -2, /* nothing: an end at once, and a sink */
    EDDY_STDOUT = -3,  /* for `err`: where `out` goes */
};
#define EDDY_FD(fd) ((fd) + 4096) /* so a negative error number is none of the choices */

/* How a process is to be started; all zero means the defaults. */
typedef struct eddy_process_options {
    int in, out, err;       /* EDDY_INHERIT, EDDY_PIPE, ... */
    const char *directory;  /* its working directory; NULL: ours */
    const char *const *env; /* "NAME=value", up to a NULL; NULL: ours */
    const char *const *set; /* the same, on top of it */
    const int *pass;        /* descriptors that it keeps by their numbers, up to a -1; or NULL */
    bool new_session;       /* setsid(2): no terminal, and a group of its own */
    bool new_group;         /* a process group of its own, which signals then reach as a whole */
    pid_t group;            /* or this group; 0: ours */
    bool set_user;          /* become these, in no other groups; for a privileged process */
    uid_t user;
    gid_t gid;
    bool set_umask;
    mode_t umask;
    bool dies_with_us;   /* SIGKILL when our process ends, however, or the loop; see above */
    double stop_timeout; /* seconds between SIGTERM and SIGKILL when it is closed; 0: 5; negative:
                                SIGKILL at once */
    size_t limit;        /* of the lines of its streams, bytes; 0: 64 KiB */
    bool pty;            /* on a terminal of its own: see eddy_process_terminal */
    uint16_t pty_rows, pty_columns; /* how large that is; 0: 24 and 80 */
} eddy_process_options;

/*
 * Starts a program, which is looked for in the PATH of its environment unless its name has a
 * slash. A file that is executable and no program is a script of /bin/sh, as for execvp(3).
 *
 * argv      the program and its arguments, up to a NULL; copied
 * options   NULL: the defaults; copied
 *
 * Suspends until the program runs, or could not.
 *
 * Returns 0, or with *out untouched and no process left:
 *   -ENOENT, -EACCES, -E2BIG, ...   of execve(2); the text names the program
 *   -ENOENT, -ENOTDIR   of the working directory, which the text names
 *   -EPERM, -ESRCH   of the user, of the group
 *   -EAGAIN, -ENOMEM, -EMFILE   there is no room for a process, memory, descriptor
 *   -EBADF    a descriptor is closed
 *   -EINVAL   no program; a stream that is none
 *   -ENOSYS   the kernel gives no pidfd: it is older than Linux 5.4
 *   -ECANCELED, -ETIMEDOUT   a process that had been started is killed and reaped
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_create_subprocess_exec(const char *const *argv, const eddy_process_options *options,
                            eddy_process **out);

/* Runs a command line by /bin/sh -c. Whatever comes from outside belongs into its environment or
 * arguments, not into the line. Suspends. Returns as eddy_create_subprocess_exec. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_create_subprocess_shell(const char *line, const eddy_process_options *options,
                             eddy_process **out);

/* The streams of those that were EDDY_PIPE, else NULL: `in` is written, the others are read. Owned
 * by the process, borrowed until it is closed; `in` ends by eddy_process_end_input. */
EDDY_API eddy_stream *eddy_process_in(const eddy_process *process);
EDDY_API eddy_stream *eddy_process_out(const eddy_process *process); /* See eddy_process_in. */
EDDY_API eddy_stream *eddy_process_err(const eddy_process *process); /* See eddy_process_in. */

/*
 * Our end of the terminal of a process that was started with `pty`, else NULL: what is written to
 * it is typed, and what it shows is read. Owned by the process, borrowed until it is closed.
 *
 * The child leads a session of its own, with a new pseudo-terminal as its controlling one, pty(7).
 * Its standard streams are that terminal, but for those that are to be something else than
 * EDDY_INHERIT; at least one has to be (-EINVAL). A terminal that nobody has changed echoes what
 * is typed, gives it to the program by lines, makes "\r\n" of the newlines it shows, and takes
 * "\3" for Ctrl-C, "\4" for the end of the input. Read what it shows: a program waits while
 * nobody does.
 *
 * The stream ends when nobody has the terminal open any more, which may be long after the exit. A
 * close of the process sends SIGHUP beside SIGTERM, which shells do not heed; who is detached
 * loses its terminal, and gets SIGHUP then.
 */
EDDY_API eddy_stream *eddy_process_terminal(const eddy_process *process);

/* Makes that terminal so large, and tells the programs by SIGWINCH; 0: 24 rows, 80 columns. Does
 * not wait. Returns 0; -ENOTTY for a process without one. */
EDDY_API int eddy_process_resize_terminal(eddy_process *process, uint16_t rows, uint16_t columns);

/* Closes the child's input, once all has gone: the child reads the end. A second time has no
 * effect. Suspends. Returns as eddy_stream_close. */
EDDY_API EDDY_AWAITS int eddy_process_end_input(eddy_process *process);

/* Its process id, also after its end. */
EDDY_API pid_t eddy_process_pid(const eddy_process *process);

/* How it ended: 0 to 255, or the negative number of the signal that ended it; EDDY_RUNNING while it
 * runs. As of the last time that the loop asked the kernel. */
#define EDDY_RUNNING (-1000)
EDDY_API int eddy_process_returncode(const eddy_process *process);

/*
 * Waits for its exit, which may never come while a pipe is full that nobody reads: see
 * eddy_process_communicate. Its pipes may still hold bytes, or be kept open by its own children.
 *
 * code     gets what eddy_process_returncode says; may be NULL
 *
 * Suspends. Any number may wait. Returns 0; -ESHUTDOWN while another task closes it; -ECANCELED,
 * -ETIMEDOUT: the process goes on.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_process_wait(eddy_process *process, int *code);

/* Waits for its exit, and makes an error of anything but 0. Suspends. Returns 0; EDDY_EPROCESS with
 * a text that names the program, and its code or signal; or as eddy_process_wait. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_process_check(eddy_process *process);

/* What a process has written: NUL-terminated; "" and 0 for what was no pipe. */
typedef struct eddy_process_output {
    char *out, *err;
    size_t out_size, err_size; /* bytes without the NUL */
} eddy_process_output;

/*
 * Writes `input` and ends it, reads both outputs to their ends, all at once, so that no size can
 * deadlock, and waits for the exit. A process that does not read its input is no error. Each
 * output may have up to 64 MiB, or what eddy_process_communicate_limited says.
 *
 * output   owned by the caller: eddy_process_output_free() it; may be NULL: the outputs are dropped
 *
 * Suspends. Returns 0, and eddy_process_returncode tells how it ended; or with *output untouched
 *   EDDY_ELIMIT   an output is longer; what has come stays readable
 *   -EINVAL       there is input, but no pipe for it, or it was ended
 *   -EBUSY        another task reads there
 *   -ENOMEM, -ESHUTDOWN
 *   -ECANCELED, -ETIMEDOUT   the process goes on, and what it has written stays readable, so that
 *                 another call returns it whole; the rest of the input is not written
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_process_communicate(eddy_process *process,
                                                                 const void *input, size_t size,
                                                                 eddy_process_output *output);
/* The same with another limit of each output, bytes; 0: 64 MiB. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_process_communicate_limited(eddy_process *process, const void *input, size_t size,
                                 size_t limit, eddy_process_output *output);
/* Frees both outputs; accepts a zeroed one. */
EDDY_API void eddy_process_output_free(eddy_process_output *output);

/* Sends a signal to the process, or to its whole group if it has one of its own, even when the
 * process itself has ended; never to a stranger that has got the same id. Does not wait. Returns 0;
 * -ESRCH when it has ended, or nobody of the group is left; -EINVAL, -EPERM of kill(2). */
EDDY_API int eddy_process_send_signal(eddy_process *process, int number);
EDDY_API int eddy_process_terminate(eddy_process *process); /* SIGTERM, in the same way. */
EDDY_API int eddy_process_kill(eddy_process *process);      /* SIGKILL, in the same way. */

/*
 * Ends a process that still runs, waits for its exit, closes its streams, frees it and sets the
 * handle to NULL; NULL is left alone. What its streams still hold is dropped. With a group of its
 * own all of the group gets the signals, and whoever of it has outlived the process SIGKILL.
 *
 * Suspends for `stop_timeout` and the moment that the kernel needs, and is never refused; a task
 * that is cancelled or out of time, also while it waits here, gives the process no more time:
 * SIGKILL at once. A signal that stops the block, EDDY_STOP_ON_SIGNALS, is no such haste, but a
 * second one, which cancels the task, is; so is the cancel that the children of a group get when
 * their parent's block is stopped: one that is to give its process time even then closes it in an
 * EDDY_SHIELD. Tasks that wait for the exit get it. A close by another task meanwhile, with a
 * handle of its own, waits for the first one.
 *
 * Returns its returncode; 0 for NULL; EDDY_RUNNING for one that we are not permitted to kill, such
 * as another user's: that is reported, and it goes on as if it were detached. Aborts outside a
 * task.
 */
EDDY_API EDDY_AWAITS int eddy_process_close(eddy_process **process);

/* Gives up a process, which goes on without us, frees the handle and sets it to NULL; NULL is left
 * alone. Its streams are closed. The library still reaps it, as long as the loop is open. Suspends
 * as eddy_stream_close does. */
EDDY_API EDDY_AWAITS void eddy_process_detach(eddy_process **process);

/* For the macro above. Suspends as eddy_process_close does. */
EDDY_API EDDY_AWAITS void eddy_process_end_scope_(eddy_process **process);

EDDY_END_DECLS
#endif
