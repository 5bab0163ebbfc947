/* SPDX-License-Identifier: MIT */
/*
 * Random programs of tasks, scopes and groups, against a model of the rules in
 * docs/design.md: "Cancellation", "What is pending", "Groups", "Ownership".
 *
 * A program is a tree. It runs under the virtual clock, and each node notes when it
 * began and ended, and with which code. The model works the same out by recursion,
 * without tasks or a queue: a task's future depends only on the times at which its
 * timeouts fire and its cancels come. For a group, the children are worked out once
 * as if none failed, and again with a cancel at the first failure or the block's end.
 *
 * This is exact because no two things happen at one time by chance: all durations
 * are different, and every task begins with a sleep. So the order of what is ready
 * never matters, and the programs must do the same when it is shuffled.
 */
#include "task/random.h"

#include <errno.h>

#include "loop/loop.h"
#include "seeds.h"

#define DEPTH 8
#define RAISED 1000 /* codes beyond it are those of nodes */

static const char *const kind_names[] = {
    "sleep", "yield",   "raise",  "cancel", "uncancel", "reschedule", "sequence", "ignore",
    "catch", "timeout", "shield", "defer",  "task",     "group",      "gather",   "outcomes",
};

static struct node nodes[NODES];
static int node_count;
static double cancel_after; /* of the root, 0: never */
static uint64_t program_seed;

/* Making a program ------------------------------------------------------------- */

/* What a node's place allows. */
struct place {
    int depth;
    int index, siblings; /* in the group of its task */
    bool limited;        /* inside a timeout of its task */
};

/* Never the same twice, for all practical purposes. */
static double random_seconds(void)
{
    return (double)(1 + random_next() % ((uint64_t)1 << (32 + random_below(9)))) * 1e-9;
}

static void grow(struct place place);

static struct node *node_new(enum kind kind)
{
    struct node *node = &nodes[node_count++];

    *node = (struct node){.kind = kind, .code = -(RAISED + node_count)};
    node->seconds = random_seconds();
    node->more = random_seconds();
    return node;
}

static void grow_sequence(struct place place, bool task)
{
    struct node *node = node_new(SEQUENCE);

    if (task)
        node_new(SLEEP)->size = 1;
    node->children = task + 1 + random_below(4);
    place.depth--;
    for (int i = task; i < node->children; i++)
        grow(place);
    node->size = (int)(&nodes[node_count] - node);
}

static void grow_task(int depth, int index, int siblings)
{
    grow_sequence((struct place){.depth = depth, .index = index, .siblings = siblings}, true);
}

static enum kind random_leaf(struct place place)
{
    int choice = random_below(16);

    if (choice < 4 && place.index + 1 < place.siblings)
        return CANCEL;
    if (choice < 6 && place.limited)
        return RESCHEDULE;
    return choice == 6 ? UNCANCEL : choice == 7 ? RAISE : choice < 10 ? YIELD : SLEEP;
}

static enum kind random_branch(void)
{
    static const enum kind kinds[] = {SEQUENCE, SEQUENCE, IGNORE, IGNORE, IGNORE,  CATCH,
                                      TIMEOUT,  TIMEOUT,  SHIELD, DEFER,  DEFER,   TASK,
                                      TASK,     GROUP,    GROUP,  GATHER, OUTCOMES};

    return kinds[random_below((int)ED_ARRAY_LENGTH(kinds))];
}

static void grow_children(struct node *node, struct place place)
{
    int tasks = node->kind == TASK ? 1 : node->kind >= GROUP ? random_below(CHILDREN + 1) : 0;
    bool body = node->kind <= GROUP;

    for (int i = 0; i < tasks; i++)
        grow_task(place.depth, i, node->kind == TASK ? 0 : tasks);
    place.limited |= node->kind == TIMEOUT;
    if (body)
        grow(place);
    node->children = tasks + body;
}

static void grow(struct place place)
{
    bool leaf = place.depth <= 0 || node_count > NODES - 100 || random_below(5) == 0;
    enum kind kind = leaf ? random_leaf(place) : random_branch();
    struct node *node;

    if (kind == SEQUENCE) {
        grow_sequence(place, false);
        return;
    }
    place.depth--;
    node = node_new(kind);
    if (kind == CANCEL)
        node->target = place.index + 1 + random_below(place.siblings - place.index - 1);
    if (kind > SEQUENCE)
        grow_children(node, place);
    node->size = (int)(&nodes[node_count] - node);
}

static void program_make(uint64_t seed)
{
    random_begin(seed);
    program_seed = seed;
    node_count = 0;
    grow_task(2 + random_below(DEPTH - 1), 0, 0);
    cancel_after = random_below(3) ? random_seconds() * random_below(4) : 0;
}

static void result_print(const char *who, const struct result *result)
{
    fprintf(stderr, "  %s %d, note %d, %.9f to %.9f%s", who, result->rc, result->note,
            (double)result->begin / 1e9, (double)result->end / 1e9,
            result->runs == 1 ? ""
            : result->runs    ? " (several times)"
                              : " (never)");
}

static void node_print(struct node *node, int depth)
{
    struct node *child = node_first(node);

    fprintf(stderr, "%*s%s %.9f", depth * 2, "", kind_names[node->kind], node->seconds);
    if (node->kind == CANCEL)
        fprintf(stderr, " %d, then %.9f", node->target, node->more);
    if (node->kind == RAISE || node->kind == CATCH)
        fprintf(stderr, " %d", node->code);
    result_print(":", &node->real);
    if (memcmp(&node->real, &node->model, sizeof node->real) != 0)
        result_print("  MODEL", &node->model);
    fputc('\n', stderr);
    for (int i = 0; i < node->children; i++, child = node_next(child))
        node_print(child, depth + 1);
}

/* Running it ------------------------------------------------------------------- */

struct siblings {
    eddy_task *tasks[CHILDREN]; /* NULL once ended */
};

/* What a task knows of its place. */
struct context {
    struct siblings *siblings;
    eddy_timeout *timeout; /* the innermost */
};

static int reports;
static eddy_task *root;

static int run_node(struct node *node, struct context context);

static int64_t now(void)
{
    return ed_loop_now(eddy_get_running_loop());
}

static int run_task(struct node *node, struct siblings *siblings, int index)
{
    int rc;

    if (siblings)
        siblings->tasks[index] = eddy_current_task();
    rc = run_node(node, (struct context){.siblings = siblings});
    if (siblings)
        siblings->tasks[index] = NULL;
    return rc;
}
EDDY_ASYNC(run_task, struct node *, struct siblings *, int);

static int raise_own(struct node *node)
{
    return eddy_raise(node->code, "node %d", -node->code);
}

/* The text of an error is that of the node that raised it, wherever it comes by. */
static void check_text(int rc)
{
    char expected[32];

    if (rc >= -RAISED)
        return;
    snprintf(expected, sizeof expected, "node %d", -rc);
    if (strcmp(eddy_error_message(rc), expected) != 0)
        test_fail(__FILE__, __LINE__, "the text of %d is \"%s\" with seed %llu", rc,
                  eddy_error_message(rc), (unsigned long long)program_seed);
}

static int run_cancel(struct node *node, struct context context)
{
    EDDY_TRY(eddy_sleep(node->seconds));
    if (context.siblings->tasks[node->target])
        (void)eddy_cancel(context.siblings->tasks[node->target]); /* it has not ended */
    return eddy_sleep(node->more);
}

static int run_sequence(struct node *node, struct context context)
{
    struct node *child = node_first(node);

    for (int i = 0; i < node->children; i++, child = node_next(child))
        EDDY_TRY(run_node(child, context));
    return 0;
}

static int run_catch(struct node *node, struct context context)
{
    int rc = run_node(node_first(node), context);

    if (rc == 0)
        return 0;
    EDDY_SHIELD(clean_up);
    EDDY_TRY(eddy_sleep(node->seconds));
    return raise_own(node);
}

static int run_timeout(struct node *node, struct context context)
{
    int rc;

    EDDY_TIMEOUT(limit, node->seconds);
    context.timeout = &limit;
    rc = run_node(node_first(node), context);
    node->real.note = eddy_timeout_expired(&limit);
    return rc;
}

static int run_shield(struct node *node, struct context context)
{
    EDDY_SHIELD(shield);
    return run_node(node_first(node), context);
}

static void clean_up(struct node *node)
{
    if (eddy_sleep(node->seconds) < 0)
        test_fail(__FILE__, __LINE__, "a clean-up was cut short");
}

static int run_defer(struct node *node, struct context context)
{
    EDDY_DEFER(clean_up, node);
    return run_node(node_first(node), context);
}

static int run_beside(struct node *node, struct context context)
{
    struct node *child = node_first(node);

    EDDY_TASK task = eddy_create_task(run_task, child, NULL, 0);
    EDDY_TRY(run_node(node_next(child), context));
    return eddy_await(task);
}

static int run_group(struct node *node, struct context context)
{
    struct node *child = node_first(node);
    struct siblings siblings = {{NULL}};

    EDDY_GROUP(group);
    for (int i = 0; i < node->children - 1; i++, child = node_next(child))
        REQUIRE(eddy_group_create_task(&group, run_task, child, &siblings, i) == 0);
    EDDY_TRY(run_node(child, context));
    return eddy_group_join(&group);
}

static int run_gather(struct node *node)
{
    eddy_call calls[CHILDREN];
    int outcomes[CHILDREN], rc;
    struct node *child = node_first(node);
    struct siblings siblings = {{NULL}};

    for (int i = 0; i < node->children; i++, child = node_next(child))
        calls[i] = EDDY_CALL(run_task, child, &siblings, i);
    if (node->kind == GATHER)
        return eddy_gather_calls(calls, (size_t)node->children);
    rc = eddy_gather_outcomes_calls(outcomes, calls, (size_t)node->children);
    child = node_first(node);
    for (int i = 0; i < node->children && rc == 0; i++, child = node_next(child))
        REQUIRE(outcomes[i] == child->real.rc);
    return rc;
}

static int run_kind(struct node *node, struct context context)
{
    switch (node->kind) {
    case SLEEP: return eddy_sleep(node->seconds);
    case YIELD: return eddy_sleep(0);
    case RAISE: EDDY_TRY(eddy_sleep(node->seconds)); return raise_own(node);
    case CANCEL: return run_cancel(node, context);
    case UNCANCEL: node->real.note = eddy_uncancel(); return 0;
    case RESCHEDULE:
        node->real.note = eddy_timeout_reschedule(context.timeout, eddy_time() + node->seconds);
        return 0;
    case SEQUENCE: return run_sequence(node, context);
    case IGNORE: (void)run_node(node_first(node), context); return 0;
    case CATCH: return run_catch(node, context);
    case TIMEOUT: return run_timeout(node, context);
    case SHIELD: return run_shield(node, context);
    case DEFER: return run_defer(node, context);
    case TASK: return run_beside(node, context);
    case GROUP: return run_group(node, context);
    case GATHER:
    case OUTCOMES: return run_gather(node);
    }
    return 0;
}

static int run_node(struct node *node, struct context context)
{
    node->real.begin = now();
    node->real.rc = run_kind(node, context);
    node->real.end = now();
    node->real.runs++;
    check_text(node->real.rc);
    return node->real.rc;
}

static int cancel_root(void *unused)
{
    (void)unused;
    (void)eddy_cancel(root); /* may have ended */
    return 0;
}

static void count_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)unused;
    if (report->kind != EDDY_REPORT_ERROR_NOT_READ)
        test_fail(__FILE__, __LINE__, "%s", report->message);
    reports++;
}

static int run_root(void)
{
    eddy_loop *loop = eddy_get_running_loop();
    eddy_handle handle = {NULL, 0};

    eddy_loop_set_exception_handler(loop, count_report, NULL);
    EDDY_TASK task = root = eddy_create_task(run_task, nodes, NULL, 0);
    if (cancel_after > 0)
        handle = eddy_loop_call_later(loop, cancel_after, cancel_root, NULL);
    (void)eddy_await(task); /* noted by its node */
    eddy_handle_cancel(handle);
    return 0;
}
EDDY_ASYNC(run_root);

/* The two beside each other ---------------------------------------------------- */

static void program_compare(const char *how)
{
    int expected_reports = 0;
    bool equal = true;

    for (int i = 0; i < node_count; i++) {
        struct node *node = &nodes[i];

        if (node->kind == TASK)
            expected_reports += node->model.note, node->model.note = 0;
        equal &= memcmp(&node->real, &node->model, sizeof node->real) == 0;
    }
    if (equal && reports == expected_reports)
        return;
    node_print(nodes, 0);
    test_fail(__FILE__, __LINE__,
              "the program above is not what the model says%s: %d reports, not %d; again with "
              "EDDY_TEST_SEED=%llu",
              how, reports, expected_reports, (unsigned long long)program_seed);
}

static void program_run(uint64_t seed, const char *how)
{
    program_make(seed);
    reports = 0;
    if (eddy_run(run_root) < 0)
        test_fail(__FILE__, __LINE__, "eddy_run failed with seed %llu", (unsigned long long)seed);
    model_program(nodes, cancel_after);
    program_compare(how);
}

static void run_in_order(uint64_t seed)
{
    program_run(seed, "");
}

static void run_shuffled(uint64_t seed)
{
    char number[24];

    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    setenv("EDDY_SEED", number, 1);
    program_run(seed, " in a shuffled order");
}

/* Cancellation, timeouts, shields, groups and ownership, to the nanosecond. */
RAW_TEST(random_programs_do_what_the_rules_say)
{
    seeds_run(run_in_order, 2000);
}

/* The same, whatever the order of what is ready. */
RAW_TEST(random_programs_do_what_the_rules_say_in_any_order)
{
    seeds_run(run_shuffled, 2000);
}
