/* SPDX-License-Identifier: MIT */
/*
 * A build runner: runs command lines, so many at a time, and tells which have failed.
 *
 *     55_build_runner 2 'cc -c one.c' 'cc -c two.c' 'cc -c three.c'
 *
 * What a command writes is printed when it has ended, so that nothing is mixed. On Ctrl-C all
 * that run are ended, with everything that they have started.
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs one, and gives its permit back. */
static int build(const char *line, eddy_semaphore *limit, int *code)
{
    static const eddy_process_options options = {
        .in = EDDY_DEVNULL, .out = EDDY_PIPE, .err = EDDY_STDOUT, .new_group = true};
    eddy_process_output output;
    EDDY_DEFER(eddy_semaphore_release, limit);
    EDDY_PROCESS process = NULL;

    EDDY_TRY(eddy_create_subprocess_shell(line, &options, &process));
    EDDY_TRY(eddy_process_communicate(process, NULL, 0, &output));
    *code = eddy_process_returncode(process);
    printf("$ %s\n%s", line, output.out);
    eddy_process_output_free(&output);
    return 0;
}
EDDY_ASYNC_RESULT(int, build, const char *, eddy_semaphore *);

static int build_all(int jobs, int count, char **lines, int *codes)
{
    eddy_semaphore limit = EDDY_SEMAPHORE_INIT(jobs);
    EDDY_GROUP(group);

    for (int i = 0; i < count; i++) {
        EDDY_TRY(eddy_semaphore_acquire(&limit));
        eddy_group_create_task(&group, build, lines[i], &limit, &codes[i]);
    }
    return eddy_group_join(&group);
}

static int amain(int argc, char **argv)
{
    int jobs = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0, count = argc - 2, failed = 0;
    if (jobs < 1)
        return eddy_raise(-EINVAL, "usage: %s JOBS COMMAND...", argv[0]);

    int *codes = calloc((size_t)count, sizeof *codes);
    EDDY_DEFER(free, codes);
    EDDY_TRY(codes ? build_all(jobs, count, argv + 2, codes) : -ENOMEM);
    for (int i = 0; i < count; i++)
        if (codes[i] != 0 && ++failed)
            printf("failed with %d: %s\n", codes[i], argv[i + 2]);
    return failed > 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
