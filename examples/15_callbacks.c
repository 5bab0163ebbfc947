/* SPDX-License-Identifier: MIT */
/*
 * The layer below tasks: a loop with callbacks, timers and a descriptor, for
 * bindings and for code that has a loop of its own. Callbacks must not wait.
 */
#include <eddy.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct program {
    eddy_loop *loop;
    int pipe[2]; /* read end, write end */
    int beats;
};

/* Writes to the pipe, and sets a timer for its next call; closes it after three times. */
static int beat(void *argument)
{
    struct program *program = argument;

    if (program->beats++ == 3) {
        close(program->pipe[1]);
        return 0;
    }
    eddy_loop_call_later(program->loop, 0.1, beat, program);
    return write(program->pipe[1], "beat", 4) == 4 ? 0 : -EIO;
}

static int hear(void *argument)
{
    struct program *program = argument;
    char text[16];
    ssize_t length = read(program->pipe[0], text, sizeof text);

    if (length < 0)
        return errno == EAGAIN ? 0 : -errno; /* called without need */
    if (length > 0)
        return printf("%.*s\n", (int)length, text);
    puts("silence");
    eddy_loop_remove_reader(program->loop, program->pipe[0]);
    close(program->pipe[0]);
    eddy_loop_stop(program->loop);
    return 0;
}

int main(void)
{
    struct program program = {0};
    if (pipe(program.pipe) < 0 || fcntl(program.pipe[0], F_SETFL, O_NONBLOCK) < 0 ||
        eddy_loop_new(&program.loop) < 0)
        return 1;

    eddy_loop_call_soon(program.loop, beat, &program);
    int rc = eddy_loop_add_reader(program.loop, program.pipe[0], hear, &program);
    if (rc == 0)
        rc = eddy_loop_run_forever(program.loop);
    eddy_loop_free(program.loop);
    return rc < 0;
}
