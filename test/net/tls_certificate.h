/* SPDX-License-Identifier: MIT */
/* Certificates for the tests of TLS, made when they are needed, and contexts with them. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <eddy.h>
#include <eddy/tls.h>

struct certificate {
    void *x509, *key; /* OpenSSL's */
    char *pem;        /* the certificate alone */
    char *key_pem;
};

/* What a certificate is to say; all zero: one for CN=test, valid for a day either way. */
struct certificate_plan {
    const char *name;                 /* its CN */
    const char *names;                /* such as "DNS:a.test,IP:127.0.0.1"; NULL: none */
    const char *usage;                /* "serverAuth", "clientAuth"; NULL: not said */
    const struct certificate *issuer; /* NULL: itself */
    int first_day, last_day;          /* from today */
    bool root;                        /* it may issue others */
};

/* Makes one. It stays until the process ends. */
const struct certificate *certificate_make(const struct certificate_plan *plan);

/* A list, PEM, in which an issuer revokes one of its certificates, or NULL: none. */
const char *certificate_revoke(const struct certificate *issuer, const struct certificate *revoked);

/* A text of several, such as a chain; stays too. */
const char *certificate_join(const char *one, const char *other);

/* Writes a text to a file of its own in a temporary folder; the path stays, and the file goes
 * with the process. */
const char *certificate_file(const char *text);

/* The usual ones: a root, a server's for a.test, *.wild.test, 127.0.0.1 and ::1, a client's. */
const struct certificate *certificate_root(void);
const struct certificate *certificate_server(void);
const struct certificate *certificate_client(void);

/* Two open ends of TLS over a pair in memory, or of their failure. */
struct tls_ends {
    eddy_stream *client, *server;
    int client_rc, server_rc;
    char client_text[512], server_text[512]; /* of the errors */
};

/* Does the handshake over a pair. 0 when it was tried. */
int tls_ends_open(struct tls_ends *ends, const eddy_tls_options *client, const char *name,
                  const eddy_tls_options *server);
/* The same with contexts that stay the caller's. */
int tls_ends_meet(struct tls_ends *ends, eddy_tls_context *client, const char *name,
                  eddy_tls_context *server);
/* 0 when both are open; else the error of the one that failed first: of memory, if any. */
int tls_ends_result(const struct tls_ends *ends);
/* Closes both, for EDDY_DEFER: their goodbyes meet. */
void tls_ends_close(struct tls_ends *ends);

/* A test's body as an async function: for those with many handshakes, which are too many to be
 * cancelled everywhere. */
typedef void tls_body(void);
int tls_once(tls_body *body);
EDDY_ASYNC(tls_once, tls_body *);

/* Options of the usual ones. */
eddy_tls_options tls_client_options(void);
eddy_tls_options tls_server_options(void);

#endif
