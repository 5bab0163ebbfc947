/* SPDX-License-Identifier: MIT */
/*
 * Three stages joined by bounded queues: one task reads lines, threads work on them, one task
 * writes. The slowest makes the others wait, so that memory stays flat for an input of any size.
 *
 *     59_pipeline <celsius.csv >fahrenheit.csv       lines "place,degrees", in no order
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 200, WORKERS = 2 };

struct line {
    char text[LONGEST + 16]; /* the result may be longer */
};

static int read_lines(eddy_queue *lines)
{
    eddy_stream *in;
    struct line line;
    ssize_t size;

    EDDY_TRY(eddy_stdin(&in));
    while ((size = eddy_read_line(in, line.text, LONGEST)) > 0)
        EDDY_TRY(eddy_queue_put(lines, &line)); /* waits while it is full */
    eddy_queue_shutdown(lines, false);          /* what is in it is still taken out */
    return (int)size;
}
EDDY_ASYNC(read_lines, eddy_queue *);

/* Runs in a thread. */
static int convert(struct line *line)
{
    char *number = strchr(line->text, ',');

    if (!number)
        return eddy_raise(-EINVAL, "no number in: %s", line->text);
    snprintf(number, 16, ",%g\n", strtod(number + 1, NULL) * 9 / 5 + 32);
    return 0;
}
EDDY_ASYNC(convert, struct line *);

static int work(eddy_queue *lines, eddy_queue *results)
{
    static int ended;
    struct line line;
    int rc;

    while ((rc = eddy_queue_get(lines, &line)) == 0) {
        EDDY_TRY(eddy_to_thread(convert, &line));
        EDDY_TRY(eddy_queue_put(results, &line));
    }
    if (++ended == WORKERS)
        eddy_queue_shutdown(results, false);
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(work, eddy_queue *, eddy_queue *);

static int write_lines(eddy_queue *results)
{
    eddy_stream *out;
    struct line line;
    int rc;

    EDDY_TRY(eddy_stdout(&out));
    while ((rc = eddy_queue_get(results, &line)) == 0)
        EDDY_TRY(eddy_write(out, line.text, strlen(line.text)));
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(write_lines, eddy_queue *);

static int amain(void)
{
    EDDY_QUEUE(lines, struct line, 100);
    EDDY_QUEUE(results, struct line, 100);

    return eddy_gather(EDDY_CALL(read_lines, &lines), EDDY_CALL(work, &lines, &results),
                       EDDY_CALL(work, &lines, &results), EDDY_CALL(write_lines, &results));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
