/* SPDX-License-Identifier: MIT */
/*
 * A session: its options, its pool, its cookies, and who uses it.
 *
 * Texts of the options are copied to one arena when the session is opened, defaults filled in; a
 * request lays its own over them. A session that is closed while requests are in it ends them by
 * the scope of their time in all, and waits for them; responses that are still open keep it in
 * memory until the last one is closed.
 *
 *     a session is freed once it is closed, `requests` is empty and `responses` is 0
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/die.h"
#include "eddy/tls.h"
#include "http/client.h"

#define SESSION_CONNECTIONS 100
#define SESSION_IDLE_TIME 15
#define SESSION_NAME_TIME 10
#define SESSION_TOTAL 300
#define SESSION_CONNECT 30
#define SESSION_RETRY_DELAY 0.1
#define SESSION_RETRY_MOST 30
#define SESSION_HEAD_SIZE ((size_t)64 << 10)
#define SESSION_LINE_SIZE 8190
#define SESSION_FIELDS 128

/* Copies of what the options point to --------------------------------------------------- */

/* Copies a text in place: false when memory is short. NULL stays. */
static bool session_copy(eddy_http_session *session, const char **text)
{
    if (*text)
        *text = ed_arena_copy(&session->arena, *text, strlen(*text));
    return *text != NULL;
}

static int session_copy_texts(eddy_http_session *session, const char **texts[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (*texts[i] && !session_copy(session, texts[i]))
            return -ENOMEM;
    return 0;
}

static int session_copy_pairs(eddy_http_session *session, const eddy_pair **pairs)
{
    size_t count = 0;
    eddy_pair *copy;

    if (!*pairs)
        return 0;
    while ((*pairs)[count].name)
        count++;
    copy = ed_arena_alloc(&session->arena, (count + 1) * sizeof *copy);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, *pairs, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (!session_copy(session, &copy[i].name) ||
            (copy[i].value && !session_copy(session, &copy[i].value)))
            return -ENOMEM;
    *pairs = copy;
    return 0;
}

static int session_copy_middlewares(eddy_http_session *session)
{
    const eddy_http_middleware **list = &session->options.defaults.middlewares;
    size_t count = 0;
    void *copy;

    if (!*list)
        return 0;
    while ((*list)[count].call)
        count++;
    copy = ed_arena_copy(&session->arena, *list, (count + 1) * sizeof **list);
    *list = copy;
    return copy ? 0 : -ENOMEM;
}

static int session_copy_options(eddy_http_session *session)
{
    eddy_http_session_options *o = &session->options;
    const char **texts[] = {&o->unix_path,
                            &o->defaults.user,
                            &o->defaults.password,
                            &o->defaults.bearer,
                            &o->defaults.compress,
                            &o->defaults.proxy,
                            &o->defaults.server_name,
                            &o->defaults.fingerprint};
    int rc = session_copy_texts(session, texts, ED_ARRAY_LENGTH(texts));

    if (rc == 0)
        rc = session_copy_pairs(session, &o->headers);
    if (rc == 0)
        rc = session_copy_middlewares(session);
    o->defaults.body = (eddy_body){.kind = EDDY_BODY_KIND_NONE};
    o->defaults.params = o->defaults.headers = o->defaults.cookies = NULL;
    return rc;
}

/* Numbers ------------------------------------------------------------------------------- */

static double time_or(double seconds, double otherwise)
{
    return seconds == 0 ? otherwise : seconds;
}

static size_t size_or(size_t size, size_t otherwise)
{
    return size ? size : otherwise;
}

static int choose_timeouts(const eddy_http_timeouts *given, eddy_http_timeouts *out)
{
    eddy_http_timeouts none = {0}, *t = out;

    *t = given ? *given : none;
    if (!(t->total >= 0 && t->pool >= 0 && t->connect >= 0 && t->read >= 0))
        return eddy_raise(-EINVAL, "http: a timeout is below 0, or not a number");
    t->total = time_or(t->total, SESSION_TOTAL);
    t->pool = time_or(t->pool, EDDY_FOREVER);
    t->connect = time_or(t->connect, SESSION_CONNECT);
    t->read = time_or(t->read, EDDY_FOREVER);
    return 0;
}

static int choose_retries(const eddy_http_retries *given, eddy_http_retries *out)
{
    *out = given ? *given : (eddy_http_retries){0};
    if (!(out->delay >= 0 && out->most >= 0))
        return eddy_raise(-EINVAL, "http: a delay is below 0, or not a number");
    out->delay = time_or(out->delay, SESSION_RETRY_DELAY);
    out->most = time_or(out->most, SESSION_RETRY_MOST);
    return 0;
}

static int session_set_pool(eddy_http_session *session)
{
    const eddy_http_session_options *o = &session->options;
    struct ed_http_pool *pool = &session->pool;

    if (!(o->idle_time >= 0 && o->age >= 0))
        return eddy_raise(-EINVAL, "http: idle_time or age is below 0, or not a number");
    pool->most = size_or(o->connections, SESSION_CONNECTIONS);
    pool->most_per_host = size_or(o->connections_per_host, SIZE_MAX);
    pool->most_idle = o->close_connections ? 0 : size_or(o->idle_connections, SESSION_CONNECTIONS);
    pool->idle_time = time_or(o->idle_time, SESSION_IDLE_TIME);
    pool->age = time_or(o->age, EDDY_FOREVER);
    pool->limits.head_size = size_or(o->head_size, SESSION_HEAD_SIZE);
    pool->limits.line_size =
        pool->limits.head_size < SESSION_LINE_SIZE ? pool->limits.head_size : SESSION_LINE_SIZE;
    pool->limits.fields = size_or(o->head_fields, SESSION_FIELDS);
    return 0;
}

static int session_set_names(eddy_http_session *session)
{
    const eddy_http_session_options *o = &session->options;
    struct ed_name_cache *names = &session->names;

    if (!(o->name_time >= 0))
        return eddy_raise(-EINVAL, "http: name_time is below 0, or not a number");
    names->time = o->keep_no_names ? 0 : time_or(o->name_time, SESSION_NAME_TIME);
    names->most = ED_NAMES;
    if (o->connect) {
        names->lookup.family = o->connect->family;
        names->lookup.resolver = o->connect->resolver;
    }
    return 0;
}

static int session_set_base(eddy_http_session *session, const char *text)
{
    size_t length;
    int rc;

    if (!text)
        return 0;
    rc = eddy_url_parse(text, &session->base);
    if (rc == EDDY_EURL)
        return eddy_raise(rc, "http: the base URL \"%.200s\": %s", text, eddy_error_message(rc));
    EDDY_TRY(rc);
    length = strlen(session->base->path);
    if (!*session->base->host || length == 0 || session->base->path[length - 1] != '/')
        return eddy_raise(-EINVAL,
                          "http: the base URL \"%.200s\" is not absolute, or its path does "
                          "not end in \"/\"",
                          text);
    return 0;
}

/* Keeps what the defaults point to: timeouts and retries, and the context. */
static int session_set_defaults(eddy_http_session *session)
{
    eddy_http_options *defaults = &session->options.defaults;
    eddy_http_timeouts *timeouts = ed_arena_alloc(&session->arena, sizeof *timeouts);
    eddy_http_retries *retries = ed_arena_alloc(&session->arena, sizeof *retries);
    struct ed_choice unused;

    if (!timeouts || !retries)
        return -ENOMEM;
    if (defaults->timeouts)
        *timeouts = *defaults->timeouts;
    if (defaults->retries)
        *retries = *defaults->retries;
    defaults->timeouts = defaults->timeouts ? timeouts : NULL;
    defaults->retries = defaults->retries ? retries : NULL;
    return ed_session_choose(session, NULL, &unused);
}

/* Opening ------------------------------------------------------------------------------- */

static void session_free(eddy_http_session *session)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&session->spare))) {
        eddy_http_response *response = ed_container_of(link, eddy_http_response, link);

        ed_arena_free(&response->arena);
        eddy_free(response);
    }
    ed_http_pool_free(&session->pool);
    ed_url_cache_clear(&session->urls);
    ed_name_cache_free(&session->names);
    if (session->owns_jar)
        eddy_cookie_jar_free(session->jar);
    eddy_tls_context_free(session->options.defaults.tls);
    eddy_url_free(session->base);
    ed_arena_free(&session->arena);
    eddy_free(session);
}

static int session_set_up(eddy_http_session *session)
{
    eddy_http_session_options *o = &session->options;
    int rc = session_copy_options(session);

    if (rc == 0)
        rc = ed_request_check_headers(o->headers);
    if (rc == 0)
        rc = session_set_pool(session);
    if (rc == 0)
        rc = session_set_names(session);
    if (rc == 0)
        rc = session_set_base(session, o->base_url);
    if (rc == 0)
        rc = session_set_defaults(session);
    if (rc == 0 && !o->no_cookies && !o->cookies) {
        rc = eddy_cookie_jar_new(NULL, &session->jar);
        session->owns_jar = rc == 0;
    } else if (!o->no_cookies) {
        session->jar = o->cookies;
    }
    return rc < 0 ? rc : eddy_seed_(&session->random);
}

int eddy_http_session_open(const eddy_http_session_options *options, eddy_http_session **out)
{
    eddy_http_session *session;
    int rc;

    if (!eddy_thread_.loop)
        return eddy_raise(-EPERM, "http: a session is opened outside a running loop");
    session = eddy_alloc_(sizeof *session);
    if (!session)
        return -ENOMEM;
    if (options)
        session->options = *options;
    if (session->options.defaults.tls)
        eddy_tls_context_ref_(session->options.defaults.tls);
    rc = session_set_up(session);
    if (rc < 0)
        session_free(session);
    else
        *out = session;
    return rc;
}

/* Closing ------------------------------------------------------------------------------- */

static void session_free_unused(eddy_http_session *session)
{
    if (session->closed && !session->requests.first && session->responses == 0)
        session_free(session);
}

void eddy_http_session_close(eddy_http_session **handle)
{
    eddy_http_session *session = *handle;
    eddy_shield_scope shield;

    *handle = NULL;
    if (!session)
        return;
    session->responses++; /* so that nobody frees it */
    session->closed = true;
    eddy_shield_enter(&shield, EDDY_HERE_);
    ED_LIST_FOR_EACH(link, &session->requests) {
        struct ed_request *request = ed_container_of(link, struct ed_request, link);

        (void)eddy_timeout_reschedule(&request->total, 0); /* it may be over as well */
    }
    ed_http_pool_close(&session->pool);
    ed_name_cache_close(&session->names);
    while (session->requests.first && eddy_event_wait(&session->left) == 0)
        eddy_event_clear(&session->left);
    eddy_shield_exit(&shield);
    session->responses--;
    session_free_unused(session);
}

void eddy_http_session_end_scope_(eddy_http_session **session)
{
    eddy_http_session_close(session);
}

/* What requests need of it ---------------------------------------------------------------- */

#define CHOOSE(member) o->member = o->member ? o->member : defaults->member

int ed_session_choose(const eddy_http_session *session, const eddy_http_options *options,
                      struct ed_choice *out)
{
    const eddy_http_options *defaults = &session->options.defaults;
    eddy_http_options *o = &out->options;
    int rc;

    if (!options) {
        *o = *defaults;
    } else {
        *o = *options;
        if (!o->user && !o->password && !o->bearer) {
            o->user = defaults->user;
            o->password = defaults->password;
            o->bearer = defaults->bearer;
        }
        CHOOSE(timeouts);
        CHOOSE(retries);
        CHOOSE(middlewares);
        CHOOSE(redirects);
        CHOOSE(no_redirects);
        CHOOSE(raise_for_status);
        CHOOSE(keep_encoding);
        CHOOSE(compress);
        CHOOSE(chunked);
        CHOOSE(expect_continue);
        CHOOSE(proxy);
        CHOOSE(tls);
        CHOOSE(server_name);
        CHOOSE(fingerprint);
        CHOOSE(limit);
        CHOOSE(decoded_limit);
        CHOOSE(trace_argument);
    }
    rc = choose_timeouts(o->timeouts, &out->timeouts);
    return rc < 0 ? rc : choose_retries(o->retries, &out->retries);
}

eddy_http_response *ed_session_take_response(eddy_http_session *session)
{
    struct eddy_link_ *link = ed_list_pop(&session->spare);
    eddy_http_response *response;

    if (link) {
        session->spare_count--;
        response = ed_container_of(link, eddy_http_response, link);
    } else {
        response = eddy_alloc_(sizeof *response);
        if (!response)
            return NULL;
    }
    response->session = session;
    session->responses++;
    return response;
}

void ed_session_put_response(eddy_http_session *session, eddy_http_response *response)
{
    struct ed_arena arena = response->arena;

    session->responses--;
    if (session->closed || session->spare_count >= ED_SPARE_RESPONSES) {
        ed_arena_free(&arena);
        eddy_free(response);
        session_free_unused(session);
        return;
    }
    ed_arena_reset(&arena);
    *response = (eddy_http_response){.arena = arena};
    ed_list_append(&session->spare, &response->link);
    session->spare_count++;
}

eddy_cookie_jar *eddy_http_session_cookies(eddy_http_session *session)
{
    return session->jar;
}

eddy_http_session_counters eddy_http_session_get_counters(const eddy_http_session *session)
{
    return (eddy_http_session_counters){
        .in_use = session->pool.in_use,
        .idle = session->pool.idle_count,
        .waiting = session->pool.waiting,
        .requests = session->sent,
        .opened = session->opened,
    };
}
