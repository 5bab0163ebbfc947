/* SPDX-License-Identifier: MIT */
/*
 * What a code means. The C library's texts serve, but for the codes to which
 * Eddy gives a narrower meaning.
 */
#include "base/error.h"

#include <string.h>

#include "base/compat.h"
#include "base/sqlstate.h"

/* The codes of Eddy's own have a name too. */
#define OWN(code) code, #code

static const struct error_text {
    int code;
    const char *name; /* NULL: the C library knows it */
    const char *text;
} error_texts[] = {
    {0, "0", "success"},
    {-EAGAIN, NULL, "not possible without waiting"},
    {-EALREADY, NULL, "done already"},
    {-EBUSY, NULL, "in use by another task"},
    {-ECANCELED, NULL, "cancelled"},
    {-EDEADLK, NULL, "deadlock: nothing can wake this task"},
    {-EINPROGRESS, NULL, "not done yet"},
    {-EINTR, NULL, "interrupted"},
    {-ENOMEM, NULL, "out of memory, or a task that could not be created"},
    {-EOVERFLOW, NULL, "released or marked done more often than taken"},
    {-EOWNERDEAD, NULL, "the barrier is broken"},
    {-EPERM, NULL, "not permitted here"},
    {-ESHUTDOWN, NULL, "shut down"},
    {-ETIMEDOUT, NULL, "timed out"},
    {OWN(EDDY_ETEST), "what a test expects does not hold"},
    {OWN(EDDY_EINCOMPLETE), "the stream ended early"},
    {OWN(EDDY_ELIMIT), "longer than the limit"},
    {OWN(EDDY_EDNS_NOT_FOUND), "the name does not exist"},
    {OWN(EDDY_EDNS_NO_DATA), "the name exists, but has no such record"},
    {OWN(EDDY_EDNS_BAD_NAME), "not a valid name"},
    {OWN(EDDY_EDNS_TIMEOUT), "no name server answered in time"},
    {OWN(EDDY_EDNS_REFUSED), "the name server refused"},
    {OWN(EDDY_EDNS_FAILED), "the name server failed"},
    {OWN(EDDY_EDNS_BAD_ANSWER), "the answer of the name server is malformed"},
    {OWN(EDDY_EDNS_UNREACHABLE), "no name server can be reached"},
    {OWN(EDDY_EDNS_SYSTEM), "the system's name service failed"},
    {OWN(EDDY_ETLS), "TLS failed"},
    {OWN(EDDY_ETLS_HANDSHAKE), "the TLS handshake failed"},
    {OWN(EDDY_ETLS_ALERT), "the TLS peer sent an alert"},
    {OWN(EDDY_ETLS_NOT_TLS), "the peer does not speak TLS"},
    {OWN(EDDY_ETLS_TRUNCATED), "the connection ended without the TLS peer's goodbye"},
    {OWN(EDDY_ETLS_CERT), "the certificate was not accepted"},
    {OWN(EDDY_ETLS_CERT_NAME), "the certificate is for another name"},
    {OWN(EDDY_ETLS_CERT_EXPIRED), "the certificate has expired"},
    {OWN(EDDY_ETLS_CERT_NOT_YET), "the certificate is not valid yet"},
    {OWN(EDDY_ETLS_CERT_SELF_SIGNED), "the certificate is self-signed"},
    {OWN(EDDY_ETLS_CERT_UNKNOWN_CA), "the certificate's issuer is not trusted"},
    {OWN(EDDY_ETLS_CERT_REVOKED), "the certificate was revoked"},
    {OWN(EDDY_ETLS_CERT_MISSING), "the peer has no certificate"},
    {OWN(EDDY_EURL), "not a valid URL"},
    {OWN(EDDY_EJSON), "not valid JSON"},
    {OWN(EDDY_EHTTP_PROTOCOL), "not valid HTTP"},
    {OWN(EDDY_EHTTP_DISCONNECTED), "the server closed the connection"},
    {OWN(EDDY_EHTTP_PAYLOAD), "the body is incomplete or damaged"},
    {OWN(EDDY_EHTTP_CONTENT_TYPE), "the body has another type"},
    {OWN(EDDY_EHTTP_REDIRECTS), "the redirect cannot be followed"},
    {OWN(EDDY_EHTTP_PROXY), "the proxy refused"},
    {OWN(EDDY_EHTTP_FINGERPRINT), "the certificate has another fingerprint"},
    {OWN(EDDY_EHTTP_CONNECT_TIMEOUT), "connecting timed out"},
    {OWN(EDDY_EHTTP_READ_TIMEOUT), "the peer sent nothing in time"},
    {OWN(EDDY_EWEBSOCKET), "the WebSocket peer broke a rule"},
    {OWN(EDDY_EWEBSOCKET_HANDSHAKE), "the WebSocket handshake failed"},
    {OWN(EDDY_EPG_NULL), "the value is NULL"},
    {OWN(EDDY_EPG_NO_ROW), "there is no row"},
    {OWN(EDDY_EPG_TYPE), "the value has another type"},
    {OWN(EDDY_EPG_VALUE), "a parameter does not fit its type"},
    {OWN(EDDY_EPG_USE), "not possible here"},
    {OWN(EDDY_EPG_CLOSED), "the connection is closed"},
    {OWN(EDDY_EPG_LOST), "the connection to the server was lost"},
    {OWN(EDDY_EPG_PROTOCOL), "not valid PostgreSQL protocol"},
    {OWN(EDDY_EPG_CONNECT), "connecting to the server failed"},
    {OWN(EDDY_EPG_ROLLED_BACK), "the server rolled the transaction back"},
    {OWN(EDDY_EPROCESS), "the process failed"},
};

/* The names of SQLSTATEs that have one. Texts: sqlstate.c. */
static const struct error_text error_states[] = {
    {OWN(EDDY_EPG_UNIQUE_VIOLATION), NULL},
    {OWN(EDDY_EPG_FOREIGN_KEY_VIOLATION), NULL},
    {OWN(EDDY_EPG_NOT_NULL_VIOLATION), NULL},
    {OWN(EDDY_EPG_CHECK_VIOLATION), NULL},
    {OWN(EDDY_EPG_EXCLUSION_VIOLATION), NULL},
    {OWN(EDDY_EPG_SYNTAX_ERROR), NULL},
    {OWN(EDDY_EPG_UNDEFINED_TABLE), NULL},
    {OWN(EDDY_EPG_UNDEFINED_COLUMN), NULL},
    {OWN(EDDY_EPG_UNDEFINED_FUNCTION), NULL},
    {OWN(EDDY_EPG_DUPLICATE_TABLE), NULL},
    {OWN(EDDY_EPG_INSUFFICIENT_PRIVILEGE), NULL},
    {OWN(EDDY_EPG_FEATURE_NOT_SUPPORTED), NULL},
    {OWN(EDDY_EPG_DIVISION_BY_ZERO), NULL},
    {OWN(EDDY_EPG_INVALID_TEXT_REPRESENTATION), NULL},
    {OWN(EDDY_EPG_NUMERIC_VALUE_OUT_OF_RANGE), NULL},
    {OWN(EDDY_EPG_NO_ACTIVE_TRANSACTION), NULL},
    {OWN(EDDY_EPG_IN_FAILED_TRANSACTION), NULL},
    {OWN(EDDY_EPG_READ_ONLY_TRANSACTION), NULL},
    {OWN(EDDY_EPG_SERIALIZATION_FAILURE), NULL},
    {OWN(EDDY_EPG_DEADLOCK_DETECTED), NULL},
    {OWN(EDDY_EPG_LOCK_NOT_AVAILABLE), NULL},
    {OWN(EDDY_EPG_QUERY_CANCELED), NULL},
    {OWN(EDDY_EPG_ADMIN_SHUTDOWN), NULL},
    {OWN(EDDY_EPG_CRASH_SHUTDOWN), NULL},
    {OWN(EDDY_EPG_CANNOT_CONNECT_NOW), NULL},
    {OWN(EDDY_EPG_DISK_FULL), NULL},
    {OWN(EDDY_EPG_TOO_MANY_CONNECTIONS), NULL},
    {OWN(EDDY_EPG_INVALID_AUTHORIZATION), NULL},
    {OWN(EDDY_EPG_INVALID_PASSWORD), NULL},
    {OWN(EDDY_EPG_INVALID_CATALOG_NAME), NULL},
};

/* What EDDY_HTTP_STATUS (eddy/http_message.h) makes of 100 to 599: one text for all. */
static const struct error_text error_status = {-5000, "EDDY_HTTP_STATUS", "an HTTP status"};

/* All other SQLSTATEs. */
static const struct error_text error_state = {0, "EDDY_PG_SQLSTATE", NULL};

static const struct error_text *error_find_state(int code)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(error_states); i++)
        if (error_states[i].code == code)
            return &error_states[i];
    return &error_state;
}

static const struct error_text *error_find(int code)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(error_texts); i++)
        if (error_texts[i].code == code)
            return &error_texts[i];
    if (ed_sqlstate_text(code))
        return error_find_state(code);
    return code <= -5100 && code >= -5599 ? &error_status : NULL;
}

const char *eddy_strerror(int code)
{
    const struct error_text *known = error_find(code);
    const char *text = known ? known->text : NULL;

    if (!text && code < 0 && code >= -4095)
        text = strerrordesc_np(-code);
    if (!text)
        text = ed_sqlstate_text(code);
    return text ? text : "unknown error";
}

const char *ed_error_of_start(int code)
{
    return code == -EAGAIN ? "no more processes or threads may be started" : eddy_strerror(code);
}

const char *eddy_error_name(int code)
{
    const struct error_text *known = error_find(code);
    const char *name = known ? known->name : NULL;

    if (!name && code < 0 && code >= -4095)
        name = strerrorname_np(-code);
    return name ? name : "E?";
}

int ed_error_by_name(const char *name)
{
    for (int code = 1; code <= 4095; code++) {
        const char *known = strerrorname_np(code);

        if (known && strcmp(known, name) == 0)
            return -code;
    }
    return 0;
}
