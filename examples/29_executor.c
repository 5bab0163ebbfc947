/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads of one's own, with a limit on what may wait for it, and a call
 * that its caller gives up.
 */
#include <eddy.h>
#include <stdio.h>
#include <unistd.h>

/* Blocks, like much code that was written for threads. */
static int shrink(int picture, int *size)
{
    usleep(20000);
    *size = 10 * picture;
    return 0;
}
EDDY_ASYNC_RESULT(int, shrink, int);

struct host {
    char name[64];
};

/* May take minutes. It gets the name itself, since its caller may be gone. */
static int look_up(struct host host, unsigned *address)
{
    sleep(host.name[0] == 's' ? 60 : 0);
    *address = 0x7f000001;
    return 0;
}
EDDY_ASYNC_RESULT(unsigned, look_up, struct host);

static int amain(void)
{
    static const eddy_executor_options options = {.name = "images", .threads = 2, .queue_limit = 1};
    EDDY_EXECUTOR(images, &options);
    int sizes[3], rc;

    EDDY_TRY(eddy_gather(EDDY_EXECUTOR_CALL(images, shrink, 1, &sizes[0]),
                         EDDY_EXECUTOR_CALL(images, shrink, 2, &sizes[1]),
                         EDDY_EXECUTOR_CALL(images, shrink, 3, &sizes[2])));
    printf("shrunk to %d, %d and %d\n", sizes[0], sizes[1], sizes[2]);

    rc = eddy_gather(EDDY_EXECUTOR_CALL(images, shrink, 4), EDDY_EXECUTOR_CALL(images, shrink, 5),
                     EDDY_EXECUTOR_CALL(images, shrink, 6), EDDY_EXECUTOR_CALL(images, shrink, 7));
    printf("%s (%s)\n", eddy_error_message(rc), eddy_error_name(rc));

    struct host host = {"slow.example"};
    unsigned address;
    EDDY_TIMEOUT(limit, 0.1);
    rc = eddy_to_thread_abandonable(look_up, host, &address);
    printf("%s: %s\n", host.name, rc < 0 ? eddy_error_name(rc) : "found");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
