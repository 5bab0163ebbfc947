/* SPDX-License-Identifier: MIT */
/*
 * A request with its answer, and the connection and the server that they belong to. A connection
 * has one of them, which it uses again and again.
 */
#ifndef ED_HTTP_WEB_EXCHANGE_H
#define ED_HTTP_WEB_EXCHANGE_H

#include "base/list.h"
#include "eddy/loop.h"
#include "eddy/sync.h"
#include "eddy/task.h"
#include "eddy/web_request.h"
#include "http/arena.h"
#include "http/body.h"
#include "http/reader.h"
#include "http/web_app.h"
#include "http/web_cache.h"

#define ED_WEB_SPARES 64                 /* first blocks of arenas that a server keeps */
#define ED_WEB_COPIED ((size_t)16 << 10) /* bytes of an answer that are copied */

struct ed_web_connection;
struct ed_web_log;

/* A value of a request, see eddy_web_set_value. */
struct ed_web_value {
    struct ed_web_value *next;
    const void *key;
    void *value;
};

/* What is to be answered, until it is begun. */
struct ed_web_answer {
    struct eddy_headers fields;
    int status; /* 0: none yet */
    const void *data;
    size_t size;
    void *taken;              /* to be freed; `data`, or NULL */
    struct ed_cached *cached; /* whose `data` is, or NULL */
    int fd;                   /* a file instead, or -1, */
    off_t offset;
    uint64_t length;   /* and what of it */
    eddy_stream *body; /* begun by eddy_web_begin; NULL: not so */
    bool sink;         /* whose bytes are not to be sent */
    bool to_eof;       /* its end is that of the connection */
    bool close;        /* the connection ends with it */
    bool started;      /* its head is sent */
    bool upgraded;     /* and the connection is another protocol's */
};

struct eddy_web_request {
    struct ed_web_connection *connection;
    struct ed_arena arena;
    struct ed_head head;
    const char *path;   /* decoded; "%2F" stays */
    const char *lookup; /* the same with a NUL for "%2F" */
    size_t lookup_size;
    const char *query; /* encoded; "" */
    struct ed_web_target target;
    size_t next; /* of the chain of middlewares */
    struct ed_web_value *values;

    eddy_pair *queries; /* NULL: not asked for yet, or failed */
    eddy_stream *body;  /* likewise */
    char *whole;        /* of eddy_web_read, or NULL */
    size_t whole_size;
    bool continued; /* "100 Continue" is sent, or not wanted */
    eddy_multipart *multipart;
    struct ed_web_form *form;

    struct ed_web_answer answer;
    uint64_t sent; /* bytes of the body, once it is sent */
    double since;  /* with a log: when its head was there */
};

/* What a connection does, for the scan. */
enum ed_web_state {
    ED_WEB_WAITING, /* for a request, or the rest of its head */
    ED_WEB_HANDLING,
    ED_WEB_LEAVING,  /* bounded by a timeout of its own */
    ED_WEB_UPGRADED, /* no more than writing is looked at */
};

/* Why the scan has cancelled its task. */
enum ed_web_why {
    ED_WEB_NOT,
    ED_WEB_IDLE, /* no request came */
    ED_WEB_SLOW, /* no whole head */
    ED_WEB_GONE, /* the client went away */
    ED_WEB_STOP, /* the server stops, and the connection is idle */
    ED_WEB_END,  /* for good */
};

struct ed_web_connection {
    struct eddy_link_ link; /* in the server's list `busy`, or `resting` */
    eddy_web_server *server;
    eddy_stream *stream;
    eddy_task *task;
    struct ed_reader reader;
    enum ed_web_state state;
    enum ed_web_why why;
    uint32_t tick;             /* of the server's, when the state began */
    uint32_t progress;         /* the tick when something that was written was last taken */
    uint64_t taken;            /* what had been, then */
    bool begun;                /* the first byte of a head is there, */
    bool noticed;              /* as the scan has seen, at `tick` */
    bool resting;              /* without memory */
    void (*stop)(void *owner); /* ends another protocol, when the server stops; or NULL */
    void *stop_owner;
    int left; /* the error by which its client has left, or 0 */
    struct eddy_web_request request;
};

struct eddy_web_server {
    eddy_web_app *app;
    eddy_loop *loop;
    eddy_server *listener; /* NULL: of a test */
    eddy_web_options options;
    struct ed_limits limits;
    struct ed_web_log *log; /* NULL: none */
    size_t started;         /* parts */
    struct eddy_list_ busy, resting;
    size_t count;     /* connections */
    eddy_event empty; /* is set when the last of them has ended */
    bool stopping;
    struct ed_arena spares[ED_WEB_SPARES];
    size_t spare_count;
    struct ed_cache cache;

    eddy_handle scan;
    double interval, since;                       /* seconds between scans; when ticks began */
    uint32_t tick, before;                        /* at the last scan, and at the one before it */
    uint32_t scans;                               /* so far */
    uint32_t idle, slow, hurry, stuck, old, rest; /* limits of time in ticks */

    time_t now;         /* that is in */
    char common[80];    /* "Server" and "Date" fields of all answers */
    size_t common_size; /* with both, */
    size_t server_size; /* of the first */
};

/* Connections: web_connection.c. */

/* Serves one, as eddy_connection_handler; `server` is an eddy_web_server. Suspends. */
EDDY_AWAITS int ed_web_serve(eddy_stream *stream, void *server);

/* Requests: web_request.c. */

/* Prepares for the request whose head is there: 0, or EDDY_HTTP_STATUS. */
int ed_web_request_open(eddy_web_request *request);
/* Frees what it has, but for the arena. Suspends, shielded by the caller. */
EDDY_AWAITS void ed_web_request_close(eddy_web_request *request);
/* Whether its body has been read to the end, or there is none. */
bool ed_web_request_is_read(const eddy_web_request *request);

/* Answers: web_answer.c. */

/* Begins anew, for a new request. */
void ed_web_answer_init(eddy_web_request *request);
/* Forgets the body that is set, and what is known of a file; fields stay. */
void ed_web_answer_drop(eddy_web_request *request);
/* Forgets fields that describe a body, too: an error is answered instead. */
void ed_web_answer_drop_fields(eddy_web_request *request);
/* Whether anything may be changed still: 0, or -EPERM with a text. */
int ed_web_answer_check(const eddy_web_request *request);
/* Takes part of a file, whose descriptor is the answer's then. */
void ed_web_answer_file(eddy_web_request *request, int fd, uint64_t offset, uint64_t length);
/* The body of a begun answer: what is written is dropped. 0, -ENOMEM. */
int ed_web_sink_open(eddy_stream **out);
/* Sends the answer that is set, or ends the one that is begun. Suspends. 0; an error of eddy_write;
 * -EMSGSIZE when bytes are missing. */
EDDY_AWAITS int ed_web_answer_send(eddy_web_request *request);
/* A field whose texts stay valid, in place of others of its name. 0, -ENOMEM. */
int ed_web_answer_put(eddy_web_request *request, const char *name, const char *value);
/* Whether a status has a body at all. */
bool ed_web_status_has_body(int status);
/* The head, in the arena: its size, or -ENOMEM. `length` -1: none is said. */
ssize_t ed_web_answer_head(eddy_web_request *request, int64_t length, bool chunked, char **head);
/* Whether the connection goes on behind the answer: web_connection.c. */
bool ed_web_answer_keeps(const eddy_web_request *request);

/* Errors: web_error.c. */

/* Sets the answer for what a handler returned. 0, -ENOMEM. */
int ed_web_error_answer(eddy_web_request *request, int rc);
/* Tells the exception handler of a handler that failed; 0: without an answer. */
void ed_web_error_tell(const eddy_web_request *request, int rc);
/* What answers where there is no route. */
eddy_web_handler ed_web_no_route;

/* Compresses the answer that is set, when it ought to be: web_compress.c. 0, or an error. */
EDDY_AWAITS int ed_web_compress(eddy_web_request *request);
/* The coding of an answer that is begun, of `size` bytes or -1, which its fields say then. 0,
 * -ENOMEM. */
int ed_web_compress_begun(eddy_web_request *request, int64_t size, enum ed_coding *coding);

#endif
