/* SPDX-License-Identifier: MIT */
/*
 * What a task is.
 *
 *             create                 its turn                 returns
 *   (call) ----------> ready <-------------------> running ----------> done
 *                        ^                            |
 *                        |  ed_wake      ed_park      |
 *                        +--------- waiting <---------+
 *
 * A task is done when its body has returned; its memory, which is part of its
 * stack, goes when its owner lets go of it: the holder of its handle, the group
 * it is in, or nobody (detached).
 */
#ifndef ED_TASK_TASK_H
#define ED_TASK_TASK_H

#include "base/compat.h"
#include "base/list.h"
#include "eddy/error.h"
#include "eddy/group.h"
#include "eddy/task.h"
#include "loop/loop.h"
#include "task/stack.h"

#define ED_CREDIT 128 /* checked calls that a resume may make */

enum ed_task_state { ED_TASK_READY, ED_TASK_RUNNING, ED_TASK_WAITING, ED_TASK_DONE };

enum ed_task_owner { ED_OWNER_HANDLE, ED_OWNER_GROUP, ED_OWNER_NONE };

/* The text of an error; allocated when one is first raised. */
struct ed_error {
    int code; /* 0: none */
    const char *where;
    char text[512];
};

struct ed_wait;

struct ed_wait_kind {
    const char *name; /* "queue.get" */
    /* Ends the wait early, after a cancel or timeout: undoes it and returns true,
     * or asks for its end, which will call ed_wake, and returns false. NULL: it is
     * unlinked from its list. */
    bool (*abort)(struct ed_wait *wait);
    /* The task that could end it, for reports; NULL: none is known. */
    eddy_task *(*holder)(const struct ed_wait *wait);
};

/* One wait of one task, on its stack. See park.h. */
struct ed_wait {
    struct eddy_link_ link;
    struct eddy_list_ *list; /* the list it is linked into, or NULL */
    eddy_task *task;
    const struct ed_wait_kind *kind;
    const void *object; /* what it waits for */
    void *data;         /* an item's place, for whoever gives it */
    bool shielded;      /* a release: nothing cuts it short */
    bool aborting;      /* asked for its end already */
};

/* Somebody to be told when a task has ended; linked into task->completions. */
struct ed_completion {
    struct eddy_link_ link;
    eddy_task *task;
    void (*notify)(struct ed_completion *completion);
};

/* What a task starts without; cleared with one store. */
struct ed_task_flags {
    unsigned char owner;
    bool done;
    bool has_completions; /* the list below is in use */
    bool failed_alone;    /* ended with an error before its owner cancelled it */
    bool error_read;
    bool result_taken;
    bool cancel_asked;  /* by eddy_cancel */
    bool cancel_final;  /* by the owner */
    bool cancel_unseen; /* by itself, and no call has refused yet */
    bool pierced;       /* shields no longer hold */
    bool shut_down;     /* cancelled by the end of eddy_run */
    bool interrupted;   /* its last wait was cut short, and it has not run since */
    bool awaited : 1;   /* somebody waited for it or took its outcome */
    bool marked : 1;    /* its stack has the mark of debug mode */
    uint8_t credit;     /* kept aside while calls are refused; at most ED_CREDIT */
    uint16_t refusals;  /* calls refused in all */
};
_Static_assert(sizeof(struct ed_task_flags) == 16, "two words, or making a task gets dearer");

struct eddy_task {
    /* what every switch touches: one cache line, laid out as eddy_task_head_ */
    void *args;
    struct eddy_scope_ *scope;
    struct ed_ready ready;
    struct eddy_context_ context;
    int pending; /* what the next suspending call returns, 0 while all is well */
    int rc;      /* what the last wait was woken with; once done, what it returned */

    /* what starting, waiting and ending touch */
    struct ed_task_flags is;
    struct ed_wait *wait; /* while it waits */
    eddy_loop *loop;
    const struct eddy_async *function;
    void *result;
    struct eddy_list_ completions;

    const char *where;
    uint64_t id;
    struct ed_locals *locals;
    struct ed_error *error;
    struct ed_fiber *fiber; /* where it stands while it does not run */
    char name[32];          /* "": Task-id */

    struct ed_wait own_wait; /* of a wait that was begun inline */

    /* of a group's child */
    eddy_group *group;
    struct eddy_link_ group_link;
    void *out;     /* where the group wants the result, or NULL */
    size_t number; /* in gather's outcomes */

    /* of eddy_task_create, and of calls that are not run by their entry */
    struct eddy_async own_function;
    const struct eddy_async *called;
    const struct eddy_way_ *way;

    /* scratch of a dump: the tree of who awaits whom */
    eddy_task *awaiter, *first_awaited, *last_awaited, *next_awaited;
    uint64_t mark; /* of the as_completed that has it already */

    alignas(16) unsigned char args_room[EDDY_ARGS_MAX];
    struct ed_stack stack;
};
_Static_assert(offsetof(eddy_task, rc) == offsetof(struct eddy_task_head_, rc) &&
                   offsetof(eddy_task, context) == offsetof(struct eddy_task_head_, context),
               "the public head of a task");

/* The tasks of one loop. */
struct ed_tasks {
    struct ed_stacks stacks;
    struct ed_fiber fiber; /* the loop's own */
    uint64_t next_id, end_id;
    size_t leaving; /* not done, and cancelled by the end of eddy_run */
    uint64_t marks;
    struct eddy_list_ to_cancel; /* groups, see eddy_group_cancel */
    bool cancelling;
    eddy_post interrupt; /* a SIGINT on its way to the loop, */
    eddy_post quit;      /* or a SIGQUIT, */
    eddy_post slow;      /* or a word of the watchdog */
    bool shut_down;      /* eddy_run is cleaning up */
    int stopped_by;      /* the signal that has ended the main task or a block of it, or 0 */
    bool stop_cancelled; /* and a second one cancelled a task */
};

/* The tasks of a loop, attached on first use; NULL when memory is short. */
struct ed_tasks *ed_tasks_of(eddy_loop *loop);

/* A new task, ready, with its args unset. NULL: -ENOMEM or -EINVAL, raised. */
eddy_task *ed_task_new(eddy_loop *loop, const struct eddy_async *function, const char *where,
                       const eddy_task_options *options);

/* A new task for a call, with its args. `options` may be NULL. */
eddy_task *
ed_task_new_call(eddy_loop *loop, const eddy_call *call, const eddy_task_options *options);

/* Runs a call in the running task, as a plain call of its function would. */
int ed_call_here(const eddy_call *call);

/* Runs a task from the loop's own stack (the `run` of task.ready). */
void ed_task_run(struct ed_ready *node);

/* What belongs to a loop is for its thread. */
ED_INLINE void ed_task_check_thread(const eddy_task *task, const char *what)
{
    if (ed_unlikely(task->loop != eddy_thread_.loop))
        ed_loop_check_thread(task->loop, what);
}

/* The owner's cancel, which cannot be withdrawn. */
void ed_task_cancel_final(eddy_task *task);

/* Waits until a task has ended, whatever happens. */
void ed_task_join(eddy_task *task);

/* Frees a task that is done and has no waiters; reports what nobody read.
 * It may be the one that runs. */
void ed_task_free(eddy_task *task);

/* Works out `pending` anew, and interrupts the task's wait if need be. */
void ed_task_refresh(eddy_task *task);

/* What a waiter gets of a task that has ended: its result, or its error and text,
 * which counts as read. */
int ed_task_outcome(eddy_task *task, eddy_task *reader, void *out, size_t size);

/* Copies the result out, if it is wanted and was not taken: 0, -EALREADY. */
int ed_task_take_result(eddy_task *task, void *out, size_t size);

/* Asks to be told of the end of a task that is not done. */
void ed_task_on_completion(eddy_task *task, struct ed_completion *completion,
                           void (*notify)(struct ed_completion *completion));
void ed_task_forget_completion(struct ed_completion *completion);

/* The task at this address, if it is one of the loop's with this id, not freed. */
eddy_task *ed_task_if_alive(eddy_loop *loop, eddy_task *task, uint64_t id);

/* Goes through the tasks of a loop that are not freed; NULL starts and ends. */
eddy_task *ed_task_next(struct ed_tasks *tasks, eddy_task *after);

/* The group's side of a child's end (group.c); frees it or keeps it. */
void ed_group_child_done(eddy_group *group, eddy_task *task);

/* Gives a task, whose calls its failed group refuses, the text of the first child's error. */
void ed_group_give_text(const eddy_group *group, eddy_task *task);

/* Errors (error.c): of the running task, unless one is named. */
int ed_raise(int code, const char *format, ...) EDDY_PRINTF_(2, 3);
int ed_fail(int code); /* an error without a text of its own; returns it */
void ed_error_forget(eddy_task *task, int code); /* the text of an older one; NULL: outside */

/* Gives back the pages of a waiting task's stack that it does not use now: for who has many tasks
 * that wait for long. Visible for libeddy-http. */
EDDY_API void eddy_task_trim_(eddy_task *task);

/* Gives the running task an empty place, and the old one back to it: visible, because scopes of
 * libeddy-http keep the text of their block so too. */
EDDY_API struct ed_error *eddy_error_set_aside_(void);
EDDY_API void eddy_error_put_back_(struct ed_error *error);
ED_INLINE struct ed_error *ed_error_set_aside(void)
{
    return eddy_error_set_aside_();
}
ED_INLINE void ed_error_put_back(struct ed_error *error)
{
    eddy_error_put_back_(error);
}

void ed_error_save(struct ed_error *copy, int keep); /* leaves only a text of `keep` */
void ed_error_restore(const struct ed_error *copy);
void ed_error_start(void);                /* a worker's next job: no text yet */
struct ed_error *ed_error_take(int code); /* a worker's, to be given on */
/* Gives it to a task; NULL: no text. */
void ed_error_give(eddy_task *task, struct ed_error *error, int code);
void ed_error_write(eddy_task *task, int code, const char *text);
void ed_error_copy(eddy_task *to, const eddy_task *from, int code);
void ed_error_keep(const eddy_task *task, int code); /* beyond the run, for main() */
const char *ed_error_text(const eddy_task *task, int code);

/* Ends what a run has left: cancels every task and waits for it, closes generators. On
 * the loop's thread, outside of it. What nobody gave back is still there after that. */
void ed_run_clean_up(eddy_loop *loop);

/* Closes the generators that are left, as the last task of eddy_run; frees those
 * that are left when a loop closes (generator.c). */
extern const struct eddy_async ed_generators_finish;
void ed_generators_close(eddy_loop *loop);

const char *ed_generator_name(const struct ed_stack *stack, const char **where);

/* The report of a deadlock (dump.c). */
void ed_report_deadlock(eddy_loop *loop);

/* Stack overflow reports (overflow.c): for the calling thread, while it runs the
 * loop of these tasks. */
void ed_overflow_watch(struct ed_tasks *tasks);
void ed_overflow_unwatch(void);

/* In a child of fork(2): gives the signals back that the parent's loop had. */
void ed_overflow_forget(void);
void ed_interrupt_forget(void);

/* Describes what is about to run. */
ED_INLINE void ed_thread_enter(eddy_task *task)
{
    eddy_thread_.task = task;
    eddy_thread_.credit = ED_CREDIT;
    if (ed_unlikely(task->pending != 0)) {
        eddy_thread_.credit = 0;
        task->is.credit = ED_CREDIT; /* once its calls are no longer refused */
    }
}

#endif
