/* SPDX-License-Identifier: MIT */
/*
 * Errors are values: 0 for success, or a negative code. Codes down to -4095
 * are errno values; those beyond belong to Eddy's protocols. A code travels by
 * return; the text that explains it travels beside it, with the task.
 *
 *     if (!valid(input))
 *         return eddy_raise(-EINVAL, "input %d is out of range", input);
 *     ...
 *     int rc = fetch(7);
 *     if (rc == -EINVAL)
 *         puts(eddy_error_message(rc));
 */
#ifndef EDDY_ERROR_H
#define EDDY_ERROR_H

#include <errno.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* Codes of Eddy's own. */
#define EDDY_ETEST (-4096)       /* an expectation of a test does not hold, see eddy/test.h */
#define EDDY_EINCOMPLETE (-4097) /* a stream ended before what was asked for, see eddy/stream.h */
#define EDDY_ELIMIT (-4098)      /* longer than the limit: a line, a message */

/* Of names, see eddy/dns.h. */
#define EDDY_EDNS_NOT_FOUND (-4200)   /* the name does not exist: NXDOMAIN */
#define EDDY_EDNS_NO_DATA (-4201)     /* it exists, but has no record of that type */
#define EDDY_EDNS_BAD_NAME (-4202)    /* not a name: too long, an empty label, ... */
#define EDDY_EDNS_TIMEOUT (-4203)     /* no server answered within the resolver's own time */
#define EDDY_EDNS_REFUSED (-4204)     /* REFUSED */
#define EDDY_EDNS_FAILED (-4205)      /* SERVFAIL, NOTIMP, FORMERR */
#define EDDY_EDNS_BAD_ANSWER (-4206)  /* a reply that cannot be understood */
#define EDDY_EDNS_UNREACHABLE (-4207) /* no server can be sent to */
#define EDDY_EDNS_SYSTEM (-4208)      /* another failure of getaddrinfo(3); see the text */

/* Of TLS, see eddy/tls.h. */
#define EDDY_ETLS (-4300)              /* a failure of the library; see the text */
#define EDDY_ETLS_HANDSHAKE (-4301)    /* no common version, cipher, ... */
#define EDDY_ETLS_ALERT (-4302)        /* the peer ended it by an alert, which the text names */
#define EDDY_ETLS_NOT_TLS (-4303)      /* what came is not TLS */
#define EDDY_ETLS_TRUNCATED (-4304)    /* the end came without a close_notify */
#define EDDY_ETLS_CERT (-4310)         /* the peer's certificate: another problem, see the text */
#define EDDY_ETLS_CERT_NAME (-4311)    /* it is for another host */
#define EDDY_ETLS_CERT_EXPIRED (-4312) /* its time, or an issuer's, is over, */
#define EDDY_ETLS_CERT_NOT_YET (-4313) /* or has not begun */
#define EDDY_ETLS_CERT_SELF_SIGNED (-4314) /* it, or the end of its chain, is self-signed */
#define EDDY_ETLS_CERT_UNKNOWN_CA (-4315)  /* no trusted issuer */
#define EDDY_ETLS_CERT_REVOKED (-4316)     /* revoked */
#define EDDY_ETLS_CERT_MISSING (-4317)     /* the peer sent none, and must */

/* Of URLs, JSON and HTTP, see eddy/url.h and eddy/http_client.h; a status is EDDY_HTTP_STATUS. */
#define EDDY_EURL (-4500)                  /* not a URL, or not one that is meant here */
#define EDDY_EJSON (-4501)                 /* not valid JSON */
#define EDDY_EHTTP_PROTOCOL (-4510)        /* what came is not HTTP */
#define EDDY_EHTTP_DISCONNECTED (-4511)    /* the server closed the connection and did not answer */
#define EDDY_EHTTP_PAYLOAD (-4512)         /* a body ended early, or cannot be decompressed */
#define EDDY_EHTTP_CONTENT_TYPE (-4513)    /* a body of another type than was asked for */
#define EDDY_EHTTP_REDIRECTS (-4514)       /* too many, or to where none can be followed */
#define EDDY_EHTTP_PROXY (-4515)           /* the proxy refused */
#define EDDY_EHTTP_FINGERPRINT (-4516)     /* the certificate is another than the one demanded */
#define EDDY_EHTTP_CONNECT_TIMEOUT (-4517) /* no connection in time */
#define EDDY_EHTTP_READ_TIMEOUT (-4518)    /* nothing came in time */

/* Of WebSockets, see eddy/websocket.h. */
#define EDDY_EWEBSOCKET (-4530)           /* the peer broke a rule */
#define EDDY_EWEBSOCKET_HANDSHAKE (-4531) /* it is not, or not rightly, a WebSocket */

/* Of PostgreSQL, see eddy/pg.h: the client's own, */
#define EDDY_EPG_NULL (-4600)        /* the value is NULL */
#define EDDY_EPG_NO_ROW (-4601)      /* there is no row */
#define EDDY_EPG_TYPE (-4602)        /* a value of another type than was asked for */
#define EDDY_EPG_VALUE (-4603)       /* a parameter that is not of its type, or does not fit it */
#define EDDY_EPG_USE (-4604)         /* a call that does not belong here; see the text */
#define EDDY_EPG_CLOSED (-4605)      /* the connection, or pool, is closed, or was lost before */
#define EDDY_EPG_LOST (-4606)        /* the connection was lost with this operation */
#define EDDY_EPG_PROTOCOL (-4607)    /* what came is not PostgreSQL's protocol */
#define EDDY_EPG_CONNECT (-4608)     /* no connection, for a reason that the text tells */
#define EDDY_EPG_ROLLED_BACK (-4609) /* the server rolled back what was to be committed */
/* and what a server says, by the five characters of its SQLSTATE (appendix A of PostgreSQL's
 * manual): rc == EDDY_PG_SQLSTATE("22012"), case EDDY_PG_STATE('2', '2', '0', '1', '2'):. */
#define EDDY_PG_STATE(a, b, c, d, e)                                                               \
    (-(1 << 26) - ((((EDDY_PG_DIGIT_(a) * 36 + EDDY_PG_DIGIT_(b)) * 36 + EDDY_PG_DIGIT_(c)) * 36 + \
                    EDDY_PG_DIGIT_(d)) *                                                           \
                       36 +                                                                        \
                   EDDY_PG_DIGIT_(e)))
#define EDDY_PG_DIGIT_(character) ((character) <= '9' ? (character) - '0' : (character) - 'A' + 10)
#define EDDY_PG_SQLSTATE(literal)                                                                  \
    EDDY_PG_STATE(("" literal)[0], ("" literal)[1], ("" literal)[2], ("" literal)[3],              \
                  ("" literal)[4])
/* Those that programs ask for, by PostgreSQL's names. */
#define EDDY_EPG_UNIQUE_VIOLATION EDDY_PG_STATE('2', '3', '5', '0', '5')
#define EDDY_EPG_FOREIGN_KEY_VIOLATION EDDY_PG_STATE('2', '3', '5', '0', '3')
#define EDDY_EPG_NOT_NULL_VIOLATION EDDY_PG_STATE('2', '3', '5', '0', '2')
#define EDDY_EPG_CHECK_VIOLATION EDDY_PG_STATE('2', '3', '5', '1', '4')
#define EDDY_EPG_EXCLUSION_VIOLATION EDDY_PG_STATE('2', '3', 'P', '0', '1')
#define EDDY_EPG_SYNTAX_ERROR EDDY_PG_STATE('4', '2', '6', '0', '1')
#define EDDY_EPG_UNDEFINED_TABLE EDDY_PG_STATE('4', '2', 'P', '0', '1')
#define EDDY_EPG_UNDEFINED_COLUMN EDDY_PG_STATE('4', '2', '7', '0', '3')
#define EDDY_EPG_UNDEFINED_FUNCTION EDDY_PG_STATE('4', '2', '8', '8', '3')
#define EDDY_EPG_DUPLICATE_TABLE EDDY_PG_STATE('4', '2', 'P', '0', '7')
#define EDDY_EPG_INSUFFICIENT_PRIVILEGE EDDY_PG_STATE('4', '2', '5', '0', '1')
#define EDDY_EPG_FEATURE_NOT_SUPPORTED EDDY_PG_STATE('0', 'A', '0', '0', '0')
#define EDDY_EPG_DIVISION_BY_ZERO EDDY_PG_STATE('2', '2', '0', '1', '2')
#define EDDY_EPG_INVALID_TEXT_REPRESENTATION EDDY_PG_STATE('2', '2', 'P', '0', '2')
#define EDDY_EPG_NUMERIC_VALUE_OUT_OF_RANGE EDDY_PG_STATE('2', '2', '0', '0', '3')
#define EDDY_EPG_NO_ACTIVE_TRANSACTION EDDY_PG_STATE('2', '5', 'P', '0', '1')
#define EDDY_EPG_IN_FAILED_TRANSACTION EDDY_PG_STATE('2', '5', 'P', '0', '2')
#define EDDY_EPG_READ_ONLY_TRANSACTION EDDY_PG_STATE('2', '5', '0', '0', '6')
#define EDDY_EPG_SERIALIZATION_FAILURE EDDY_PG_STATE('4', '0', '0', '0', '1')
#define EDDY_EPG_DEADLOCK_DETECTED EDDY_PG_STATE('4', '0', 'P', '0', '1')
#define EDDY_EPG_LOCK_NOT_AVAILABLE EDDY_PG_STATE('5', '5', 'P', '0', '3')
#define EDDY_EPG_QUERY_CANCELED EDDY_PG_STATE('5', '7', '0', '1', '4')
#define EDDY_EPG_ADMIN_SHUTDOWN EDDY_PG_STATE('5', '7', 'P', '0', '1')
#define EDDY_EPG_CRASH_SHUTDOWN EDDY_PG_STATE('5', '7', 'P', '0', '2')
#define EDDY_EPG_CANNOT_CONNECT_NOW EDDY_PG_STATE('5', '7', 'P', '0', '3')
#define EDDY_EPG_DISK_FULL EDDY_PG_STATE('5', '3', '1', '0', '0')
#define EDDY_EPG_TOO_MANY_CONNECTIONS EDDY_PG_STATE('5', '3', '3', '0', '0')
#define EDDY_EPG_INVALID_AUTHORIZATION EDDY_PG_STATE('2', '8', '0', '0', '0')
#define EDDY_EPG_INVALID_PASSWORD EDDY_PG_STATE('2', '8', 'P', '0', '1')
#define EDDY_EPG_INVALID_CATALOG_NAME EDDY_PG_STATE('3', 'D', '0', '0', '0')

/* Of processes, see eddy/process.h. */
#define EDDY_EPROCESS (-4400) /* it ended by a signal, or with a code that is not 0 */

/*
 * Returns the error of `call` from the function around it, if it is one; the
 * only macro of Eddy that hides control flow. The call may return an int or a
 * ssize_t, and so may the function. Scopes declared before it are
 * left in order, as with any return.
 */
#define EDDY_TRY(call)                                                                             \
    do {                                                                                           \
        const long eddy_rc_ = (call);                                                              \
        if (EDDY_UNLIKELY_(eddy_rc_ < 0))                                                          \
            return (int)eddy_rc_;                                                                  \
    } while (0)

/*
 * Raises an error: remembers its text and place with the running task, and
 * returns `code`, so that one statement does both. Allocates; when memory is
 * short the code still travels, without its text. Outside tasks a thread keeps
 * one text: so does a thread job, whose text goes to the task that waits, and
 * eddy_run, whose text is that of its main task.
 *
 * code     negative; anything else aborts
 * ...      a printf format and its arguments; cut after 511 bytes
 */
#define eddy_raise(code, ...) eddy_raise_at(EDDY_HERE_, (code), __VA_ARGS__)

/* The function under eddy_raise: `where` is "file:line" and must stay valid. */
EDDY_API int eddy_raise_at(const char *where, int code, const char *format, ...) EDDY_PRINTF_(3, 4);

/*
 * The text of the running task's last error, if that was `code`: of its own
 * eddy_raise, of the library's, or of the failed task that it awaited. Else
 * eddy_strerror(code). Never NULL. Valid until the task fails or raises again.
 */
EDDY_API const char *eddy_error_message(int code);

/* "file:line" of the eddy_raise behind eddy_error_message(code), or NULL. */
EDDY_API const char *eddy_error_origin(int code);

/*
 * The general meaning of an error code, such as "timed out" for -ETIMEDOUT.
 * Static text for every code, also for one that does not exist. Any thread.
 */
EDDY_API const char *eddy_strerror(int code);

/* The symbol of an error code, such as "ETIMEDOUT"; "0" for 0 and "E?" for a
 * code that does not exist. Static text. Any thread. */
EDDY_API const char *eddy_error_name(int code);

EDDY_END_DECLS
#endif
