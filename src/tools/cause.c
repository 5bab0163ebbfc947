/* SPDX-License-Identifier: MIT */
/*
 * Error codes, sorted into causes. A row has a span of codes; the first that holds one counts, the
 * last holds them all.
 */
#include "tools/cause.h"

#include <eddy.h>
#include <eddy/http.h>
#include <limits.h>

static const struct row {
    int most, least; /* both among them */
    struct ed_cause cause;
} rows[] = {
    {EDDY_HTTP_STATUS(100), EDDY_HTTP_STATUS(599), {22, "status of 400 or more"}},
    {EDDY_EURL, EDDY_EURL, {3, "not a URL"}},
    {EDDY_EHTTP_PROXY, EDDY_EHTTP_PROXY, {5, "refused by the proxy"}},
    {EDDY_EDNS_NOT_FOUND, EDDY_EDNS_SYSTEM, {6, "name not found"}},
    {-ECONNREFUSED, -ECONNREFUSED, {7, "connection refused"}},
    {-ENETUNREACH, -ENETUNREACH, {7, "not reachable"}},
    {-EHOSTUNREACH, -EHOSTUNREACH, {7, "not reachable"}},
    {-EADDRNOTAVAIL, -EADDRNOTAVAIL, {7, "not reachable"}},
    {EDDY_EHTTP_PROTOCOL, EDDY_EHTTP_PROTOCOL, {8, "not HTTP"}},
    {EDDY_EHTTP_PAYLOAD, EDDY_EHTTP_PAYLOAD, {18, "incomplete"}},
    {EDDY_EINCOMPLETE, EDDY_EINCOMPLETE, {18, "incomplete"}},
    {EDDY_ETLS_TRUNCATED, EDDY_ETLS_TRUNCATED, {18, "incomplete"}},
    {-EPIPE, -EPIPE, {23, "nobody takes the output"}},
    {-ENOSPC, -ENOSPC, {23, "no room to write"}},
    {-EDQUOT, -EDQUOT, {23, "no room to write"}},
    {-EFBIG, -EFBIG, {23, "no room to write"}},
    {-EACCES, -EACCES, {23, "not allowed to write"}},
    {-EPERM, -EPERM, {23, "not allowed to write"}},
    {-EROFS, -EROFS, {23, "not allowed to write"}},
    {-EISDIR, -EISDIR, {23, "something else has the file's name"}},
    {-ENOTDIR, -ENOTDIR, {23, "something else has the file's name"}},
    {-EEXIST, -EEXIST, {23, "something else has the file's name"}},
    {-EBADF, -EBADF, {23, "cannot be written"}},
    {-EIO, -EIO, {23, "cannot be written"}},
    {-EMFILE, -EMFILE, {24, "too many open files: see ulimit -n"}},
    {-ENFILE, -ENFILE, {24, "too many open files in the whole system"}},
    {-ENOMEM, -ENOMEM, {27, "out of memory"}},
    {-ETIMEDOUT, -ETIMEDOUT, {28, "timed out"}},
    {EDDY_EHTTP_CONNECT_TIMEOUT, EDDY_EHTTP_READ_TIMEOUT, {28, "timed out"}},
    {EDDY_ETLS, EDDY_ETLS_NOT_TLS, {35, "TLS failed"}},
    {EDDY_ETLS_CERT, EDDY_ETLS_CERT_MISSING, {60, "certificate not accepted"}},
    {EDDY_EHTTP_FINGERPRINT, EDDY_EHTTP_FINGERPRINT, {60, "certificate not accepted"}},
    {EDDY_EHTTP_REDIRECTS, EDDY_EHTTP_REDIRECTS, {47, "too many redirects"}},
    {EDDY_EHTTP_DISCONNECTED, EDDY_EHTTP_DISCONNECTED, {52, "no answer"}},
    {-ECONNRESET, -ECONNRESET, {56, "connection broke"}},
    {EDDY_ELIMIT, EDDY_ELIMIT, {63, "too large"}},
    {-EINTR, -EINTR, {ED_EXIT_INTERRUPTED, "interrupted"}},
    {-ECANCELED, -ECANCELED, {ED_EXIT_INTERRUPTED, "interrupted"}},
    {INT_MAX, INT_MIN, {ED_EXIT_OTHER, "another error"}},
};

const struct ed_cause *ed_cause_of(int code)
{
    const struct row *row = rows;

    while (code > row->most || code < row->least)
        row++;
    return &row->cause;
}

bool ed_cause_is_of_files(int code)
{
    return code < 0 && ed_cause_of(code)->exit == 23;
}

int ed_cause_of_network(int code)
{
    bool refused = code == -EACCES || code == -EPERM; /* by a firewall */

    if (!ed_cause_is_of_files(code))
        return code;
    return eddy_raise(refused ? -EHOSTUNREACH : -ECONNRESET, "%s", eddy_error_message(code));
}

const char ed_cause_table[] = "Exit status, of the first page that failed, in the order given:\n"
                              "   0  all replies came whole\n"
                              "   1  another error\n"
                              "   2  wrong options\n"
                              "   3  not a URL\n"
                              "   5  the proxy refused\n"
                              "   6  the name was not found\n"
                              "   7  no connection\n"
                              "   8  what answered does not speak HTTP\n"
                              "  18  a reply ended early, or could not be decompressed\n"
                              "  22  a status of 400 or more, with --fail\n"
                              "  23  the output could not be written\n"
                              "  24  too many open files\n"
                              "  26  the list of URLs could not be read\n"
                              "  27  out of memory\n"
                              "  28  timed out\n"
                              "  35  TLS failed\n"
                              "  47  too many redirects\n"
                              "  52  the server closed the connection and did not answer\n"
                              "  56  the connection broke\n"
                              "  60  the server's certificate was not accepted\n"
                              "  63  a head or body is too large\n"
                              " 130  interrupted (SIGINT)\n"
                              " 143  terminated (SIGTERM)\n";
