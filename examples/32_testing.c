/* SPDX-License-Identifier: MIT */
/*
 * Testing code that waits. The kit of eddy/test.h runs a test under a virtual
 * clock in a hundred orders of its tasks, cancelled at each place where it waits,
 * and with each allocation failing in turn. Any test framework will do; here it is
 * main().
 */
#include <eddy.h>
#include <eddy/test.h>
#include <stdio.h>

struct bank {
    eddy_lock lock;
    int mine, yours;
};

/* What is tested. The money moves in one step: an await between the two lines
 * below would lose it whenever somebody cancels there. */
static int transfer(struct bank *bank, int amount)
{
    EDDY_TRY(eddy_lock_acquire(&bank->lock));
    EDDY_DEFER(eddy_lock_release, &bank->lock);
    EDDY_TRY(eddy_sleep(1)); /* ask the other bank */
    if (amount > bank->mine)
        return eddy_raise(-EDQUOT, "%d is more than %d", amount, bank->mine);
    bank->mine -= amount;
    bank->yours += amount;
    return eddy_sleep(1); /* write it down */
}
EDDY_ASYNC(transfer, struct bank *, int);

/* The test: an async function, which returns 0 when all is as it should be. */
static int test_transfers(void)
{
    struct bank bank = {.lock = EDDY_LOCK_INIT, .mine = 100};
    int rc = eddy_gather(EDDY_CALL(transfer, &bank, 30), EDDY_CALL(transfer, &bank, 20));

    EDDY_TRY(eddy_expect(bank.mine + bank.yours == 100)); /* cut short or not */
    EDDY_TRY(eddy_expect(!eddy_lock_locked(&bank.lock)));
    EDDY_TRY(rc);
    EDDY_TRY(eddy_expect(bank.yours == 50));
    EDDY_TRY(eddy_expect(eddy_time() == 4)); /* the lock lets one in at a time */
    return eddy_expect_error(transfer(&bank, 51), -EDQUOT);
}
EDDY_ASYNC(test_transfers);

int main(void)
{
    int rc = eddy_test_thoroughly(test_transfers);

    printf("%s\n", rc < 0 ? eddy_error_message(rc) : "passed");
    return rc < 0;
}
