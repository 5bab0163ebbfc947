/* SPDX-License-Identifier: MIT */
/*
 * A generator that takes instructions. The crawler yields pages; whoever reads
 * them sends back whether to follow their links, and throws an error in when
 * enough were read. The crawler then says what is left, and ends.
 */
#include <eddy.h>
#include <stdio.h>

enum { PAGES_MAX = 64 };

/* Page n links to the pages 2n and 2n + 1. */
static int crawl(eddy_generator *g, int first)
{
    int found[PAGES_MAX] = {first}, count = 1;

    for (int i = 0; i < count; i++) {
        bool follow = false;

        EDDY_TRY(eddy_sleep(0.1)); /* fetch the page */
        int rc = eddy_yield_receive(g, &found[i], &follow);
        if (rc == -EDQUOT) {
            printf("%s: %d left unread\n", eddy_error_message(rc), count - i - 1);
            return 0;
        }
        EDDY_TRY(rc);
        if (follow && count + 2 <= PAGES_MAX) {
            found[count++] = 2 * found[i];
            found[count++] = 2 * found[i] + 1;
        }
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, crawl, int);

static int amain(void)
{
    EDDY_GENERATOR pages = eddy_generate(crawl, 1);
    int page, rc = eddy_next(pages, &page);

    for (int read = 1; rc > 0; read++) {
        bool follow = page % 3 != 0;

        printf("page %d%s\n", page, follow ? "" : ", a dead end");
        if (read < 9)
            rc = eddy_send(pages, &follow, &page);
        else
            rc = eddy_throw(pages, eddy_raise(-EDQUOT, "nine pages are enough"), &page);
    }
    return rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
