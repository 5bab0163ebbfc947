/* SPDX-License-Identifier: MIT */
/* A JSON API for notes, kept in memory, with a middleware that times each request:
 *     curl --json '{"text": "buy milk"}' localhost:8080/notes
 *     curl localhost:8080/notes/1                                     64_json_api [PLACE] */
#include <eddy.h>
#include <eddy/http.h>
#include <jansson.h>

static int add_note(eddy_web_request *request, void *notes)
{
    json_t *note;

    if (json_array_size(notes) == 1000)
        return eddy_raise(EDDY_HTTP_STATUS(507), "a thousand notes are enough");
    EDDY_TRY(eddy_web_json(request, &note)); /* 400 or 415 for what is no JSON */
    if (json_array_append_new(notes, note) < 0)
        return -ENOMEM;
    return eddy_web_send_json(request, 201, json_pack("{s:i}", "id", (int)json_array_size(notes)));
}

static int show_note(eddy_web_request *request, void *notes)
{
    long id;

    EDDY_TRY(eddy_web_match_long(request, "id", 1, 1000, &id)); /* 400 for what is no number */
    if ((size_t)id > json_array_size(notes))
        return eddy_raise(EDDY_HTTP_STATUS(404), "there is no note %ld", id);
    return eddy_web_send_json(request, 200, json_incref(json_array_get(notes, (size_t)id - 1)));
}

static int time_it(eddy_web_request *request, void *unused)
{
    double start = eddy_time();
    char text[32];

    (void)unused;
    EDDY_TRY(eddy_web_next(request)); /* what the middleware stands around */
    snprintf(text, sizeof text, "app;dur=%.3f", 1000 * (eddy_time() - start));
    return eddy_web_set_header(request, "Server-Timing", text);
}

static int amain(int argc, char **argv)
{
    EDDY_WEB_APP app = NULL;
    json_t *notes = json_array();

    EDDY_DEFER(json_decref, notes);
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_use(app, time_it, NULL));
    EDDY_TRY(eddy_web_post(app, "/notes", add_note, notes));
    EDDY_TRY(eddy_web_get(app, "/notes/{id}", show_note, notes));
    return eddy_web_run(app, argc > 1 ? argv[1] : "tcp://:8080", NULL);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
