/* SPDX-License-Identifier: MIT */
/*
 * What computes, in processes of its own: as many at once as there are processors, and one that
 * crashes fails alone. Jobs take and give values.
 */
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>

static int is_prime(long number, bool *prime)
{
    *prime = number > 1;
    for (long divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            *prime = false;
    return 0;
}
EDDY_ASYNC_RESULT(bool, is_prime, long);

static int parse(int version)
{
    if (version == 3)
        abort(); /* a library that does not expect this */
    return version < 1 ? eddy_raise(-EINVAL, "there is no version %d", version) : 0;
}
EDDY_ASYNC(parse, int);

static int amain(void)
{
    static const long numbers[] = {112272535095293, 115280095190773, 115797848077099,
                                   109972689928541};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    bool prime[COUNT];

    EDDY_PROCESS_POOL(pool, NULL);
    {
        EDDY_GROUP(group);
        for (int i = 0; i < COUNT; i++)
            eddy_group_start(&group, EDDY_PROCESS_CALL(pool, is_prime, numbers[i], &prime[i]));
        EDDY_TRY(eddy_group_join(&group));
    }
    for (int i = 0; i < COUNT; i++)
        printf("%ld is %s\n", numbers[i], prime[i] ? "prime" : "not prime");

    for (int version = 0; version < 5; version++) {
        int rc = eddy_to_process(pool, parse, version);

        printf("version %d: %s\n", version, rc < 0 ? eddy_error_message(rc) : "parsed");
    }
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
