/* SPDX-License-Identifier: MIT */
/* Three stages joined by bounded queues: one task reads lines, threads work on them, one task
 * writes. The slowest makes the others wait, so that memory stays flat for an input of any size.
 *
 *     59_pipeline <celsius.csv >fahrenheit.csv       lines "place,degrees", in no order */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    char text[216];
};
static int workers = 2;

/* Runs in a thread. */
static int convert(struct line *line)
{
    char *number = strchr(line->text, ',');
    if (!number)
        return eddy_raise(-EINVAL, "no number in: %s", line->text);
    return snprintf(number, 16, ",%g\n", strtod(number + 1, NULL) * 9 / 5 + 32);
}
EDDY_ASYNC(convert, struct line *);

static int work(eddy_queue *lines, eddy_queue *results)
{
    struct line line;
    while (eddy_queue_get(lines, &line) == 0) { /* an error is the end, or seen by the next call */
        EDDY_TRY(eddy_to_thread(convert, &line));
        EDDY_TRY(eddy_queue_put(results, &line)); /* waits while it is full */
    }
    if (--workers == 0)
        eddy_queue_shutdown(results, false); /* what is in it is still taken out */
    return 0;
}
EDDY_ASYNC(work, eddy_queue *, eddy_queue *);

static int write_lines(eddy_queue *results, eddy_stream *out)
{
    struct line line;
    while (eddy_queue_get(results, &line) == 0)
        EDDY_TRY(eddy_write(out, line.text, strlen(line.text)));
    return 0;
}
EDDY_ASYNC(write_lines, eddy_queue *, eddy_stream *);

static int read_lines(eddy_queue *lines, eddy_stream *in)
{
    struct line line;
    ssize_t size;
    while ((size = eddy_read_line(in, line.text, sizeof line.text - 16)) > 0) /* it may grow */
        EDDY_TRY(eddy_queue_put(lines, &line));
    eddy_queue_shutdown(lines, false);
    return (int)size;
}
EDDY_ASYNC(read_lines, eddy_queue *, eddy_stream *);

static int amain(void)
{
    EDDY_QUEUE(lines, struct line, 100);
    EDDY_QUEUE(results, struct line, 100);
    eddy_stream *in, *out;

    EDDY_TRY(eddy_stdin(&in));
    EDDY_TRY(eddy_stdout(&out));
    return eddy_gather(EDDY_CALL(read_lines, &lines, in), EDDY_CALL(work, &lines, &results),
                       EDDY_CALL(work, &lines, &results), EDDY_CALL(write_lines, &results, out));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
