/* SPDX-License-Identifier: MIT */
/* A JSON API over a database, with a pool of connections:
 *     curl --json '{"text": "buy milk"}' localhost:8080/notes
 *     curl localhost:8080/notes/1                              69_pg_api DSN [PLACE] */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/pg.h>
#include <jansson.h>

static int add_note(eddy_web_request *request, void *pool)
{
    json_t *note;
    const char *text;
    int id;

    EDDY_TRY(eddy_web_json(request, &note)); /* 400 or 415 for what is no JSON */
    EDDY_DEFER(json_decref, note);
    if (json_unpack(note, "{s:s}", "text", &text) < 0)
        return eddy_raise(EDDY_HTTP_STATUS(400), "a note has a text");
    EDDY_TRY(eddy_pg_fetchval((eddy_pg_pool *)pool, &id,
                              "INSERT INTO notes (text) VALUES ($1) RETURNING id", text));
    return eddy_web_send_json(request, 201, json_pack("{s:i}", "id", id));
}

static int show_note(eddy_web_request *request, void *pool)
{
    EDDY_PG_RESULT note = NULL;
    const char *text;
    long id;
    int rc;

    EDDY_TRY(eddy_web_match_long(request, "id", 1, INT32_MAX, &id)); /* 400 for what is no number */
    rc = eddy_pg_fetchrow((eddy_pg_pool *)pool, &note, "SELECT text FROM notes WHERE id = $1", id);
    if (rc == EDDY_EPG_NO_ROW)
        return eddy_raise(EDDY_HTTP_STATUS(404), "there is no note %ld", id);
    EDDY_TRY(rc);
    EDDY_TRY(eddy_pg_get(note, "text", &text));
    return eddy_web_send_json(request, 200,
                              json_pack("{s:I, s:s}", "id", (json_int_t)id, "text", text));
}

static int amain(int argc, char **argv)
{
    EDDY_WEB_APP app = NULL;
    EDDY_PG_POOL pool = NULL;

    EDDY_TRY(eddy_pg_pool_open(argc > 1 ? argv[1] : "", NULL, &pool));
    EDDY_TRY(eddy_pg_execute(
        pool, "CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text)"));
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_post(app, "/notes", add_note, pool));
    EDDY_TRY(eddy_web_get(app, "/notes/{id}", show_note, pool));
    return eddy_web_run(app, argc > 2 ? argv[2] : "tcp://:8080", NULL);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
