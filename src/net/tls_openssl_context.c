/* SPDX-License-Identifier: MIT */
/*
 * Contexts: an SSL_CTX, and what the options say beside it.
 *
 * A context does not change once it is made, but for two things that threads share: the count
 * of its references, which is atomic, and the sessions that a client may resume, under a lock.
 * A session is kept under the name that its certificate was checked for, and its port, and is
 * offered to nobody else: a resumed session is not checked again. Of TLS 1.3 each is used once.
 *
 * The shared context of clients with the defaults is made when it is first needed and stays.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/die.h"
#include "net/tls_openssl.h"

#define CONTEXT_SESSIONS 128 /* that a client keeps; then the oldest goes */
#define CONTEXT_ALPN 256     /* bytes of all protocols */
#define CONTEXT_HANDSHAKE 10 /* seconds, see eddy/tls.h */
#define CONTEXT_SHUTDOWN 30

struct kept_session {
    char *key; /* "HOST:PORT", of OpenSSL's memory */
    SSL_SESSION *session;
};

struct eddy_tls_context {
    SSL_CTX *ctx;
    size_t references; /* atomic */
    bool server;
    bool any_name; /* the peer's name is not checked */
    double handshake_timeout, shutdown_timeout;
    unsigned char alpn[CONTEXT_ALPN]; /* as the protocol has it */
    unsigned alpn_size;

    pthread_mutex_t lock; /* over: */
    struct kept_session sessions[CONTEXT_SESSIONS];
    size_t next; /* the place that the next new one takes */
};

static const eddy_tls_options context_defaults;
static eddy_tls_context default_context;
static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;

/* An option that OpenSSL does not take. */
static int context_refuse(const char *what, const char *which)
{
    char text[160];

    return eddy_raise(EDDY_ETLS, "tls: cannot use %s%s%s: %s", what, which ? " " : "",
                      which ? which : "", ed_tls_reason(text, sizeof text));
}

/* Files and texts. */

/* Opens a file or a text, whichever is given: NULL, raised, when it cannot. */
static BIO *context_source(const char *what, const char *file, const char *pem)
{
    BIO *source = file ? BIO_new_file(file, "r") : BIO_new_mem_buf(pem, -1);

    if (!source)
        context_refuse(what, file);
    return source;
}

/* The same for a source in which nothing of its kind is, or something that is broken. */
static int context_refuse_source(const char *what, const char *which, const char *kind)
{
    unsigned long error = ERR_peek_last_error();

    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        return context_refuse(what, which);
    ERR_clear_error();
    return eddy_raise(EDDY_ETLS, "tls: cannot use %s %s: no %s in PEM form in it", what, which,
                      kind);
}

/* Whether reading a PEM source has come to its end, and not to an error. */
static bool context_source_ended(void)
{
    unsigned long error = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

    if (ended)
        ERR_clear_error();
    return ended;
}

/* The roots in a source, at least one. */
static int context_trust(eddy_tls_context *context, const char *file, const char *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ctx);
    BIO *source = context_source("the roots in", file, pem);
    bool ok = true;
    int count = 0;
    X509 *root;

    if (!source)
        return EDDY_ETLS;
    while (ok && (root = PEM_read_bio_X509(source, NULL, NULL, NULL))) {
        ok = X509_STORE_add_cert(store, root) == 1 &&
             (!context->server || SSL_CTX_add_client_CA(context->ctx, root) == 1);
        X509_free(root);
        count++;
    }
    ok = ok && count > 0 && context_source_ended();
    BIO_free(source);
    return ok ? 0 : context_refuse_source("the roots in", file ? file : "ca_pem", "certificate");
}

static int context_revoke(eddy_tls_context *context, const char *file)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ctx);
    BIO *source = context_source("the revocations in", file, NULL);
    bool ok = true;
    int count = 0;
    X509_CRL *list;

    if (!source)
        return EDDY_ETLS;
    while (ok && (list = PEM_read_bio_X509_CRL(source, NULL, NULL, NULL))) {
        ok = X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
        count++;
    }
    ok = ok && count > 0 && context_source_ended() &&
         X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
    BIO_free(source);
    return ok ? 0 : context_refuse_source("the revocations in", file, "list");
}

/* The password of a key; without one nobody is asked. */
static int context_password(char *text, int size, int writing, void *password)
{
    size_t length = password ? strlen(password) : 0;

    (void)writing;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(text, password, length);
    return (int)length;
}

/* One's own certificate and those behind it. */
static int context_load_chain(eddy_tls_context *context, const eddy_tls_options *options)
{
    const char *file = options->certificate_file;
    BIO *source = context_source("the certificate in", file, options->certificate_pem);
    X509 *own, *next;
    bool ok;

    if (!source)
        return EDDY_ETLS;
    own = PEM_read_bio_X509_AUX(source, NULL, context_password, NULL);
    ok = own && SSL_CTX_use_certificate(context->ctx, own) == 1;
    X509_free(own);
    while (ok && (next = PEM_read_bio_X509(source, NULL, context_password, NULL))) {
        ok = SSL_CTX_add0_chain_cert(context->ctx, next) == 1;
        if (!ok)
            X509_free(next);
    }
    ok = ok && context_source_ended();
    BIO_free(source);
    return ok ? 0
              : context_refuse_source("the certificate in", file ? file : "certificate_pem",
                                      "certificate");
}

static int context_load_key(eddy_tls_context *context, const eddy_tls_options *options)
{
    bool own = options->key_file || options->key_pem;
    const char *file = own ? options->key_file : options->certificate_file;
    const char *pem = own ? options->key_pem : options->certificate_pem;
    BIO *source = context_source("the key in", file, pem);
    EVP_PKEY *key;
    bool ok;

    if (!source)
        return EDDY_ETLS;
    key = PEM_read_bio_PrivateKey(source, NULL, context_password,
                                  (void *)(uintptr_t)options->key_password);
    ok = key && SSL_CTX_use_PrivateKey(context->ctx, key) == 1 &&
         SSL_CTX_check_private_key(context->ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(source);
    return ok ? 0 : context_refuse("the key in", file ? file : "key_pem");
}

/* ALPN. */

/* Takes a list of protocols into the form of the wire: each behind its length. */
static int context_set_alpn(eddy_tls_context *context, const char *list)
{
    unsigned size = 0;

    for (const char *from = list; from; from += from[0] == ',') {
        size_t length = strcspn(from, ",");

        if (length == 0 || length > 255 || size + 1 + length > CONTEXT_ALPN)
            return eddy_raise(-EINVAL, "tls: \"%s\" is not a list of protocols, which are %s", list,
                              length == 0 ? "not empty" : "255 bytes long at most, also in all");
        context->alpn[size] = (unsigned char)length;
        memcpy(context->alpn + size + 1, from, length);
        size += 1 + (unsigned)length;
        from += length;
        if (!*from)
            break;
    }
    context->alpn_size = size;
    if (!context->server && SSL_CTX_set_alpn_protos(context->ctx, context->alpn, size) != 0)
        return context_refuse("the protocols", list);
    return 0;
}

/* The first of a server's protocols that the client has as well; none is an alert (RFC 7301). */
static int context_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                               const unsigned char *offered, unsigned offered_size, void *argument)
{
    const eddy_tls_context *context = argument;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, size, context->alpn, context->alpn_size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Sessions. */

/* The key of a connection's sessions; false when it has none. */
static bool session_key(const struct ed_tls *tls, char *key, size_t size)
{
    const char *port = strrchr(eddy_stream_peer_name(tls->lower), ':');

    return tls->server_name &&
           (size_t)snprintf(key, size, "%s%s", tls->server_name, port ? port : "") < size;
}

static void session_drop(struct kept_session *kept)
{
    SSL_SESSION_free(kept->session);
    OPENSSL_free(kept->key);
    *kept = (struct kept_session){NULL, NULL};
}

static struct kept_session *session_find(eddy_tls_context *context, const char *key)
{
    for (size_t i = 0; i < CONTEXT_SESSIONS; i++)
        if (context->sessions[i].key && strcmp(context->sessions[i].key, key) == 0)
            return &context->sessions[i];
    return NULL;
}

/* OpenSSL has a new session of a client's: returns 1 when it is kept. */
static int session_keep(SSL *ssl, SSL_SESSION *session)
{
    const struct ed_tls *tls = SSL_get_app_data(ssl);
    eddy_tls_context *context = tls->context;
    struct kept_session *kept;
    char key[300];
    int taken = 0;

    if (!session_key(tls, key, sizeof key) || !SSL_SESSION_is_resumable(session))
        return 0;
    pthread_mutex_lock(&context->lock);
    kept = session_find(context, key);
    if (!kept)
        kept = &context->sessions[context->next++ % CONTEXT_SESSIONS];
    session_drop(kept);
    kept->key = OPENSSL_strdup(key);
    if (kept->key) {
        kept->session = session;
        taken = 1;
    }
    pthread_mutex_unlock(&context->lock);
    return taken;
}

/* Offers a session of an earlier connection, if there is one that is not too old. */
static void session_offer(struct ed_tls *tls)
{
    eddy_tls_context *context = tls->context;
    struct kept_session *kept;
    char key[300];

    if (!session_key(tls, key, sizeof key))
        return;
    pthread_mutex_lock(&context->lock);
    kept = session_find(context, key);
    if (kept) {
        SSL_SESSION *session = kept->session;
        bool valid = SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session) > time(NULL);

        if (valid)
            (void)SSL_set_session(ed_tls_ssl(tls), session); /* else a full handshake */
        if (!valid || SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION)
            session_drop(kept);
    }
    pthread_mutex_unlock(&context->lock);
}

/* Certificates of the peer. */

int ed_tls_certificate_code(long problem)
{
    switch (problem) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return EDDY_ETLS_CERT_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED: return EDDY_ETLS_CERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return EDDY_ETLS_CERT_NOT_YET;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return EDDY_ETLS_CERT_SELF_SIGNED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return EDDY_ETLS_CERT_UNKNOWN_CA;
    case X509_V_ERR_CERT_REVOKED: return EDDY_ETLS_CERT_REVOKED;
    default: return EDDY_ETLS_CERT;
    }
}

static void certificate_time_text(const ASN1_TIME *time, char *text, size_t size)
{
    struct tm tm;

    text[0] = '\0';
    if (ASN1_TIME_to_tm(time, &tm) == 1)
        (void)strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &tm); /* empty when it is odd */
}

/* What is wrong with which certificate, as a text. */
static void certificate_explain(struct ed_tls *tls, X509_STORE_CTX *store)
{
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int problem = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    char subject[160] = "", when[40] = "", *text = eddy_alloc_(512);

    if (!text)
        return;
    if (certificate) {
        ed_tls_name_text(X509_get_subject_name(certificate), subject, sizeof subject);
        if (problem == X509_V_ERR_CERT_HAS_EXPIRED)
            certificate_time_text(X509_get0_notAfter(certificate), when, sizeof when);
        else if (problem == X509_V_ERR_CERT_NOT_YET_VALID)
            certificate_time_text(X509_get0_notBefore(certificate), when, sizeof when);
    }
    snprintf(text, 512, "the %s\"%s\" is not accepted: %s%s%s%s%s",
             depth == 0 ? "certificate of " : "issuer's certificate of ", subject,
             X509_verify_cert_error_string(problem), *when ? ": " : "", when,
             ed_tls_certificate_code(problem) == EDDY_ETLS_CERT_NAME ? ": it is not for " : "",
             ed_tls_certificate_code(problem) == EDDY_ETLS_CERT_NAME && tls->server_name
                 ? tls->server_name
                 : "");
    eddy_free(tls->problem);
    tls->problem = text;
}

/* Called for each certificate that is fine, and for the first problem, which ends it. */
static int certificate_verified(int fine, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

    if (!fine)
        certificate_explain(SSL_get_app_data(ssl), store);
    return fine;
}

/* Making contexts. */

/* What the options say that contradicts itself, or is missing. */
static int context_check(const eddy_tls_options *options, bool server)
{
    const char *wrong = NULL;
    bool asks = options->client_certificate != EDDY_TLS_CLIENT_NONE;
    bool certificate = options->certificate_file || options->certificate_pem;

    if ((options->ca_file && options->ca_pem) || (options->key_file && options->key_pem) ||
        (options->certificate_file && options->certificate_pem))
        wrong = "a file and a text are given for the same thing";
    else if (!certificate && (server || options->key_file || options->key_pem))
        wrong = server ? "a server needs a certificate" : "a key has no certificate";
    else if (asks && !server)
        wrong = "client_certificate is an option of servers";
    else if (asks && !options->ca_file && !options->ca_pem && !options->system_ca)
        wrong = "clients' certificates need ca_file or ca_pem to check them by";
    else if ((options->least && options->least != EDDY_TLS_1_2 && options->least != EDDY_TLS_1_3) ||
             (options->most && options->most != EDDY_TLS_1_2 && options->most != EDDY_TLS_1_3) ||
             (options->most && options->least > options->most))
        wrong = "not a range of versions from TLS 1.2 on";
    else if (!(options->handshake_timeout >= 0) || !(options->shutdown_timeout >= 0))
        wrong = "a timeout is negative";
    return wrong ? eddy_raise(-EINVAL, "tls: %s", wrong) : 0;
}

static void context_set_verify(eddy_tls_context *context, const eddy_tls_options *options)
{
    int mode = SSL_VERIFY_PEER;

    if (context->server && options->client_certificate == EDDY_TLS_CLIENT_NONE)
        mode = SSL_VERIFY_NONE;
    else if (context->server && options->client_certificate == EDDY_TLS_CLIENT_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (options->insecure_accept_any_certificate)
        mode = SSL_VERIFY_NONE;
    context->any_name = context->server || options->insecure_accept_any_certificate ||
                        options->insecure_accept_any_name;
    SSL_CTX_set_verify(context->ctx, mode, certificate_verified);
}

static void context_set_sessions(eddy_tls_context *context, bool none)
{
    static const unsigned char name[] = "eddy";

    if (context->server) { /* tickets, which need no memory here */
        SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_session_id_context(context->ctx, name, sizeof name - 1);
        if (none) {
            SSL_CTX_set_options(context->ctx, SSL_OP_NO_TICKET);
            (void)SSL_CTX_set_num_tickets(context->ctx, 0);
        }
    } else if (none) {
        SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF);
    } else {
        SSL_CTX_set_session_cache_mode(context->ctx,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context->ctx, session_keep);
    }
}

/* Everything that may read files. */
static int context_load(eddy_tls_context *context, const eddy_tls_options *options)
{
    bool own = options->ca_file || options->ca_pem;
    int rc = 0;

    if (own)
        rc = context_trust(context, options->ca_file, options->ca_pem);
    if (rc == 0 && (options->system_ca || (!own && !context->server)) &&
        SSL_CTX_set_default_verify_paths(context->ctx) != 1)
        rc = context_refuse("the system's roots", NULL);
    if (rc == 0 && options->crl_file)
        rc = context_revoke(context, options->crl_file);
    if (rc == 0 && (options->certificate_file || options->certificate_pem)) {
        rc = context_load_chain(context, options);
        if (rc == 0)
            rc = context_load_key(context, options);
    }
    return rc;
}

static int context_init(eddy_tls_context *context, const eddy_tls_options *options, bool server)
{
    int least = options->least ? (int)options->least : TLS1_2_VERSION;

    ERR_clear_error();
    context->server = server;
    context->references = 1;
    context->handshake_timeout =
        options->handshake_timeout > 0 ? options->handshake_timeout : CONTEXT_HANDSHAKE;
    context->shutdown_timeout =
        options->shutdown_timeout > 0 ? options->shutdown_timeout : CONTEXT_SHUTDOWN;
    context->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!context->ctx)
        return eddy_raise(-ENOMEM, "tls: no memory for a context");
    if (SSL_CTX_set_min_proto_version(context->ctx, least) != 1 ||
        SSL_CTX_set_max_proto_version(context->ctx, (int)options->most) != 1)
        return context_refuse("these versions", NULL);
    SSL_CTX_set_options(context->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->ctx, SSL_MODE_RELEASE_BUFFERS);
    context_set_verify(context, options);
    context_set_sessions(context, options->no_resumption);
    if (options->alpn) {
        EDDY_TRY(context_set_alpn(context, options->alpn));
        if (server)
            SSL_CTX_set_alpn_select_cb(context->ctx, context_choose_alpn, context);
    }
    return context_load(context, options);
}

static int context_new(const eddy_tls_options *options, bool server, eddy_tls_context **out)
{
    eddy_tls_context *context;
    int rc;

    if (!options)
        options = &context_defaults;
    rc = context_check(options, server);
    if (rc < 0)
        return rc;
    context = eddy_alloc_(sizeof *context);
    if (!context)
        return eddy_raise(-ENOMEM, "tls: no memory for a context");
    pthread_mutex_init(&context->lock, NULL);
    rc = context_init(context, options, server);
    if (rc < 0)
        eddy_tls_context_free(context);
    else
        *out = context;
    return rc;
}

int eddy_tls_client_context(const eddy_tls_options *options, eddy_tls_context **out)
{
    return context_new(options, false, out);
}

int eddy_tls_server_context(const eddy_tls_options *options, eddy_tls_context **out)
{
    return context_new(options, true, out);
}

void eddy_tls_context_free(eddy_tls_context *context)
{
    if (!context || context == &default_context ||
        __atomic_sub_fetch(&context->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < CONTEXT_SESSIONS; i++)
        session_drop(&context->sessions[i]);
    SSL_CTX_free(context->ctx);
    pthread_mutex_destroy(&context->lock);
    eddy_free(context);
}

void eddy_tls_context_end_scope_(eddy_tls_context **context)
{
    eddy_tls_context_free(*context);
}

int ed_tls_default_context(eddy_tls_context **out)
{
    int rc = 0;

    pthread_mutex_lock(&default_lock);
    if (!default_context.ctx) {
        pthread_mutex_init(&default_context.lock, NULL);
        rc = context_init(&default_context, &context_defaults, false);
        if (rc < 0) {
            SSL_CTX_free(default_context.ctx);
            default_context.ctx = NULL;
        }
    }
    pthread_mutex_unlock(&default_lock);
    if (rc == 0)
        *out = &default_context;
    return rc;
}

void ed_tls_context_ref(eddy_tls_context *context)
{
    __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
}

void eddy_tls_context_ref_(eddy_tls_context *context)
{
    ed_tls_context_ref(context);
}

bool ed_tls_context_is_server(const eddy_tls_context *context)
{
    return context->server;
}

double ed_tls_context_handshake_timeout(const eddy_tls_context *context)
{
    return context->handshake_timeout;
}

double ed_tls_context_shutdown_timeout(const eddy_tls_context *context)
{
    return context->shutdown_timeout;
}

/* Streams of a context. */

/* Whether a name can be asked for, and be one in a certificate: not ".example.org", which
 * OpenSSL takes for all names under it. */
static bool context_is_name(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > 253 || name[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || strchr("/:*@[]", name[i]))
            return false;
    return true;
}

static int context_set_name(const struct ed_tls *tls, const char *name)
{
    SSL *ssl = ed_tls_ssl(tls);
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    unsigned char address[16];

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return tls->context->any_name || X509_VERIFY_PARAM_set1_ip_asc(wanted, name) == 1 ? 0
                                                                                          : -ENOMEM;
    if (!context_is_name(name))
        return -EINVAL;
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set_tlsext_host_name(ssl, name) == 1 &&
                   (tls->context->any_name || X509_VERIFY_PARAM_set1_host(wanted, name, 0) == 1)
               ? 0
               : -ENOMEM;
}

/* Offers one protocol where the context names none. 0, -ENOMEM. */
static int context_offer_alpn(const struct ed_tls *tls)
{
    unsigned char wire[64];
    size_t size = tls->alpn ? strlen(tls->alpn) : 0;

    if (size == 0 || tls->context->alpn_size > 0)
        return 0;
    ED_ASSERT(size < sizeof wire);
    wire[0] = (unsigned char)size;
    memcpy(wire + 1, tls->alpn, size);
    return SSL_set_alpn_protos(ed_tls_ssl(tls), wire, (unsigned)size + 1) == 0 ? 0 : -ENOMEM;
}

int ed_tls_context_prepare(struct ed_tls *tls)
{
    eddy_tls_context *context = tls->context;
    int rc = 0;

    ERR_clear_error();
    tls->ssl = SSL_new(context->ctx);
    if (!tls->ssl || SSL_set_app_data(ed_tls_ssl(tls), tls) != 1)
        return eddy_raise(-ENOMEM, "tls: no memory for a connection");
    if (context->server)
        return 0;
    if (tls->server_name)
        rc = context_set_name(tls, tls->server_name);
    else if (!context->any_name)
        return eddy_raise(-EINVAL, "tls: server_name is NULL: only with an insecure option");
    if (rc == -EINVAL)
        return eddy_raise(-EINVAL, "tls: \"%s\" is not a name that a certificate can have",
                          tls->server_name);
    if (rc == 0)
        rc = context_offer_alpn(tls);
    if (rc == 0)
        session_offer(tls);
    return rc < 0 ? eddy_raise(rc, "tls: no memory for a connection") : 0;
}
