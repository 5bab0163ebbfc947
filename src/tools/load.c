/* SPDX-License-Identifier: MIT */
/*
 * eddy load: what a server bears.
 *
 * As many workers as requests may be under way send one after another over connections that stay,
 * until the time is up; what is under way then is cut off, and not counted. The next request of a
 * worker waits for the answer of the one before: a server that is slow is asked less often, and the
 * latencies are those of requests that were sent.
 */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/signal.h>
#include <eddy/tls.h>
#include <stdio.h>
#include <string.h>

#include "tools/cause.h"
#include "tools/command.h"
#include "tools/latency.h"
#include "tools/option.h"
#include "tools/say.h"
#include "tools/tally.h"

struct load {
    const char *url, *ca_file;
    long concurrency;
    double seconds, timeout;

    eddy_http_session *session;
    struct ed_tally tally;
    struct ed_latency latency;
    uint64_t bytes;
    int error;   /* the first failure, */
    bool failed; /* whose text has been printed */
};

/* One request: its status, or an error. */
static int load_request(struct load *load)
{
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data;
    eddy_stream *body;
    ssize_t size;

    size = eddy_http_get(load->session, load->url, &response);
    if (size < 0)
        return ed_cause_of_network((int)size);
    body = eddy_http_body(response);
    while ((size = eddy_peek(body, 1, &data)) > 0) {
        load->bytes += (uint64_t)size;
        eddy_consume(body, (size_t)size);
    }
    return size < 0 ? ed_cause_of_network((int)size) : eddy_http_status(response);
}

static void load_failed(struct load *load, int code)
{
    ed_tally_add_error(&load->tally, code);
    if (load->error == 0) {
        load->error = code;
        ed_say("eddy load: %s\n", eddy_error_message(code));
    }
}

static int load_work(struct load *load)
{
    double pause = 0.001;

    for (;;) {
        double start = eddy_time();
        int rc = load_request(load);

        if (rc == -ECANCELED || rc == -EINTR)
            return rc;
        if (rc >= 0) {
            ed_latency_add(&load->latency, eddy_time() - start);
            ed_tally_add_status(&load->tally, rc);
            pause = 0.001;
            continue;
        }
        load_failed(load, rc);
        EDDY_TRY(eddy_sleep(pause)); /* a server that is not there is not asked all the time */
        pause = pause < 0.5 ? 2 * pause : 1;
    }
}
EDDY_ASYNC(load_work, struct load *);

static int load_all(struct load *load)
{
    EDDY_GROUP(group);

    for (long i = 0; i < load->concurrency; i++)
        EDDY_TRY(eddy_group_create_task(&group, load_work, load));
    EDDY_TRY(eddy_sleep(load->seconds));
    eddy_group_cancel(&group);
    return eddy_group_join(&group);
}

static int load_open(struct load *load)
{
    const eddy_http_timeouts timeouts = {.total = load->timeout};
    eddy_http_session_options options = {
        .connections = (size_t)load->concurrency,
        .idle_connections = (size_t)load->concurrency,
        .no_cookies = true,
        .defaults = {.timeouts = &timeouts, .no_redirects = true, .keep_encoding = true},
    };
    EDDY_TLS_CONTEXT tls = NULL;
    EDDY_HTTP_SESSION session = NULL;

    if (load->ca_file)
        EDDY_TRY(ed_command_trust(load->ca_file, &tls));
    options.defaults.tls = tls;
    EDDY_TRY(eddy_http_session_open(&options, &session));
    load->session = session;
    return load_all(load);
}

static void load_print(const struct load *load, double seconds)
{
    static const double percents[] = {50, 75, 90, 95, 99, 99.9};
    const struct ed_latency *latency = &load->latency;
    char text[32];

    printf("%s: %ld at a time, %.1f s\n", load->url, load->concurrency, seconds);
    printf("requests: %zu, %.1f a second, ", load->tally.whole,
           (double)load->tally.whole / seconds);
    printf("%s a second\n", ed_bytes_text((uint64_t)((double)load->bytes / seconds), text));
    ed_tally_print(&load->tally, stdout);
    if (latency->count == 0)
        return;
    puts("latency:");
    printf("    mean %10s\n", ed_latency_text(latency->sum / (double)latency->count, text));
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++)
        printf("  %4.1f %% %10s\n", percents[i],
               ed_latency_text(ed_latency_percentile(latency, percents[i]), text));
    printf("    most %10s\n", ed_latency_text((double)latency->most * 1e-9, text));
}

static int load_run(struct load *load)
{
    double start = eddy_time();
    int rc, number;

    EDDY_STOP_ON_SIGNALS(stop);
    rc = load_open(load);
    number = eddy_stop_signal(&stop);
    if (rc < 0 && !number) {
        fprintf(stderr, "eddy load: %s\n", eddy_error_message(rc));
        return ed_cause_of(rc)->exit;
    }
    load_print(load, eddy_time() - start);
    if (number)
        return 128 + number;
    return load->tally.whole > 0 || load->error == 0 ? 0 : ed_cause_of(load->error)->exit;
}
EDDY_ASYNC(load_run, struct load *);

static const char load_about[] =
    "Sends GET requests, the next of each connection when the answer to the one before\n"
    "has come whole, and prints how many a second, and how long they took.\n";

int ed_command_load(char **argv)
{
    struct load load = {.concurrency = 10, .seconds = 10, .timeout = 30};
    const struct ed_option options[] = {
        {'c', NULL, ED_OPTION_COUNT, &load.concurrency, "N", "so many at a time (10)", 1, 10000},
        {'d', NULL, ED_OPTION_SECONDS, &load.seconds, "S", "for so many seconds (10)", 0, 1e6},
        {0, "timeout", ED_OPTION_SECONDS, &load.timeout, "S", "seconds for each request (30)", 0,
         1e6},
        {0, "cacert", ED_OPTION_TEXT, &load.ca_file, "FILE",
         "trust the roots in this PEM file, not the system's", 0, 0},
    };
    const struct ed_usage usage = {"eddy load", "URL",   load_about,
                                   NULL,        options, sizeof options / sizeof *options};
    int status = ed_option_parse(&usage, argv);

    if (status != ED_OPTION_GO_ON)
        return status;
    if (!argv[0])
        return ed_usage_fail(&usage, "which URL?");
    if (argv[1])
        return ed_usage_fail(&usage, "one URL, not also '%s'", argv[1]);
    load.url = argv[0];
    status = eddy_run(load_run, &load);
    if (status >= 0)
        return status;
    fprintf(stderr, "eddy load: %s\n", eddy_error_message(status));
    return ed_cause_of(status)->exit;
}
