/* SPDX-License-Identifier: MIT */
/* A server that ends in order, by Ctrl-C or SIGTERM: it takes no new connections, and those that
 * are open have two seconds to end. Each line is answered after a second.  53_graceful [PLACE] */
#include <eddy.h>
#include <signal.h>
#include <stdio.h>

static int work(eddy_stream *client, void *unused)
{
    eddy_line line;
    int rc;

    (void)unused;
    EDDY_FOR_EACH(rc, line, eddy_lines(client)) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_printf(client, "done: %s", line.text));
    }
    return rc;
}

static eddy_loop *loop;
static eddy_task *amain_task;

static int terminate(void *unused)
{
    (void)unused;
    (void)eddy_cancel(amain_task); /* NULL: it is ending already */
    return 0;
}
static eddy_post termination = EDDY_POST_INIT(terminate, NULL);

static void on_sigterm(int number)
{
    (void)number;
    (void)eddy_loop_post(loop, &termination); /* a signal handler may do this, and no more */
}

static int amain(int argc, char **argv)
{
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_start_server(argc > 1 ? argv[1] : "tcp://127.0.0.1:8888", work, NULL, &server));
    printf("serving at %s\n", eddy_server_name(server, 0));
    loop = eddy_get_running_loop();
    amain_task = eddy_current_task();
    signal(SIGTERM, on_sigterm);

    int rc = eddy_server_wait(server); /* until it is cancelled */
    if (rc == -ECANCELED) {
        EDDY_SHIELD(order);
        (void)eddy_server_shutdown(server, 2); /* -ETIMEDOUT: some had to be cancelled */
        rc = 0;
    }
    signal(SIGTERM, SIG_DFL); /* before the loop goes */
    amain_task = NULL;
    return rc;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
