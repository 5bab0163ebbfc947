/* SPDX-License-Identifier: MIT */
/*
 * A priority queue gives the smallest item first, as the order function says;
 * equal ones in the order in which they came. Items travel by value.
 */
#include <eddy.h>
#include <stdio.h>

struct patient {
    int urgency; /* 1 is highest */
    char name[16];
};

static int by_urgency(const void *a, const void *b)
{
    const struct patient *left = a, *right = b;

    return (left->urgency > right->urgency) - (left->urgency < right->urgency);
}

static int treat(eddy_queue *waiting_room)
{
    struct patient patient;
    int rc;

    while ((rc = eddy_queue_get(waiting_room, &patient)) == 0) {
        printf("%d: %s\n", patient.urgency, patient.name);
        EDDY_TRY(eddy_sleep(1));
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(treat, eddy_queue *);

static int amain(void)
{
    EDDY_PRIORITY_QUEUE(waiting_room, struct patient, 0, by_urgency);
    EDDY_TASK doctor = eddy_create_task(treat, &waiting_room);

    EDDY_TRY(eddy_queue_put(&waiting_room, &(struct patient){3, "cold"}));
    EDDY_TRY(eddy_queue_put(&waiting_room, &(struct patient){2, "broken arm"}));
    EDDY_TRY(eddy_queue_put(&waiting_room, &(struct patient){3, "hiccups"}));
    EDDY_TRY(eddy_sleep(0.5)); /* the doctor has begun */
    EDDY_TRY(eddy_queue_put(&waiting_room, &(struct patient){1, "heart"}));

    eddy_queue_shutdown(&waiting_room, false); /* who is inside is still treated */
    return eddy_await(doctor);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
