/* SPDX-License-Identifier: MIT */
/*
 * EDDY_SEED: a different, but repeatable, order of what is ready. Each turn deals
 * the nodes before the stop mark onto heaps at random, twice, and picks the heaps
 * up again: any order is possible, and nothing is allocated. Every node that is
 * ready still runs once before any of them runs again.
 */
#include "eddy/stream_class.h"
#include "loop/loop.h"

#define SHUFFLE_HEAPS 16

/* splitmix64: a full-period generator whose state is one counter. */
static uint64_t shuffle_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct ed_ready *shuffle_deal(struct ed_ready *node, uint64_t *seed)
{
    struct ed_ready *heaps[SHUFFLE_HEAPS], **ends[SHUFFLE_HEAPS];
    struct ed_ready *first = NULL;

    for (unsigned i = 0; i < SHUFFLE_HEAPS; i++)
        heaps[i] = NULL, ends[i] = &heaps[i];
    for (; node; node = node->next) {
        unsigned i = shuffle_random(seed) % SHUFFLE_HEAPS;

        *ends[i] = node;
        ends[i] = &node->next;
    }
    for (unsigned i = SHUFFLE_HEAPS; i-- > 0;) {
        *ends[i] = first;
        first = heaps[i];
    }
    return first;
}

int ed_loop_shuffle(eddy_loop *loop)
{
    struct ed_ready **first = &loop->ready, **end, *nodes, *rest;
    int count = 0;

    for (; count < (int)loop->eager; count++) /* these keep their place */
        first = &(*first)->next;
    nodes = *first;
    for (end = &nodes; *end && *end != &loop->stop; count++)
        end = &(*end)->next;
    rest = *end;
    *end = NULL;
    nodes = shuffle_deal(shuffle_deal(nodes, &loop->seed), &loop->seed);
    for (end = &nodes; *end;)
        end = &(*end)->next;
    *end = rest;
    *first = nodes;
    for (end = &loop->ready; *end;)
        end = &(*end)->next;
    loop->ready_end = end;
    return count + (rest != NULL);
}

int eddy_seed_(uint64_t *out)
{
    const eddy_loop *loop = eddy_thread_.loop;
    uint64_t seed;

    if (!loop || !(loop->virtual_clock || loop->shuffled))
        return eddy_random_(out, sizeof *out);
    seed = loop->seed;
    *out = shuffle_random(&seed);
    return 0;
}
