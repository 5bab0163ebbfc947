/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.2 and 1.3 by OpenSSL 3: a stream over a stream. Library eddy-tls, whose header is not
 * part of eddy.h.
 *
 *     EDDY_STREAM peer = NULL;
 *     EDDY_TRY(eddy_connect("tls://example.org:443", &peer));
 *
 * A client accepts a peer whose certificate chain leads to a trusted root, is in time, is meant
 * for servers, and names the host that was asked for; all else is an error that says what is
 * wrong with which certificate. Only an option with an ugly name changes that.
 *
 * A TLS stream is a stream like any other, see eddy/stream.h, but for this: its writing half
 * cannot be ended alone (eddy_write_eof is -ENOTSUP); eddy_stream_close says goodbye
 * (close_notify) and waits for the peer's; and an end that came without the peer's goodbye is
 * EDDY_ETLS_TRUNCATED, not the end of the stream: somebody may have cut it short. Each write
 * becomes records of up to 16 KiB; a large one that is cancelled has gone up to the end of a
 * record. Writers wait while more than 512 KiB are kept, until 128 KiB are.
 */
#ifndef EDDY_TLS_H
#define EDDY_TLS_H

#include "eddy/compat.h"
#include "eddy/net.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/* What many connections share: whom to trust, who one is, sessions to resume. Does not change,
 * so that any thread may use it; streams keep what they need of it. */
typedef struct eddy_tls_context eddy_tls_context;

/* Declares an owning handle, freed at the end of its block. */
#define EDDY_TLS_CONTEXT EDDY_CLEANUP_(eddy_tls_context_end_scope_) __typeof__(eddy_tls_context *)

enum eddy_tls_version {
    EDDY_TLS_DEFAULT = 0, /* as the least: 1.2; as the most: what OpenSSL has */
    EDDY_TLS_1_2 = 0x0303,
    EDDY_TLS_1_3 = 0x0304,
};

/* What a server asks of its clients. */
enum eddy_tls_client_certificate {
    EDDY_TLS_CLIENT_NONE,     /* no certificate */
    EDDY_TLS_CLIENT_OPTIONAL, /* a valid one, or none */
    EDDY_TLS_CLIENT_REQUIRED, /* a valid one */
};

/* How to speak TLS; all zero means the defaults. Texts are copied. Of two ways to give the same
 * thing, _file is a path of a PEM file and _pem its text; both at once are -EINVAL. */
typedef struct eddy_tls_options {
    const char *ca_file, *ca_pem; /* trusted roots instead of the system's; NULL: the system's, for
                                     the clients of a server none */
    bool system_ca;               /* the system's as well */
    const char *crl_file;         /* lists of revoked certificates; the peer's must be in the
                                     scope of one and not on it; NULL: not asked */

    const char *certificate_file, *certificate_pem; /* one's own, and then the chain to the root;
                                                       servers need one */
    const char *key_file, *key_pem;                 /* its key; NULL: with the certificate */
    const char *key_password;                       /* of an encrypted key */

    const char *alpn; /* protocols, best first, such as "h2,http/1.1" */
    enum eddy_tls_version least, most;
    enum eddy_tls_client_certificate client_certificate; /* of servers */
    double handshake_timeout;                            /* seconds; 0: 10 */
    double shutdown_timeout; /* seconds for the peer's goodbye at a close; 0: 30 */
    bool no_resumption;      /* a full handshake for each connection */

    /* For tests only: the connection is then open to anybody in the middle. */
    bool insecure_accept_any_certificate; /* checks nothing */
    bool insecure_accept_any_name;        /* a valid certificate of anybody */
} eddy_tls_options;

/*
 * Makes a context of a client, or of a server; options NULL: the defaults. Reads files while it
 * does, the system's roots take some 10 ms: make it once.
 *
 * Returns 0, or with *out untouched EDDY_ETLS with a text that names the file or option that is
 * not usable, -EINVAL for options that contradict each other or a server without a certificate,
 * -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int
eddy_tls_client_context(const eddy_tls_options *options, eddy_tls_context **out);
/* See above. */
EDDY_NODISCARD EDDY_API int
eddy_tls_server_context(const eddy_tls_options *options, eddy_tls_context **out);

/* Frees a context; NULL too. Streams that it was used for go on. */
EDDY_API void eddy_tls_context_free(eddy_tls_context *context);

/*
 * Opens a connection and speaks TLS on it, as tls://HOST:PORT does with both NULL: context NULL
 * means a client's with the defaults, which all share. The host, a name or an address, is what
 * the certificate must name.
 *
 * Suspends, in the handshake as long as the context allows.
 *
 * Returns 0, or with *out untouched and everything closed again an error of eddy_tcp_connect or
 * eddy_start_tls.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_tls_connect(const char *host, uint16_t port, eddy_tls_context *context,
                 const eddy_connect_options *options, eddy_stream **out);

/*
 * Begins TLS as the client on an open stream, whose place the TLS stream takes: *stream is that
 * afterwards. What was written before is sent first. What has been read from the connection and
 * not from the stream came before TLS began, and is an error: nobody can tell who sent it.
 *
 * context        NULL: a client's with the defaults
 * server_name    whom the certificate must name, and who is asked for: a name or an address.
 *                NULL only with an insecure option
 *
 * Suspends, as long as the context allows. No other task may be inside the stream.
 *
 * Returns 0, or with the connection closed and *stream NULL:
 *   EDDY_ETLS_CERT...        a problem of the peer's certificate, which the text names
 *   EDDY_ETLS_ALERT          the peer refused, by the alert in the text
 *   EDDY_ETLS_NOT_TLS        the peer speaks something else, or something came before
 *   EDDY_ETLS_HANDSHAKE      nothing in common, or not as TLS demands
 *   EDDY_ETLS_TRUNCATED      the peer closed the connection
 *   -EINVAL                  no name, or not a name; a server's context
 *   -ETIMEDOUT               the handshake took too long, or the scope around it
 *   -ECANCELED, -ENOMEM, or an error of the stream's
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_start_tls(eddy_stream **stream, eddy_tls_context *context, const char *server_name);

/* The same, and offers one protocol by ALPN, such as "http/1.1", where the context names none; its
 * text stays valid. For libraries that know what they speak. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_start_tls_offering_(eddy_stream **stream, eddy_tls_context *context, const char *server_name,
                         const char *alpn);

/* eddy_start_tls as the server, for which what was read may be the beginning of the client's
 * handshake, but nothing else. EDDY_ETLS_CERT_MISSING: it must have a certificate, and has
 * none. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_start_tls_server(eddy_stream **stream, eddy_tls_context *context);

/*
 * Makes a server one of TLS:
 *
 *     eddy_server_options options = {.wrap = eddy_tls_serve, .wrap_argument = context};
 *     EDDY_TRY(eddy_start_server_with("tls://:443", &options, handler, NULL, &server));
 *
 * tls:// demands that wrap is set, so that nothing is served in plain text. Suspends: it is
 * eddy_start_tls_server.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_tls_serve(eddy_stream **stream, void *context);

/* What was agreed upon, and who the peer is. Texts are borrowed until the stream is closed. */
typedef struct eddy_tls_info {
    const char *version;     /* "TLSv1.3" */
    const char *cipher;      /* "TLS_AES_256_GCM_SHA384" */
    const char *alpn;        /* the protocol; "": none */
    const char *server_name; /* that the client has asked for; "": none */
    bool server;             /* this side is the server */
    bool resumed;            /* a session of an earlier connection */

    /* The peer's certificate; "" and 0 when it has none. */
    const char *subject, *issuer;  /* "CN=example.org,O=Example" */
    const char *fingerprint;       /* SHA-256, 64 hexadecimal digits */
    int64_t not_before, not_after; /* seconds since 1970 */
    const char *const *names;      /* "DNS:example.org", "IP:192.0.2.1", "URI:...", "email:..." */
    size_t name_count;
} eddy_tls_info;

/* Tells about a TLS stream. 0; -EINVAL when it is not one; -ENOMEM. */
EDDY_NODISCARD EDDY_API int eddy_tls_get_info(eddy_stream *stream, eddy_tls_info *info);

/* The stream under a TLS stream, borrowed, for its names and counters; not to be read, written
 * or closed. NULL when `stream` is not one. */
EDDY_API eddy_stream *eddy_tls_lower_stream(const eddy_stream *stream);

/*
 * Bytes that only the two ends of this connection know, as "tls-exporter" (RFC 9266) and
 * others want them: RFC 5705, with an empty context. -EINVAL when the stream is not TLS.
 */
EDDY_NODISCARD EDDY_API int
eddy_tls_export(eddy_stream *stream, const char *label, void *data, size_t size);

/* For the macro above. */
EDDY_API void eddy_tls_context_end_scope_(eddy_tls_context **context);

/* Keeps a context for one more user, who frees it by eddy_tls_context_free. */
EDDY_API void eddy_tls_context_ref_(eddy_tls_context *context);

/* Keeps the library linked, so that tls:// is known also where nothing else of it is used. */
extern EDDY_API const char eddy_tls_linked_;
__attribute__((used)) static const char *const eddy_tls_link_ = &eddy_tls_linked_;

EDDY_END_DECLS
#endif
