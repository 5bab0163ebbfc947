/* SPDX-License-Identifier: MIT */
/* A pool inside: slots, each of which has a connection, or may open one. See pool.c. */
#ifndef ED_PG_POOL_H
#define ED_PG_POOL_H

#include "base/list.h"
#include "eddy/pg_pool.h"
#include "eddy/stream_class.h"
#include "eddy/sync.h"
#include "eddy/task.h"

struct pg_slot;

/* What later connections are made with. Counted, since it may change while one is being made. */
struct pg_arguments {
    size_t users;
    const char *dsn;
    eddy_pg_options options; /* its texts stand behind this */
    size_t size;             /* of the whole block, to be wiped */
};

/* What a pool does with its connections. Tests have connections of their own kind. */
struct pg_pool_ways {
    int (*connect)(const char *dsn, const eddy_pg_options *options, void *argument,
                   eddy_pg_connection **out);
    void (*close)(eddy_pg_connection **connection);     /* suspends */
    void (*terminate)(eddy_pg_connection **connection); /* does not, */
    void (*abort)(eddy_pg_connection *connection);      /* nor this: the object stays */
    struct pg_slot **(*slot)(eddy_pg_connection *connection);
    bool (*is_closed)(const eddy_pg_connection *connection);
    bool (*is_alive)(eddy_pg_connection *connection); /* of one that was idle for long */
    uint64_t (*operations)(const eddy_pg_connection *connection); /* begun so far */
    bool (*is_held)(const eddy_pg_connection *connection); /* its user has left listeners, ... */
    /* Waits until the server is ready, and ends what a user has left: 1 when it has rolled a
     * transaction back, 0, or an error. Suspends. */
    int (*settle)(eddy_pg_connection *connection);
    int (*reset)(eddy_pg_connection *connection); /* suspends */
};

enum pg_slot_state {
    PG_SLOT_OPENING,
    PG_SLOT_IDLE,
    PG_SLOT_USED,
    PG_SLOT_CLOSING, /* by the pool itself */
    PG_SLOT_STATES
};

struct pg_slot {
    struct eddy_link_ link; /* in pool->idle, or pool->busy */
    eddy_pg_pool *pool;
    eddy_pg_connection *connection; /* NULL: to be opened */
    enum pg_slot_state state;
    uint64_t expiry; /* pool->expiry when it was opened */
    uint64_t clean;  /* operations of the connection when it was last as new */
    double opened, idle_since;
};

struct eddy_pg_pool {
    /* set at the open */
    eddy_loop *loop;
    const struct pg_pool_ways *ways;
    eddy_pg_pool_options options;   /* with the defaults filled in; no `connection` */
    double reset_time;              /* seconds that a reset may take */
    struct pg_arguments *arguments; /* of the next connection */

    size_t users;              /* slots, calls, and the owner: it is freed behind the last */
    struct eddy_list_ idle;    /* slots; the one given back last is the last */
    struct eddy_list_ busy;    /* all others */
    struct eddy_list_ waiters; /* struct pg_pool_waiter */
    size_t counts[PG_SLOT_STATES], size, waiting;
    uint64_t acquired, opened, closed, failed;
    uint64_t expiry;    /* how often all were to be replaced */
    eddy_task *keeper;  /* NULL: none is needed */
    eddy_event work;    /* for it */
    double retry_at;    /* eddy_time() before which none is opened in advance */
    eddy_event changed; /* for the close: there is a slot less, or one more is idle */
    bool closing;
};

/* As eddy_pg_pool_open, with other ways. */
EDDY_AWAITS int pg_pool_open(const char *dsn, const eddy_pg_pool_options *options,
                             const struct pg_pool_ways *ways, eddy_pg_pool **out);
/* Those of real connections (pool_reset.c). */
extern const struct pg_pool_ways pg_pool_real_ways;

/* One user less. */
void pg_pool_unref(eddy_pg_pool *pool);

/* A slot that is opening; NULL: no memory. There must be room. */
struct pg_slot *pg_slot_new(eddy_pg_pool *pool);
/* Connects, with the hook for it and `init`. 0, or an error: it has no connection. Suspends. */
EDDY_AWAITS int pg_slot_open(struct pg_slot *slot);
/* Closes its connection. Suspends, shielded. */
EDDY_AWAITS void pg_slot_close(struct pg_slot *slot);
void pg_slot_move(struct pg_slot *slot, enum pg_slot_state state);
/* A slot that nobody has any more: the first waiter's, or idle, or none without a connection. */
void pg_slot_pass(struct pg_slot *slot);
/* Tells a waiter, which is unlinked, that there will be none. */
void pg_waiter_refuse(struct eddy_link_ *link);
/* Whether an idle one's connection need not be replaced, as far as is known without asking. */
bool pg_slot_is_fresh(const struct pg_slot *slot, double now);
/* eddy_pg_release. Suspends, shielded. */
EDDY_AWAITS void pg_slot_release(struct pg_slot *slot);

/* Its connection is not the pool's any more: its user closes it himself. */
void pg_slot_forget(struct pg_slot *slot);
/* Whether it is nobody's now: then who still has a handle must not use it. */
bool pg_slot_is_idle(const struct pg_slot *slot);

/* Sees to it that there are enough connections, and none for too long (pool_keeper.c). */
void pg_pool_look(eddy_pg_pool *pool);
void pg_pool_start_keeper(eddy_pg_pool *pool); /* in any case */

void pg_arguments_unref(struct pg_arguments *arguments);

#endif
