/* SPDX-License-Identifier: MIT */
/* The one place where OpenSSL's headers are included, and what its two users share. */
#ifndef ED_NET_TLS_OPENSSL_H
#define ED_NET_TLS_OPENSSL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls.h"

ED_INLINE SSL *ed_tls_ssl(const struct ed_tls *tls)
{
    return (SSL *)tls->ssl;
}

/* What OpenSSL says of the first error in its queue, which it clears. */
const char *ed_tls_reason(char *text, size_t size);

/* A name such as "CN=example.org,O=Example", cut to `size` bytes; returns `text`. */
const char *ed_tls_name_text(const X509_NAME *name, char *text, size_t size);

/* The code of a problem of X509_STORE_CTX_get_error. */
int ed_tls_certificate_code(long problem);

#endif
