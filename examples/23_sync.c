/* SPDX-License-Identifier: MIT */
/*
 * An event, a lock and a condition. Between two waits no other task runs, so
 * most code needs no lock; one is for steps that wait in between.
 */
#include <eddy.h>
#include <stdio.h>

struct shop {
    eddy_event open;
    eddy_lock lock;
    eddy_condition delivered; /* of the lock */
    int loaves;
};

static int buy(struct shop *shop, int loaves)
{
    EDDY_TRY(eddy_event_wait(&shop->open));
    EDDY_TRY(eddy_lock_acquire(&shop->lock)); /* one customer at a time */
    EDDY_DEFER(eddy_lock_release, &shop->lock);

    while (shop->loaves < loaves)
        EDDY_TRY(eddy_condition_wait(&shop->delivered)); /* the lock is free meanwhile */
    EDDY_TRY(eddy_sleep(1));                             /* to pay; nobody can take the loaves */
    shop->loaves -= loaves;
    printf("bought %d, %d left\n", loaves, shop->loaves);
    return 0;
}
EDDY_ASYNC(buy, struct shop *, int);

static int deliver(struct shop *shop, int loaves)
{
    EDDY_TRY(eddy_lock_acquire(&shop->lock));
    EDDY_DEFER(eddy_lock_release, &shop->lock);

    shop->loaves += loaves;
    printf("delivered %d\n", loaves);
    return eddy_condition_notify_all(&shop->delivered);
}

static int amain(void)
{
    struct shop shop = {EDDY_EVENT_INIT, EDDY_LOCK_INIT, EDDY_CONDITION_INIT(&shop.lock), 1};
    EDDY_GROUP(customers);

    eddy_group_create_task(&customers, buy, &shop, 3);
    eddy_group_create_task(&customers, buy, &shop, 1);
    puts("the shop opens");
    eddy_event_set(&shop.open);
    EDDY_TRY(eddy_sleep(5));
    EDDY_TRY(deliver(&shop, 2));
    EDDY_TRY(eddy_sleep(5));
    EDDY_TRY(deliver(&shop, 1));
    return eddy_group_join(&customers);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
