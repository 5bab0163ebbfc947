/* SPDX-License-Identifier: MIT */
/*
 * TLS, inside libeddy-tls: tls.c waits, tls_openssl.c calls OpenSSL and never waits, and
 * tls_openssl_context.c makes contexts.
 */
#ifndef ED_NET_TLS_H
#define ED_NET_TLS_H

#include "base/compat.h"
#include "eddy/stream_class.h"
#include "eddy/tls.h"

#define ED_TLS_SMALL 1024 /* bytes received at once by a stream at rest */
#define ED_TLS_MUCH 4096  /* bytes received at once that keep a stream in bulk */

/* Bytes received at once in bulk: a record with what it needs, and a bit more. With 48 and 64 KiB
 * it is 0.88 of the bytes a second, and 1.09 of the processor time (build/bench/net tls-bulk). */
#define ED_TLS_BIG (20 << 10)

#define ED_TLS_HIGH (512 << 10)   /* bytes kept from which on writers wait, */
#define ED_TLS_LOW (128 << 10)    /* and until which */
#define ED_TLS_ANSWERS (16 << 10) /* bytes that OpenSSL may answer while a writer waits */
#define ED_TLS_RECORD (16 << 10)  /* plain bytes of a record at most */
#define ED_TLS_BULK_RECORDS 4     /* that are written at once in bulk, */
#define ED_TLS_BULK (67 << 10)    /* bytes with what they need */
#define ED_TLS_HELD (34 << 10)    /* bytes: the answers, and a record with what it needs */

/* What a step wants before it is tried again; 0: nothing, it is done. */
enum ed_tls_want { ED_TLS_READ = 1, ED_TLS_WRITE };

struct tls_facts;
struct ed_tls {
    eddy_stream stream;
    eddy_stream *lower;
    eddy_tls_context *context; /* a reference */
    void *ssl;                 /* SSL */
    char *server_name;         /* of a client: whom the certificate must name, or NULL */
    const char *alpn;          /* of a client whose context names none: the protocol, or NULL */
    bool opened;               /* ed_tls_open was called */
    bool ready;                /* the handshake is done */

    /* received, and not taken by OpenSSL yet */
    const char *in;
    size_t in_size;
    char *big; /* memory for that in bulk, or NULL */
    bool bulk;
    bool receiving; /* the kernel may be writing there */
    bool ended;     /* the end of the lower stream has come */

    /* what OpenSSL has sent while the lower stream could not take it */
    char *held; /* a block of ED_TLS_HELD bytes, or NULL */
    size_t held_size;
    char
        *out; /* a block of ED_TLS_BULK bytes, or NULL: records on their way to the lower stream, */
    size_t out_size, out_sent; /* bytes there, and how many of them it has */
    bool handing;              /* out is with a writer in the lower stream, or about to be */
    bool gathering;            /* steps of writing write there */
    bool writing; /* a step of writing: the whole block may be used, not only for answers */

    int io_error;             /* of the lower stream, in this step */
    int broken;               /* OpenSSL can go on no more, and */
    char *problem;            /* why: of the certificate, or of all; may be NULL */
    char first[8];            /* bytes that the peer has sent, */
    size_t first_size, taken; /* how many of them there are, and OpenSSL has taken */
    struct tls_facts *facts;  /* behind eddy_tls_get_info, or NULL */
    char small[ED_TLS_SMALL];
};

/* Raises an error with the stream's name in front of the text. */
int ed_tls_raise(const struct ed_tls *tls, int code, const char *format, ...) EDDY_PRINTF_(3, 4);

/* Contexts. */

/* The shared context of clients with the defaults; no reference. 0 or an error. */
int ed_tls_default_context(eddy_tls_context **out);
void ed_tls_context_ref(eddy_tls_context *context);
bool ed_tls_context_is_server(const eddy_tls_context *context);
double ed_tls_context_handshake_timeout(const eddy_tls_context *context);
double ed_tls_context_shutdown_timeout(const eddy_tls_context *context);

/* Makes tls->ssl of tls->context, without its BIO. 0, -EINVAL when the name is not one. */
int ed_tls_context_prepare(struct ed_tls *tls);

/* Steps. Each returns 0, what it wants, or an error, raised. */

int ed_tls_open(struct ed_tls *tls); /* to begin with; not a step that wants */
int ed_tls_handshake(struct ed_tls *tls);

/* *got is 0 when the peer has said goodbye. */
int ed_tls_read(struct ed_tls *tls, void *data, size_t size, size_t *got);

/* Whether OpenSSL has taken bytes that it has not given. */
bool ed_tls_has_more(const struct ed_tls *tls);

/* Up to ED_TLS_RECORD bytes as one record; nothing is held. Wants nothing. */
int ed_tls_write(struct ed_tls *tls, const void *data, size_t size);

void ed_tls_release_held(struct ed_tls *tls); /* Gives the block of tls->held back. */

/* Takes a block for tls->out, from then on to be filled by ed_tls_write: 0 or -ENOMEM, raised;
 * and gives it back. */
int ed_tls_take_out(struct ed_tls *tls);
void ed_tls_release_out(struct ed_tls *tls);

/* Sends the goodbye, if that is possible still. */
void ed_tls_goodbye(struct ed_tls *tls);
bool ed_tls_peer_said_goodbye(const struct ed_tls *tls);

/* See eddy_tls_get_info and eddy_tls_export. */
int ed_tls_inform(struct ed_tls *tls, eddy_tls_info *info);
int ed_tls_export(struct ed_tls *tls, const char *label, void *data, size_t size);

void ed_tls_free(struct ed_tls *tls); /* what belongs to OpenSSL; half-built ones too */

#endif
