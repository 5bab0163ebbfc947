/* SPDX-License-Identifier: MIT */
/* Asks several services at once, and prints as one JSON what they say within two seconds: one that
 * is slow or broken costs its own part only.  65_aggregator URL... */
#include <eddy.h>
#include <eddy/http.h>
#include <jansson.h>

static int ask(eddy_http_session *session, const char *url, json_t **answer)
{
    EDDY_HTTP_RESPONSE response = NULL;
    EDDY_TIMEOUT(limit, 2);

    EDDY_TRY(eddy_http_get(session, url, &response));
    EDDY_TRY(eddy_http_raise_for_status(response));
    return eddy_http_json(response, answer);
}
EDDY_ASYNC_RESULT(json_t *, ask, eddy_http_session *, const char *);

static int amain(int argc, char **argv)
{
    EDDY_HTTP_SESSION session = NULL;
    size_t count = argc - 1 < 16 ? (size_t)argc - 1 : 16;
    json_t *answers[16] = {NULL}, *all = json_object();
    int outcomes[16];
    eddy_call calls[16];

    EDDY_DEFER(json_decref, all);
    EDDY_TRY(eddy_http_session_open(NULL, &session));
    for (size_t i = 0; i < count; i++)
        calls[i] = EDDY_CALL(ask, session, argv[i + 1], &answers[i]);
    EDDY_TRY(eddy_gather_outcomes_calls(outcomes, calls, count)); /* return_exceptions=True */
    for (size_t i = 0; i < count; i++)
        json_object_set_new(all, argv[i + 1],
                            outcomes[i] == 0 ? answers[i]
                                             : json_string(eddy_strerror(outcomes[i])));
    json_dumpf(all, stdout, JSON_INDENT(4));
    puts("");
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
