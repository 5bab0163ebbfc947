/* SPDX-License-Identifier: MIT */
/*
 * eddy get: many pages at once.
 *
 * As many workers as pages may be under way take the next URL of the list, one after another, all
 * over one session. `next` is the first URL that nobody has taken; each is taken once, and comes
 * to an end once: whole, or failed with a cause, or left alone because everything was stopped.
 *
 * A file is written whole or not at all, by eddy_http_save. A single page for the standard output
 * goes there as it comes, and is tried again only while nothing of it has gone.
 */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/signal.h>
#include <eddy/stdio.h>
#include <eddy/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cause.h"
#include "tools/command.h"
#include "tools/escape.h"
#include "tools/file_name.h"
#include "tools/option.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/tally.h"
#include "tools/url_list.h"

struct get {
    /* as the options say */
    long concurrency, per_host, retries;
    double timeout;
    const char *ca_file, *folder, *list;
    bool fail, quiet;
    char **operands;

    const eddy_stop_scope *stop; /* around all of it */
    struct ed_url_list urls;
    struct ed_file_names names;
    eddy_http_session *session;
    size_t next;
    eddy_stream *output; /* where the only page goes; NULL: nowhere */
    bool output_begun;

    struct ed_progress progress;
    struct ed_tally tally;
    size_t failed_first; /* number of the first URL that failed, */
    int status;          /* and the status to exit with because of it */
};

/* One page ----------------------------------------------------------------------------- */

/* Counts bytes as they come, for the bar and the summary. */
static void count_bytes(enum eddy_http_event event, const char *method, const eddy_url *url,
                        int status, int code, size_t bytes, void *unused, void *get)
{
    (void)method, (void)url, (void)status, (void)code, (void)unused;
    if (event == EDDY_HTTP_BODY_RECEIVED)
        ((struct get *)get)->progress.bytes += bytes;
}

/* Reads a body to its end, and drops it. */
static int page_drain(eddy_http_response *response)
{
    eddy_stream *body = eddy_http_body(response);
    const char *data;
    ssize_t size;

    while ((size = eddy_peek(body, 1, &data)) > 0)
        eddy_consume(body, (size_t)size);
    return (int)size;
}

static int page_write(struct get *get, eddy_http_response *response)
{
    int64_t size;

    get->output_begun = true;
    size = eddy_stream_copy(eddy_http_body(response), get->output);
    return size < 0 ? (int)size : eddy_flush(get->output);
}

static int page_save(const struct get *get, eddy_http_response *response, const char *name)
{
    size_t size = strlen(get->folder) + ED_FILE_NAME + 1;
    char *path = malloc(size);
    struct stat known;
    int64_t rc;

    if (!path)
        return -ENOMEM;
    EDDY_DEFER(free, path);
    snprintf(path, size, "%s/%s", get->folder, name);
    if (eddy_lstat(path, &known) == 0 && S_ISLNK(known.st_mode))
        return eddy_raise(-EEXIST, "%s: a symbolic link has the name, and is not followed", path);
    rc = eddy_http_save(response, path);
    return rc < 0 ? (int)rc : 0;
}

/* Whether a body itself has broken with an error, and not what it was written to: then a read says
 * so again, at once. */
static bool body_has_broken(eddy_http_response *response, int code)
{
    EDDY_TIMEOUT(now, 0);
    const char *data;

    return eddy_peek(eddy_http_body(response), 1, &data) == code;
}

/* Fetches a page once. Returns its status, or an error; *begun: its head has come. */
static int page_try(struct get *get, const char *url, const char *name, bool *begun)
{
    EDDY_HTTP_RESPONSE response = NULL;
    int rc;

    *begun = false;
    rc = eddy_http_request(get->session, "GET", url, NULL, &response);
    if (rc < 0)
        return ed_cause_of_network(rc);
    *begun = true;
    if (get->fail)
        EDDY_TRY(eddy_http_raise_for_status(response));
    if (get->folder)
        rc = page_save(get, response, name);
    else
        rc = get->output ? page_write(get, response) : page_drain(response);
    if (ed_cause_is_of_files(rc) && body_has_broken(response, rc))
        rc = ed_cause_of_network(rc);
    return rc < 0 ? rc : eddy_http_status(response);
}

/* Whether a body that broke off may come whole the next time. */
static bool is_worth_a_retry(int code)
{
    return code == EDDY_EHTTP_PAYLOAD || code == EDDY_ETLS_TRUNCATED || code == -ECONNRESET ||
           code == EDDY_EHTTP_READ_TIMEOUT;
}

/* Fetches a page. What fails before its head has come, the session tries again; what breaks off
 * behind it is tried again here. */
static int page_get(struct get *get, const char *url)
{
    char name[ED_FILE_NAME] = "";
    bool begun;
    int rc;

    if (get->folder)
        EDDY_TRY(ed_file_name(&get->names, url, name));
    rc = page_try(get, url, name, &begun);
    for (long i = 0; i < get->retries && begun && is_worth_a_retry(rc); i++) {
        if (get->output_begun)
            break;
        EDDY_TRY(eddy_sleep(0.1 * (double)(1L << (i < 8 ? i : 8))));
        rc = page_try(get, url, name, &begun);
    }
    return rc;
}

static void page_failed(struct get *get, size_t number, int code)
{
    const char *url = get->urls.urls[number];
    char text[1024], shown[512];
    EDDY_URL parsed = NULL;

    ed_escape(eddy_error_message(code), text, sizeof text);
    if (eddy_url_parse(url, &parsed) == 0)
        url = parsed->text; /* without user and password */
    ed_escape(url, shown, sizeof shown);
    ed_tally_add_error(&get->tally, code);
    if (number < get->failed_first) {
        get->failed_first = number;
        get->status = ed_cause_of(code)->exit;
    }
    ed_progress_clear(&get->progress);
    if (strstr(text, shown))
        ed_say("eddy get: %s\n", text);
    else
        ed_say("eddy get: %s: %s\n", shown, text);
}

/* All of them -------------------------------------------------------------------------- */

static int get_work(struct get *get)
{
    while (get->next < get->urls.count) {
        size_t number = get->next++;
        int rc = page_get(get, get->urls.urls[number]);

        if (rc == -ECANCELED || (rc == -EINTR && eddy_stop_signal(get->stop)))
            return rc; /* -EINTR may be a page's own, of a network's file system */
        if (rc < 0)
            page_failed(get, number, rc);
        else
            ed_tally_add_status(&get->tally, rc);
        get->progress.done++;
    }
    return 0;
}
EDDY_ASYNC(get_work, struct get *);
EDDY_ASYNC(ed_progress_show, struct ed_progress *);

static int get_all(struct get *get)
{
    EDDY_TASK bar = eddy_create_task(ed_progress_show, &get->progress);
    EDDY_GROUP(group);

    (void)bar; /* ends with the block */
    for (long i = 0; i < get->concurrency && (size_t)i < get->urls.count; i++)
        EDDY_TRY(eddy_group_create_task(&group, get_work, get));
    return eddy_group_join(&group);
}

static int get_open(struct get *get, eddy_tls_context *tls)
{
    const eddy_http_trace trace = {count_bytes, get};
    const eddy_http_timeouts timeouts = {.total = get->timeout, .pool_apart = true};
    const eddy_http_retries retries = {.times = (unsigned)get->retries};
    const eddy_http_session_options options = {
        .connections = (size_t)get->concurrency,
        .connections_per_host = (size_t)get->per_host,
        .idle_connections = (size_t)get->concurrency,
        .trust_environment = true,
        .trace = &trace,
        .defaults = {.timeouts = &timeouts, .retries = &retries, .tls = tls},
    };
    EDDY_HTTP_SESSION session = NULL;
    int rc;

    EDDY_TRY(eddy_http_session_open(&options, &session));
    get->session = session;
    ed_progress_begin(&get->progress, get->urls.count);
    if (get->output && isatty(STDOUT_FILENO))
        get->progress.shown = false; /* the page is on the terminal */
    rc = get_all(get);
    ed_progress_clear(&get->progress);
    return rc;
}

static void get_summarize_tally(const struct get *get)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        return;
    ed_tally_print(&get->tally, memory);
    fclose(memory);
    if (text)
        ed_say_bytes(text, size);
    free(text);
}

static void get_summarize(const struct get *get)
{
    double seconds = eddy_time() - get->progress.start;
    char text[32];

    if (get->quiet || get->urls.count == 1)
        return;
    ed_say("%zu of %zu pages, %s, in %.2f s: %.0f a second\n", get->tally.whole, get->urls.count,
           ed_bytes_text(get->progress.bytes, text), seconds,
           seconds > 0 ? (double)get->tally.whole / seconds : 0);
    get_summarize_tally(get);
}

/* What must be there before the first page is asked for. Returns 0, or a status to exit with. */
static int get_prepare(struct get *get, eddy_tls_context **tls)
{
    int rc = ed_url_list_read(&get->urls, get->operands, get->list);

    if (rc < 0) {
        ed_say("eddy get: -i: %s\n", eddy_error_message(rc));
        return 26;
    }
    if (get->ca_file && (rc = ed_command_trust(get->ca_file, tls)) < 0) {
        ed_say("eddy get: --cacert: %s\n", eddy_error_message(rc));
        return ED_EXIT_USAGE;
    }
    if (get->folder)
        rc = eddy_makedirs(get->folder, 0777, true);
    else if (get->urls.count == 1)
        rc = eddy_stdout(&get->output);
    if (rc < 0)
        ed_say("eddy get: %s: %s\n", get->folder ? get->folder : "standard output",
               eddy_error_message(rc));
    return rc == -ENOMEM ? ed_cause_of(rc)->exit : rc < 0 ? 23 : 0;
}

/* Gets all pages, and says how it went. Returns a status to exit with. */
static int get_do(struct get *get)
{
    EDDY_TLS_CONTEXT tls = NULL;
    int rc = get_prepare(get, &tls);

    if (rc > 0)
        return rc;
    rc = get_open(get, tls);
    get_summarize(get);
    if (rc == 0)
        return get->status;
    if (!eddy_stop_signal(get->stop))
        ed_say("eddy get: %s\n", eddy_error_message(rc));
    return ed_cause_of(rc)->exit;
}

static int get_run(struct get *get)
{
    int status;

    EDDY_STOP_ON_SIGNALS(stop);
    get->stop = &stop;
    status = get_do(get);
    ed_say_end(EDDY_FOREVER);
    return eddy_stop_signal(&stop) ? 128 + eddy_stop_signal(&stop) : status;
}
EDDY_ASYNC(get_run, struct get *);

static const char get_about[] =
    "Fetches pages, many at once. One page goes to the standard output, or with -o\n"
    "to a file; several are kept only with -o, and else read to their end and counted.\n";

int ed_command_get(char **argv)
{
    struct get get = {
        .concurrency = 20, .timeout = 300, .operands = argv, .failed_first = SIZE_MAX};
    const struct ed_option options[] = {
        {'c', NULL, ED_OPTION_COUNT, &get.concurrency, "N", "so many pages at a time (20)", 1,
         10000},
        {0, "per-host", ED_OPTION_COUNT, &get.per_host, "N",
         "connections to one host (no limit of its own)", 1, 10000},
        {0, "retries", ED_OPTION_COUNT, &get.retries, "N", "tries after a failure (0)", 0, 100},
        {0, "timeout", ED_OPTION_SECONDS, &get.timeout, "S", "seconds for each page (300)", 0, 1e6},
        {0, "cacert", ED_OPTION_TEXT, &get.ca_file, "FILE",
         "trust the roots in this PEM file, not the system's", 0, 0},
        {'o', NULL, ED_OPTION_TEXT, &get.folder, "DIR",
         "files into this folder, whole or not at all", 0, 0},
        {'i', NULL, ED_OPTION_TEXT, &get.list, "FILE", "a URL in each line; - is standard input", 0,
         0},
        {0, "fail", ED_OPTION_FLAG, &get.fail, NULL, "a status of 400 or more is a failure", 0, 0},
        {'q', "quiet", ED_OPTION_FLAG, &get.quiet, NULL, "no summary", 0, 0},
    };
    const struct ed_usage usage = {"eddy get",     "URL...", get_about,
                                   ed_cause_table, options,  sizeof options / sizeof *options};
    int status = ed_option_parse(&usage, argv);

    if (status != ED_OPTION_GO_ON)
        return status;
    if (!argv[0] && !get.list)
        return ed_usage_fail(&usage, "which URL? Or -i FILE");
    status = eddy_run(get_run, &get);
    if (status < 0) {
        fprintf(stderr, "eddy get: %s\n", eddy_error_message(status));
        status = ed_cause_of(status)->exit;
    }
    ed_url_list_free(&get.urls);
    ed_file_names_free(&get.names);
    return status;
}
