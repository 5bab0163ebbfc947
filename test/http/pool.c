/* SPDX-License-Identifier: MIT */
/* Permits and idle connections: H-CONN-1 to -5, -7, -9, -10, H-SEC-22, promise 3. */
#include "http/pool.h"

#include <eddy/tls.h>

#include "harness.h"
#include "stand.h"

#define POOL(the_most, the_most_per_host)                                                          \
    {                                                                                              \
        .most = (the_most), .most_per_host = (the_most_per_host), .most_idle = 100,                \
        .idle_time = 15, .age = EDDY_FOREVER, .limits = {                                          \
            8190,                                                                                  \
            128,                                                                                   \
            65536                                                                                  \
        }                                                                                          \
    }

/* A body that was cut short has left permits and connections. */
static void pool_end(struct ed_http_pool *pool)
{
    while (pool->used.first)
        ed_http_pool_put(pool, ed_container_of(pool->used.first, struct ed_connection, link),
                         ED_FATE_BREAK);
    for (size_t i = 0; i < pool->bucket_count; i++)
        while (pool->buckets[i] && pool->buckets[i]->in_use > 0)
            ed_http_pool_leave(pool, pool->buckets[i]);
    ed_http_pool_close(pool);
    ed_http_pool_free(pool);
}

static struct ed_route route_to(const char *host)
{
    return (struct ed_route){.host = host, .port = 80};
}

/* A user of a permit, who notes when he got it. */
struct user {
    struct ed_http_pool *pool;
    const char *host;
    char *log, name;
    eddy_event leave;
    int rc;
};

static int use(struct user *user)
{
    struct ed_route route = route_to(user->host);
    struct ed_host *host;

    EDDY_TRY(ed_http_pool_find(user->pool, &route, &host));
    user->rc = ed_http_pool_enter(user->pool, host) ? 0 : ed_http_pool_wait(user->pool, host);
    if (user->rc < 0)
        return user->rc;
    user->log[strlen(user->log)] = user->name;
    (void)eddy_event_wait(&user->leave); /* a cancel leaves, too */
    ed_http_pool_leave(user->pool, host);
    return 0;
}
EDDY_ASYNC(use, struct user *);

#define USER(the_host, the_name)                                                                   \
    {                                                                                              \
        .pool = &pool, .host = (the_host), .log = log, .name = (the_name),                         \
        .leave = EDDY_EVENT_INIT                                                                   \
    }

/* Lets all leave who are there, and who come. */
static void leave_all(struct user *users, size_t count)
{
    for (size_t i = 0; i < count; i++)
        eddy_event_set(&users[i].leave);
}

/* H-CONN-1, -3: who comes first is served first, whatever his route. */
TEST(pool_gives_permits_in_the_order_of_coming)
{
    struct ed_http_pool pool = POOL(2, SIZE_MAX);
    char log[16] = "";
    struct user users[] = {USER("a", '1'), USER("a", '2'), USER("b", '3'), USER("a", '4'),
                           USER("c", '5')};
    EDDY_DEFER(pool_end, &pool);
    EDDY_GROUP(group);

    for (size_t i = 0; i < 5; i++)
        CHECK_OK(eddy_group_create_task(&group, use, &users[i]));
    test_settle();
    CHECK_STR(log, "12");
    CHECK_EQ(pool.waiting, 3);
    eddy_event_set(&users[1].leave);
    test_settle();
    CHECK_STR(log, "123");
    leave_all(users, 5);
    CHECK_OK(eddy_group_join(&group));
    CHECK_STR(log, "12345");
    CHECK_EQ(pool.in_use, 0);
    CHECK_EQ(pool.host_count, 0);
}

/* Nobody waits behind a route that is full. */
TEST(pool_lets_others_pass_a_route_that_has_all_it_may)
{
    struct ed_http_pool pool = POOL(3, 1);
    char log[16] = "";
    struct user users[] = {USER("a", '1'), USER("a", '2'), USER("a", '3'), USER("b", '4'),
                           USER("c", '5'), USER("d", '6'), USER("b", '7')};
    EDDY_DEFER(pool_end, &pool);
    EDDY_GROUP(group);

    for (size_t i = 0; i < 7; i++)
        CHECK_OK(eddy_group_create_task(&group, use, &users[i]));
    test_settle();
    CHECK_STR(log, "145");
    eddy_event_set(&users[0].leave); /* 2 came before 6, and its route has room now */
    test_settle();
    CHECK_STR(log, "1452");
    eddy_event_set(&users[3].leave); /* b's: 3's route is full again, so 6 */
    test_settle();
    CHECK_STR(log, "14526");
    leave_all(users, 7);
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(strlen(log), 7);
    CHECK_EQ(pool.in_use, 0);
}

static void check_invariant(const struct ed_http_pool *pool)
{
    CHECK(pool->in_use <= pool->most);
    CHECK(!pool->waiters.first || pool->in_use == pool->most);
    for (size_t i = 0; i < pool->bucket_count; i++)
        for (const struct ed_host *host = pool->buckets[i]; host; host = host->next) {
            CHECK(host->in_use <= pool->most_per_host);
            CHECK(!host->waiters.first || host->in_use + host->ahead >= pool->most_per_host);
        }
}

/* Many users by chance: the invariant holds, and nobody is forgotten. */
TEST(pool_forgets_nobody_whoever_leaves_or_gives_up)
{
    enum { USERS = 60 };
    static const char *const hosts[] = {"a", "b", "c", "d"};
    struct ed_http_pool pool = POOL(5, 2);
    char log[USERS + 1] = "";
    struct user users[USERS];
    uint32_t seed = 7;
    EDDY_DEFER(pool_end, &pool);
    EDDY_TASKS(tasks, USERS);

    CHECK(tasks);
    for (size_t i = 0; i < USERS; i++) {
        users[i] = (struct user)USER(hosts[(seed >> 9) % 4], 'x');
        seed = seed * 1103515245 + 12345;
        tasks[i] = eddy_create_task(use, &users[i]);
    }
    test_settle();
    for (int step = 0; step < 400; step++) {
        size_t i = (seed >> 9) % USERS;

        seed = seed * 1103515245 + 12345;
        if (seed & 0x10000)
            (void)eddy_cancel(tasks[i]);
        else
            eddy_event_set(&users[i].leave);
        if (seed & 0x20000)
            test_settle();
        check_invariant(&pool);
    }
    leave_all(users, USERS);
    test_settle();
    for (size_t i = 0; i < USERS; i++) {
        CHECK(eddy_task_done(tasks[i]));
        CHECK(eddy_task_error(tasks[i]) == 0 || eddy_task_error(tasks[i]) == -ECANCELED);
    }
    CHECK_EQ(pool.in_use, 0);
    CHECK_EQ(pool.waiting, 0);
    CHECK_EQ(pool.host_count, 0);
}

/* H-CONN-3, promise 3: one that is given a permit and cancelled in the same moment. */
TEST(pool_passes_on_the_permit_of_a_waiter_who_is_cancelled)
{
    struct ed_http_pool pool = POOL(1, SIZE_MAX);
    char log[16] = "";
    struct user users[] = {USER("a", '1'), USER("a", '2'), USER("b", '3')};
    EDDY_DEFER(pool_end, &pool);
    EDDY_TASK first = eddy_create_task(use, &users[0]);
    EDDY_TASK second = eddy_create_task(use, &users[1]);
    EDDY_TASK third = eddy_create_task(use, &users[2]);

    test_settle();
    CHECK_OK(eddy_cancel(second));
    eddy_event_set(&users[0].leave);
    test_settle();
    CHECK_STR(log, "13");
    leave_all(users, 3);
    CHECK_OK(eddy_await(third));
    CHECK_OK(eddy_await(first));
    CHECK_EQ(eddy_await(second), -ECANCELED);
}

TEST(pool_wait_ends_with_its_time)
{
    struct ed_http_pool pool = POOL(1, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_host *host;
    EDDY_DEFER(pool_end, &pool);

    CHECK_OK(ed_http_pool_find(&pool, &route, &host));
    CHECK(ed_http_pool_enter(&pool, host));
    CHECK_OK(ed_http_pool_find(&pool, &route, &host));
    CHECK(!ed_http_pool_enter(&pool, host));
    {
        EDDY_TIMEOUT(limit, 2);
        CHECK_EQ(ed_http_pool_wait(&pool, host), -ETIMEDOUT);
    }
    ed_http_pool_leave(&pool, host);
    CHECK_EQ(pool.host_count, 0);
}

/* Connections ------------------------------------------------------------------------ */

/* An open connection of a route, and its other end. */
static int open_connection(struct ed_http_pool *pool, const struct ed_route *route,
                           struct ed_connection **connection, eddy_stream **far)
{
    eddy_stream *near = NULL;
    struct ed_host *host;
    int rc;

    EDDY_TRY(ed_http_pool_find(pool, route, &host));
    REQUIRE(ed_http_pool_enter(pool, host));
    rc = eddy_stream_pair(&near, far);
    if (rc == 0)
        rc = ed_http_pool_add(pool, host, near, connection);
    if (rc < 0) {
        eddy_stream_end_scope_(&near);
        ed_http_pool_leave(pool, host);
    }
    return rc;
}

/* The idle connection that a route has, in use now; NULL: none. */
static struct ed_connection *reuse(struct ed_http_pool *pool, const struct ed_route *route)
{
    struct ed_connection *connection;
    struct ed_host *host;

    if (ed_http_pool_find(pool, route, &host) < 0 || !ed_http_pool_enter(pool, host))
        return NULL;
    connection = ed_http_pool_reuse(pool, host);
    if (!connection)
        ed_http_pool_leave(pool, host);
    return connection;
}

/* H-CONN-4: the latest first, which differs from aiohttp's. */
TEST(pool_reuses_the_connection_that_was_used_last)
{
    struct ed_http_pool pool = POOL(10, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_connection *one = NULL, *other = NULL;
    EDDY_STREAM far_one = NULL, far_other = NULL;
    EDDY_DEFER(pool_end, &pool);

    CHECK_OK(open_connection(&pool, &route, &one, &far_one));
    CHECK_OK(open_connection(&pool, &route, &other, &far_other));
    CHECK(!one->reused);
    ed_http_pool_put(&pool, one, ED_FATE_KEEP);
    ed_http_pool_put(&pool, other, ED_FATE_KEEP);
    CHECK_EQ(pool.idle_count, 2);
    CHECK_EQ(pool.in_use, 0);
    CHECK(reuse(&pool, &route) == other);
    CHECK(other->reused);
    CHECK(reuse(&pool, &route) == one);
    ed_http_pool_put(&pool, one, ED_FATE_KEEP);
    ed_http_pool_put(&pool, other, ED_FATE_CLOSE);
    CHECK_EQ(pool.idle_count, 1);
}

/* H-CONN-9, H-SEC-24. */
TEST(pool_does_not_reuse_a_connection_on_which_something_came)
{
    struct ed_http_pool pool = POOL(10, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_connection *connections[3];
    EDDY_STREAM far_a = NULL, far_b = NULL, far_c = NULL;
    eddy_stream **far[] = {&far_a, &far_b, &far_c};
    EDDY_DEFER(pool_end, &pool);

    for (int i = 0; i < 3; i++)
        CHECK_OK(open_connection(&pool, &route, &connections[i], far[i]));
    for (int i = 0; i < 3; i++)
        ed_http_pool_put(&pool, connections[i], ED_FATE_KEEP);
    CHECK_OK(eddy_write(far_c, "H", 1));
    CHECK_OK(eddy_write_eof(far_b));
    CHECK(reuse(&pool, &route) == connections[0]);
    CHECK_EQ(pool.idle_count, 0);
    ed_http_pool_put(&pool, connections[0], ED_FATE_KEEP);
    eddy_stream_abort(far_a);
    CHECK(reuse(&pool, &route) == NULL);
}

/* H-CONN-4. */
TEST(pool_closes_what_was_idle_for_too_long_by_itself)
{
    struct ed_http_pool pool = POOL(10, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_connection *one = NULL, *other = NULL;
    EDDY_STREAM far_one = NULL, far_other = NULL;
    char byte;
    EDDY_DEFER(pool_end, &pool);

    CHECK_OK(open_connection(&pool, &route, &one, &far_one));
    CHECK_OK(open_connection(&pool, &route, &other, &far_other));
    ed_http_pool_put(&pool, one, ED_FATE_KEEP);
    CHECK_OK(eddy_sleep(10));
    ed_http_pool_put(&pool, other, ED_FATE_KEEP);
    CHECK_EQ(eddy_read(far_one, &byte, 1), 0);
    CHECK_EQ(pool.idle_count, 1);
    CHECK_OK(eddy_sleep(9.9));
    CHECK_EQ(pool.idle_count, 1);
    CHECK_OK(eddy_sleep(0.2));
    CHECK_EQ(pool.idle_count, 0);
    CHECK_EQ(pool.host_count, 0);
}

TEST(pool_does_not_reuse_what_is_too_old)
{
    struct ed_http_pool pool = POOL(10, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_connection *one = NULL;
    EDDY_STREAM far = NULL;
    EDDY_DEFER(pool_end, &pool);

    pool.age = 5;
    CHECK_OK(open_connection(&pool, &route, &one, &far));
    CHECK_OK(eddy_sleep(4));
    ed_http_pool_put(&pool, one, ED_FATE_KEEP);
    CHECK(reuse(&pool, &route) == one);
    CHECK_OK(eddy_sleep(2));
    ed_http_pool_put(&pool, one, ED_FATE_KEEP);
    CHECK(reuse(&pool, &route) == NULL);
}

TEST(pool_keeps_so_many_idle_ones_and_closes_the_oldest)
{
    struct ed_http_pool pool = POOL(10, SIZE_MAX);
    struct ed_route route = route_to("a");
    struct ed_connection *connections[3];
    EDDY_STREAM far_a = NULL, far_b = NULL, far_c = NULL;
    eddy_stream **far[] = {&far_a, &far_b, &far_c};
    char byte;
    EDDY_DEFER(pool_end, &pool);

    pool.most_idle = 2;
    for (int i = 0; i < 3; i++)
        CHECK_OK(open_connection(&pool, &route, &connections[i], far[i]));
    for (int i = 0; i < 3; i++)
        ed_http_pool_put(&pool, connections[i], ED_FATE_KEEP);
    CHECK_EQ(pool.idle_count, 2);
    CHECK_EQ(eddy_read(far_a, &byte, 1), 0);
}

/* H-CONN-2, H-SEC-22: what differs in anything that matters shares nothing. */
TEST(pool_shares_no_connection_between_routes)
{
    EDDY_TLS_CONTEXT context = NULL;
    struct ed_http_pool pool = POOL(100, SIZE_MAX);
    struct ed_connection *connection = NULL;
    EDDY_STREAM far = NULL;
    EDDY_DEFER(pool_end, &pool);

    CHECK_OK(eddy_tls_client_context(&(eddy_tls_options){.insecure_accept_any_certificate = true},
                                     &context));
    const struct ed_route plain = {.host = "a.test", .port = 443, .secure = true};
    struct ed_route others[] = {plain, plain, plain, plain, plain,
                                plain, plain, plain, plain, plain};

    others[0].host = "b.test";
    others[1].port = 444;
    others[2].secure = false;
    others[3].tls = context;
    others[4].server_name = "b.test";
    others[5].fingerprint = "00";
    others[6].proxy = (struct ed_proxy){.host = "p.test", .port = 3128};
    others[7].proxy = (struct ed_proxy){.host = "p.test", .port = 3129};
    others[8].proxy = (struct ed_proxy){.host = "p.test", .port = 3128, .user = "ann"};
    others[9].proxy = (struct ed_proxy){.host = "p.test", .port = 3128, .secure = true};
    for (size_t i = 0; i < ED_ARRAY_LENGTH(others); i++) {
        CHECK_OK(open_connection(&pool, &others[i], &connection, &far));
        ed_http_pool_put(&pool, connection, ED_FATE_KEEP);
        CHECK(reuse(&pool, &plain) == NULL);
        for (size_t j = 0; j < ED_ARRAY_LENGTH(others); j++)
            CHECK(i == j || reuse(&pool, &others[j]) == NULL);
        CHECK(reuse(&pool, &others[i]) == connection);
        ed_http_pool_put(&pool, connection, ED_FATE_CLOSE);
        eddy_stream_end_scope_(&far);
    }
    CHECK_EQ(pool.host_count, 0);
}

/* The address of a context that was freed may be another's: the pool keeps it. */
TEST(pool_keeps_the_context_of_an_idle_connection)
{
    eddy_tls_context *context = NULL, *next = NULL;
    struct ed_http_pool pool = POOL(100, SIZE_MAX);
    struct ed_connection *connection = NULL;
    EDDY_STREAM far = NULL;
    EDDY_DEFER(pool_end, &pool);
    const eddy_tls_options options = {.insecure_accept_any_certificate = true};

    CHECK_OK(eddy_tls_client_context(&options, &context));
    struct ed_route route = {.host = "a.test", .port = 443, .secure = true, .tls = context};

    CHECK_OK(open_connection(&pool, &route, &connection, &far));
    ed_http_pool_put(&pool, connection, ED_FATE_KEEP);
    eddy_tls_context_free(context);
    CHECK_OK(eddy_tls_client_context(&options, &next));
    CHECK(next != context);
    eddy_tls_context_free(next);
}

TEST(pool_finds_its_way_among_many_routes)
{
    enum { ROUTES = 200 };
    struct ed_http_pool pool = POOL(1000, SIZE_MAX);
    struct ed_host *hosts[ROUTES], *again;
    char name[ROUTES][16];
    EDDY_DEFER(pool_end, &pool);

    for (int i = 0; i < ROUTES; i++) {
        struct ed_route route = route_to(name[i]);

        snprintf(name[i], sizeof name[i], "h%d.test", i);
        CHECK_OK(ed_http_pool_find(&pool, &route, &hosts[i]));
        CHECK(ed_http_pool_enter(&pool, hosts[i]));
    }
    CHECK_EQ(pool.host_count, ROUTES);
    for (int i = 0; i < ROUTES; i++) {
        struct ed_route route = route_to(name[i]);

        CHECK_OK(ed_http_pool_find(&pool, &route, &again));
        CHECK(again == hosts[i]);
        CHECK(ed_http_pool_enter(&pool, again));
        ed_http_pool_leave(&pool, again);
        ed_http_pool_leave(&pool, again);
    }
    CHECK_EQ(pool.host_count, 0);
}
