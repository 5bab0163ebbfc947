/* SPDX-License-Identifier: MIT */
/*
 * Stack overflows: a sentence before the process dies of SIGSEGV.
 *
 * A loop's thread gets an alternate signal stack while it runs. The handler only
 * looks whether the address lies in a guard of this thread's stacks, writes who
 * it was, and lets the fault happen again with the default action. A handler that
 * the program has installed is left alone.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "task/task.h"

#define OVERFLOW_STACK ((size_t)32 * 1024)

static pthread_mutex_t overflow_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t overflow_users; /* threads that run a loop */
static struct sigaction overflow_before;

static __thread struct ed_tasks *overflow_tasks;
static __thread void *overflow_stack;
static __thread stack_t overflow_stack_before;

/* Text made without the C library's printf, which signals must not use. */
struct overflow_text {
    char bytes[512];
    size_t length;
};

static void text_add(struct overflow_text *text, const char *part)
{
    while (*part && text->length < sizeof text->bytes)
        text->bytes[text->length++] = *part++;
}

static void text_add_number(struct overflow_text *text, size_t number)
{
    char digits[24], *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = (char)('0' + number % 10);
    while (number /= 10);
    text_add(text, p);
}

static void overflow_report(struct ed_stack *stack)
{
    struct overflow_text text = {.length = 0};
    const char *name, *where;

    if (stack->use == ED_STACK_GENERATOR) {
        name = ed_generator_name(stack, &where);
        text_add(&text, "eddy: stack overflow in generator ");
        text_add(&text, name);
    } else {
        eddy_task *task = ed_container_of(stack, eddy_task, stack);

        where = task->where;
        text_add(&text, "eddy: stack overflow in task ");
        if (task->name[0]) {
            text_add(&text, task->name);
        } else {
            text_add(&text, "Task-");
            text_add_number(&text, (size_t)task->id);
        }
        text_add(&text, ", ");
        text_add(&text, task->function->name);
    }
    text_add(&text, "(), created at ");
    text_add(&text, where);
    text_add(&text, ": its stack of ");
    text_add_number(&text, ed_stack_size(stack) / 1024);
    text_add(&text, " KiB is full; eddy_task_options.stack_size gives a task a larger one\n");
    if (write(STDERR_FILENO, text.bytes, text.length) < 0)
        return; /* nowhere to say it */
}

static void overflow_signal(int number, siginfo_t *info, void *context)
{
    struct ed_stack *stack =
        overflow_tasks ? ed_stack_by_guard(&overflow_tasks->stacks, info->si_addr) : NULL;

    (void)context;
    if (stack)
        overflow_report(stack);
    signal(number, SIG_DFL); /* returning repeats a fault */
    if (info->si_code <= 0)
        raise(number); /* but not a signal that was sent */
}

static void overflow_install(void)
{
    struct sigaction action = {.sa_sigaction = overflow_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, NULL, &overflow_before) == 0 &&
        !(overflow_before.sa_flags & SA_SIGINFO) && overflow_before.sa_handler == SIG_DFL)
        sigaction(SIGSEGV, &action, NULL);
}

static void overflow_uninstall(void)
{
    struct sigaction now;

    if (sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == overflow_signal)
        sigaction(SIGSEGV, &overflow_before, NULL);
}

void ed_overflow_watch(struct ed_tasks *tasks)
{
    stack_t stack = {.ss_size = OVERFLOW_STACK};

    if (!tasks || overflow_tasks || ED_FIBERS)
        return; /* sanitizers report overflows themselves */
    stack.ss_sp = overflow_stack = ed_alloc(OVERFLOW_STACK);
    if (!stack.ss_sp)
        return; /* then an overflow is a plain SIGSEGV */
    if (sigaltstack(&stack, &overflow_stack_before) < 0) {
        ed_free(overflow_stack);
        return;
    }
    overflow_tasks = tasks;
    pthread_mutex_lock(&overflow_mutex);
    if (overflow_users++ == 0)
        overflow_install();
    pthread_mutex_unlock(&overflow_mutex);
}

void ed_overflow_forget(void)
{
    if (overflow_users > 0)
        overflow_uninstall();
    overflow_users = 0;
    overflow_tasks = NULL;
    pthread_mutex_init(&overflow_mutex, NULL); /* another thread may have held it */
}

void ed_overflow_unwatch(void)
{
    if (!overflow_tasks)
        return;
    pthread_mutex_lock(&overflow_mutex);
    if (--overflow_users == 0)
        overflow_uninstall();
    pthread_mutex_unlock(&overflow_mutex);
    overflow_tasks = NULL;
    sigaltstack(&overflow_stack_before, NULL);
    ed_free(overflow_stack);
}
