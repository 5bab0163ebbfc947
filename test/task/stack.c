/* SPDX-License-Identifier: MIT */
/* Stacks: sizes, guards, colours, reuse, and how many there can be. Promise 9. */
#include "harness.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compat.h"
#include "task/stack.h"
#include "task/task.h"

#define KIB ((size_t)1024)

static struct ed_stacks pool;

static struct ed_stack *take(size_t size)
{
    unsigned class = ed_stack_class(size);
    struct ed_stack *stack =
        class < ED_STACK_CLASSES ? ed_stack_take(&pool, class, ED_STACK_TASK) : NULL;

    if (!stack)
        test_fail(__FILE__, __LINE__, "no stack of %zu bytes", size);
    return stack;
}

static void give(struct ed_stack *stack)
{
    ed_stack_give(&pool, stack);
}

static size_t mapped(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.stacks;
}

/* Every size that is asked for is there, and lies where the stack says. */
RAW_TEST(a_stack_has_at_least_the_size_asked_for)
{
    static const size_t sizes[] = {1,         4 * KIB,    64 * KIB,   64 * KIB + 1,   192 * KIB,
                                   200 * KIB, 1024 * KIB, 8192 * KIB, 100 * KIB * KIB};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ed_stack *stack = take(sizes[i]);
        char *bottom = ed_stack_bottom(stack);

        CHECK(ed_stack_size(stack) >= sizes[i]);
        CHECK(bottom < (char *)stack && (char *)stack < bottom + ed_stack_size(stack));
        bottom[0] = 1; /* its lowest byte can be written */
        CHECK(ed_stack_by_guard(&pool, bottom - 1) == stack);
        CHECK(ed_stack_by_guard(&pool, bottom - ED_STACK_GUARD) == stack);
        CHECK(ed_stack_by_guard(&pool, bottom) == NULL);
        give(stack);
    }
    ed_stacks_close(&pool);
}

/* What is larger than a gigabyte is refused. */
RAW_TEST(a_stack_that_is_too_large_is_refused)
{
    CHECK_EQ(ed_stack_class(((size_t)1 << 30) - ED_STACK_GUARD), ED_STACK_CLASSES - 1);
    CHECK_EQ(ed_stack_class(((size_t)1 << 30) - ED_STACK_GUARD + 1), ED_STACK_CLASSES);
    CHECK_EQ(ed_stack_class(SIZE_MAX), ED_STACK_CLASSES);
    CHECK_EQ(ed_stack_class(EDDY_STACK_SIZE), ED_STACK_CLASS_DEFAULT);
}

static int nothing(void)
{
    return 0;
}
EDDY_ASYNC(nothing);

/* The same for a task: NULL, and the reason. */
TEST(a_task_with_too_large_a_stack_is_refused_with_the_size)
{
    CHECK(!eddy_create_task_with((&(eddy_task_options){.stack_size = (size_t)1 << 40}), nothing));
    CHECK_STR(eddy_error_message(-EINVAL), "a stack of 1099511627776 bytes is too large");
    CHECK_EQ(eddy_all_tasks(NULL, 0), 1);
}

static void write_at(char *place)
{
    *(volatile char *)place = 1;
}

static char *victim;

static void touch_victim(void)
{
    write_at(victim);
}

static void check_guard(struct ed_stack *stack)
{
    char text[4096];
    int status;

    for (size_t below = 1; below <= ED_STACK_GUARD; below += ED_STACK_GUARD / 4 - 1) {
        victim = ed_stack_bottom(stack) - below;
        status = test_fork(touch_victim, text, sizeof text);
        CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
}

/* Under every stack lie 64 KiB that cannot be touched. */
RAW_TEST(every_stack_has_its_guard)
{
    struct ed_stack *stacks[5];

    for (int i = 0; i < 5; i++)
        stacks[i] = take(EDDY_STACK_SIZE);
    for (int i = 0; i < 5; i += 2)
        check_guard(stacks[i]);
    give(stacks[2]);
    CHECK(take(EDDY_STACK_SIZE) == stacks[2]);
    check_guard(stacks[2]); /* also when it is used again */
    for (int i = 0; i < 5; i++)
        give(stacks[i]);
    ed_stacks_close(&pool);
}

/* As on a kernel before 6.13, or under a filter that knows no guards: madvise(2) with
 * advice 102 fails. */
static void deny_guards(int error)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        test_skip("seccomp is not permitted here");
}

/* Where the kernel has no guards, mprotect(2) makes them. */
RAW_TEST(every_stack_has_its_guard_on_an_old_kernel)
{
    struct ed_stack *stacks[3];

    deny_guards(EINVAL);
    for (int i = 0; i < 3; i++)
        stacks[i] = take(EDDY_STACK_SIZE);
    for (int i = 0; i < 3; i++)
        check_guard(stacks[i]);
    for (int i = 0; i < 3; i++)
        give(stacks[i]);
    ed_stacks_close(&pool);
}

RAW_TEST(every_stack_has_its_guard_under_a_strict_filter)
{
    struct ed_stack *stack;

    deny_guards(EPERM);
    stack = take(EDDY_STACK_SIZE);
    check_guard(stack);
    give(stack);
    ed_stacks_close(&pool);
}

/* Neighbouring stacks begin at different cache lines of a page. */
RAW_TEST(the_tops_of_stacks_are_coloured)
{
    struct ed_stack *stacks[32];
    bool used[64] = {false};

    for (int i = 0; i < 32; i++) {
        stacks[i] = take(EDDY_STACK_SIZE);
        CHECK_EQ((uintptr_t)stacks[i] % 64, 0);
        CHECK(!used[(uintptr_t)stacks[i] / 64 % 64]);
        used[(uintptr_t)stacks[i] / 64 % 64] = true;
    }
    for (int i = 0; i < 32; i++)
        give(stacks[i]);
    ed_stacks_close(&pool);
}

/* The stack given back last is taken first: its pages are warm. */
RAW_TEST(stacks_are_used_again_last_in_first_out)
{
    struct ed_stack *a = take(EDDY_STACK_SIZE), *b = take(EDDY_STACK_SIZE);

    give(a);
    give(b);
    CHECK(take(EDDY_STACK_SIZE) == b);
    CHECK(take(EDDY_STACK_SIZE) == a);
    CHECK_EQ(mapped(), 2);
    give(a);
    give(b);
    ed_stacks_close(&pool);
    CHECK_EQ(mapped(), 0);
}

/* Slabs that are empty are unmapped, but for one of each size. */
RAW_TEST(empty_slabs_are_unmapped_but_one)
{
    enum { COUNT = 20 };
    struct ed_stack *stacks[COUNT];

    for (int i = 0; i < COUNT; i++) /* two in a slab of 256 MiB */
        stacks[i] = take(100 * KIB * KIB);
    CHECK_EQ(mapped(), COUNT);
    for (int i = 0; i < COUNT; i++)
        give(stacks[i]);
    CHECK(mapped() <= 2);
    ed_stacks_close(&pool);
    CHECK_EQ(mapped(), 0);
}

/* The walk over stacks in use meets each once. */
RAW_TEST(the_walk_meets_each_used_stack_once)
{
    enum { COUNT = 100 };
    struct ed_stack *stacks[COUNT], *stack;
    size_t seen = 0;

    for (int i = 0; i < COUNT; i++)
        stacks[i] = take(i % 3 == 0 ? 1 : i % 3 == 1 ? EDDY_STACK_SIZE : 50 * KIB * KIB);
    for (int i = 0; i < COUNT; i += 2)
        give(stacks[i]);
    for (stack = ed_stack_next(&pool, NULL); stack; stack = ed_stack_next(&pool, stack)) {
        bool known = false;

        for (int i = 1; i < COUNT; i += 2)
            known |= stacks[i] == stack;
        CHECK(known);
        seen++;
    }
    CHECK_EQ(seen, COUNT / 2);
    for (int i = 1; i < COUNT; i += 2)
        give(stacks[i]);
    CHECK(!ed_stack_next(&pool, NULL));
    ed_stacks_close(&pool);
}

/* Tasks on their stacks ----------------------------------------------------- */

static int recurse(int depth)
{
    volatile char frame[1000];

    memset((char *)frame, depth, sizeof frame);
    if (depth > 1 && recurse(depth - 1) != depth - 1)
        return -EINVAL;
    return frame[500] == (char)depth ? depth : -EINVAL;
}

static int recurses(int depth)
{
    return recurse(depth);
}
EDDY_ASYNC(recurses, int);

/* A recursion that fits passes, on the default stack and on a larger one. */
TEST(a_deep_recursion_that_fits_passes)
{
    int deep = test_is_slow() ? 60 : 160;
    EDDY_TASK plain = eddy_create_task(recurses, deep);
    EDDY_TASK large = eddy_create_task_with(
        (&(eddy_task_options){.stack_size = (size_t)64 * KIB * KIB}), recurses, deep * 300);

    CHECK_EQ(eddy_await(plain), deep);
    CHECK_EQ(eddy_await(large), deep * 300);
}

static int prints(void)
{
    char text[512];

    snprintf(text, sizeof text, "%f %Lg %-20s %a", 1e300 / 3, 1.0L / 3, "text", 0.1);
    printf("%f %.30g\n", 3.14159, 1e-300);
    return strlen(text) > 50 ? 0 : -EINVAL;
}
EDDY_ASYNC(prints);

static int looks_up(void)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    int rc = getaddrinfo("localhost", "80", &hints, &found);

    if (found)
        freeaddrinfo(found);
    return rc == 0 || rc == EAI_AGAIN ? 0 : eddy_raise(-EINVAL, "%s", gai_strerror(rc));
}
EDDY_ASYNC(looks_up);

/* The default stack is enough for the heaviest functions of the C library. */
TEST(printf_and_getaddrinfo_fit_on_the_default_stack)
{
    CHECK_OK(eddy_gather(EDDY_CALL(prints), EDDY_CALL(looks_up), EDDY_CALL(prints)));
}

static long resident(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && fscanf(file, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages;
}

static int sleeps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleeps, double);

/* A sleeping task occupies one page. */
TEST(a_sleeping_task_occupies_one_page)
{
    enum { COUNT = 5000 };

    if (test_is_slow())
        return; /* their frames are larger */
    EDDY_TASKS(tasks, COUNT);
    CHECK(tasks);
    long before = resident();
    for (int i = 0; i < COUNT; i++)
        tasks[i] = eddy_create_task(sleeps, 5.0);
    CHECK_OK(eddy_sleep(1));
    CHECK(resident() - before < COUNT + COUNT / 5);
}

/* Stacks of tasks that ended one after another are the same warm one. */
TEST(tasks_one_after_another_share_one_stack)
{
    size_t before = mapped();

    for (int i = 0; i < 1000; i++) {
        EDDY_TASK task = eddy_create_task(nothing);

        CHECK_OK(eddy_await(task));
    }
    CHECK(mapped() <= before + 1);
}

static int many(size_t count)
{
    EDDY_TASKS(tasks, count);
    if (!tasks)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        tasks[i] = eddy_create_task(sleeps, 1.0);
        if (!tasks[i])
            return -ENOMEM;
    }
    EDDY_TRY(eddy_sleep(2));
    for (size_t i = 0; i < count; i++)
        EDDY_TRY(eddy_await(tasks[i]));
    return 0;
}
EDDY_ASYNC(many, size_t);

/* More tasks than vm.max_map_count would allow mappings for, where the kernel makes
 * guards without them. */
RAW_TEST(more_tasks_than_mappings_can_wait_at_once)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool guards = madvise(page, 4096, 102) == 0;

    munmap(page, 4096);
    if (!guards)
        test_skip("this kernel has no MADV_GUARD_INSTALL (6.13)");
    CHECK_OK(eddy_run(many, (size_t)(test_is_slow() ? 1000 : 33000)));
}

static int until_refused(size_t limit, size_t *made)
{
    EDDY_TASKS(tasks, limit);
    if (!tasks)
        return -ENOMEM;
    for (*made = 0; *made < limit; ++*made) {
        tasks[*made] = eddy_create_task(nothing);
        if (!tasks[*made])
            break;
    }
    REQUIRE(*made < limit);
    REQUIRE(eddy_await(tasks[*made]) == -ENOMEM);
    return eddy_raise(-EBUSY, "%zu", *made);
}
EDDY_ASYNC(until_refused, size_t, size_t *);

static int says_why(size_t limit)
{
    EDDY_TASKS(tasks, limit);
    if (!tasks)
        return -ENOMEM;
    for (size_t i = 0; i < limit; i++) {
        tasks[i] = eddy_create_task(nothing);
        if (!tasks[i])
            return -ENOMEM;
    }
    return 0;
}
EDDY_ASYNC(says_why, size_t);

/* Promise 9: past the limit of the system creating fails with a hint; no stack is ever
 * without its guard, and afterwards all is as before. */
RAW_TEST(without_a_mapping_for_its_guard_a_task_is_refused_with_a_hint)
{
    size_t made = 0;

    if (test_is_slow())
        return; /* shadow memory has mappings of its own */
    deny_guards(EINVAL);
    CHECK_EQ(eddy_run(until_refused, (size_t)100000, &made), -EBUSY);
    CHECK(made > 10000);
    CHECK_EQ(eddy_run(says_why, (size_t)100000), -ENOMEM);
    CHECK_HAS(eddy_error_message(-ENOMEM), "vm.max_map_count");
    CHECK_OK(eddy_run(nothing));
}

/* Without address space for a slab creating fails as well. */
RAW_TEST(without_address_space_a_task_is_refused)
{
    struct rlimit limit = {(rlim_t)512 << 20, (rlim_t)512 << 20};

    if (test_is_slow())
        return; /* sanitizers need terabytes */
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    CHECK_EQ(eddy_run(says_why, (size_t)5000), -ENOMEM);
    CHECK_HAS(eddy_error_message(-ENOMEM), "no memory for another task");
    CHECK_OK(eddy_run(nothing));
}

static int sleeps_a_second(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(sleeps_a_second);

enum { CROWD = 5000 };

static size_t stacks_now(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.stacks;
}

/* A task that frees itself runs on its stack meanwhile: its slab was never unmapped. */
TEST(stacks_of_children_and_of_detached_tasks_are_given_back)
{
    size_t before = stacks_now();
    {
        EDDY_GROUP(group);

        for (int i = 0; i < CROWD; i++)
            CHECK_OK(eddy_group_create_task(&group, sleeps_a_second));
        CHECK(stacks_now() >= CROWD);
        CHECK_OK(eddy_group_join(&group));
    }
    CHECK(stacks_now() < before + CROWD / 2);
    for (int i = 0; i < CROWD; i++) {
        eddy_task *task = eddy_create_task(sleeps_a_second);

        CHECK(task);
        eddy_task_detach(&task);
    }
    CHECK_OK(eddy_sleep(2));
    CHECK(stacks_now() < before + CROWD / 2);
}

static int trimmed_sleeper(void)
{
    volatile int value = 42;
    int rc = eddy_sleep(10);

    return rc < 0 ? rc : value == 42 ? 0 : -EINVAL;
}
EDDY_ASYNC(trimmed_sleeper);

/* A task that waits gives back what it does not use, and goes on as if nothing had been. */
TEST(a_waiting_tasks_stack_is_trimmed)
{
    unsigned char pages[32];
    size_t resident = 0;
    char *bottom;
    EDDY_TASK task = eddy_create_task(trimmed_sleeper);

    test_settle();
    bottom = ed_stack_bottom(&task->stack);
    memset(bottom + 4096 * 4, 1, 4096 * 16); /* as if it had been deep */
    eddy_task_trim_(task);
    CHECK_OK(mincore(bottom, sizeof pages * 4096, pages));
    for (size_t i = 0; i < sizeof pages; i++)
        resident += pages[i] & 1u;
    CHECK_EQ(resident, 0);
    eddy_task_trim_(eddy_current_task());
    CHECK_OK(eddy_await(task));
}
