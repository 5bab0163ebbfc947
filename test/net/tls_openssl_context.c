/* SPDX-License-Identifier: MIT */
/* Contexts: which certificates are accepted, and what the options do. */
#include <pthread.h>
#include <stdlib.h>

#include "base/compat.h"
#include "harness.h"
#include "net/tls_certificate.h"

/* One handshake with a server's certificate, of which the client says `rc`. */
struct verdict {
    const char *what;
    struct certificate_plan plan;
    const char *host;
    int rc;
    const char *text; /* part of the client's */
};

static void judge(const struct verdict *verdicts, size_t count, bool with_root)
{
    for (size_t i = 0; i < count; i++) {
        const struct verdict *v = &verdicts[i];
        struct certificate_plan plan = v->plan;
        const struct certificate *made;
        eddy_tls_options client = tls_client_options(), server = {.handshake_timeout = 5};
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);

        if (with_root)
            plan.issuer = certificate_root();
        made = certificate_make(&plan);
        server.certificate_pem = made->pem;
        server.key_pem = made->key_pem;
        CHECK_OK(tls_ends_open(&ends, &client, v->host, &server));
        CHECK_THAT(ends.client_rc == v->rc, "%s: %s, not %s: %s", v->what,
                   eddy_error_name(ends.client_rc), eddy_error_name(v->rc), ends.client_text);
        if (v->rc < 0) {
            CHECK_THAT(ends.server_rc == EDDY_ETLS_ALERT, "%s: %s", v->what, ends.server_text);
            CHECK_THAT(ends.client == NULL && ends.server == NULL, "%s", v->what);
        }
        if (v->text)
            CHECK_THAT(strstr(ends.client_text, v->text), "%s: %s", v->what, ends.client_text);
    }
}

/* A-TLS-2, -3: each problem of a certificate has its code, and a text that names the host,
 * the certificate and the problem. */
static void certificate_problems_are_told_apart(void)
{
    const struct verdict verdicts[] = {
        {"good", {.name = "x", .names = "DNS:a.test"}, "a.test", 0, NULL},
        {"expired",
         {.name = "x", .names = "DNS:a.test", .first_day = -9, .last_day = -2},
         "a.test",
         EDDY_ETLS_CERT_EXPIRED,
         "tls a.test: the certificate of \"CN=x\" is not accepted: certificate has expired: 20"},
        {"not yet",
         {.name = "x", .names = "DNS:a.test", .first_day = 2, .last_day = 9},
         "a.test",
         EDDY_ETLS_CERT_NOT_YET,
         "certificate is not yet valid: 20"},
        {"for clients",
         {.name = "x", .names = "DNS:a.test", .usage = "clientAuth"},
         "a.test",
         EDDY_ETLS_CERT,
         "purpose"},
        {"for both", {.names = "DNS:a.test", .usage = "clientAuth,serverAuth"}, "a.test", 0, NULL},
    };

    judge(verdicts, ED_ARRAY_LENGTH(verdicts), true);
}

RAW_TEST(tls_certificate_problems_are_told_apart)
{
    CHECK_OK(eddy_test(tls_once, certificate_problems_are_told_apart));
}

static void certificate_without_a_trusted_issuer_is_refused(void)
{
    const struct verdict verdicts[] = {
        {"self-signed",
         {.name = "me", .names = "DNS:a.test"},
         "a.test",
         EDDY_ETLS_CERT_SELF_SIGNED,
         "\"CN=me\" is not accepted: self-signed certificate"},
        {"unknown issuer",
         {.names = "DNS:a.test",
          .issuer = certificate_make(&(struct certificate_plan){.name = "Other", .root = true})},
         "a.test",
         EDDY_ETLS_CERT_UNKNOWN_CA,
         "unable to get local issuer certificate"},
        {"issued by one that must not",
         {.names = "DNS:a.test", .issuer = certificate_server()},
         "a.test",
         EDDY_ETLS_CERT_UNKNOWN_CA,
         NULL},
    };

    judge(verdicts, ED_ARRAY_LENGTH(verdicts), false);
}

RAW_TEST(tls_certificate_without_a_trusted_issuer_is_refused)
{
    CHECK_OK(eddy_test(tls_once, certificate_without_a_trusted_issuer_is_refused));
}

/* RFC 9525: names, addresses, wildcards. */
static void certificate_must_name_the_host(void)
{
    const int bad = EDDY_ETLS_CERT_NAME;
    const struct verdict verdicts[] = {
        {"name", {.names = "DNS:a.test"}, "a.test", 0, NULL},
        {"another case", {.names = "DNS:A.Test"}, "a.tEST", 0, NULL},
        {"dot at the end", {.names = "DNS:a.test"}, "a.test.", 0, NULL},
        {"other", {.names = "DNS:a.test"}, "b.test", bad, "it is not for b.test"},
        {"longer", {.names = "DNS:a.test"}, "x.a.test", bad, NULL},
        {"one of several", {.names = "DNS:a.test,DNS:b.test"}, "b.test", 0, NULL},
        {"CN only", {.name = "a.test"}, "a.test", bad, NULL},
        {"CN beside a name", {.name = "a.test", .names = "DNS:b.test"}, "a.test", bad, NULL},
        {"wildcard", {.names = "DNS:*.a.test"}, "b.a.test", 0, NULL},
        {"wildcard for two labels", {.names = "DNS:*.a.test"}, "c.b.a.test", bad, NULL},
        {"wildcard for none", {.names = "DNS:*.a.test"}, "a.test", bad, NULL},
        {"half a wildcard", {.names = "DNS:b*.a.test"}, "bc.a.test", bad, NULL},
        {"wildcard inside", {.names = "DNS:b.*.test"}, "b.a.test", bad, NULL},
        {"wildcard of the top", {.names = "DNS:*.test"}, "a.test", bad, NULL},
        {"wildcard alone", {.names = "DNS:*"}, "test", bad, NULL},
        {"address", {.names = "IP:192.0.2.1"}, "192.0.2.1", 0, NULL},
        {"other address", {.names = "IP:192.0.2.1"}, "192.0.2.2", bad, "192.0.2.2"},
        {"address as name", {.names = "DNS:192.0.2.1"}, "192.0.2.1", bad, NULL},
        {"IPv6", {.names = "IP:2001:db8::1"}, "2001:db8:0::1", 0, NULL},
        {"other IPv6", {.names = "IP:2001:db8::1"}, "2001:db8::2", bad, NULL},
        {"wildcard for an address", {.names = "DNS:*.0.2.1"}, "192.0.2.1", bad, NULL},
    };

    judge(verdicts, ED_ARRAY_LENGTH(verdicts), true);
}

RAW_TEST(tls_certificate_must_name_the_host)
{
    CHECK_OK(eddy_test(tls_once, certificate_must_name_the_host));
}

/* Chains, and how they are given. */
TEST(tls_server_sends_its_chain)
{
    const struct certificate *middle = certificate_make(
        &(struct certificate_plan){.name = "Middle", .root = true, .issuer = certificate_root()});
    const struct certificate *leaf =
        certificate_make(&(struct certificate_plan){.names = "DNS:a.test", .issuer = middle});
    eddy_tls_options client = tls_client_options(), server = {.key_pem = leaf->key_pem};

    for (int whole = 0; whole < 2; whole++) {
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);

        server.certificate_pem = whole ? certificate_join(leaf->pem, middle->pem) : leaf->pem;
        CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
        CHECK_EQ(ends.client_rc, whole ? 0 : EDDY_ETLS_CERT_UNKNOWN_CA);
    }
}

TEST(tls_options_may_be_files)
{
    eddy_tls_options client = {0}, server = {0};
    const char *both = certificate_join(certificate_server()->pem, certificate_server()->key_pem);
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    client.ca_file = certificate_file(certificate_root()->pem);
    client.crl_file = certificate_file(certificate_revoke(certificate_root(), NULL));
    server.certificate_file = certificate_file(both);
    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_OK(tls_ends_result(&ends));
}

TEST(tls_certificate_that_was_revoked_is_refused)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    client.crl_file =
        certificate_file(certificate_revoke(certificate_root(), certificate_server()));
    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_EQ(ends.client_rc, EDDY_ETLS_CERT_REVOKED);
}

TEST(tls_client_trusts_the_system_unless_told_otherwise)
{
    eddy_tls_options client = {0}, server = tls_server_options();
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_EQ(ends.client_rc, EDDY_ETLS_CERT_UNKNOWN_CA);
    setenv("SSL_CERT_FILE", certificate_file(certificate_root()->pem), 1);
    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_OK(tls_ends_result(&ends));
}

static void insecure_options_do_what_they_say(void)
{
    eddy_tls_options client = {.insecure_accept_any_certificate = true};
    eddy_tls_options server = tls_server_options();
    static const char *const names[] = {"other.test", NULL};

    for (size_t i = 0; i < 2; i++) {
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);

        CHECK_OK(tls_ends_open(&ends, &client, names[i], &server));
        CHECK_OK(tls_ends_result(&ends));
    }
    client = tls_client_options();
    client.insecure_accept_any_name = true;
    for (size_t i = 0; i < 3; i++) {
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);

        client.ca_pem = i < 2 ? certificate_root()->pem : certificate_client()->pem;
        CHECK_OK(tls_ends_open(&ends, &client, names[i % 2], &server));
        CHECK_EQ(ends.client_rc, i < 2 ? 0 : EDDY_ETLS_CERT_UNKNOWN_CA);
    }
}

RAW_TEST(tls_insecure_options_do_what_they_say)
{
    CHECK_OK(eddy_test(tls_once, insecure_options_do_what_they_say));
}

/* Clients' certificates. */

static void ask_client(enum eddy_tls_client_certificate asked, const struct certificate *has,
                       enum eddy_tls_version version, int rc, const char *subject)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_info info;

    client.most = version;
    server.ca_pem = certificate_root()->pem;
    server.client_certificate = asked;
    if (has) {
        client.certificate_pem = has->pem;
        client.key_pem = has->key_pem;
    }
    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_THAT(ends.server_rc == rc, "%s, not %s: %s", eddy_error_name(ends.server_rc),
               eddy_error_name(rc), ends.server_text);
    if (rc == 0) {
        CHECK_OK(eddy_tls_get_info(ends.server, &info));
        CHECK_STR(info.subject, subject);
    } else if (ends.client_rc == 0) { /* TLS 1.3: the client is done before the server */
        char data[4];

        CHECK_EQ(eddy_read(ends.client, data, sizeof data), EDDY_ETLS_ALERT);
    } else {
        CHECK_EQ(ends.client_rc, EDDY_ETLS_ALERT);
    }
}

/* A-TLS-10: none, optional, required. */
static void server_asks_for_certificates_of_clients(void)
{
    static const enum eddy_tls_version versions[] = {EDDY_TLS_1_2, EDDY_TLS_1_3};
    const struct certificate *stranger =
        certificate_make(&(struct certificate_plan){.name = "Stranger", .usage = "clientAuth"});
    const struct certificate *server = certificate_server(), *ann = certificate_client();

    for (size_t i = 0; i < 2; i++) {
        enum eddy_tls_version v = versions[i];

        ask_client(EDDY_TLS_CLIENT_NONE, ann, v, 0, "");
        ask_client(EDDY_TLS_CLIENT_OPTIONAL, ann, v, 0, "CN=Ann");
        ask_client(EDDY_TLS_CLIENT_OPTIONAL, NULL, v, 0, "");
        ask_client(EDDY_TLS_CLIENT_OPTIONAL, stranger, v, EDDY_ETLS_CERT_SELF_SIGNED, "");
        ask_client(EDDY_TLS_CLIENT_REQUIRED, ann, v, 0, "CN=Ann");
        ask_client(EDDY_TLS_CLIENT_REQUIRED, NULL, v, EDDY_ETLS_CERT_MISSING, "");
        ask_client(EDDY_TLS_CLIENT_REQUIRED, server, v, EDDY_ETLS_CERT, "");
    }
}

RAW_TEST(tls_server_asks_for_certificates_of_clients)
{
    CHECK_OK(eddy_test(tls_once, server_asks_for_certificates_of_clients));
}

/* Versions, protocols. */

static void versions_are_negotiated_within_limits(void)
{
    static const struct {
        enum eddy_tls_version client_least, client_most, server_least, server_most;
        const char *version; /* NULL: none in common */
    } cases[] = {
        {0, 0, 0, 0, "TLSv1.3"},
        {0, EDDY_TLS_1_2, 0, 0, "TLSv1.2"},
        {0, 0, 0, EDDY_TLS_1_2, "TLSv1.2"},
        {EDDY_TLS_1_3, 0, EDDY_TLS_1_2, 0, "TLSv1.3"},
        {EDDY_TLS_1_3, 0, 0, EDDY_TLS_1_2, NULL},
        {0, EDDY_TLS_1_2, EDDY_TLS_1_3, 0, NULL},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        eddy_tls_options client = tls_client_options(), server = tls_server_options();
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);
        eddy_tls_info info;

        client.least = cases[i].client_least;
        client.most = cases[i].client_most;
        server.least = cases[i].server_least;
        server.most = cases[i].server_most;
        CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
        if (!cases[i].version) {
            CHECK_THAT(ends.server_rc == EDDY_ETLS_HANDSHAKE, "%s", ends.server_text);
            CHECK_THAT(ends.client_rc == EDDY_ETLS_ALERT, "%s", ends.client_text);
            CHECK_HAS(ends.client_text, "\"protocol version\" (70)");
            continue;
        }
        CHECK_OK(tls_ends_result(&ends));
        CHECK_OK(eddy_tls_get_info(ends.client, &info));
        CHECK_STR(info.version, cases[i].version);
    }
}

RAW_TEST(tls_versions_are_negotiated_within_limits)
{
    CHECK_OK(eddy_test(tls_once, versions_are_negotiated_within_limits));
}

static void protocols_are_agreed_upon_or_refused(void)
{
    static const struct {
        const char *client, *server, *agreed; /* NULL: refused */
    } cases[] = {
        {"h2,http/1.1", "h2,http/1.1", "h2"},
        {"h2,http/1.1", "http/1.1,h2", "http/1.1"}, /* the server's first */
        {"http/1.1", "h2,http/1.1", "http/1.1"},
        {NULL, "h2", ""},
        {"h2", NULL, ""},
        {"h2", "http/1.1", NULL},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        eddy_tls_options client = tls_client_options(), server = tls_server_options();
        struct tls_ends ends = {.client = NULL};
        EDDY_DEFER(tls_ends_close, &ends);
        eddy_tls_info info;

        client.alpn = cases[i].client;
        server.alpn = cases[i].server;
        CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
        if (!cases[i].agreed) {
            CHECK_EQ(ends.client_rc, EDDY_ETLS_ALERT);
            CHECK_HAS(ends.client_text, "no application protocol");
            CHECK_EQ(ends.server_rc, EDDY_ETLS_HANDSHAKE);
            continue;
        }
        CHECK_OK(tls_ends_result(&ends));
        CHECK_OK(eddy_tls_get_info(ends.client, &info));
        CHECK_STR(info.alpn, cases[i].agreed);
        CHECK_OK(eddy_tls_get_info(ends.server, &info));
        CHECK_STR(info.alpn, cases[i].agreed);
    }
}

RAW_TEST(tls_protocols_are_agreed_upon_or_refused)
{
    CHECK_OK(eddy_test(tls_once, protocols_are_agreed_upon_or_refused));
}

/* Sessions. */

static int answer_one(eddy_stream **stream)
{
    char data[4];

    EDDY_TRY(eddy_read_exactly(*stream, data, 4));
    EDDY_TRY(eddy_write(*stream, data, 4));
    return 0;
}
EDDY_ASYNC(answer_one, eddy_stream **);

/* One connection of two contexts, with a byte each way, in which tickets come. */
static int
connect_once(eddy_tls_context *client, const char *name, eddy_tls_context *server, bool *resumed)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_info info;
    char data[4];

    EDDY_TRY(tls_ends_meet(&ends, client, name, server));
    EDDY_TRY(tls_ends_result(&ends));
    EDDY_TASK task = eddy_create_task(answer_one, &ends.server);
    EDDY_TRY(eddy_write(ends.client, "ping", 4));
    EDDY_TRY(eddy_read_exactly(ends.client, data, 4));
    EDDY_TRY(eddy_await(task));
    EDDY_TRY(eddy_tls_get_info(ends.client, &info));
    *resumed = info.resumed;
    if (strcmp(info.subject, "CN=a.test") != 0)
        return -EBADMSG;
    EDDY_TRY(eddy_tls_get_info(ends.server, &info));
    return info.resumed == *resumed ? 0 : -EBADMSG;
}

static void resume(enum eddy_tls_version version, bool none_client, bool none_server)
{
    eddy_tls_options options = tls_client_options(), server_options = tls_server_options();
    EDDY_TLS_CONTEXT client = NULL;
    EDDY_TLS_CONTEXT server = NULL;
    EDDY_TLS_CONTEXT other = NULL;
    bool none = none_client || none_server, resumed;

    options.most = version;
    options.no_resumption = none_client;
    server_options.no_resumption = none_server;
    CHECK_OK(eddy_tls_client_context(&options, &client));
    CHECK_OK(eddy_tls_server_context(&server_options, &server));
    CHECK_OK(eddy_tls_server_context(&server_options, &other));
    CHECK_OK(connect_once(client, "a.test", server, &resumed));
    CHECK(!resumed);
    CHECK_OK(connect_once(client, "a.test", server, &resumed));
    CHECK_EQ(resumed, !none);
    CHECK_OK(connect_once(client, "a.test", server, &resumed));
    CHECK_EQ(resumed, !none);
    CHECK_OK(connect_once(client, "b.wild.test", server, &resumed)); /* of another host */
    CHECK(!resumed);
    CHECK_EQ(connect_once(client, "b.test", server, &resumed), EDDY_ETLS_CERT_NAME);
    CHECK_OK(connect_once(client, "a.test", other, &resumed)); /* it does not know the ticket */
    CHECK(!resumed);
}

static void resume_1_3(void)
{
    resume(EDDY_TLS_1_3, false, false);
}

RAW_TEST(tls_1_3_sessions_are_resumed_for_the_same_host)
{
    CHECK_OK(eddy_test(tls_once, resume_1_3));
}
static void resume_1_2(void)
{
    resume(EDDY_TLS_1_2, false, false);
}

RAW_TEST(tls_1_2_sessions_are_resumed_for_the_same_host)
{
    CHECK_OK(eddy_test(tls_once, resume_1_2));
}
static void sessions_are_not_resumed_if_the_client_does_not_want_to(void)
{
    resume(EDDY_TLS_1_3, true, false);
    resume(EDDY_TLS_1_2, true, false);
}

RAW_TEST(tls_sessions_are_not_resumed_if_the_client_does_not_want_to)
{
    CHECK_OK(eddy_test(tls_once, sessions_are_not_resumed_if_the_client_does_not_want_to));
}
static void sessions_are_not_resumed_if_the_server_does_not_want_to(void)
{
    resume(EDDY_TLS_1_3, false, true);
    resume(EDDY_TLS_1_2, false, true);
}

RAW_TEST(tls_sessions_are_not_resumed_if_the_server_does_not_want_to)
{
    CHECK_OK(eddy_test(tls_once, sessions_are_not_resumed_if_the_server_does_not_want_to));
}

/* A client's certificate is known in a resumed session too. */
TEST(tls_sessions_with_clients_certificates_are_resumed)
{
    eddy_tls_options options = tls_client_options(), server_options = tls_server_options();
    EDDY_TLS_CONTEXT client = NULL;
    EDDY_TLS_CONTEXT server = NULL;
    bool resumed;

    options.certificate_pem = certificate_client()->pem;
    options.key_pem = certificate_client()->key_pem;
    server_options.ca_pem = certificate_root()->pem;
    server_options.client_certificate = EDDY_TLS_CLIENT_REQUIRED;
    CHECK_OK(eddy_tls_client_context(&options, &client));
    CHECK_OK(eddy_tls_server_context(&server_options, &server));
    CHECK_OK(connect_once(client, "a.test", server, &resumed));
    CHECK_OK(connect_once(client, "a.test", server, &resumed));
    CHECK(resumed);
}

static void client_keeps_a_limited_number_of_sessions(void)
{
    eddy_tls_options options = tls_client_options(), server_options = tls_server_options();
    EDDY_TLS_CONTEXT client = NULL;
    EDDY_TLS_CONTEXT server = NULL;
    bool resumed;

    CHECK_OK(eddy_tls_client_context(&options, &client));
    CHECK_OK(eddy_tls_server_context(&server_options, &server));
    for (int i = 0; i < (test_is_cancelled() ? 1 : 129); i++) {
        char name[32];

        snprintf(name, sizeof name, "h%d.wild.test", i);
        CHECK_OK(connect_once(client, name, server, &resumed));
    }
    CHECK_OK(connect_once(client, "h128.wild.test", server, &resumed));
    CHECK(resumed);
    CHECK_OK(connect_once(client, "h0.wild.test", server, &resumed));
    CHECK(!resumed);
}

RAW_TEST(tls_client_keeps_a_limited_number_of_sessions)
{
    CHECK_OK(eddy_test(tls_once, client_keeps_a_limited_number_of_sessions));
}

/* What cannot be used is refused at once, by name. */

static void refused(const eddy_tls_options *options, bool server, int code, const char *text)
{
    EDDY_TLS_CONTEXT context = NULL;
    int rc = server ? eddy_tls_server_context(options, &context)
                    : eddy_tls_client_context(options, &context);

    CHECK_THAT(rc == code, "%s, not %s", eddy_error_name(rc), eddy_error_name(code));
    CHECK(context == NULL);
    CHECK_HAS(eddy_error_message(code), text);
}

TEST(tls_options_that_cannot_be_used_are_refused_by_name)
{
    const char *root = certificate_root()->pem, *server = certificate_server()->pem;
    const char *key = certificate_server()->key_pem, *other = certificate_client()->key_pem;
    eddy_tls_options o = {.ca_file = "/nonexistent/ca"};

    refused(&o, false, EDDY_ETLS, "cannot use the roots in /nonexistent/ca: No such file");
    o = (eddy_tls_options){.ca_pem = "nothing"};
    refused(&o, false, EDDY_ETLS, "cannot use the roots in ca_pem: no certificate in PEM form");
    o = (eddy_tls_options){.ca_pem = certificate_join(root, "-----BEGIN CERTIFICATE-----\nxx\n")};
    refused(&o, false, EDDY_ETLS, "cannot use the roots in ca_pem");
    o = (eddy_tls_options){.crl_file = "/nonexistent/crl"};
    refused(&o, false, EDDY_ETLS, "cannot use the revocations in /nonexistent/crl");
    o = (eddy_tls_options){.certificate_file = "/nonexistent/own"};
    refused(&o, true, EDDY_ETLS, "cannot use the certificate in /nonexistent/own");
    o = (eddy_tls_options){.certificate_pem = key, .key_pem = key};
    refused(&o, true, EDDY_ETLS, "certificate_pem: no certificate in PEM form");
    o = (eddy_tls_options){.certificate_pem = server};
    refused(&o, true, EDDY_ETLS, "cannot use the key in");
    o = (eddy_tls_options){.certificate_pem = server, .key_pem = other};
    refused(&o, true, EDDY_ETLS, "key values mismatch");
    refused(NULL, true, -EINVAL, "a server needs a certificate");
    o = (eddy_tls_options){.ca_pem = root, .ca_file = "x"};
    refused(&o, false, -EINVAL, "a file and a text");
    o = (eddy_tls_options){.key_pem = key};
    refused(&o, false, -EINVAL, "a key has no certificate");
    o = (eddy_tls_options){.client_certificate = EDDY_TLS_CLIENT_REQUIRED};
    refused(&o, false, -EINVAL, "an option of servers");
    o = tls_server_options();
    o.client_certificate = EDDY_TLS_CLIENT_REQUIRED;
    refused(&o, true, -EINVAL, "need ca_file");
    o = (eddy_tls_options){.least = (enum eddy_tls_version)0x0302};
    refused(&o, false, -EINVAL, "versions");
    o = (eddy_tls_options){.least = EDDY_TLS_1_3, .most = EDDY_TLS_1_2};
    refused(&o, false, -EINVAL, "versions");
    o = (eddy_tls_options){.alpn = "h2,,http/1.1"};
    refused(&o, false, -EINVAL, "not a list of protocols, which are not empty");
    o = (eddy_tls_options){.alpn = ""};
    refused(&o, false, -EINVAL, "not a list of protocols, which are not empty");
    o = (eddy_tls_options){.handshake_timeout = -1};
    refused(&o, false, -EINVAL, "negative");
}

TEST(tls_handshake_timeout_is_an_option)
{
    eddy_tls_options options = tls_client_options();
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;

    options.handshake_timeout = 2.5;
    CHECK_OK(eddy_tls_client_context(&options, &context));
    CHECK_OK(eddy_stream_pair(&client, &server));
    CHECK_EQ(eddy_start_tls(&client, context, "a.test"), -ETIMEDOUT);
    CHECK(eddy_time() == 2.5);
}

/* A context may be freed before its streams are. */
TEST(tls_streams_keep_what_they_need_of_their_context)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_info info;

    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server)); /* which frees both */
    CHECK_OK(tls_ends_result(&ends));
    CHECK_OK(eddy_tls_get_info(ends.client, &info));
}

/* A context serves the loops of several threads at once. */

static eddy_tls_context *shared_client, *shared_server;

static int connect_often(void)
{
    bool resumed = false;

    for (int i = 0; i < 30; i++)
        EDDY_TRY(connect_once(shared_client, "a.test", shared_server, &resumed));
    return 0;
}
EDDY_ASYNC(connect_often);

static void *thread_connect(void *result)
{
    *(int *)result = eddy_run(connect_often);
    return NULL;
}

RAW_TEST(tls_contexts_are_shared_by_threads)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    pthread_t threads[4];
    int results[4];

    CHECK_OK(eddy_tls_client_context(&client, &shared_client));
    CHECK_OK(eddy_tls_server_context(&server, &shared_server));
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, thread_connect, &results[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(results[i], 0);
    }
    eddy_tls_context_free(shared_client);
    eddy_tls_context_free(shared_server);
}
