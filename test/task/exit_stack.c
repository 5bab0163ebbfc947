/* SPDX-License-Identifier: MIT */
/* Exit stacks: rules A-STACK-1, -3 to -7, -9. */
#include "base/fault.h"
#include "harness.h"

/* What ran, a letter each, and the code that the last exit was given. */
static char trace[64];
static int given;

static void note(char letter)
{
    size_t length = strlen(trace);

    if (length < sizeof trace - 1)
        trace[length] = letter;
}

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
#define LETTER(c) (&letters[(c) - 'a'])

/* Exits and callbacks, by what they make of the code. */
static int keep(const char *letter, int rc)
{
    note(*letter);
    given = rc;
    return rc;
}

static int suppress(const char *letter, int rc)
{
    (void)keep(letter, rc);
    return 0;
}

static int replace(const char *letter, int rc)
{
    (void)keep(letter, rc);
    return eddy_raise(-EPIPE, "%s failed", letter);
}

static int wait_and_keep(const char *letter, int rc)
{
    int slept = eddy_sleep(1);

    note(slept ? '!' : *letter);
    given = rc;
    return rc;
}

static void leave(const char *letter)
{
    note(*letter);
}

static int leave_failing(const char *letter)
{
    note(*letter);
    return eddy_raise(-EIO, "the callback failed");
}

static int wait_and_leave(const char *letter)
{
    int slept = eddy_sleep(1);

    note(slept ? '!' : *letter);
    return slept;
}

/* A-STACK-3: last in, first out, of both kinds, waiting or not; each once. */
TEST(exit_stack_runs_its_exits_in_reverse_order)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(eddy_exit_stack_push(&stack, keep, LETTER('a')));
    CHECK_OK(eddy_exit_stack_callback(&stack, leave, LETTER('b')));
    CHECK_OK(eddy_exit_stack_push(&stack, wait_and_keep, LETTER('c')));
    CHECK_OK(eddy_exit_stack_callback(&stack, wait_and_leave, LETTER('d')));
    CHECK_STR(trace, "");
    CHECK_EQ(eddy_exit_stack_close(&stack, 5), 5);
    CHECK_EQ(given, 5);
    CHECK(strcmp(trace, "dcba") == 0 || test_is_cancelled());
}

static int leave_block(int how)
{
    for (int i = 0; i < 2; i++) {
        EDDY_EXIT_STACK(stack);

        EDDY_TRY(eddy_exit_stack_push(&stack, keep, LETTER('a')));
        EDDY_TRY(eddy_exit_stack_callback(&stack, leave, LETTER('b')));
        if (how == 0)
            return 7;
        if (how == 1)
            EDDY_TRY(eddy_raise(-EIO, "the reason"));
        if (how == 2)
            break;
    }
    return 0;
}

/* A-STACK-1: at the end of the block on every path, with -ECANCELED; its code stays. */
TEST(exit_stack_is_unwound_on_every_way_out_of_its_block)
{
    static const int codes[] = {7, -EIO, 0, 0};
    static const char *const traces[] = {"ba", "ba", "ba", "baba"};

    for (int how = 0; how < 4; how++) {
        memset(trace, 0, sizeof trace);
        given = 0;
        CHECK_EQ(leave_block(how), codes[how]);
        CHECK_STR(trace, traces[how]);
        CHECK_EQ(given, -ECANCELED);
        if (how == 1)
            CHECK_STR(eddy_error_message(-EIO), "the reason");
    }
}

static int commit_or_roll_back(const char **outcome, int rc)
{
    *outcome = rc < 0 ? "rolled back" : "committed";
    return rc;
}

static int update(const char **outcome, int rc)
{
    EDDY_EXIT_STACK(stack);

    EDDY_TRY(eddy_exit_stack_push(&stack, commit_or_roll_back, outcome));
    EDDY_TRY(rc);
    return eddy_exit_stack_close(&stack, 0);
}

/* What a transaction needs: it commits only where the block says so. */
TEST(exit_stack_lets_a_transaction_commit_only_when_it_is_closed)
{
    const char *outcome = "";

    CHECK_OK(update(&outcome, 0));
    CHECK_STR(outcome, "committed");
    CHECK_EQ(update(&outcome, -EIO), -EIO);
    CHECK_STR(outcome, "rolled back");
}

/* A-STACK-4: each exit sees what the one before it made of the code. */
TEST(exit_stack_gives_each_exit_what_the_former_one_returned)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(eddy_exit_stack_push(&stack, keep, LETTER('a')));
    CHECK_OK(eddy_exit_stack_push(&stack, suppress, LETTER('b')));
    CHECK_EQ(eddy_exit_stack_close(&stack, -EIO), 0);
    CHECK_EQ(given, 0); /* a does not see what b suppressed */

    CHECK_OK(eddy_exit_stack_push(&stack, keep, LETTER('c')));
    CHECK_OK(eddy_exit_stack_push(&stack, replace, LETTER('x')));
    CHECK_EQ(eddy_exit_stack_close(&stack, -EIO), -EPIPE);
    CHECK_EQ(given, -EPIPE);
    CHECK_STR(eddy_error_message(-EPIPE), "xyz failed");

    CHECK_OK(eddy_exit_stack_push(&stack, replace, LETTER('y')));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), -EPIPE); /* of a block that had none */
    CHECK_STR(eddy_error_message(-EPIPE), "yz failed");
    CHECK_STR(trace, "baxcy");
}

/* A-STACK-6: a callback sees no error, and changes neither it nor its text. */
TEST(exit_stack_drops_what_callbacks_return)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(eddy_exit_stack_callback(&stack, leave_failing, LETTER('a')));
    CHECK_OK(eddy_exit_stack_callback(&stack, leave, LETTER('b')));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), 0);
    CHECK_OK(eddy_exit_stack_callback(&stack, leave_failing, LETTER('c')));
    CHECK_EQ(eddy_exit_stack_close(&stack, eddy_raise(-EIO, "the reason")), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the reason");
    CHECK_STR(trace, "bac");
}

static char seen[128];

static int read_text(const void *unused, int rc)
{
    (void)unused;
    snprintf(seen, sizeof seen, "%s", eddy_error_message(rc));
    (void)eddy_raise(-EIO, "of the exit's own, dealt with");
    (void)eddy_raise(-EDOM, "of the exit's own, dealt with");
    return rc;
}

/* The text of the block's error can be read by the exits, and survives them. */
TEST(exit_stack_keeps_the_text_of_the_error)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(eddy_exit_stack_callback(&stack, leave_failing, LETTER('a')));
    CHECK_OK(eddy_exit_stack_push(&stack, read_text, seen));
    CHECK_OK(eddy_exit_stack_callback(&stack, leave_failing, LETTER('b')));
    CHECK_EQ(eddy_exit_stack_close(&stack, eddy_raise(-EIO, "the reason")), -EIO);
    CHECK_STR(seen, "the reason");
    CHECK_STR(eddy_error_message(-EIO), "the reason");
}

/* The text of an error that has nothing to do with the block's stays too. */
TEST(exit_stack_that_is_closed_without_an_error_touches_no_text)
{
    EDDY_EXIT_STACK(stack);

    (void)eddy_raise(-EIO, "an older one");
    CHECK_OK(eddy_exit_stack_push(&stack, read_text, seen));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), 0);
    CHECK_STR(eddy_error_message(-EIO), "an older one");
    CHECK_OK(eddy_exit_stack_push(&stack, suppress, LETTER('a')));
    CHECK_EQ(eddy_exit_stack_close(&stack, -EDOM), 0);
    CHECK_STR(eddy_error_message(-EIO), "an older one");
}

static int return_bare(const void *unused, int rc)
{
    (void)unused, (void)rc;
    return -EIO;
}

/* A text never explains another failure: not an older one of the same code. */
TEST(exit_stack_gives_no_old_text_to_the_error_of_an_exit)
{
    EDDY_EXIT_STACK(stack);

    (void)eddy_raise(-EIO, "an older one");
    CHECK_OK(eddy_exit_stack_push(&stack, return_bare, seen));
    CHECK_EQ(eddy_exit_stack_close(&stack, -EDOM), -EIO);
    CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
}

/* A-STACK-7: a closed stack is empty; closing it again runs nothing; it can be refilled. */
TEST(exit_stack_is_empty_after_its_close)
{
    EDDY_EXIT_STACK(stack);

    CHECK_EQ(eddy_exit_stack_close(&stack, -EIO), -EIO);
    CHECK_OK(eddy_exit_stack_callback(&stack, leave, LETTER('a')));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), 0);
    CHECK_EQ(eddy_exit_stack_close(&stack, 3), 3);
    CHECK_STR(trace, "a");
    CHECK_OK(eddy_exit_stack_callback(&stack, leave, LETTER('b')));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), 0);
    CHECK_STR(trace, "ab");
}

/* A-STACK-9: each exit runs even if an earlier one failed. */
TEST(exit_stack_runs_all_exits_although_some_fail)
{
    EDDY_EXIT_STACK(stack);

    for (int i = 0; i < 5; i++) {
        CHECK_OK(eddy_exit_stack_push(&stack, replace, LETTER('a')));
        CHECK_OK(eddy_exit_stack_callback(&stack, leave_failing, LETTER('b')));
    }
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), -EPIPE);
    CHECK_STR(trace, "bababababa");
}

static int wait_with_exits(bool close)
{
    EDDY_EXIT_STACK(stack);

    EDDY_TRY(eddy_exit_stack_push(&stack, wait_and_keep, LETTER('a')));
    EDDY_TRY(eddy_exit_stack_callback(&stack, wait_and_leave, LETTER('b')));
    EDDY_TRY(eddy_exit_stack_push(&stack, wait_and_keep, LETTER('c')));
    int rc = eddy_sleep(100);

    return close ? eddy_exit_stack_close(&stack, rc) : rc;
}
EDDY_ASYNC(wait_with_exits, bool);

/* Promise 2: exits run in full, shielded, in a cancelled task, and again when it is
 * cancelled while they run. */
TEST(exit_stack_of_a_cancelled_task_lets_its_exits_wait)
{
    for (int close = 0; close < 2; close++) {
        double start = eddy_time();
        EDDY_TASK task = eddy_create_task(wait_with_exits, close);

        memset(trace, 0, sizeof trace);
        CHECK_OK(eddy_sleep(1));
        CHECK_OK(eddy_cancel(task));
        CHECK_OK(eddy_sleep(1.5));
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
        CHECK_STR(trace, "cba");
        CHECK(eddy_time() == start + 4);
        CHECK_EQ(given, -ECANCELED);
    }
}

/* The same when the time is up: who closes knows the true code. */
TEST(exit_stack_lets_its_exits_wait_when_the_time_is_up)
{
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(wait_with_exits(true), -ETIMEDOUT);
        CHECK_EQ(given, -ETIMEDOUT);
        CHECK_EQ(wait_with_exits(false), -ETIMEDOUT);
        CHECK_EQ(given, -ECANCELED);
    }
    CHECK_STR(trace, "cbacba");
}

static int close_when_cancelled(int *rc)
{
    EDDY_EXIT_STACK(stack);

    eddy_cancel(eddy_current_task());
    EDDY_TRY(eddy_exit_stack_push(&stack, wait_and_keep, LETTER('a')));
    *rc = eddy_exit_stack_close(&stack, 0);
    REQUIRE(eddy_sleep(0) == -ECANCELED); /* held back, not lost */
    return 0;
}
EDDY_ASYNC(close_when_cancelled, int *);

/* Promise 2: neither push nor close is refused in a cancelled task. */
TEST(exit_stack_is_filled_and_closed_in_a_cancelled_task)
{
    int rc = -1;
    EDDY_TASK task = eddy_create_task(close_when_cancelled, &rc);

    CHECK_OK(eddy_await(task));
    CHECK_OK(rc);
    CHECK_STR(trace, "a");
}

/* Moving -------------------------------------------------------------------- */

struct thing {
    int open;
};

static int things_open;

static int thing_open(struct thing *thing, bool fail)
{
    EDDY_TRY(eddy_sleep(0.1));
    if (fail)
        return eddy_raise(-ECONNREFUSED, "refused");
    thing->open++;
    things_open++;
    return 0;
}

static int thing_close(struct thing *thing)
{
    int rc = eddy_sleep(0.1);

    thing->open--;
    things_open--;
    return rc;
}

/* Opens all or none. */
static int open_all(struct thing *things, int count, int failing, eddy_exit_stack *out)
{
    EDDY_EXIT_STACK(opened);

    for (int i = 0; i < count; i++) {
        EDDY_TRY(thing_open(&things[i], i == failing));
        EDDY_TRY(eddy_exit_stack_callback(&opened, thing_close, &things[i]));
    }
    return eddy_exit_stack_pop_all(&opened, out);
}

/* A-STACK-5, -7: open all or none: what was opened is the caller's, or closed again. */
TEST(exit_stack_opens_all_or_none)
{
    static struct thing things[20];

    for (int count = 0; count <= 20; count += 5) {
        EDDY_EXIT_STACK(stack);

        CHECK_OK(open_all(things, count, -1, &stack));
        CHECK_EQ(things_open, count);
        CHECK_OK(eddy_exit_stack_close(&stack, 0));
        CHECK_EQ(things_open, 0);
        CHECK_EQ(open_all(things, count + 1, count, &stack), -ECONNREFUSED);
        CHECK_STR(eddy_error_message(-ECONNREFUSED), "refused");
        CHECK_EQ(things_open, 0);
    }
}

static int move_and_return(eddy_exit_stack *out, int rc)
{
    EDDY_EXIT_STACK(stack);

    EDDY_TRY(eddy_exit_stack_push(&stack, keep, LETTER('a')));
    EDDY_TRY(eddy_exit_stack_pop_all(&stack, out));
    EDDY_TRY(eddy_exit_stack_push(&stack, keep, LETTER('b')));
    return rc;
}

/* A-STACK-7: after the move an early return runs only what came behind it. */
TEST(exit_stack_that_was_moved_is_not_unwound_by_its_block)
{
    EDDY_EXIT_STACK(stack);

    CHECK_EQ(move_and_return(&stack, -EIO), -EIO);
    CHECK_STR(trace, "b");
    CHECK_EQ(given, -ECANCELED);
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), 0);
    CHECK_STR(trace, "ba");
    CHECK_EQ(given, 0);
}

static int order[3000], ordered;

static int note_order(const int *number)
{
    order[ordered++] = *number;
    return 0;
}

static int numbers[3000];

/* Pushes `count` numbers from `first` on. */
static int push_numbers(eddy_exit_stack *stack, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        numbers[i] = i;
        EDDY_TRY(eddy_exit_stack_callback(stack, note_order, &numbers[i]));
    }
    return 0;
}

/* The move puts everything on top of what the other stack holds, however many. */
TEST(exit_stack_is_moved_on_top_of_another)
{
    static const int counts[][2] = {{0, 3}, {3, 0}, {3, 4}, {5, 8}, {8, 9}, {30, 40}, {40, 3}};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        EDDY_EXIT_STACK(from);
        EDDY_EXIT_STACK(to);
        int below = counts[i][0], all = below + counts[i][1];

        CHECK_OK(push_numbers(&to, 0, below));
        CHECK_OK(push_numbers(&from, below, all - below));
        CHECK_OK(eddy_exit_stack_pop_all(&from, &to));
        CHECK_OK(eddy_exit_stack_pop_all(&to, &to)); /* to itself: as it was */
        ordered = 0;
        CHECK_OK(eddy_exit_stack_close(&from, 0));
        CHECK_EQ(ordered, 0);
        CHECK_OK(eddy_exit_stack_close(&to, 0));
        CHECK_EQ(ordered, all);
        for (int k = 0; k < all; k++)
            CHECK_EQ(order[k], all - 1 - k);
    }
}

/* Many. */
TEST(exit_stack_holds_a_thousand_exits)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(push_numbers(&stack, 0, 1000));
    CHECK_OK(eddy_exit_stack_close(&stack, 0));
    CHECK_EQ(ordered, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(order[i], 999 - i);
    ordered = 0;
    {
        EDDY_EXIT_STACK(unwound);
        CHECK_OK(push_numbers(&unwound, 0, 1000));
    }
    CHECK_EQ(ordered, 1000);
}

/* A stack of eight allocates nothing, nor does a move into an empty one. */
TEST(exit_stack_of_eight_allocates_nothing)
{
    EDDY_EXIT_STACK(from);
    EDDY_EXIT_STACK(to);

    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_OK(push_numbers(&from, 0, 8));
    CHECK_OK(eddy_exit_stack_pop_all(&from, &to));
    CHECK_OK(eddy_exit_stack_close(&to, 0));
    CHECK_EQ(ed_fault_set(ED_FAULT_ALLOC, 0, 0), 0);
    CHECK_EQ(ordered, 8);
}

/* A stack that is part of something else, which owns it. */
struct owner {
    eddy_exit_stack open;
    struct thing things[3];
};

static int owner_open(struct owner *owner)
{
    owner->open = (eddy_exit_stack)EDDY_EXIT_STACK_INIT;
    return open_all(owner->things, 3, -1, &owner->open);
}

static int owner_close(struct owner *owner)
{
    return eddy_exit_stack_close(&owner->open, 0);
}

/* A-STACK-8: an object may keep a stack, and close it when it is closed. */
TEST(exit_stack_may_be_part_of_an_object)
{
    struct owner owner;

    CHECK_OK(owner_open(&owner));
    int opened = things_open;
    int rc = owner_close(&owner);
    CHECK_EQ(opened, 3);
    CHECK_OK(rc);
    CHECK_EQ(things_open, 0);
}

/* Exits that use their own stack ----------------------------------------------- */

static int push_another(eddy_exit_stack *stack, int rc)
{
    note('p');
    return eddy_exit_stack_push(stack, replace, LETTER('z')) < 0 ? -ENOMEM : rc;
}

static int close_the_rest(eddy_exit_stack *stack, int rc)
{
    note('r');
    return eddy_exit_stack_close(stack, rc);
}

/* What an exit puts on the stack runs next; one may close the rest; none runs twice. */
TEST(exit_stack_may_be_used_by_its_exits)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(eddy_exit_stack_push(&stack, keep, LETTER('a')));
    CHECK_OK(eddy_exit_stack_push(&stack, push_another, &stack));
    CHECK_EQ(eddy_exit_stack_close(&stack, 0), -EPIPE);
    CHECK_STR(trace, "pza");
    CHECK_EQ(given, -EPIPE);

    for (int i = 0; i < 12; i++)
        CHECK_OK(eddy_exit_stack_push(&stack, keep, LETTER('b')));
    CHECK_OK(eddy_exit_stack_push(&stack, close_the_rest, &stack));
    CHECK_EQ(eddy_exit_stack_close(&stack, -EIO), -EIO);
    CHECK_STR(trace, "pzarbbbbbbbbbbbb");
}

/* Generators ---------------------------------------------------------------- */

static int count_with_exits(eddy_generator *g)
{
    EDDY_EXIT_STACK(stack);

    for (int i = 0;; i++) {
        EDDY_TRY(eddy_exit_stack_push(&stack, wait_and_keep, LETTER('a')));
        EDDY_TRY(eddy_yield(g, &i));
    }
}
EDDY_ASYNC_GENERATOR(int, count_with_exits);

/* It has no scope while it does not run: it may be open across a yield. */
TEST(exit_stack_may_be_open_across_a_yield)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_with_exits)) {
        EDDY_TIMEOUT(limit, 5);
        if (value == 10)
            break;
    }
    CHECK_OK(rc);
    CHECK(strcmp(trace, "aaaaaaaaaaa") == 0 || test_is_cancelled());
}

/* Outside a task ------------------------------------------------------------- */

/* Plain code may use one too, with exits that do not wait. */
RAW_TEST(exit_stack_works_outside_a_task)
{
    EDDY_EXIT_STACK(stack);

    CHECK_OK(push_numbers(&stack, 0, 20));
    CHECK_OK(eddy_exit_stack_push(&stack, read_text, seen));
    CHECK_EQ(eddy_exit_stack_close(&stack, eddy_raise(-EIO, "the reason")), -EIO);
    CHECK_STR(seen, "the reason");
    CHECK_STR(eddy_error_message(-EIO), "the reason");
    CHECK_EQ(ordered, 20);
}

/* No memory ------------------------------------------------------------------- */

static int fill_without_memory(bool callback)
{
    EDDY_EXIT_STACK(stack);

    for (int i = 0; i < 8; i++)
        EDDY_TRY(eddy_exit_stack_push(&stack, keep, LETTER('a')));
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    int rc = callback ? eddy_exit_stack_callback(&stack, wait_and_leave, LETTER('b'))
                      : eddy_exit_stack_push(&stack, replace, LETTER('c'));
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    note('-');
    return rc;
}

/* What cannot be kept is run at once, so that nothing is leaked; the rest as ever. */
TEST(exit_stack_without_memory_runs_the_exit_at_once)
{
    CHECK_EQ(fill_without_memory(true), -ENOMEM);
    CHECK(strcmp(trace, "b-aaaaaaaa") == 0 || test_is_cancelled());
    memset(trace, 0, sizeof trace);
    CHECK_EQ(fill_without_memory(false), -ENOMEM);
    CHECK_STR(trace, "c-aaaaaaaa");
    CHECK_STR(eddy_error_message(-ENOMEM), eddy_strerror(-ENOMEM));
}

/* A move that finds no memory leaves both as they were. */
TEST(exit_stack_that_cannot_be_moved_stays)
{
    EDDY_EXIT_STACK(from);
    EDDY_EXIT_STACK(to);

    CHECK_OK(push_numbers(&to, 0, 5));
    CHECK_OK(push_numbers(&from, 5, 5));
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    int rc = eddy_exit_stack_pop_all(&from, &to);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(rc, -ENOMEM);
    CHECK_OK(eddy_exit_stack_close(&from, 0));
    CHECK_EQ(ordered, 5);
    CHECK_EQ(order[0], 9);
    CHECK_OK(eddy_exit_stack_close(&to, 0));
    CHECK_EQ(ordered, 10);
}

static int open_many_without(uint64_t nth, int *rc)
{
    static struct thing things[50];
    EDDY_EXIT_STACK(stack);

    ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
    *rc = open_all(things, 20, -1, &stack);
    if (*rc == 0)
        *rc = open_all(things + 20, 30, -1, &stack);
    return (int)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
}

/* Every allocation fails once: nothing stays open. */
TEST(exit_stack_survives_the_failure_of_each_allocation)
{
    int rc = -ENOMEM, counted;

    for (uint64_t nth = 1; rc < 0; nth++) {
        counted = open_many_without(nth, &rc);
        CHECK(rc == (counted < (int)nth ? 0 : -ENOMEM));
        CHECK_EQ(things_open, 0);
        CHECK(nth < 100);
    }
}

/* Misuse ---------------------------------------------------------------------- */

static int misuse(int which)
{
    eddy_exit_stack first = EDDY_EXIT_STACK_INIT, second;

    EDDY_TRY(eddy_exit_stack_callback(&first, leave, LETTER('a')));
    second = first;
    if (which == 0)
        return eddy_exit_stack_close(&second, 0);
    if (which == 1)
        return eddy_exit_stack_callback(&second, leave, LETTER('b'));
    if (which == 2)
        return eddy_exit_stack_pop_all(&second, &first);
    return eddy_exit_stack_pop_all(&first, &second);
}
EDDY_ASYNC(misuse, int);

static int yield_in_an_exit(eddy_generator *g, int rc)
{
    (void)eddy_yield(g, &rc);
    return rc;
}

static int yield_while_it_unwinds(eddy_generator *g)
{
    EDDY_EXIT_STACK(stack);

    EDDY_TRY(eddy_exit_stack_push(&stack, yield_in_an_exit, g));
    return 0;
}
EDDY_ASYNC_GENERATOR(int, yield_while_it_unwinds);

static int ask(void)
{
    EDDY_GENERATOR g = eddy_generate(yield_while_it_unwinds);
    int value;

    return eddy_next(g, &value);
}
EDDY_ASYNC(ask);

static int which_misuse;

static void run_misuse(void)
{
    (void)(which_misuse < 4 ? eddy_run(misuse, which_misuse) : eddy_run(ask));
}

/* A copy would run everything twice; an exit that yields would hold the shield open. */
RAW_TEST(exit_stack_misuse_aborts_with_a_sentence)
{
    for (which_misuse = 0; which_misuse < 4; which_misuse++)
        CHECK_DIES(run_misuse,
                   "an exit stack was copied with the exits in it: eddy_exit_stack_pop_all");
    CHECK_DIES(run_misuse, "yields inside a scope");
}
