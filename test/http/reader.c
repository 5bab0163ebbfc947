/* SPDX-License-Identifier: MIT */
/*
 * Messages, each whole, byte by byte and in pieces of other sizes: the verdict is always the same.
 */
#include "http/reader.h"

#include "messages.h"
#include "seeds.h"

#define R "HTTP/1.1\r\nHost: h\r\n" /* the rest of most requests */
#define GOOD 0

static struct messages messages;

struct verdict {
    const char *text;
    size_t size; /* 0: up to the NUL */
    int status;  /* the refusal; GOOD */
    const char *said;
};

#define BYTES(text) (text), sizeof(text) - 1

/* Runs it and checks what came out. */
static void check_verdict(const struct verdict *verdict, bool response, size_t piece)
{
    char text[80] = "";

    messages.text = verdict->text;
    messages.size = verdict->size ? verdict->size : strlen(verdict->text);
    messages.piece = piece;
    messages.response = response;
    CHECK_OK(messages_read(&messages));
    for (size_t i = 0; i < sizeof text - 1 && i < messages.size; i++)
        text[i] = (char)((unsigned char)verdict->text[i] < ' ' ? '~' : verdict->text[i]);
    CHECK_THAT(messages.status == verdict->status, "pieces of %zu of \"%s\": %d %s (%s)", piece,
               text, messages.status, eddy_error_name(messages.code),
               eddy_error_message(messages.code));
    CHECK_THAT(strcmp(messages.said, verdict->said) == 0, "pieces of %zu of \"%s\": \"%s\", %s",
               piece, text, messages.said, eddy_error_message(messages.code));
    if (verdict->status)
        CHECK(messages.code == EDDY_EHTTP_PROTOCOL || messages.code == EDDY_ELIMIT);
    else
        CHECK_EQ(messages.code, 0);
}

static void check_verdicts(const struct verdict *verdicts, size_t count, bool response)
{
    static const size_t pieces[] = {0, 1, 2, 3, 5, 17};

    messages.limits = MESSAGES_LIMITS;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ED_ARRAY_LENGTH(pieces); k++)
            check_verdict(&verdicts[i], response, pieces[k]);
    }
}

#define CHECK_REQUESTS(verdicts) check_verdicts((verdicts), ED_ARRAY_LENGTH(verdicts), false)
#define CHECK_RESPONSES(verdicts) check_verdicts((verdicts), ED_ARRAY_LENGTH(verdicts), true)

TEST(reader_reads_requests_one_behind_the_other)
{
    static const struct verdict verdicts[] = {
        {"", 0, GOOD, ""},
        {"\r\n\r\n", 0, GOOD, ""},
        {"GET / " R "\r\n", 0, GOOD, "GET / 1.1; Host=h"},
        {"\r\n\r\nGET / " R "\r\n\r\n", 0, GOOD, "GET / 1.1; Host=h"},
        {"GET / HTTP/1.0\r\n\r\n", 0, GOOD, "GET / 1.0"},
        {"GET /a " R "\r\nPOST /b " R "Content-Length: 5\r\n\r\nhelloPUT /c " R "\r\n", 0, GOOD,
         "GET /a 1.1; Host=h | POST /b 1.1; Host=h; Content-Length=5 <hello> | PUT /c 1.1; Host=h"},
        {"POST /b " R "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n"
         "GET /c " R "\r\n",
         0, GOOD, "POST /b 1.1; Host=h; Transfer-Encoding=chunked <hello!> | GET /c 1.1; Host=h"},
        {"GET / " R "A:b\r\nC: \t d e \t \r\nE:\r\nF:   \r\nG:::\r\n\r\n", 0, GOOD,
         "GET / 1.1; Host=h; A=b; C=d e; E=; F=; G=::"},
        {"M-SEARCH * " R "\r\n", 0, 400, ""},
        {"PROPFIND /x " R "\r\n", 0, GOOD, "PROPFIND /x 1.1; Host=h"},
        {"FROB / " R "\r\n", 0, GOOD, "FROB / 1.1; Host=h"},
        {"get / " R "\r\n", 0, GOOD, "get / 1.1; Host=h"},
        {"PRI / " R "\r\n", 0, GOOD, "PRI / 1.1; Host=h"},
        {"SOURCE / " R "\r\n", 0, GOOD, "SOURCE / 1.1; Host=h"},
        {"GET / " R "Content-Length: 0\r\n\r\nGET / " R "\r\n", 0, GOOD,
         "GET / 1.1; Host=h; Content-Length=0 | GET / 1.1; Host=h"},
        {"GET / " R "X: \xc3\xa9\x80\xff\r\n\r\n", 0, GOOD,
         "GET / 1.1; Host=h; X=\xc3\xa9\x80\xff"},
        {"GET / " R "Connection: close\r\n\r\nGET /next " R "\r\n", 0, GOOD,
         "GET / 1.1; Host=h; Connection=close | GET /next 1.1; Host=h"},
        {"GET / " R "Connection: upgrade\r\nUpgrade: x\r\n\r\n", 0, GOOD,
         "GET / 1.1; Host=h; Connection=upgrade; Upgrade=x"},
        {"POST / " R "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n0\r\n\r\nGET / " R "\r\n",
         0, GOOD,
         "POST / 1.1; Host=h; Connection=upgrade; Upgrade=x; Transfer-Encoding=chunked <a> | "
         "GET / 1.1; Host=h"},
    };

    CHECK_REQUESTS(verdicts);
}

/* H-PARSE-2, -3, H-SEC-2: lines end with CR LF, and the start line has three parts. */
TEST(reader_refuses_what_is_not_a_request_line)
{
    static const struct verdict verdicts[] = {
        {"GET / HTTP/1.1\nHost: h\r\n\r\n", 0, 400, ""},
        {"\nGET / " R "\r\n", 0, 400, ""},
        {"\r\r\nGET / " R "\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\rHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 0, 400, ""},
        {" GET / " R "\r\n", 0, 400, ""},
        {"GET  / " R "\r\n", 0, 400, ""},
        {"GET /  " R "\r\n", 0, 400, ""},
        {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET\t/ " R "\r\n", 0, 400, ""},
        {"GET / \r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET /\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET HTTP/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"G\x80T / " R "\r\n", 0, 400, ""},
        {"GE(T / " R "\r\n", 0, 400, ""},
        {BYTES("GE\0T / " R "\r\n"), 400, ""},
        {BYTES("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), 400, ""},
        {"GET /a b " R "\r\n", 0, 400, ""},
        {"GET /\x01 " R "\r\n", 0, 400, ""},
        {"GET /\x7f " R "\r\n", 0, 400, ""},
        {"GET /\xc3\xa9 " R "\r\n", 0, 400, ""},
        {BYTES("GET /\0 " R "\r\n"), 400, ""},
        {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 0, 505, ""},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 0, 505, ""},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, ""},
        {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 0, 505, ""},
        {"GET / HTTP/9.9\r\nHost: h\r\n\r\n", 0, 505, ""},
        {"GET / HTTP/1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/11.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1x\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/-1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / http/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP /1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1,1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/\xd9\xa1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / HTTPS/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / RTSP/1.0\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"OPTIONS / RTSP/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"SOURCE / ICE/1.0\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"GET / JUNK/1.1\r\nHost: h\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n\r\n", 0, 400, ""},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / " R "\r\n", 0, 501,
         ""},
    };

    CHECK_REQUESTS(verdicts);
}

/* H-PARSE-9, H-SEC-6: each form of a target where it belongs, and one host. */
TEST(reader_takes_each_form_of_a_target_where_it_belongs)
{
    static const struct verdict verdicts[] = {
        {"GET http://other:80/x?y " R "\r\n", 0, GOOD, "GET http://other:80/x?y 1.1; Host=h"},
        {"GET HTTPS://other " R "\r\n", 0, GOOD, "GET HTTPS://other 1.1; Host=h"},
        {"GET http://[::1]:80?y " R "\r\n", 0, GOOD, "GET http://[::1]:80?y 1.1; Host=h"},
        {"OPTIONS * " R "\r\n", 0, GOOD, "OPTIONS * 1.1; Host=h"},
        {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", 0, GOOD, "OPTIONS * 1.1; Host="},
        {"CONNECT h:443 " R "\r\n", 0, GOOD, "CONNECT h:443 1.1; Host=h"},
        {"CONNECT [::1]:443 " R "\r\n", 0, GOOD, "CONNECT [::1]:443 1.1; Host=h"},
        {"GET * " R "\r\n", 0, 400, ""},
        {"OPTIONS ** " R "\r\n", 0, 400, ""},
        {"GET h:443 " R "\r\n", 0, 400, ""},
        {"GET x " R "\r\n", 0, 400, ""},
        {"GET ?x " R "\r\n", 0, 400, ""},
        {"GET .. " R "\r\n", 0, 400, ""},
        {"GET /a#b " R "\r\n", 0, 400, ""},
        {"GET ftp://h/ " R "\r\n", 0, 400, ""},
        {"GET file:///etc " R "\r\n", 0, 400, ""},
        {"GET http:///x " R "\r\n", 0, 400, ""},
        {"GET http:/x " R "\r\n", 0, 400, ""},
        {"GET http:x " R "\r\n", 0, 400, ""},
        {"GET http:// " R "\r\n", 0, 400, ""},
        {"GET http://u@h/ " R "\r\n", 0, 400, ""},
        {"GET http://u:p@h/ " R "\r\n", 0, 400, ""},
        {"GET http://h\\x/ " R "\r\n", 0, 400, ""},
        {"GET http://h:x/ " R "\r\n", 0, 400, ""},
        {"GET http://[::1/ " R "\r\n", 0, 400, ""},
        {"CONNECT / " R "\r\n", 0, 400, ""},
        {"CONNECT h " R "\r\n", 0, 400, ""},
        {"CONNECT h: " R "\r\n", 0, 400, ""},
        {"CONNECT http://h:1/ " R "\r\n", 0, 400, ""},
        {"CONNECT u@h:1 " R "\r\n", 0, 400, ""},
        {"CONNECT h:443 " R "Content-Length: 3\r\n\r\nabc", 0, 400, ""},
        {"CONNECT h:443 " R "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
    };

    CHECK_REQUESTS(verdicts);
}

/* H-PARSE-4, H-SEC-6. */
TEST(reader_wants_one_host_that_is_one)
{
    static const struct verdict verdicts[] = {
        {"GET / HTTP/1.1\r\n\r\n", 0, 400, ""},
        {"GET http://h/ HTTP/1.1\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0, GOOD, "GET / 1.1; Host=[::1]:8080"},
        {"GET / HTTP/1.1\r\nHost: a_b.example:80\r\n\r\n", 0, GOOD,
         "GET / 1.1; Host=a_b.example:80"},
        {"GET / " R "ETag: a\r\nETag: b\r\n\r\n", 0, 400, ""},
        {"GET / " R "Content-Type: a\r\ncontent-type: a\r\n\r\n", 0, 400, ""},
        {"GET / " R "User-Agent: a\r\nUser-Agent: a\r\n\r\n", 0, 400, ""},
        {"GET / " R "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n", 0, 400, ""},
        {"GET / " R "Server: 1\r\nServer: 1\r\n\r\n", 0, 400, ""},
        {"GET / " R "Content-Range: 1\r\nContent-Range: 1\r\n\r\n", 0, 400, ""},
        {"GET / " R "Content-Location: 1\r\nContent-Location: 1\r\n\r\n", 0, 400, ""},
        {"GET / " R "Accept: 1\r\nAccept: 1\r\n\r\n", 0, GOOD,
         "GET / 1.1; Host=h; Accept=1; Accept=1"},
    };

    CHECK_REQUESTS(verdicts);
}

/* H-PARSE-5, H-SEC-2, H-SEC-10. */
TEST(reader_refuses_fields_that_are_not_name_colon_value)
{
    static const struct verdict verdicts[] = {
        {"GET / " R "A : b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A\t: b\r\n\r\n", 0, 400, ""},
        {"GET / " R " A: b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\r\n c\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\r\n\tc\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\r\n \r\n\r\n", 0, 400, ""},
        {"GET / " R "A:\r\n b\r\n\r\n", 0, 400, ""},
        {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 0, 400, ""},
        {"GET / " R "A B: b\r\n\r\n", 0, 400, ""},
        {"GET / " R ": b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A\r\n\r\n", 0, 400, ""},
        {"GET / " R "A\x80: b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A(: b\r\n\r\n", 0, 400, ""},
        {"GET / " R "\"A\": b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\nC: d\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\rC: d\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\r\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\n\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\r\n\n", 0, 400, ""},
        {"GET / " R "A: b\r\n\rGET / " R "\r\n", 0, 400, ""},
        {"GET / " R "\rA: b\r\n\r\n", 0, 400, ""},
        {BYTES("GET / " R "A: b\0c\r\n\r\n"), 400, ""},
        {BYTES("GET / " R "A\0: b\r\n\r\n"), 400, ""},
        {"GET / " R "A: \x01\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: \x1b[1m\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: \x7f\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: \x0b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A:\x0c b\r\n\r\n", 0, 400, ""},
        {"GET / " R "A: b\tc\r\n\r\n", 0, GOOD, "GET / 1.1; Host=h; A=b\tc"},
    };

    CHECK_REQUESTS(verdicts);
}

#define CL "Content-Length: "
#define TE "Transfer-Encoding: "

/* H-PARSE-6, -7, H-SEC-1, -5: how long a request is, is beyond doubt. */
TEST(reader_refuses_every_doubt_about_the_length)
{
    static const struct verdict verdicts[] = {
        {"POST / " R CL "5\r\n" CL "5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5\r\n" CL "6\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5\r\ncontent-length: 5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5, 5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5,5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5,\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "+5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "-5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "-0\r\n\r\n", 0, 400, ""},
        {"POST / " R CL "5 5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "1_0\r\n\r\nhellohello", 0, 400, ""},
        {"POST / " R CL "0x5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5.0\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5;\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "\"5\"\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "five\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "\r\n\r\nhello", 0, 400, ""},
        {"POST / " R "Content-Length:\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "\xd9\xa5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "\xef\xbc\x95\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5\x0b\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5\r\n 6\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "\r\n 5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "9223372036854775808\r\n\r\n", 0, 400, ""},
        {"POST / " R CL "18446744073709551616\r\n\r\n", 0, 400, ""},
        {"POST / " R CL "18446744073709551621\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "99999999999999999999999999\r\n\r\n", 0, 400, ""},
        {"POST / " R CL "007\r\n\r\nhello!!", 0, GOOD,
         "POST / 1.1; Host=h; Content-Length=007 <hello!!>"},
    };

    CHECK_REQUESTS(verdicts);
}

TEST(reader_refuses_every_other_coding_than_chunked)
{
    static const struct verdict verdicts[] = {
        {"POST / " R CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked\r\n" CL "5\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "identity\r\n" CL "5\r\n\r\nhello", 0, 400, ""},
        {"POST / " R CL "5\r\n" TE "x\r\n\r\nhello", 0, 400, ""},
        {"POST / HTTP/1.0\r\n" CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / HTTP/1.0\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / HTTP/1.0\r\n" TE "identity\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "gzip\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked\r\n" TE "identity\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked, chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked,identity\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked,\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE ",chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "identity\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "gzip\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "gzip, chunked\r\n\r\n0\r\n\r\n", 0, 501, ""},
        {"POST / " R TE "identity, chunked\r\n\r\n0\r\n\r\n", 0, 501, ""},
        {"POST / " R TE "chunke\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunkedd\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "xchunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "x chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "\"chunked\"\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "chunked;q=1\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "\x0b"
         "chunked\r\n\r\n0\r\n\r\n",
         0, 400, ""},
        {"POST / " R TE "chunked\x0b\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "\r\n chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R TE "\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {BYTES("POST / " R TE "chunked\0\r\n\r\n0\r\n\r\n"), 400, ""},
        {"POST / " R "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"POST / " R "Transfer_Encoding: chunked\r\n\r\nGET /x " R "\r\n", 0, GOOD,
         "POST / 1.1; Host=h; Transfer_Encoding=chunked | GET /x 1.1; Host=h"},
        {"POST / " R "tRANSFER-ENCODING:   ChunKed  \r\n\r\n0\r\n\r\n", 0, GOOD,
         "POST / 1.1; Host=h; tRANSFER-ENCODING=ChunKed <>"},
        {"POST / " R CL " 5 \r\n\r\nhello", 0, GOOD,
         "POST / 1.1; Host=h; Content-Length=5 <hello>"},
    };

    CHECK_REQUESTS(verdicts);
}

#define CHUNKED "POST / " R TE "chunked\r\n\r\n"
#define SAID "POST / 1.1; Host=h; Transfer-Encoding=chunked <"

/* H-PARSE-8, H-SEC-3, -4: chunks and trailers. */
TEST(reader_refuses_chunks_that_are_not_well_formed)
{
    static const struct verdict verdicts[] = {
        {CHUNKED "5\r\nhello\r\n0\r\n\r\n", 0, GOOD, SAID "hello>"},
        {CHUNKED "00000000000000000005\r\nhello\r\n000\r\n\r\n", 0, GOOD, SAID "hello>"},
        {CHUNKED "A\r\nhellohello\r\na\r\nhellohello\r\n0\r\n\r\n", 0, GOOD,
         SAID "hellohellohellohello>"},
        {CHUNKED "5;a;b=c;d=\"e;f\"\r\nhello\r\n0;x\r\n\r\n", 0, GOOD, SAID "hello>"},
        {CHUNKED "2;a=b;3\r\nhi\r\n0\r\n\r\n", 0, GOOD, SAID "hi>"},
        {CHUNKED "2; a = \"\\\"\" ;b\r\nhi\r\n0\r\n\r\n", 0, GOOD, SAID "hi>"},
        {CHUNKED "2;\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a=\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a;\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;=b\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a b\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a=\"b\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a=\"b\"c\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "2;a=\"b\\\r\nhi\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nA: b\r\nC: d\r\n\r\n", 0, GOOD, SAID "> +A=b +C=d"},
        {CHUNKED "0\r\n\r\n" CHUNKED "1\r\na\r\n0\r\nT: v\r\n\r\n", 0, GOOD,
         SAID "> | " SAID "a> +T=v"},
        {CHUNKED "5\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5\rhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5\r\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5\r\nhello\n0\r\n\r\n", 0, 400, SAID "hello"},
        {CHUNKED "5\r\nhello0\r\n\r\n", 0, 400, SAID "hello"},
        {CHUNKED "5\r\nhello!\r\n0\r\n\r\n", 0, 400, SAID "hello"},
        {CHUNKED "5\r\nhello\r0\r\n\r\n", 0, 400, SAID "hello"},
        {CHUNKED "5\r\nhello\r\n\r\n0\r\n\r\n", 0, 400, SAID "hello"},
        {CHUNKED "5\r\nhell\r\n0\r\n\r\n", 0, 400, SAID "hell\r"},
    };

    CHECK_REQUESTS(verdicts);
}

TEST(reader_refuses_sizes_extensions_and_trailers_that_are_not_well_formed)
{
    static const struct verdict verdicts[] = {
        {CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "-5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5\t\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5 5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5_0\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5.\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "g\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "\xd9\xa5\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED ";a\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "8000000000000000\r\n", 0, 400, SAID},
        {CHUNKED "ffffffffffffffff\r\n", 0, 400, SAID},
        {CHUNKED "10000000000000000\r\n", 0, 400, SAID},
        {CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5;\n\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {BYTES(CHUNKED "5;a\0\r\nhello\r\n0\r\n\r\n"), 400, SAID},
        {CHUNKED "5;\x01\r\nhello\r\n0\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nA : b\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nA\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nA: b\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nA: b\r\n c\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\n A: b\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\n\n", 0, 400, SAID},
        {CHUNKED "0\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\n\rX\r\n\r\n", 0, 400, SAID},
        {BYTES(CHUNKED "0\r\nA: \0\r\n\r\n"), 400, SAID},
        {CHUNKED "0\r\nContent-Length: 5\r\n\r\nhello", 0, 400, SAID},
        {CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nTransfer-Encoding: x\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nHost: x\r\n\r\n", 0, 400, SAID},
        {CHUNKED "0\r\nConnection: close\r\n\r\n", 0, 400, SAID},
    };

    CHECK_REQUESTS(verdicts);
}

/* H-PARSE-13, H-RESP-4, -5: a response's status line may lack its reason, its framing nothing. */
TEST(reader_reads_responses)
{
    static const struct verdict verdicts[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, GOOD,
         "200 1.1 OK; Content-Length=2 <hi>"},
        {"HTTP/1.0 404 Not  Found \r\n\r\nto the end", 0, GOOD, "404 1.0 Not  Found  <to the end>"},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0, GOOD, "200 1.1 ; Content-Length=0"},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 0, GOOD, "200 1.1 ; Content-Length=0"},
        {"HTTP/1.1 200 \xc3\xa9t\xe9\r\nContent-Length: 0\r\n\r\n", 0, GOOD,
         "200 1.1 \xc3\xa9t\xe9; Content-Length=0"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 204 No Content\r\n\r\n",
         0, GOOD, "100 1.1 Continue | 103 1.1 Early Hints; Link=x | 204 1.1 No Content"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n"
         "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n",
         0, GOOD,
         "304 1.1 Not Modified; Content-Length=5 | 200 1.1 OK; Transfer-Encoding=chunked <hi> "
         "+A=b"},
        {"HTTP/1.1 200 OK\r\nServer: a\r\nServer: b\r\nContent-Length: 0\r\n\r\n", 0, GOOD,
         "200 1.1 OK; Server=a; Server=b; Content-Length=0"},
        {"HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\nContent-Length: 0\r\n\r\n", 0, GOOD,
         "200 1.1 OK; Host=a b; Host=c; Content-Length=0"},
        {"HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", 0, GOOD, "999 1.1 ?; Content-Length=0"},
    };

    CHECK_RESPONSES(verdicts);
}

TEST(reader_refuses_what_is_not_a_response)
{
    static const struct verdict verdicts[] = {
        {"GET / " R "\r\n", 0, 400, ""},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 \r\n\r\n", 0, 400, ""},
        {"HTTP/1.1  200 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 20 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 2000 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 099 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 2x0 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 -20 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200\tOK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1\t200 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/2.0 200 OK\r\n\r\n", 0, 505, ""},
        {"HTTP/0.9 200 OK\r\n\r\n", 0, 505, ""},
        {"http/1.1 200 OK\r\n\r\n", 0, 400, ""},
        {"RTSP/1.0 200 OK\r\n\r\n", 0, 400, ""},
        {"ICY 200 OK\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 O\rK\r\n\r\n", 0, 400, ""},
        {BYTES("HTTP/1.1 200 O\0K\r\n\r\n"), 400, ""},
        {"HTTP/1.1 200 \x1b[31m\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" CL "5\r\n" CL "5\r\n\r\nhello", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" CL "5\r\n" CL "6\r\n\r\nhello", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" CL "5,5\r\n\r\nhello", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" CL "5\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" TE "chunked\r\n" CL "5\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" TE "gzip\r\n\r\n", 0, 400, ""},
        {"HTTP/1.1 200 OK\r\n" TE "gzip, chunked\r\n\r\n0\r\n\r\n", 0, 501, ""},
        {"HTTP/1.1 200 OK\r\n" TE "chunked, chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
        {"HTTP/1.0 200 OK\r\n" TE "chunked\r\n\r\n0\r\n\r\n", 0, 400, ""},
    };

    CHECK_RESPONSES(verdicts);
}

/* What came before the end of a connection that breaks off is there first. */
static void check_cut(const char *text, bool response, int code, const char *said)
{
    for (size_t piece = 0; piece < 3; piece++) {
        messages = (struct messages){
            .text = text,
            .size = strlen(text),
            .piece = piece,
            .response = response,
            .limits = MESSAGES_LIMITS,
        };
        CHECK_OK(messages_read(&messages));
        CHECK_EQ(messages.code, code);
        CHECK_EQ(messages.status, 0);
        CHECK_STR(messages.said, said);
    }
}

/* H-RESP-6. */
TEST(reader_says_when_a_connection_ends_too_early)
{
    check_cut("G", false, EDDY_EINCOMPLETE, "");
    check_cut("\r", false, EDDY_EINCOMPLETE, "");
    check_cut("GET / " R, false, EDDY_EINCOMPLETE, "");
    check_cut("GET / " R "\r", false, EDDY_EINCOMPLETE, "");
    check_cut("POST / " R "Content-Length: 5\r\n\r\n", false, EDDY_EHTTP_PAYLOAD,
              "POST / 1.1; Host=h; Content-Length=5 <");
    check_cut("POST / " R "Content-Length: 5\r\n\r\nhell", false, EDDY_EHTTP_PAYLOAD,
              "POST / 1.1; Host=h; Content-Length=5 <hell");
    check_cut(CHUNKED, false, EDDY_EHTTP_PAYLOAD, SAID);
    check_cut(CHUNKED "5", false, EDDY_EHTTP_PAYLOAD, SAID);
    check_cut(CHUNKED "5\r\nhell", false, EDDY_EHTTP_PAYLOAD, SAID "hell");
    check_cut(CHUNKED "5\r\nhello", false, EDDY_EHTTP_PAYLOAD, SAID "hello");
    check_cut(CHUNKED "5\r\nhello\r\n", false, EDDY_EHTTP_PAYLOAD, SAID "hello");
    check_cut(CHUNKED "5\r\nhello\r\n0\r\n", false, EDDY_EHTTP_PAYLOAD, SAID "hello");
    check_cut(CHUNKED "5\r\nhello\r\n0\r\nA: b\r\n", false, EDDY_EHTTP_PAYLOAD, SAID "hello");
    check_cut("HTTP/1.1 200 OK\r\n", true, EDDY_EINCOMPLETE, "");
    check_cut("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true, EDDY_EHTTP_PAYLOAD,
              "200 1.1 OK; Content-Length=5 <hell");
}

/* H-RESP-4: HEAD, and CONNECT. */
TEST(reader_is_told_that_a_response_has_no_body)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "HTTP/1.1 200 OK\r\n\r\n"
                               "HTTP/1.1 200 OK\r\n\r\n";

    messages = (struct messages){
        .text = text,
        .size = strlen(text),
        .response = true,
        .no_body = true,
        .limits = MESSAGES_LIMITS,
    };
    CHECK_OK(messages_read(&messages));
    CHECK_EQ(messages.code, 0);
    CHECK_EQ(messages.count, 4);
}
