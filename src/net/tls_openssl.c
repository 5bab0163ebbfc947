/* SPDX-License-Identifier: MIT */
/*
 * One TLS connection in OpenSSL: steps that never wait.
 *
 * OpenSSL reads and writes through a BIO, which moves bytes to and from memory: it takes what
 * was received into tls->in, or is kept by the lower stream, and asks to be called again when
 * there is no more; it gives what it sends to the lower stream, which only copies it. So no
 * task ever stops inside OpenSSL, and two tasks, a reader and a writer, may take turns in it.
 *
 * The lower stream refuses bytes while a task of this stream's waits in it for earlier ones to
 * go, or when memory is short. They go to tls->held then. The block for that is there before a
 * record is made: a thread keeps a spare one, and a record is only begun with nothing held. So
 * OpenSSL never keeps half a record back, which would demand the same bytes again. What it
 * answers by itself while it reads (a key update) may be refused: then the reader waits.
 *
 * Of a large write several records are gathered in tls->out, another block of which the thread
 * keeps a spare, to be handed to the lower stream from there without a copy.
 *
 * OpenSSL's queue of errors belongs to the thread: each step clears it before, and reads it
 * after.
 */
#include "net/tls_openssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

/* A thread's spare blocks, for what is held and for bulk, while it has streams. */
static __thread struct {
    char *block;
    char *out;
    size_t streams;
} spare;

/* Sending and receiving for OpenSSL. */

/* Answers to one who does not read what was sent: no more of them. Writers alone, who stop at
 * `high` and a block, do not make it full. */
static bool bio_is_full(const struct ed_tls *tls)
{
    return !tls->writing && tls->ready &&
           eddy_stream_get_counters(tls->lower).to_send >
               tls->stream.high + ED_TLS_BULK + ED_TLS_ANSWERS;
}

/* The block for what is held, if there is memory for one. */
static char *bio_block(struct ed_tls *tls)
{
    if (!tls->held) {
        tls->held = spare.block ? spare.block : eddy_alloc_(ED_TLS_HELD);
        spare.block = NULL;
    }
    return tls->held;
}

static int bio_hold(struct ed_tls *tls, BIO *bio, const char *data, int size)
{
    size_t limit = tls->writing ? ED_TLS_HELD : ED_TLS_ANSWERS;

    if (tls->held_size + (size_t)size > limit || !bio_block(tls)) {
        BIO_set_retry_write(bio);
        return -1;
    }
    memcpy(tls->held + tls->held_size, data, (size_t)size);
    tls->held_size += (size_t)size;
    return size;
}

/* Into the block for bulk, which has room for all that its records need. */
static int bio_gather(struct ed_tls *tls, const char *data, int size)
{
    if ((size_t)size > ED_TLS_BULK - tls->out_size)
        return -1;
    memcpy(tls->out + tls->out_size, data, (size_t)size);
    tls->out_size += (size_t)size;
    return size;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct ed_tls *tls = BIO_get_data(bio);
    int rc;

    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    if (tls->gathering)
        return bio_gather(tls, data, size);
    if (bio_is_full(tls)) {
        BIO_set_retry_write(bio);
        return -1;
    }
    if (tls->held_size > 0 || tls->out)
        return bio_hold(tls, bio, data, size);
    rc = eddy_write_nowait(tls->lower, data, (size_t)size);
    if (rc == 0)
        return size;
    if (rc == -EAGAIN || rc == -ENOMEM)
        return bio_hold(tls, bio, data, size);
    tls->io_error = rc;
    return -1;
}

static int bio_read(BIO *bio, char *data, int size)
{
    struct ed_tls *tls = BIO_get_data(bio);
    const char *from = tls->in;
    size_t have = tls->in_size;

    BIO_clear_retry_flags(bio);
    if (have == 0 && !tls->receiving)
        have = eddy_stream_kept(tls->lower, &from);
    if (have == 0 || size <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    for (size_t i = tls->first_size - tls->taken; i < have && tls->first_size < sizeof tls->first;
         i++)
        tls->first[tls->first_size++] = from[i];
    if ((size_t)size > have)
        size = (int)have;
    if (tls->taken < tls->first_size)
        tls->taken += (size_t)size;
    memcpy(data, from, (size_t)size);
    if (tls->in_size > 0) {
        tls->in += size;
        tls->in_size -= (size_t)size;
    } else {
        eddy_consume(tls->lower, (size_t)size);
    }
    return size;
}

static long bio_control(BIO *bio, int command, long number, void *argument)
{
    (void)bio, (void)number, (void)argument;
    return command == BIO_CTRL_FLUSH;
}

static void bio_make(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "eddy stream");
    if (bio_method) {
        BIO_meth_set_write(bio_method, bio_write);
        BIO_meth_set_read(bio_method, bio_read);
        BIO_meth_set_ctrl(bio_method, bio_control);
    }
}

/* Errors. */

const char *ed_tls_reason(char *text, size_t size)
{
    unsigned long error = ERR_get_error();
    const char *reason = ERR_reason_error_string(error);

    if (reason)
        snprintf(text, size, "%s", reason);
    else if (ERR_SYSTEM_ERROR(error))
        snprintf(text, size, "%s", eddy_strerror(-ERR_GET_REASON(error)));
    else
        snprintf(text, size, "OpenSSL's error %#lx", error);
    ERR_clear_error();
    return text;
}

const char *ed_tls_name_text(const X509_NAME *name, char *text, size_t size)
{
    BIO *memory = BIO_new(BIO_s_mem());
    int length = 0;

    if (memory && X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_read(memory, text, (int)size - 1);
    text[length > 0 ? length : 0] = '\0';
    BIO_free(memory);
    return text;
}

/* Whether what the peer began with cannot be a record of TLS, RFC 8446 section 5.1. */
static bool tls_began_otherwise(const struct ed_tls *tls)
{
    unsigned char type = (unsigned char)tls->first[0];

    return (tls->first_size >= 1 && (type < 20 || type > 23)) ||
           (tls->first_size >= 2 && tls->first[1] != 3);
}

/* What it was, to be read by a person. */
static int tls_raise_not_tls(const struct ed_tls *tls)
{
    char text[sizeof tls->first + 1];
    size_t length = 0;

    for (; length < tls->first_size; length++)
        text[length] =
            tls->first[length] >= ' ' && tls->first[length] <= '~' ? tls->first[length] : '.';
    text[length] = '\0';
    return ed_tls_raise(tls, EDDY_ETLS_NOT_TLS, "the peer does not speak TLS: it began with \"%s\"",
                        text);
}

/* An error of OpenSSL's own, by its reason. */
static int tls_raise_reason(struct ed_tls *tls, int reason)
{
    long verified = SSL_get_verify_result(ed_tls_ssl(tls));
    char text[160];

    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return ed_tls_raise(tls, ed_tls_certificate_code(verified), "%s",
                            tls->problem ? tls->problem : X509_verify_cert_error_string(verified));
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return ed_tls_raise(tls, EDDY_ETLS_CERT_MISSING, "the peer has sent no certificate");
    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
        return ed_tls_raise(tls, EDDY_ETLS_ALERT, "the peer sent the alert \"%s\" (%d)",
                            SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET),
                            reason - SSL_AD_REASON_OFFSET);
    if (reason == ERR_R_MALLOC_FAILURE)
        return ed_tls_raise(tls, -ENOMEM, "no memory");
    if (!tls->ready && tls_began_otherwise(tls))
        return tls_raise_not_tls(tls);
    return ed_tls_raise(tls, tls->ready ? EDDY_ETLS : EDDY_ETLS_HANDSHAKE, "%s%s",
                        tls->ready ? "" : "handshake: ", ed_tls_reason(text, sizeof text));
}

/* What a call of OpenSSL's means that did not do what it should. */
static int tls_outcome(struct ed_tls *tls, int result)
{
    int error = SSL_get_error(ed_tls_ssl(tls), result);
    int rc = tls->io_error; /* with the lower stream's text */

    tls->io_error = 0;
    if (rc < 0 && error != SSL_ERROR_SSL) {
        /* and not of an alert about something worse */
    } else if (error == SSL_ERROR_WANT_READ) {
        return ED_TLS_READ;
    } else if (error == SSL_ERROR_WANT_WRITE) {
        return ED_TLS_WRITE;
    } else if (tls->broken) {
        rc = ed_tls_raise(tls, tls->broken, "broken before: %s", eddy_strerror(tls->broken));
    } else {
        rc = tls_raise_reason(tls, ERR_GET_REASON(ERR_peek_error()));
        tls->broken = rc;
    }
    ERR_clear_error();
    return rc;
}

/* Steps. */

int ed_tls_open(struct ed_tls *tls)
{
    SSL *ssl;
    BIO *bio;
    int rc;

    spare.streams++; /* ed_tls_free takes it back */
    tls->opened = true;
    rc = ed_tls_context_prepare(tls);
    if (rc < 0)
        return rc;
    ssl = ed_tls_ssl(tls);
    pthread_once(&bio_once, bio_make);
    bio = bio_method ? BIO_new(bio_method) : NULL;
    if (!bio)
        return eddy_raise(-ENOMEM, "tls: no memory for a connection");
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (ed_tls_context_is_server(tls->context))
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return 0;
}

int ed_tls_handshake(struct ed_tls *tls)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(ed_tls_ssl(tls));
    if (result != 1)
        return tls_outcome(tls, result);
    tls->ready = true;
    return 0;
}

int ed_tls_read(struct ed_tls *tls, void *data, size_t size, size_t *got)
{
    int result;

    *got = 0;
    ERR_clear_error();
    result = SSL_read_ex(ed_tls_ssl(tls), data, size, got);
    if (result == 1 || SSL_get_error(ed_tls_ssl(tls), result) == SSL_ERROR_ZERO_RETURN)
        return 0;
    return tls_outcome(tls, result);
}

bool ed_tls_has_more(const struct ed_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

int ed_tls_write(struct ed_tls *tls, const void *data, size_t size)
{
    size_t written;
    int result;

    if (!spare.block && !tls->gathering)
        spare.block = eddy_alloc_(ED_TLS_HELD);
    if (!spare.block && !tls->gathering)
        return ed_tls_raise(tls, -ENOMEM, "no memory for a record");
    ERR_clear_error();
    tls->writing = true;
    result = SSL_write_ex(ed_tls_ssl(tls), data, size, &written);
    tls->writing = false;
    if (result == 1)
        return 0;
    result = tls_outcome(tls, result);
    if (result > 0) { /* a renegotiation, which is forbidden, or a mistake here */
        tls->broken = EDDY_ETLS;
        return ed_tls_raise(tls, EDDY_ETLS, "OpenSSL cannot write now");
    }
    return result;
}

void ed_tls_release_held(struct ed_tls *tls)
{
    if (spare.block)
        eddy_free(tls->held);
    else
        spare.block = tls->held;
    tls->held = NULL;
    tls->held_size = 0;
}

int ed_tls_take_out(struct ed_tls *tls)
{
    tls->out = spare.out ? spare.out : eddy_alloc_(ED_TLS_BULK);
    spare.out = NULL;
    tls->out_size = tls->out_sent = 0;
    return tls->out ? 0 : ed_tls_raise(tls, -ENOMEM, "no memory for records");
}

void ed_tls_release_out(struct ed_tls *tls)
{
    if (spare.out)
        eddy_free(tls->out);
    else
        spare.out = tls->out;
    tls->out = NULL;
    tls->out_size = tls->out_sent = 0;
}

void ed_tls_goodbye(struct ed_tls *tls)
{
    if (!tls->ssl || !tls->ready || tls->broken)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(ed_tls_ssl(tls)); /* in the midst of a handshake it cannot */
    ERR_clear_error();
}

bool ed_tls_peer_said_goodbye(const struct ed_tls *tls)
{
    return SSL_get_shutdown(ed_tls_ssl(tls)) & SSL_RECEIVED_SHUTDOWN;
}

/* What is known of the peer. */

struct tls_facts {
    char subject[256], issuer[256], fingerprint[2 * EVP_MAX_MD_SIZE + 1], alpn[256];
    int64_t not_before, not_after;
    char **names; /* with their texts in one block, or NULL */
    size_t name_count;
};

static void facts_free(struct tls_facts *facts)
{
    if (facts)
        eddy_free(facts->names);
    eddy_free(facts);
}

static int64_t facts_time(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

/* Writes one of a certificate's names as "KIND:NAME": how long it is with its NUL, 0 for one
 * that is none, or has bytes that could make it look like another. */
static size_t facts_name(const GENERAL_NAME *name, char *text, size_t size)
{
    static const char *const kinds[] = {
        [GEN_DNS] = "DNS", [GEN_EMAIL] = "email", [GEN_URI] = "URI"};
    int kind, length;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    const unsigned char *data;
    char address[INET6_ADDRSTRLEN];

    if (kind == GEN_IPADD) {
        length = ASN1_STRING_length(value);
        if ((length != 4 && length != 16) ||
            !inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), address,
                       sizeof address))
            return 0;
        return (size_t)snprintf(text, size, "IP:%s", address) + 1;
    }
    if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI)
        return 0;
    data = ASN1_STRING_get0_data(value);
    length = ASN1_STRING_length(value);
    for (int i = 0; i < length; i++)
        if (data[i] <= ' ' || data[i] > '~')
            return 0;
    return (size_t)snprintf(text, size, "%s:%.*s", kinds[kind], length, (const char *)data) + 1;
}

/* All names of a certificate: counts them, then makes a block of pointers and texts. */
static int facts_set_names(struct tls_facts *facts, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    size_t size = 0, used = 0;
    char *text;

    for (int i = 0; i < count; i++)
        size += sizeof(char *) + facts_name(sk_GENERAL_NAME_value(names, i), NULL, 0);
    facts->names = size > 0 ? eddy_alloc_(size) : NULL;
    if (facts->names) {
        text = (char *)(facts->names + count);
        size -= (size_t)count * sizeof(char *);
        for (int i = 0; i < count; i++) {
            size_t length = facts_name(sk_GENERAL_NAME_value(names, i), text + used, size - used);

            if (length > 0)
                facts->names[facts->name_count++] = text + used;
            used += length;
        }
    }
    GENERAL_NAMES_free(names);
    return count > 0 && !facts->names ? -ENOMEM : 0;
}

static int facts_set_certificate(struct tls_facts *facts, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ed_tls_name_text(X509_get_subject_name(certificate), facts->subject, sizeof facts->subject);
    ed_tls_name_text(X509_get_issuer_name(certificate), facts->issuer, sizeof facts->issuer);
    if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
        return -ENOMEM;
    for (unsigned i = 0; i < size; i++)
        snprintf(facts->fingerprint + 2 * i, 3, "%02x", digest[i]);
    facts->not_before = facts_time(X509_get0_notBefore(certificate));
    facts->not_after = facts_time(X509_get0_notAfter(certificate));
    return facts_set_names(facts, certificate);
}

static int facts_make(struct ed_tls *tls)
{
    X509 *certificate = SSL_get0_peer_certificate(ed_tls_ssl(tls));
    struct tls_facts *facts = eddy_alloc_(sizeof *facts);
    const unsigned char *alpn;
    unsigned size;
    int rc = 0;

    if (!facts)
        return -ENOMEM;
    SSL_get0_alpn_selected(ed_tls_ssl(tls), &alpn, &size);
    if (size > 0 && size < sizeof facts->alpn)
        memcpy(facts->alpn, alpn, size);
    if (certificate)
        rc = facts_set_certificate(facts, certificate);
    ERR_clear_error();
    if (rc < 0)
        facts_free(facts);
    else
        tls->facts = facts;
    return rc;
}

int ed_tls_inform(struct ed_tls *tls, eddy_tls_info *info)
{
    SSL *ssl = ed_tls_ssl(tls);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tls_facts *facts;
    int rc = tls->facts ? 0 : facts_make(tls);

    if (rc < 0)
        return ed_tls_raise(tls, rc, "no memory");
    facts = tls->facts;
    *info = (eddy_tls_info){
        .version = SSL_get_version(ssl),
        .cipher = SSL_get_cipher_name(ssl),
        .alpn = facts->alpn,
        .server_name = name ? name : "",
        .server = ed_tls_context_is_server(tls->context),
        .resumed = SSL_session_reused(ssl) == 1,
        .subject = facts->subject,
        .issuer = facts->issuer,
        .fingerprint = facts->fingerprint,
        .not_before = facts->not_before,
        .not_after = facts->not_after,
        .names = (const char *const *)facts->names,
        .name_count = facts->name_count,
    };
    return 0;
}

int ed_tls_export(struct ed_tls *tls, const char *label, void *data, size_t size)
{
    ERR_clear_error();
    if (SSL_export_keying_material(ed_tls_ssl(tls), data, size, label, strlen(label), NULL, 0, 1) !=
        1) {
        ERR_clear_error();
        return ed_tls_raise(tls, EDDY_ETLS, "nothing can be exported as \"%s\"", label);
    }
    return 0;
}

void ed_tls_free(struct ed_tls *tls)
{
    facts_free(tls->facts);
    SSL_free(ed_tls_ssl(tls));
    tls->ssl = NULL;
    if (tls->held)
        ed_tls_release_held(tls);
    if (tls->out)
        ed_tls_release_out(tls);
    if (!tls->opened || --spare.streams > 0)
        return;
    eddy_free(spare.block);
    eddy_free(spare.out);
    spare.block = spare.out = NULL;
}
