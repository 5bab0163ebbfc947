/* SPDX-License-Identifier: MIT */
/*
 * Resolvers: how many lookups at once, whose they are, and how they end. The name server
 * holds its answers until a gate is opened, so that nothing depends on how fast anybody is.
 */
#include "net/resolver.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "harness.h"
#include "net/nameserver.h"

static int nap(void)
{
    usleep(1000);
    return 0;
}
EDDY_ASYNC(nap);

/* Until the server has been asked so often, by the real clock. */
static int until_asked(const struct nameserver *server, int count)
{
    while (nameserver_asked(server) < count)
        EDDY_TRY(eddy_to_thread(nap));
    return 0;
}

static int look_up(eddy_resolver *resolver, int number, int *count)
{
    EDDY_ADDRESSES(found);
    char name[32];

    snprintf(name, sizeof name, "gate.n%d.example", number);
    EDDY_TRY(nameserver_look_up(resolver, name, &found));
    *count = (int)found.count;
    return 0;
}
EDDY_ASYNC_RESULT(int, look_up, eddy_resolver *, int);

static int tick(int *ticks)
{
    for (*ticks = 0; *ticks < 20; ++*ticks)
        EDDY_TRY(eddy_sleep(0.001));
    return 0;
}
EDDY_ASYNC(tick, int *);

static int hundred_names(void)
{
    NAMESERVER_OR_FAIL(server, resolver, true);
    EDDY_TASKS(tasks, 100);
    int ticks, count;
    eddy_stats stats;

    EDDY_TRY(tasks ? 0 : -ENOMEM);
    for (int i = 0; i < 100; i++)
        tasks[i] = eddy_create_task(look_up, resolver, i);
    EDDY_TRY(eddy_sleep(0));
    eddy_get_stats(&stats);
    EDDY_TRY(eddy_expect_equal(stats.threads, 0));
    EDDY_TRY(until_asked(server, 200));
    for (int i = 0; i < 20; i++) /* all are on their way */
        EDDY_TRY(eddy_gather(EDDY_THREAD_CALL(nap), EDDY_CALL(tick, &ticks)));
    EDDY_TRY(eddy_expect_equal(ticks, 20));
    for (int i = 0; i < 100; i++)
        EDDY_TRY(eddy_expect(!eddy_task_done(tasks[i])));
    nameserver_open_gate(server);
    for (int i = 0; i < 100; i++) {
        EDDY_TRY(eddy_await(tasks[i], &count));
        EDDY_TRY(eddy_expect_equal(count, 2));
    }
    return 0;
}
EDDY_ASYNC(hundred_names);

/* Peers 6a: 100 slow names on their way hold up neither timers nor thread jobs. */
RAW_TEST(hundred_slow_names_hold_up_nothing_else)
{
    eddy_test_plan plan = {.real_clock = true};
    int rc = eddy_test_run(&plan, EDDY_CALL(hundred_names));

    CHECK_OK(rc);
}

/* The limit: so many are asked at once, the others in their turn. */
TEST(lookups_beyond_the_limit_wait_their_turn)
{
    struct nameserver *server = nameserver_start();
    EDDY_DEFER(nameserver_stop, server);
    EDDY_RESOLVER(resolver);
    EDDY_TASKS(tasks, 10);
    int count = 0;

    CHECK(tasks != NULL);
    CHECK_OK(eddy_resolver_new(&(eddy_resolver_options){.servers = nameserver_place(server),
                                                        .timeout = 60,
                                                        .domains = "",
                                                        .hosts = "",
                                                        .lookups = 3},
                               &resolver));
    for (int i = 0; i < 10; i++)
        tasks[i] = eddy_create_task(look_up, resolver, i);
    CHECK_OK(until_asked(server, 6));
    test_settle();
    CHECK_EQ(nameserver_asked(server), 6);
    CHECK_OK(eddy_cancel(tasks[1])); /* one that is asked: the next goes on */
    CHECK_OK(eddy_cancel(tasks[5])); /* one that waits */
    CHECK_EQ(eddy_await(tasks[1]), -ECANCELED);
    CHECK_EQ(eddy_await(tasks[5]), -ECANCELED);
    CHECK_OK(until_asked(server, 8));
    nameserver_open_gate(server);
    for (int i = 0; i < 10; i++)
        if (i != 1 && i != 5) {
            CHECK_OK(eddy_await(tasks[i], &count));
            CHECK_EQ(count, 2);
        }
    CHECK_EQ(nameserver_asked(server), 18);
}

/* A-DNS-2, where Eddy does better: a cancel ends the lookup too, with all it holds. */
TEST(lookup_that_is_cancelled_ends_at_once)
{
    NAMESERVER(server, resolver, true);
    EDDY_TASK task = eddy_create_task(look_up, resolver, 1);
    eddy_stats stats;

    CHECK_OK(until_asked(server, 2));
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    for (int i = 0; i < 500; i++) /* the loop looks at the kernel */
        CHECK_OK(eddy_sleep(0));
    eddy_get_stats(&stats);
    CHECK_EQ(stats.operations, 0);
    nameserver_open_gate(server); /* the answer comes too late for anybody */
    EDDY_ADDRESSES(found);
    CHECK_OK(nameserver_look_up(resolver, "v4.example", &found));
    CHECK_EQ(found.count, 1);
}

/* Many lookups cancelled at random moments, answers under way or not. */
TEST(lookups_cancelled_at_any_moment_leave_nothing)
{
    NAMESERVER(server, resolver, true);
    int rounds = test_is_slow() ? 50 : 300;
    unsigned seed = 7;

    nameserver_open_gate(server);
    for (int i = 0; i < rounds; i++) {
        EDDY_TASK task = eddy_create_task(look_up, resolver, i);
        int count = 2, rc;

        for (int k = rand_r(&seed) % 40; k > 0; k--)
            CHECK_OK(eddy_sleep(0));
        (void)eddy_cancel(task); /* it may have ended */
        rc = eddy_await(task, &count);
        CHECK(rc == -ECANCELED || rc == 0);
        CHECK_EQ(count, 2);
    }
}

static int look_up_in_time(void)
{
    NAMESERVER_OR_FAIL(server, resolver, true);
    int count = -1;
    EDDY_TIMEOUT(limit, 0.05);
    int rc = look_up(resolver, 1, &count);

    EDDY_TRY(eddy_expect(eddy_timeout_expired(&limit)));
    EDDY_TRY(eddy_expect_equal(count, -1));
    return rc;
}
EDDY_ASYNC(look_up_in_time);

RAW_TEST(lookup_ends_with_the_time_of_its_scope)
{
    eddy_test_plan plan = {.real_clock = true};

    CHECK_EQ(eddy_test_run(&plan, EDDY_CALL(look_up_in_time)), -ETIMEDOUT);
}

static int silent_name(void)
{
    NAMESERVER_OR_FAIL(server, resolver, false);
    EDDY_ADDRESSES(found);

    return nameserver_look_up(resolver, "silent.example", &found);
}
EDDY_ASYNC(silent_name);

/* The resolver's own time, by the loop's timer; elsewhere it is by the alarm. */
RAW_TEST(lookup_ends_with_the_time_of_its_resolver)
{
    eddy_test_plan plan = {.real_clock = true};

    CHECK_EQ(eddy_test_run(&plan, EDDY_CALL(silent_name)), EDDY_EDNS_TIMEOUT);
}

/* A resolver that is freed ends its lookups, asked or not. */
TEST(lookups_of_a_freed_resolver_are_shut_down)
{
    struct nameserver *server = nameserver_start();
    EDDY_DEFER(nameserver_stop, server);
    EDDY_RESOLVER(resolver);
    EDDY_TASKS(tasks, 4);

    CHECK(tasks != NULL);
    CHECK_OK(eddy_resolver_new(
        &(eddy_resolver_options){
            .servers = nameserver_place(server), .timeout = 60, .hosts = "", .lookups = 2},
        &resolver));
    for (int i = 0; i < 4; i++)
        tasks[i] = eddy_create_task(look_up, resolver, i);
    CHECK_OK(until_asked(server, 4));
    eddy_resolver_free(&resolver);
    CHECK(resolver == NULL);
    eddy_resolver_free(&resolver);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(eddy_await(tasks[i]), -ESHUTDOWN);
}

/* A loop that closes with a lookup on its way takes it back. */
RAW_TEST(loop_that_closes_ends_its_lookups)
{
    NAMESERVER(server, resolver, true);
    eddy_loop *loop;
    eddy_task *task;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    task = eddy_loop_create_task(loop, EDDY_CALL(look_up, resolver, 1));
    CHECK(task != NULL);
    for (int i = 0; i < 20; i++) {
        eddy_loop_stop(loop);
        CHECK_OK(eddy_loop_run_forever(loop));
    }
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "look_up");
    eddy_loop_free(loop);
}

static int use_from_another_thread(eddy_resolver *resolver)
{
    EDDY_ADDRESSES(found);

    return nameserver_look_up(resolver, "both.example", &found);
}
EDDY_ASYNC(use_from_another_thread, eddy_resolver *);

static void *run_in_thread(void *resolver)
{
    return (void *)(intptr_t)eddy_run(use_from_another_thread, (eddy_resolver *)resolver);
}

RAW_TEST(resolver_of_another_thread_is_refused)
{
    NAMESERVER(server, resolver, true);
    pthread_t thread;
    void *rc;

    CHECK_EQ(pthread_create(&thread, NULL, run_in_thread, resolver), 0);
    pthread_join(thread, &rc);
    CHECK_EQ((intptr_t)rc, -EPERM);
    CHECK_EQ(nameserver_asked(server), 0);
}

static eddy_resolver *parents;

static void free_in_child(void)
{
    int rc = eddy_run(use_from_another_thread, parents);

    eddy_resolver_free(&parents);
    _exit(rc == -EPERM ? 0 : 1);
}

/* After fork(2): the parent's is refused, can be freed, and the parent goes on. */
TEST(resolver_of_the_process_before_a_fork_is_refused)
{
    NAMESERVER(server, resolver, true);
    EDDY_TASK task = eddy_create_task(look_up, resolver, 1);
    char text[512];
    int count = 0;

    CHECK_OK(until_asked(server, 2));
    parents = resolver;
    CHECK_EQ(test_fork(free_in_child, text, sizeof text), 0);
    nameserver_open_gate(server);
    CHECK_OK(eddy_await(task, &count));
    CHECK_EQ(count, 2);
}

/* What options say nonsense is refused with a text. */
RAW_TEST(resolver_with_senseless_options_is_refused)
{
    static const eddy_resolver_options wrong[] = {
        {.servers = "nonsense"},
        {.servers = ""},
        {.servers = "127.0.0.1,"},
        {.servers = "127.0.0.1:0"},
        {.servers = "127.0.0.1:65536"},
        {.servers = "/run/socket"},
        {.servers = "[fe80::1%3]:53"},
        {.servers = "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
                    "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1"},
        {.timeout = -1},
        {.timeout = __builtin_nan("")},
        {.tries = 17},
        {.domains = "a b c d e f g h i"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        eddy_resolver *resolver = NULL;

        CHECK_EQ(eddy_resolver_new(&wrong[i], &resolver), -EINVAL);
        CHECK(strcmp(eddy_error_message(-EINVAL), eddy_strerror(-EINVAL)) != 0);
        CHECK(!resolver);
    }
    for (uint64_t nth = 1; nth < 5; nth++) {
        eddy_resolver *resolver = NULL;

        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        CHECK_EQ(eddy_resolver_new(&(eddy_resolver_options){.domains = "a"}, &resolver), -ENOMEM);
        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    }
}

RAW_TEST(resolver_takes_servers_in_all_their_forms)
{
    static const char *const servers[] = {"127.0.0.1", "::1", "[::1]:5353", "127.0.0.1:53, ::1",
                                          "192.0.2.1,[2001:db8::1]:53,192.0.2.2:5353"};

    for (int i = 0; i < 5; i++) {
        EDDY_RESOLVER(resolver);
        CHECK_OK(eddy_resolver_new(&(eddy_resolver_options){.servers = servers[i]}, &resolver));
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        test_fail(__FILE__, __LINE__, "cannot write %s", path);
}

/* The configuration file is followed: which domains to search. */
TEST(resolver_follows_changes_of_its_configuration_file)
{
    char path[] = "/tmp/eddy-resolv-XXXXXX";
    struct nameserver *server = nameserver_start();
    EDDY_DEFER(nameserver_stop, server);
    EDDY_RESOLVER(resolver);
    static const char *const domains[] = {"one.example", "another.example"};

    close(mkstemp(path));
    EDDY_DEFER(unlink, path);
    CHECK_OK(eddy_resolver_new(&(eddy_resolver_options){.servers = nameserver_place(server),
                                                        .configuration = path,
                                                        .hosts = ""},
                               &resolver));
    for (int i = 0; i < 2; i++) {
        EDDY_ADDRESSES(found);
        char text[64], name[64];
        eddy_lookup_options options = {.resolver = resolver, .canonical = true};

        snprintf(text, sizeof text, "search %s\n", domains[i]);
        write_file(path, text);
        CHECK_OK(eddy_getaddrinfo("v4", 80, &options, &found));
        snprintf(name, sizeof name, "v4.%s", domains[i]);
        CHECK_STR(found.canonical, name);
    }
}

/* Operations that fail: the lookup has their error, and nothing is left. */
TEST(lookup_that_cannot_wait_for_its_sockets_fails)
{
    NAMESERVER(server, resolver, true);
    int count = 0;

    for (uint64_t nth = 1; nth <= 2; nth++) {
        ed_fault_set(ED_FAULT_POLL, nth, -ENOMEM);
        CHECK_EQ(look_up(resolver, 1, &count), -ENOMEM);
        ed_fault_set(ED_FAULT_POLL, 0, 0);
    }
    nameserver_open_gate(server);
    CHECK_OK(look_up(resolver, 1, &count));
}

/* The loop's own resolver is made when it is needed, and ends with the loop. */
TEST(loop_has_a_resolver_of_its_own)
{
    EDDY_ADDRESSES(found);
    eddy_resolver *one = NULL, *other = NULL;

    CHECK_OK(eddy_getaddrinfo("localhost", 80, NULL, &found));
    CHECK_OK(ed_resolver_default(&one));
    CHECK_OK(ed_resolver_default(&other));
    CHECK(one == other);
}
