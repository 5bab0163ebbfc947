/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that Eddy knows nothing about, here inotify(7): wait until it can be read, then
 * read it with the kernel's own call. Other tasks run meanwhile.
 */
#include <eddy.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Says which files appear in the folder, until there were `count`. */
static int watch(int fd, int count)
{
    char data[4096] __attribute__((aligned(8)));

    while (count > 0) {
        EDDY_TRY(eddy_wait_readable(fd));
        ssize_t size = read(fd, data, sizeof data);

        for (char *at = data; at < data + size && count > 0; count--) {
            struct inotify_event *event = (struct inotify_event *)at;

            printf("%s has appeared\n", event->name);
            at += sizeof *event + event->len;
        }
    }
    return 0;
}
EDDY_ASYNC(watch, int, int);

static void close_watch(int *fd)
{
    (void)eddy_sock_close(*fd); /* tells the watcher, if it is still there */
}

static int amain(void)
{
    char folder[] = "/tmp/eddy-52-XXXXXX", path[64];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    EDDY_DEFER(close_watch, &fd);
    if (!mkdtemp(folder) || inotify_add_watch(fd, folder, IN_CREATE) < 0)
        return eddy_raise(-errno, "cannot watch %s", folder);
    EDDY_TASK watcher = eddy_create_task(watch, fd, 3);

    for (int i = 1; i <= 3; i++) {
        EDDY_TRY(eddy_sleep(0.1));
        snprintf(path, sizeof path, "%s/%d.txt", folder, i);
        close(open(path, O_CREAT | O_CLOEXEC, 0600));
        unlink(path);
    }
    rmdir(folder);
    return eddy_await(watcher);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
