/* SPDX-License-Identifier: MIT */
#include "net/tls_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

/*
 * ThreadSanitizer does not see the counts by which OpenSSL's threads share its objects, since they
 * are inside of a library that is not built for it: what that library frees would look like a race.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libcrypto.so\ncalled_from_lib:libssl.so\n";
}

/* Everything here runs before the streams do, and must work. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
    } while (0)

/* What stays is known to who looks for leaks. */
__attribute__((used)) static void *kept[512];
static size_t kept_count;

static void *keep(void *memory)
{
    MUST(memory && kept_count < 512);
    kept[kept_count++] = memory;
    return memory;
}

static char *text_of(BIO *memory)
{
    char *data, *text;
    long size = BIO_get_mem_data(memory, &data);

    text = keep(strndup(data, (size_t)size));
    BIO_free(memory);
    return text;
}

static void set_extension(X509 *x509, const X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    MUST(extension);
    MUST(X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

const struct certificate *certificate_make(const struct certificate_plan *plan)
{
    static long serial = 1000;
    struct certificate *made = keep(calloc(1, sizeof *made));
    const char *name = plan->name ? plan->name : "test";
    int first = plan->first_day ? plan->first_day : -1, last = plan->last_day ? plan->last_day : 1;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new(), *issuer;
    BIO *memory = BIO_new(BIO_s_mem());

    MUST(made && key && x509 && memory);
    issuer = plan->issuer ? plan->issuer->x509 : x509;
    MUST(X509_set_version(x509, X509_VERSION_3) == 1 && X509_set_pubkey(x509, key) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    MUST(X509_time_adj_ex(X509_getm_notBefore(x509), first, 0, NULL));
    MUST(X509_time_adj_ex(X509_getm_notAfter(x509), last, 0, NULL));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    MUST(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1);
    set_extension(x509, issuer, NID_basic_constraints,
                  plan->root ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (plan->root)
        set_extension(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (plan->names)
        set_extension(x509, issuer, NID_subject_alt_name, plan->names);
    if (plan->usage)
        set_extension(x509, issuer, NID_ext_key_usage, plan->usage);
    MUST(X509_sign(x509, plan->issuer ? plan->issuer->key : key, EVP_sha256()));
    MUST(PEM_write_bio_X509(memory, x509) == 1);
    made->pem = text_of(memory);
    memory = BIO_new(BIO_s_mem());
    MUST(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1);
    made->key_pem = text_of(memory);
    made->x509 = x509;
    made->key = key;
    return made;
}

const char *certificate_revoke(const struct certificate *issuer, const struct certificate *revoked)
{
    X509_CRL *list = X509_CRL_new();
    BIO *memory = BIO_new(BIO_s_mem());
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *later = X509_gmtime_adj(NULL, 86400);

    MUST(list && memory && now && later);
    MUST(X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1);
    MUST(X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer->x509)) == 1);
    MUST(X509_CRL_set1_lastUpdate(list, now) == 1 && X509_CRL_set1_nextUpdate(list, later) == 1);
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();

        MUST(entry && X509_REVOKED_set_revocationDate(entry, now) == 1);
        MUST(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509)) == 1);
        MUST(X509_CRL_add0_revoked(list, entry) == 1);
    }
    MUST(X509_CRL_sort(list) == 1 && X509_CRL_sign(list, issuer->key, EVP_sha256()));
    MUST(PEM_write_bio_X509_CRL(memory, list) == 1);
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    X509_CRL_free(list);
    return text_of(memory);
}

const char *certificate_join(const char *one, const char *other)
{
    size_t size = strlen(one) + strlen(other) + 1;
    char *text = keep(malloc(size));

    snprintf(text, size, "%s%s", one, other);
    return text;
}

static char files[16][64];
static int file_count;

static void files_remove(void)
{
    while (file_count > 0)
        unlink(files[--file_count]);
}

const char *certificate_file(const char *text)
{
    char *path = files[file_count];
    FILE *file;
    int fd;

    MUST(file_count < 16);
    if (file_count == 0)
        atexit(files_remove);
    file_count++;
    snprintf(path, sizeof files[0], "/tmp/eddy-tls-XXXXXX");
    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    MUST(file);
    fputs(text, file);
    fclose(file);
    return path;
}

const struct certificate *certificate_root(void)
{
    static const struct certificate *root;

    if (!root)
        root = certificate_make(&(struct certificate_plan){.name = "Test Root", .root = true});
    return root;
}

const struct certificate *certificate_server(void)
{
    static const struct certificate *server;

    if (!server)
        server = certificate_make(
            &(struct certificate_plan){.name = "a.test",
                                       .names = "DNS:a.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1",
                                       .usage = "serverAuth",
                                       .issuer = certificate_root()});
    return server;
}

const struct certificate *certificate_client(void)
{
    static const struct certificate *client;

    if (!client)
        client = certificate_make(&(struct certificate_plan){
            .name = "Ann", .usage = "clientAuth", .issuer = certificate_root()});
    return client;
}

eddy_tls_options tls_client_options(void)
{
    return (eddy_tls_options){.ca_pem = certificate_root()->pem};
}

eddy_tls_options tls_server_options(void)
{
    return (eddy_tls_options){.certificate_pem = certificate_server()->pem,
                              .key_pem = certificate_server()->key_pem};
}

int tls_once(tls_body *body)
{
    test_watch_reports(eddy_get_running_loop());
    body();
    return 0;
}

static void note_failure(int rc, char *text, size_t size)
{
    snprintf(text, size, "%s", rc < 0 ? eddy_error_message(rc) : "");
}

static int serve(struct tls_ends *ends, eddy_tls_context *context)
{
    ends->server_rc = eddy_start_tls_server(&ends->server, context);
    note_failure(ends->server_rc, ends->server_text, sizeof ends->server_text);
    return 0;
}
EDDY_ASYNC(serve, struct tls_ends *, eddy_tls_context *);

int tls_ends_meet(struct tls_ends *ends, eddy_tls_context *client, const char *name,
                  eddy_tls_context *server)
{
    EDDY_TRY(eddy_stream_pair(&ends->client, &ends->server));
    EDDY_TASK task = eddy_create_task(serve, ends, server);
    ends->client_rc = eddy_start_tls(&ends->client, client, name);
    note_failure(ends->client_rc, ends->client_text, sizeof ends->client_text);
    return eddy_await(task);
}

int tls_ends_open(struct tls_ends *ends, const eddy_tls_options *client, const char *name,
                  const eddy_tls_options *server)
{
    EDDY_TLS_CONTEXT client_context = NULL;
    EDDY_TLS_CONTEXT server_context = NULL;

    EDDY_TRY(eddy_tls_client_context(client, &client_context));
    EDDY_TRY(eddy_tls_server_context(server, &server_context));
    return tls_ends_meet(ends, client_context, name, server_context);
}

int tls_ends_result(const struct tls_ends *ends)
{
    return ends->server_rc == -ENOMEM || ends->client_rc == 0 ? ends->server_rc : ends->client_rc;
}

static int close_one(eddy_stream **stream)
{
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_one, eddy_stream **);

void tls_ends_close(struct tls_ends *ends)
{
    EDDY_TASK task = eddy_create_task(close_one, &ends->client);
    EDDY_TIMEOUT(limit, 60); /* both may wait for the other to read: then they are aborted */

    (void)eddy_stream_close(&ends->server);
    (void)eddy_await(task);
    (void)eddy_stream_close(&ends->client); /* where no task could be made */
}
