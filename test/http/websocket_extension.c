/* SPDX-License-Identifier: MIT */
#include "http/websocket_extension.h"

#include "harness.h"

static eddy_headers *with(const char *value)
{
    eddy_headers *headers = eddy_headers_new();

    if (value && eddy_headers_add(headers, "Sec-WebSocket-Extensions", value) < 0)
        test_fail(__FILE__, __LINE__, "%s", value);
    return headers;
}

static struct ed_deflate_terms terms;

/* What a server answers to an offer; "" for nothing. */
static const char *answer_to(const char *offer, const eddy_websocket_options *options)
{
    static const eddy_websocket_options defaults;
    static char answer[ED_EXTENSION_TEXT];
    eddy_headers *headers = with(offer);

    ed_extension_choose(headers, options ? options : &defaults, &terms, answer);
    eddy_headers_free(headers);
    if (terms.agreed != (*answer != '\0'))
        test_fail(__FILE__, __LINE__, "%s", offer);
    return answer;
}

#define NAME "permessage-deflate"
#define SERVER_ALONE "; server_no_context_takeover"
#define CLIENT_ALONE "; client_no_context_takeover"

/* H-WSC-21 */
RAW_TEST(extension_offers_are_answered_with_what_they_ask_for)
{
    CHECK_STR(answer_to(NULL, NULL), "");
    CHECK_STR(answer_to(NAME, NULL), NAME);
    CHECK(terms.server_bits == 15 && terms.client_bits == 15 && !terms.server_alone);
    CHECK_STR(answer_to(NAME "; client_max_window_bits", NULL), NAME);
    CHECK_STR(answer_to("PerMessage-Deflate" SERVER_ALONE, NULL), NAME SERVER_ALONE);
    CHECK(terms.server_alone && !terms.client_alone);
    CHECK_STR(answer_to(NAME CLIENT_ALONE, NULL), NAME CLIENT_ALONE);
    CHECK_STR(answer_to(NAME "; server_max_window_bits=10", NULL),
              NAME "; server_max_window_bits=10");
    CHECK_EQ(terms.server_bits, 10);
    CHECK_STR(answer_to(NAME " ;server_max_window_bits=\"12\" ; client_max_window_bits=9", NULL),
              NAME "; server_max_window_bits=12");
    CHECK(terms.server_bits == 12 && terms.client_bits == 9);
}

RAW_TEST(extension_offers_that_cannot_be_taken_are_passed_over)
{
    static const char *const bad[] = {
        "x-webkit-deflate-frame",
        NAME "; unknown",
        NAME "; server_max_window_bits",
        NAME "; server_max_window_bits=7",
        NAME "; server_max_window_bits=16",
        NAME "; server_max_window_bits=010",
        NAME "; server_max_window_bits=1x",
        NAME "; client_max_window_bits=16",
        NAME "; client_max_window_bits=",
        NAME "; server_no_context_takeover=1",
        NAME SERVER_ALONE SERVER_ALONE,
        NAME ";",
        NAME "; ; client_max_window_bits",
        NAME "; server_max_window_bits=10; server_max_window_bits=10"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_STR(answer_to(bad[i], NULL), "");
}

/* zlib has none of 8 bits: what the server says is not compressed then, so that another offer is
 * better, wherever it stands. */
RAW_TEST(extension_offer_of_the_least_window_is_taken_if_there_is_no_other)
{
    CHECK_STR(answer_to(NAME "; server_max_window_bits=8", NULL),
              NAME "; server_max_window_bits=8");
    CHECK_EQ(terms.server_bits, 8);
    CHECK_STR(answer_to("x, " NAME "; server_max_window_bits=8, " NAME "; server_max_window_bits=9",
                        NULL),
              NAME "; server_max_window_bits=9");
    CHECK_STR(
        answer_to(NAME SERVER_ALONE "; server_max_window_bits=8, x, " NAME SERVER_ALONE, NULL),
        NAME SERVER_ALONE);
    CHECK_STR(answer_to(NAME "; server_max_window_bits=8",
                        &(eddy_websocket_options){.no_compression = true}),
              "");
}

RAW_TEST(extension_is_answered_as_the_server_wants_it)
{
    eddy_websocket_options none = {.no_compression = true}, alone = {.no_context = true};

    CHECK_STR(answer_to(NAME, &none), "");
    CHECK_STR(answer_to(NAME, &alone), NAME SERVER_ALONE CLIENT_ALONE);
    CHECK(terms.server_alone && terms.client_alone);
    CHECK(ed_extension_offer(&none) == NULL);
    CHECK_HAS(ed_extension_offer(&alone), SERVER_ALONE CLIENT_ALONE);
}

static const char *agree(const char *answer, const eddy_websocket_options *options)
{
    static const eddy_websocket_options defaults;
    eddy_headers *headers = with(answer);
    const char *why = ed_extension_agree(headers, options ? options : &defaults, &terms);

    eddy_headers_free(headers);
    return why ? why : "";
}

/* H-WSC-4 */
RAW_TEST(extension_answers_must_be_to_what_was_offered)
{
    eddy_websocket_options none = {.no_compression = true}, alone = {.no_context = true};

    CHECK_STR(agree(NULL, NULL), "");
    CHECK(!terms.agreed);
    CHECK_STR(agree(NAME, NULL), "");
    CHECK(terms.agreed && terms.client_bits == 15);
    CHECK_STR(agree(NAME "; client_max_window_bits=8; server_max_window_bits=9", NULL), "");
    CHECK(terms.client_bits == 8 && terms.server_bits == 9);
    CHECK_HAS(agree(NAME, &none), "not offered");
    CHECK_HAS(agree("x-other", NULL), "not offered");
    CHECK_HAS(agree(NAME ", " NAME, NULL), "twice");
    CHECK_HAS(agree(NAME "; client_max_window_bits", NULL), "parameters");
    CHECK_HAS(agree(NAME "; server_max_window_bits=16", NULL), "parameters");
    CHECK_HAS(agree(NAME "; unknown=1", NULL), "parameters");
    CHECK_HAS(agree(NAME, &alone), "as it is");
    CHECK_STR(agree(NAME SERVER_ALONE, &alone), "");
    CHECK(terms.client_alone);
}
