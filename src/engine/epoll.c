/* SPDX-License-Identifier: MIT */
/*
 * The engine on epoll (epoll(7)).
 *
 * An operation is attempted when it is submitted, and again each time its descriptor is
 * ready, until it succeeds or fails (attempt.c). A receive whose predecessor found less than
 * it had room for is not attempted first: there would be nothing.
 *
 * Each descriptor with operations in flight has a watch: the list of those
 * operations, and the events that the kernel has been asked for. A completion
 * takes an operation from its watch; what the kernel is asked for is brought up
 * to date only before the next wait, so that an operation that is renewed at
 * once costs no system call. Watches are found by descriptor number in an array,
 * and kept until the engine closes.
 *
 * What the kernel is asked for on a `steady` descriptor is not taken back as soon as nobody waits
 * for it, since somebody will again; only when it is ready for nobody.
 *
 * Closing a descriptor removes it from the epoll set behind our back, and its
 * number may come back as another file. That is allowed once no operation is in
 * flight on it, so a watch that has been without any is in doubt: the kernel is
 * asked again, and answers ENOENT where the watch must be added anew.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/time.h"
#include "engine/engine.h"

#define EPOLL_BATCH 128   /* events taken by one wait */
#define EPOLL_MANY 65536  /* bytes that RECV_MANY delivers at once */
#define EPOLL_ACCEPTS 128 /* connections that ACCEPT_MANY takes at one event */

struct epoll_watch {
    struct eddy_list_ ops;
    struct eddy_link_ link; /* in epoll.stale */
    int fd;
    uint32_t asked; /* what the kernel watches for; 0: nothing */
    bool stale;     /* `asked` may differ from what the operations want */
    bool doubtful;  /* the kernel may have forgotten it */
    bool drained;   /* the last receive has taken all there was */
    bool steady;    /* its owner forgets it before the descriptor is closed */
    bool idle;      /* it was ready for what nobody waits for */
};

struct epoll {
    struct ed_engine engine;
    struct epoll_watch **watches; /* by descriptor */
    size_t capacity;
    struct eddy_list_ stale;
    char *many; /* where RECV_MANY puts bytes for the time of its done */
    int fd, wake_fd;
};

static struct epoll *epoll_of(struct ed_engine *engine)
{
    return ed_container_of(engine, struct epoll, engine);
}

static int epoll_open(struct ed_engine **out)
{
    struct epoll *epoll = ed_alloc_zero(sizeof *epoll);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int rc;

    if (!epoll)
        return -ENOMEM;
    epoll->engine.class = &ed_epoll_class;
    epoll->wake_fd = -1;
    epoll->fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->fd < 0)
        goto failed;
    epoll->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll->wake_fd < 0 || epoll_ctl(epoll->fd, EPOLL_CTL_ADD, epoll->wake_fd, &event) < 0)
        goto failed;
    ed_stats_add(ED_STAT_DESCRIPTORS, 2);
    *out = &epoll->engine;
    return 0;
failed:
    rc = -errno;
    if (epoll->wake_fd >= 0)
        close(epoll->wake_fd);
    if (epoll->fd >= 0)
        close(epoll->fd);
    ed_free(epoll);
    return rc;
}

static void epoll_close(struct ed_engine *engine)
{
    struct epoll *epoll = epoll_of(engine);

    for (size_t i = 0; i < epoll->capacity; i++)
        ed_free(epoll->watches[i]);
    ed_free(epoll->watches);
    ed_free(epoll->many);
    close(epoll->wake_fd);
    close(epoll->fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -2);
    ed_free(epoll);
}

static void epoll_abandon(struct ed_engine *engine)
{
    close(epoll_of(engine)->wake_fd);
    close(epoll_of(engine)->fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -2);
}

/* The watch of a descriptor, made if need be; NULL when memory is short. */
static struct epoll_watch *epoll_watch(struct epoll *epoll, int fd)
{
    size_t index = (size_t)fd, capacity = epoll->capacity ? epoll->capacity : 64;

    if (index >= epoll->capacity) {
        struct epoll_watch **watches;

        while (capacity <= index)
            capacity *= 2;
        watches = ed_realloc(epoll->watches, capacity * sizeof *watches);
        if (!watches)
            return NULL;
        memset(watches + epoll->capacity, 0, (capacity - epoll->capacity) * sizeof *watches);
        epoll->watches = watches;
        epoll->capacity = capacity;
    }
    if (!epoll->watches[index]) {
        epoll->watches[index] = ed_alloc_zero(sizeof(struct epoll_watch));
        if (epoll->watches[index])
            epoll->watches[index]->fd = fd;
    }
    return epoll->watches[index];
}

static void epoll_mark_stale(struct epoll *epoll, struct epoll_watch *watch)
{
    if (ed_list_empty(&watch->ops) && !watch->steady)
        watch->doubtful = true;
    if (watch->stale)
        return;
    watch->stale = true;
    ed_list_append(&epoll->stale, &watch->link);
}

/* Takes a descriptor without operations out of the kernel's set at once: a file
 * that stays open through a duplicate would go on reporting its events. */
static void epoll_forget(struct ed_engine *engine, int fd)
{
    struct epoll *epoll = epoll_of(engine);
    struct epoll_watch *watch = fd >= 0 && (size_t)fd < epoll->capacity ? epoll->watches[fd] : NULL;

    if (!watch || !watch->asked || watch->ops.first)
        return;
    epoll_ctl(epoll->fd, EPOLL_CTL_DEL, fd, NULL); /* closed already: gone from the set */
    watch->asked = 0;
    watch->steady = watch->idle = false;
}

static bool epoll_is_receive(const struct ed_op *op)
{
    return op->kind == ED_OP_RECV || op->kind == ED_OP_RECV_MANY;
}

/* Puts an operation where readiness finds it. */
static void epoll_watch_op(struct epoll *epoll, struct epoll_watch *watch, struct ed_op *op)
{
    if (ed_op_is_cancelled(op)) {
        ed_engine_end(&epoll->engine, op, -ECANCELED);
        return;
    }
    ed_list_append(&watch->ops, &op->link);
    epoll_mark_stale(epoll, watch);
}

/* Delivers connections until there are none, or enough for now. */
static void epoll_accept_many(struct epoll *epoll, struct epoll_watch *watch, struct ed_op *op)
{
    int fd = 0;

    for (int i = 0; i < EPOLL_ACCEPTS && !op->cancelled && (fd = ed_op_attempt(op)) >= 0; i++)
        ed_engine_deliver(&epoll->engine, op, fd);
    if (fd >= 0 || fd == -EAGAIN)
        epoll_watch_op(epoll, watch, op);
    else
        ed_engine_complete(&epoll->engine, op, fd);
}

static void epoll_receive_many(struct epoll *epoll, struct epoll_watch *watch, struct ed_op *op)
{
    int result;

    op->data = epoll->many;
    op->size = EPOLL_MANY;
    result = ed_op_attempt(op);
    watch->drained = result < EPOLL_MANY;
    if (result > 0)
        ed_engine_deliver(&epoll->engine, op, result);
    if (result > 0 || result == -EAGAIN)
        epoll_watch_op(epoll, watch, op);
    else
        ed_engine_complete(&epoll->engine, op, result);
}

static void epoll_attempt(struct epoll *epoll, struct epoll_watch *watch, struct ed_op *op)
{
    int result;

    if (ed_op_is_cancelled(op)) {
        ed_engine_complete(&epoll->engine, op, -ECANCELED);
    } else if (op->kind == ED_OP_ACCEPT_MANY) {
        epoll_accept_many(epoll, watch, op);
    } else if (op->kind == ED_OP_RECV_MANY) {
        epoll_receive_many(epoll, watch, op);
    } else {
        result = ed_op_attempt(op);
        if (op->kind == ED_OP_RECV)
            watch->drained = result < (int)op->size;
        if (result == -EAGAIN)
            epoll_watch_op(epoll, watch, op);
        else
            ed_engine_complete(&epoll->engine, op, result);
    }
}

static bool epoll_has_room(struct epoll *epoll)
{
    if (!epoll->many)
        epoll->many = ed_alloc(EPOLL_MANY);
    return epoll->many != NULL;
}

static void epoll_submit(struct ed_engine *engine, struct ed_op *op)
{
    struct epoll *epoll = epoll_of(engine);
    struct epoll_watch *watch;

    if (op->kind == ED_OP_CLOSE)
        epoll_forget(engine, op->fd);
    if (ed_op_is_file(op)) {
        ed_engine_complete(engine, op, -EOPNOTSUPP);
        return;
    }
    if (!ed_op_awaits(op)) {
        ed_engine_complete(engine, op, ed_op_attempt(op));
        return;
    }
    watch = op->fd >= 0 ? epoll_watch(epoll, op->fd) : NULL;
    if (watch)
        watch->steady = op->steady;
    if (!watch || (op->kind == ED_OP_RECV_MANY && !epoll_has_room(epoll)))
        ed_engine_end(engine, op, op->fd >= 0 ? -ENOMEM : -EBADF);
    else if (op->kind == ED_OP_POLL || op->kind == ED_OP_READ || op->kind == ED_OP_WRITE ||
             (epoll_is_receive(op) && watch->drained && watch->asked))
        epoll_watch_op(epoll, watch, op);
    else
        epoll_attempt(epoll, watch, op);
}

static void epoll_cancel(struct ed_engine *engine, struct ed_op *op)
{
    struct epoll *epoll = epoll_of(engine);
    struct epoll_watch *watch;

    if (!ed_op_awaits(op))
        return;
    watch = (size_t)op->fd < epoll->capacity ? epoll->watches[op->fd] : NULL;
    if (!watch)
        return;
    ED_LIST_FOR_EACH(link, &watch->ops) {
        if (link != &op->link)
            continue;
        ed_list_remove(&watch->ops, link);
        epoll_mark_stale(epoll, watch);
        ed_engine_end(engine, op, -ECANCELED);
    }
    epoll_forget(engine, op->fd);
}

/* Tells the kernel about a watch; 0 or the error that its operations get. */
static int epoll_ask(struct epoll *epoll, struct epoll_watch *watch, uint32_t wanted)
{
    struct epoll_event event = {.events = wanted, .data.ptr = watch};
    int verb = !wanted ? EPOLL_CTL_DEL : watch->asked ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(epoll->fd, verb, watch->fd, &event) == 0)
        return 0;
    if (verb == EPOLL_CTL_DEL)
        return 0; /* closed, and gone from the set already */
    if (errno != ENOENT && errno != EEXIST)
        return -errno;
    verb = errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return epoll_ctl(epoll->fd, verb, watch->fd, &event) == 0 ? 0 : -errno;
}

/* The kernel does not watch its descriptor. EPERM: because it never blocks, epoll_ctl(2). */
static void epoll_refused(struct epoll *epoll, struct ed_op *op, int rc)
{
    bool ready = rc == -EPERM && (op->kind == ED_OP_READ || op->kind == ED_OP_WRITE);

    ed_engine_end(&epoll->engine, op, ready ? ed_op_attempt(op) : rc);
}

/* Brings the kernel's set up to date with the operations. */
static void epoll_update(struct epoll *epoll)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&epoll->stale))) {
        struct epoll_watch *watch = ed_container_of(link, struct epoll_watch, link);
        uint32_t wanted = 0;
        int rc;

        watch->stale = false;
        ED_LIST_FOR_EACH(op, &watch->ops)
            wanted |=
                ed_op_awaits(ed_container_of(op, struct ed_op, link)) | ED_POLL_ERR | ED_POLL_HUP;
        if (wanted == watch->asked && !(wanted && watch->doubtful))
            continue;
        if (watch->steady && !watch->idle && watch->asked && !(wanted & ~watch->asked))
            continue; /* more than is wanted: it will be again */
        rc = epoll_ask(epoll, watch, wanted);
        watch->asked = rc == 0 ? wanted : 0;
        watch->doubtful = watch->idle = false;
        while (rc < 0 && (link = ed_list_pop(&watch->ops)))
            epoll_refused(epoll, ed_container_of(link, struct ed_op, link), rc);
    }
}

/* Completes the operations of one watch that wanted what has come. One that another's done
 * cancels before its turn finds out then. */
static void epoll_fire(struct epoll *epoll, struct epoll_watch *watch, uint32_t events)
{
    struct eddy_list_ fired = {NULL, NULL};
    struct eddy_link_ *link;

    ED_LIST_FOR_EACH(candidate, &watch->ops) {
        struct ed_op *op = ed_container_of(candidate, struct ed_op, link);

        op->result = (int)(events & (ed_op_awaits(op) | ED_POLL_ERR | ED_POLL_HUP));
        if (!op->result)
            continue;
        ed_list_remove(&watch->ops, candidate);
        ed_list_append(&fired, candidate);
    }
    watch->idle = !fired.first;
    while ((link = ed_list_pop(&fired))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, link);

        if (op->kind == ED_OP_POLL)
            ed_engine_complete(&epoll->engine, op, op->result);
        else
            epoll_attempt(epoll, watch, op);
    }
    epoll_mark_stale(epoll, watch); /* last: what goes on leaves no doubt */
}

/* epoll counts in ms: rounds up, so that no timer is early. */
static int epoll_timeout(int64_t timeout)
{
    int64_t ms = timeout / 1000000 + (timeout % 1000000 != 0);

    return timeout == ED_NEVER ? -1 : ms > 86400000 ? 86400000 : (int)ms;
}

static int epoll_wait_events(struct epoll *epoll, struct epoll_event *events, int64_t timeout)
{
    static bool coarse; /* relaxed: the kernel lacks epoll_pwait2, or a filter denies it */
    struct timespec limit = {.tv_sec = timeout / ED_SECOND, .tv_nsec = timeout % ED_SECOND};
    int count;

    if (!__atomic_load_n(&coarse, __ATOMIC_RELAXED) && !ed_running_on_valgrind()) {
        count =
            epoll_pwait2(epoll->fd, events, EPOLL_BATCH, timeout == ED_NEVER ? NULL : &limit, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count < 0 ? -errno : count;
        __atomic_store_n(&coarse, true, __ATOMIC_RELAXED);
    }
    count = epoll_wait(epoll->fd, events, EPOLL_BATCH, epoll_timeout(timeout));
    return count < 0 ? -errno : count;
}

static int epoll_wait_(struct ed_engine *engine, int64_t timeout)
{
    struct epoll *epoll = epoll_of(engine);
    struct epoll_event events[EPOLL_BATCH];
    int count;

    epoll_update(epoll);
    count = epoll_wait_events(epoll, events, ed_list_empty(&engine->ended) ? timeout : 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            epoll_fire(epoll, events[i].data.ptr, events[i].events);
        else
            ed_engine_take_wakes(epoll->wake_fd);
    }
    return count >= 0 || count == -EINTR ? 0 : count;
}

static void epoll_wake(struct ed_engine *engine)
{
    ed_engine_raise_wake(epoll_of(engine)->wake_fd);
}

const struct ed_engine_class ed_epoll_class = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .abandon = epoll_abandon,
    .submit = epoll_submit,
    .cancel = epoll_cancel,
    .wait = epoll_wait_,
    .wake = epoll_wake,
    .forget = epoll_forget,
};
