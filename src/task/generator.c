/* SPDX-License-Identifier: MIT */
/*
 * Generators: a second stack that runs in the place of its caller.
 *
 * Asking for a value switches from the caller's stack to the body's, and a yield
 * switches back; the running task stays the same. When the body waits, the task
 * parks on the body's stack, and goes on there. So a body needs no scheduling,
 * and whatever task asks next lends it its identity.
 *
 *   created --next--> running <--next / yield--> suspended
 *                        |                           |
 *                        +--> ended <-- closing <----+ close
 *
 * The inline paths of eddy/generator.h do exactly what the functions here do
 * between suspended and running. Plain next and yield know nothing of values that are
 * sent and of errors that are thrown: a sent value lies with the sender, who waits in
 * eddy_send until the next yield and then forgets it, so that a yield that was asked
 * otherwise finds none. A throw resumes the body in the state `thrown`, which no inline path
 * knows, so that the pending yield comes to eddy_generator_yield for its code.
 */
#include "eddy/generator.h"

#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "base/stats.h"
#include "task/park.h"
#include "task/scope.h"

struct generator {
    eddy_generator head; /* what the inline paths know */
    eddy_generator_entry *entry;
    const char *name, *where;
    uint64_t number;               /* in the order of their making */
    struct ed_fiber *caller_fiber; /* while the body runs */
    int rc;                        /* once ended, until it was told */
    void (*drop)(void *args);      /* of one that never starts, or NULL */
    alignas(16) unsigned char args[EDDY_ARGS_MAX];
    struct ed_stack stack;
};

static struct generator *generator_of(eddy_generator *head)
{
    return ed_container_of(head, struct generator, head);
}

/* Whether a task is inside the body. */
static bool generator_running(const eddy_generator *g)
{
    return g->state == EDDY_GENERATOR_RUNNING_ || g->state == EDDY_GENERATOR_CLOSING_ ||
           g->state == EDDY_GENERATOR_THROWN_;
}

/* From the body to whoever asked. */
static void generator_leave(struct generator *g, bool last)
{
    ed_switch(&g->head.body, &g->head.caller, g->caller_fiber, last);
}

/* From whoever asks into the body. */
static void generator_enter(struct generator *g)
{
    g->caller_fiber = ed_fiber_now;
    g->head.scope = eddy_thread_.task->scope;
    ed_switch(&g->head.caller, &g->head.body, &g->stack.fiber, false);
}

/* The generator that starts: handed over where no argument can be. */
static __thread struct generator *generator_starting;

/* The first frame of every body. */
static _Noreturn void generator_main(void)
{
    struct generator *g = generator_starting;

    ed_fiber_entered();
    g->rc = g->entry(&g->head, g->args);
    ed_stack_left(&g->stack, g->where);
    g->head.state = EDDY_GENERATOR_ENDED_;
    generator_leave(g, true);
    ed_die("a generator that had ended was resumed");
}

eddy_generator *eddy_generator_create(eddy_generator_entry *body, const void *args,
                                      size_t args_size, size_t item_size, const char *name,
                                      const char *where)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct ed_tasks *tasks = loop ? ed_tasks_of(loop) : NULL;
    struct ed_stack *stack;
    struct generator *g;
    char *top;

    if (!loop || args_size > EDDY_ARGS_MAX) {
        ed_raise(loop ? -EINVAL : -EPERM, "generator %s(): %s", name,
                 loop ? "its arguments are too large" : "created outside a running loop");
        return NULL;
    }
    stack =
        tasks ? ed_stack_take(&tasks->stacks, ED_STACK_CLASS_DEFAULT, ED_STACK_GENERATOR) : NULL;
    if (!stack) {
        ed_raise(-ENOMEM, "generator %s(): no memory for its stack", name);
        return NULL;
    }
    g = ed_container_of(stack, struct generator, stack);
    memset(g, 0, offsetof(struct generator, args));
    g->head.item_size = item_size;
    g->head.loop = loop;
    g->entry = body;
    g->name = name;
    g->where = where;
    g->number = ++tasks->marks;
    if (args_size)
        memcpy(g->args, args, args_size);
    top = (char *)g - 16;
    top -= (uintptr_t)top & 15;
    memset(top, 0, 16); /* ends backtraces */
    g->head.body = (struct eddy_context_){top + sizeof(void *) * EDDY_ENTRY_WORDS_,
                                          (void *)generator_main, NULL};
    ed_count(&loop->generator_count, 1);
    return &g->head;
}

void eddy_generator_on_drop_(eddy_generator *head, void (*drop)(void *args))
{
    generator_of(head)->drop = drop;
}

/* Its arguments are not used any more, if it has not started. */
static void generator_drop(struct generator *g)
{
    if (g->head.state == EDDY_GENERATOR_CREATED_ && g->drop)
        g->drop(g->args);
}

/* What a body's return means to the caller of next: told once. */
int eddy_generator_ended_(eddy_generator *head)
{
    struct generator *g = generator_of(head);
    int rc = g->rc;

    g->rc = 0;
    return rc < 0 ? rc : 0;
}

/* Whether the running task may ask for a value: 0, or the error that it gets. */
static int generator_check(struct generator *g, size_t size)
{
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!g)
        return ed_fail(-ENOMEM);
    if (generator_running(&g->head))
        return ed_raise(-EBUSY, "another task is inside the generator %s() of %s", g->name,
                        g->where);
    if (g->head.loop != eddy_thread_.loop)
        return ed_raise(-EINVAL, "the generator %s() of %s belongs to another loop", g->name,
                        g->where);
    if (size != g->head.item_size)
        ed_die("the generator %s() of %s makes values of %zu bytes, but %zu were asked for",
               g->name, g->where, g->head.item_size, size);
    return 0;
}

/* Lets the body run on in the state RUNNING or THROWN, up to its next yield or its end. */
static int generator_ask(struct generator *g, void *out, int state)
{
    g->head.out = out;
    g->head.state = state;
    generator_enter(g);
    return g->head.state == EDDY_GENERATOR_SUSPENDED_ ? 1 : eddy_generator_ended_(&g->head);
}

int eddy_generator_next(eddy_generator *head, void *out, size_t size)
{
    struct generator *g = generator_of(head);
    int rc = generator_check(g, size);

    if (rc < 0)
        return rc;
    if (head->state == EDDY_GENERATOR_ENDED_)
        return eddy_generator_ended_(head);
    if (head->state == EDDY_GENERATOR_CREATED_)
        generator_starting = g;
    return generator_ask(g, out, EDDY_GENERATOR_RUNNING_);
}

int eddy_generator_send(eddy_generator *head, const void *value, size_t value_size, void *out,
                        size_t size)
{
    struct generator *g = generator_of(head);
    int rc = generator_check(g, size);

    if (rc < 0)
        return rc;
    if (head->state == EDDY_GENERATOR_ENDED_)
        return eddy_generator_ended_(head);
    if (head->state == EDDY_GENERATOR_CREATED_)
        return ed_raise(-EINVAL,
                        "eddy_send: the generator %s() of %s has not started: no yield waits for "
                        "a value",
                        g->name, g->where);
    head->sent = value;
    head->sent_size = value_size;
    rc = generator_ask(g, out, EDDY_GENERATOR_RUNNING_);
    head->sent = NULL;
    return rc;
}

int eddy_generator_throw(eddy_generator *head, int code, void *out, size_t size)
{
    struct generator *g = generator_of(head);
    int rc;

    if (code >= 0)
        ed_die("eddy_throw: the code %d is not negative", code);
    rc = generator_check(g, size);
    if (rc < 0)
        return rc;
    if (head->state != EDDY_GENERATOR_SUSPENDED_) {
        generator_drop(g);
        head->state = EDDY_GENERATOR_ENDED_;
        return code; /* with its text */
    }
    head->thrown = code;
    return generator_ask(g, out, EDDY_GENERATOR_THROWN_);
}

/* What the pending yield returns to a body that was resumed. */
static int generator_resumed(eddy_generator *head)
{
    if (head->state == EDDY_GENERATOR_RUNNING_)
        return 0;
    if (head->state == EDDY_GENERATOR_CLOSING_)
        return ed_fail(-ECANCELED);
    head->state = EDDY_GENERATOR_RUNNING_;
    return head->thrown; /* with its text */
}

int eddy_generator_yield(eddy_generator *head, const void *value, size_t size)
{
    struct generator *g = generator_of(head);

    if (head->state == EDDY_GENERATOR_CLOSING_ || head->state == EDDY_GENERATOR_THROWN_)
        return generator_resumed(head); /* refused, or resumed in the inline path */
    if (head->state != EDDY_GENERATOR_RUNNING_)
        ed_die("eddy_yield of %s() is called outside its body", g->name);
    if (size != head->item_size)
        ed_die("the generator %s() of %s makes values of %zu bytes, but yields %zu", g->name,
               g->where, head->item_size, size);
    if (eddy_thread_.task->scope != head->scope)
        ed_die("the generator %s() of %s yields inside a scope that it opened at %s: it would "
               "hit whoever runs then",
               g->name, g->where, eddy_thread_.task->scope ? eddy_thread_.task->scope->where : "?");
    memcpy(head->out, value, size);
    head->state = EDDY_GENERATOR_SUSPENDED_;
    generator_leave(g, false);
    return generator_resumed(head);
}

/* Takes what was sent with the request that the body answers. */
int eddy_generator_receive_(eddy_generator *head, void *received, size_t size)
{
    struct generator *g = generator_of(head);

    if (size != head->sent_size)
        ed_die("the generator %s() of %s receives values of %zu bytes, but %zu were sent", g->name,
               g->where, size, head->sent_size);
    memcpy(received, head->sent, size);
    head->sent = NULL;
    return 1;
}

int eddy_generator_yield_receive(eddy_generator *head, const void *item, size_t size,
                                 void *received, size_t received_size)
{
    int rc = eddy_generator_yield(head, item, size);

    return rc < 0 || !head->sent ? rc : eddy_generator_receive_(head, received, received_size);
}

int eddy_generator_close(eddy_generator *head)
{
    struct generator *g = generator_of(head);
    eddy_shield_scope shield;
    int rc;

    if (!head)
        return ed_fail(-ENOMEM);
    if (generator_running(head))
        return ed_raise(-EBUSY, "the generator %s() of %s is running", g->name, g->where);
    if (head->state == EDDY_GENERATOR_SUSPENDED_) {
        if (!eddy_thread_.task)
            ed_die("the generator %s() of %s is closed outside a task", g->name, g->where);
        ed_scope_enter(&shield.scope, ED_SCOPE_SHIELD, g->where);
        head->state = EDDY_GENERATOR_CLOSING_;
        generator_enter(g);
        ed_scope_exit(&shield.scope);
    }
    generator_drop(g);
    head->state = EDDY_GENERATOR_ENDED_;
    rc = eddy_generator_ended_(head);
    return rc == -ECANCELED ? 0 : rc;
}

void eddy_generator_free(eddy_generator *head)
{
    struct generator *g = generator_of(head);
    struct ed_tasks *tasks;

    if (!head)
        return;
    if (g->stack.use != ED_STACK_GENERATOR)
        ed_die("a generator is freed twice");
    if (eddy_generator_close(head) == -EBUSY)
        ed_die("the generator %s() of %s is freed while it runs", g->name, g->where);
    tasks = g->head.loop->tasks;
    ed_count(&g->head.loop->generator_count, -1);
    ed_stack_give(&tasks->stacks, &g->stack);
}

void eddy_generator_end_scope_(eddy_generator *const *g)
{
    struct ed_error *error = ed_error_set_aside(); /* the clean-up's do not hide the block's */

    eddy_generator_free(*g);
    ed_error_put_back(error);
}

/* The oldest generator that stands at a yield, or NULL. */
static struct generator *generators_oldest(struct ed_tasks *tasks)
{
    struct generator *oldest = NULL;
    struct ed_stack *stack = NULL;

    while ((stack = ed_stack_next(&tasks->stacks, stack))) {
        struct generator *g = ed_container_of(stack, struct generator, stack);

        if (stack->use == ED_STACK_GENERATOR && g->head.state == EDDY_GENERATOR_SUSPENDED_ &&
            (!oldest || g->number < oldest->number))
            oldest = g;
    }
    return oldest;
}

/* A task that closes the generators that the program left open: the oldest first,
 * since an older one's clean-up ends those that its body has made. */
static int generators_finish(void *args, void *result)
{
    struct ed_tasks *tasks = eddy_thread_.loop->tasks;
    struct generator *g;

    (void)args, (void)result;
    while ((g = generators_oldest(tasks))) {
        const char *name = g->name, *where = g->where;
        int rc = eddy_generator_close(&g->head);

        if (rc < 0)
            ed_loop_report(eddy_thread_.loop, EDDY_REPORT_SHUTDOWN, rc, NULL,
                           "generator %s(), created at %s, failed when it was closed: %s (%s)",
                           name, where, eddy_error_message(rc), eddy_error_name(rc));
    }
    return 0; /* what is left ended or never started: freed with the loop */
}

const struct eddy_async ed_generators_finish = {.entry = generators_finish,
                                                .name = "close of generators"};

void ed_generators_close(eddy_loop *loop)
{
    struct ed_tasks *tasks = loop->tasks;
    struct ed_stack *stack = NULL, *next;

    for (stack = ed_stack_next(&tasks->stacks, NULL); stack; stack = next) {
        next = ed_stack_next(&tasks->stacks, stack);
        if (stack->use != ED_STACK_GENERATOR)
            continue;
        generator_drop(ed_container_of(stack, struct generator, stack));
        ed_count(&loop->generator_count, -1);
        ed_stack_give(&tasks->stacks, stack);
    }
}

const char *ed_generator_name(const struct ed_stack *stack, const char **where)
{
    const struct generator *g = ed_container_of(stack, const struct generator, stack);

    *where = g->where;
    return g->name;
}
