/* SPDX-License-Identifier: MIT */
/* A server that ends in order: SIGTERM or Ctrl-C stop it, and its open connections have two seconds
 * to end what they do. SIGHUP has it read its settings again.  54_shutdown [PLACE [SETTINGS]] */
#include <eddy.h>
#include <stdio.h>
#include <string.h>

static struct {
    const char *path;
    char greeting[80];
} settings = {NULL, "done"};

/* Called on the loop, where it may do whatever a callback may. */
static int reload(void *unused)
{
    FILE *file = fopen(settings.path, "re");

    if (!file)
        return (void)unused, -errno; /* is reported, and the server goes on */
    if (fscanf(file, "%79s", settings.greeting) == 1)
        printf("greeting: %s\n", settings.greeting);
    fclose(file);
    return 0;
}

static int work(eddy_stream *client, void *unused)
{
    eddy_line line;
    int rc;

    (void)unused;
    EDDY_FOR_EACH(rc, line, eddy_lines(client)) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_printf(client, "%s: %s", settings.greeting, line.text));
    }
    return rc;
}

static int amain(int argc, char **argv)
{
    const char *place = argc > 1 ? argv[1] : "tcp://127.0.0.1:8888";
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_start_server(place, work, NULL, &server));
    printf("serving at %s\n", eddy_server_name(server, 0));
    settings.path = argc > 2 ? argv[2] : "settings";
    EDDY_TRY(eddy_loop_add_signal_handler(eddy_get_running_loop(), SIGHUP, reload, NULL));
    {
        EDDY_STOP_ON_SIGNALS(stop);
        int rc = eddy_server_wait(server); /* -EINTR when one has come */
        if (!eddy_stop_signal(&stop))
            return rc;
        printf("stopping: %s\n", strsignal(eddy_stop_signal(&stop)));
    }
    if (eddy_server_shutdown(server, 2) == -ETIMEDOUT)
        puts("some had to be cut off");
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
