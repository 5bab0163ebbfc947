/* SPDX-License-Identifier: MIT */
/*
 * A result that owns memory. EDDY_ASYNC_OWNED names what frees it when nobody
 * takes it; who takes it owns it from then on.
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

static int describe(const char *city, char **text)
{
    EDDY_TRY(eddy_sleep(1));
    char *line = malloc(64);
    if (line == NULL)
        return -ENOMEM;
    snprintf(line, 64, "%s lies at a river", city);
    *text = line;
    return 0;
}

static void drop_text(char **text)
{
    printf("dropped: %s\n", *text);
    free(*text);
}
EDDY_ASYNC_OWNED(char *, drop_text, describe, const char *);

static int amain(void)
{
    EDDY_TASK rome = eddy_create_task(describe, "Rome");
    EDDY_TASK paris = eddy_create_task(describe, "Paris");
    char *text;

    EDDY_TRY(eddy_await(rome, &text)); /* ours now */
    EDDY_DEFER(free, text);
    puts(text);
    EDDY_TRY(eddy_await(paris)); /* waits, and takes nothing */
    puts("the end of the block");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
