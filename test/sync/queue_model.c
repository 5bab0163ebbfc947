/* SPDX-License-Identifier: MIT */
/*
 * Queues against a model: thousands of random operations, of all three kinds,
 * several bounds and sizes of items. A put or get runs in a task of its own, so
 * that it can wait and be cancelled; everything else is done by the driver, often
 * several in one tick, so that cancels meet waiters that were just granted.
 *
 * The model is the contract in its simplest form: arrays of items and waiters.
 */
#include "harness.h"

#define OPS 700 /* operations in one run, some of which are tasks */
#define ITEM_MAX 200

enum { FIFO, LIFO, PRIORITY };
enum { GETTING, PUTTING };

struct op {
    eddy_queue *queue;
    int what, rc, expected; /* 1: not ended */
    bool ended;
    unsigned char item[ITEM_MAX], expected_item[ITEM_MAX];
    eddy_task *task;
};

static struct op ops[OPS];
static int op_count;

static struct model {
    int kind;
    size_t max, size;
    unsigned char items[OPS][ITEM_MAX]; /* in the order of their puts */
    size_t count;
    struct op *waiting[OPS]; /* all getters or all putters, in order */
    size_t waiters;
    long unfinished, put, got, dropped;
    bool shut;
} model;

static unsigned random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (unsigned)(((uint64_t)random_state * limit) >> 32);
}

/* The contract ----------------------------------------------------------------- */

static void model_end(struct op *op, int rc)
{
    op->expected = rc;
    if (op->what == PUTTING && rc == 0)
        model.put++;
    if (op->what == GETTING && rc == 0)
        model.got++;
}

static struct op *model_take_waiter(int what)
{
    struct op *op = model.waiters ? model.waiting[0] : NULL;

    if (!op || op->what != what)
        return NULL;
    memmove(model.waiting, model.waiting + 1, --model.waiters * sizeof op);
    return op;
}

static void model_remove_item(size_t index, unsigned char *out)
{
    memcpy(out, model.items[index], model.size);
    model.count--;
    memmove(model.items[index], model.items[index + 1], (model.count - index) * ITEM_MAX);
}

static size_t model_next(void)
{
    size_t best = 0;

    if (model.kind == LIFO)
        return model.count - 1;
    for (size_t i = 1; model.kind == PRIORITY && i < model.count; i++)
        if (model.items[i][0] < model.items[best][0])
            best = i; /* the first of the smallest */
    return best;
}

static int model_put(const unsigned char *item)
{
    struct op *getter;

    if (model.shut)
        return -ESHUTDOWN;
    getter = model_take_waiter(GETTING);
    if (!getter && model.max && model.count >= model.max)
        return -EAGAIN;
    model.unfinished++;
    if (getter) {
        memcpy(getter->expected_item, item, model.size);
        model_end(getter, 0);
    } else {
        memcpy(model.items[model.count++], item, model.size);
    }
    return 0;
}

static int model_get(unsigned char *out)
{
    struct op *putter;

    if (model.count == 0)
        return model.shut ? -ESHUTDOWN : -EAGAIN;
    model_remove_item(model_next(), out);
    putter = model_take_waiter(PUTTING);
    if (putter) {
        (void)model_put(putter->item);
        model_end(putter, 0);
    }
    return 0;
}

static void model_cancel(struct op *op)
{
    for (size_t i = 0; i < model.waiters; i++) {
        if (model.waiting[i] != op)
            continue;
        memmove(&model.waiting[i], &model.waiting[i + 1], (--model.waiters - i) * sizeof op);
        model_end(op, -ECANCELED);
        return;
    }
}

static void model_shutdown(bool immediate)
{
    struct op *op;

    model.shut = true;
    while ((op = model_take_waiter(PUTTING)))
        model_end(op, -ESHUTDOWN);
    if (immediate) {
        model.unfinished -= (long)model.count;
        model.dropped += (long)model.count;
        model.count = 0;
    }
    if (model.count == 0)
        while ((op = model_take_waiter(GETTING)))
            model_end(op, -ESHUTDOWN);
}

/* The queue -------------------------------------------------------------------- */

static int run_op(struct op *op)
{
    if (op->what == PUTTING)
        op->rc = eddy_queue_put_item(op->queue, op->item, model.size);
    else
        op->rc = eddy_queue_get_item(op->queue, op->item, model.size);
    op->ended = true;
    return 0;
}
EDDY_ASYNC(run_op, struct op *);

static int compare_first(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static void make_item(unsigned char *item)
{
    static unsigned number;

    number++;
    for (size_t i = 0; i < model.size; i++)
        item[i] = (unsigned char)((number >> (8 * (i % 4))) + 7 * i);
    if (model.kind == PRIORITY)
        item[0] = (unsigned char)random_below(6);
}

static void step_spawn(eddy_queue *queue)
{
    struct op *op = &ops[op_count++];
    int rc;

    *op = (struct op){.queue = queue, .what = (int)random_below(2), .expected = 1};
    if (op->what == PUTTING) {
        make_item(op->item);
        rc = model_put(op->item);
    } else {
        rc = model_get(op->expected_item);
    }
    if (rc == -EAGAIN)
        model.waiting[model.waiters++] = op;
    else
        model_end(op, rc);
    op->task = eddy_create_task(run_op, op);
    test_settle();
}

static void step_nowait(eddy_queue *queue)
{
    unsigned char item[ITEM_MAX], expected[ITEM_MAX];

    if (random_below(2)) {
        make_item(item);
        int rc = model_put(item);

        model.put += rc == 0;
        CHECK_EQ(eddy_queue_put_item_nowait(queue, item, model.size), rc);
    } else {
        int rc = model_get(expected);

        model.got += rc == 0;
        CHECK_EQ(eddy_queue_get_item_nowait(queue, item, model.size), rc);
        CHECK(rc < 0 || memcmp(item, expected, model.size) == 0);
    }
}

static void step_cancel(void)
{
    struct op *op = &ops[random_below((unsigned)op_count)];

    if (op->ended)
        return;
    model_cancel(op); /* one that was granted keeps what it was granted */
    (void)eddy_cancel(op->task);
}

static void step_task_done(eddy_queue *queue)
{
    int rc = model.unfinished > 0 ? 0 : -EOVERFLOW;

    model.unfinished -= rc == 0;
    CHECK_EQ(eddy_queue_task_done(queue), rc);
}

static void check_state(eddy_queue *queue)
{
    CHECK_EQ(eddy_queue_size(queue), model.count);
    CHECK_EQ(eddy_queue_empty(queue), model.count == 0);
    CHECK_EQ(eddy_queue_full(queue), model.max && model.count >= model.max);
    CHECK_EQ(model.put, model.got + (long)model.count + model.dropped);
}

/* After everything that can run has run. */
static void check_ops(void)
{
    for (int i = 0; i < op_count; i++) {
        struct op *op = &ops[i];

        CHECK_EQ(op->ended, op->expected <= 0);
        if (!op->ended || !op->task)
            continue;
        CHECK_EQ(op->rc, op->expected);
        if (op->what == GETTING && op->rc == 0)
            CHECK(memcmp(op->item, op->expected_item, model.size) == 0);
        eddy_task_release(&op->task);
    }
}

static void step(eddy_queue *queue, int number)
{
    unsigned choice = random_below(100);

    if (choice < 45 && model.waiters < 12)
        step_spawn(queue);
    else if (choice < 75)
        step_nowait(queue);
    else if (choice < 88 && op_count > 0)
        step_cancel();
    else if (choice < 97)
        step_task_done(queue);
    else if (number > OPS * 3 / 4) {
        model_shutdown(choice == 99);
        eddy_queue_shutdown(queue, choice == 99);
    }
    check_state(queue);
    if (random_below(3) > 0)
        return; /* the next step is in the same tick */
    test_settle();
    check_ops();
}

static void release_ops(void *unused)
{
    (void)unused;
    for (int i = 0; i < op_count; i++)
        if (ops[i].task)
            eddy_task_release(&ops[i].task);
}

static void run_model(int kind, size_t max, size_t size, unsigned seed)
{
    eddy_queue queue = {
        .item_size = size, .maxsize = max, .kind = (unsigned char)kind, .compare = compare_first};

    memset(&model, 0, sizeof model);
    model.kind = kind;
    model.max = max;
    model.size = size;
    op_count = 0;
    random_state = seed;
    EDDY_DEFER(eddy_queue_deinit, &queue);
    EDDY_DEFER(release_ops, NULL);
    for (int i = 0; i < OPS && !test_is_cancelled(); i++)
        step(&queue, i);
    model_shutdown(false);
    eddy_queue_shutdown(&queue, false);
    test_settle();
    check_ops();
    check_state(&queue);
    if (model.unfinished == 0)
        CHECK_OK(eddy_queue_join(&queue));
}

static void run_models(int kind)
{
    static const size_t bounds[] = {0, 1, 2, 100}, sizes[] = {1, 2, 4, 7, 8, 24, 33, 200};
    int seeds = test_is_slow() ? 1 : 3;

    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 8; k++)
            for (int seed = 0; seed < seeds && !test_is_cancelled(); seed++)
                run_model(kind, bounds[i], sizes[k], (unsigned)(i * 100 + k * 10 + seed + 1));
}

/* A-Q-3 to A-Q-9, A-Q-13 to A-Q-15, reliability 5: the queue does what the model says. */
TEST(queue_fifo_does_what_its_model_says)
{
    run_models(FIFO);
}

/* The same, A-Q-12. */
TEST(queue_lifo_does_what_its_model_says)
{
    run_models(LIFO);
}

/* The same, A-Q-12: with ties. */
TEST(queue_priority_does_what_its_model_says)
{
    run_models(PRIORITY);
}
