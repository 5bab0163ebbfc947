/* SPDX-License-Identifier: MIT */
/* Three stages: one task reads lines, threads work on them, and they are written. A bounded queue
 * and writes that wait make each stage as slow as the slowest, so that memory stays flat for an
 * input of any size. The lines are "place,degrees", and come out in no order.
 *
 *     59_pipeline <celsius.csv >fahrenheit.csv */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 200 };
struct line {
    char text[LONGEST + 16]; /* the result may be longer */
};

/* Runs in a thread. */
static int convert(struct line *line)
{
    char *number = strchr(line->text, ',');

    if (!number)
        return eddy_raise(-EINVAL, "no number in: %s", line->text);
    return snprintf(number, 16, ",%g\n", strtod(number + 1, NULL) * 9 / 5 + 32);
}
EDDY_ASYNC(convert, struct line *);

static int work(eddy_queue *lines, eddy_stream *out)
{
    struct line line;
    int rc;

    while ((rc = eddy_queue_get(lines, &line)) == 0) {
        EDDY_TRY(eddy_to_thread(convert, &line));
        EDDY_TRY(eddy_write(out, line.text, strlen(line.text))); /* as a whole */
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(work, eddy_queue *, eddy_stream *);

static int amain(void)
{
    EDDY_QUEUE(lines, struct line, 100);
    eddy_stream *in, *out;
    struct line line;
    ssize_t size;

    EDDY_TRY(eddy_stdout(&out));
    EDDY_GROUP(workers);
    for (int i = 0; i < 2; i++)
        eddy_group_create_task(&workers, work, &lines, out);
    EDDY_TRY(eddy_stdin(&in));
    while ((size = eddy_read_line(in, line.text, LONGEST)) > 0)
        EDDY_TRY(eddy_queue_put(&lines, &line)); /* waits while it is full */
    eddy_queue_shutdown(&lines, false);          /* what is in it is still taken out */
    return size < 0 ? (int)size : eddy_group_join(&workers);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
