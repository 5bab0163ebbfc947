/* SPDX-License-Identifier: MIT */
/*
 * A chat server with rooms. "/name NAME" and "/join ROOM" are commands, other lines go to all
 * who are in the room. Talk to it with 44_chat_client or nc.       43_chat_server [PLACE]
 */
#include <eddy.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

struct member {
    LIST_ENTRY(member) link;
    eddy_stream *stream;
    char name[32], room[32];
};
LIST_HEAD(members, member);

/* Says something to a member's room. It waits for nobody: who does not read is thrown out. */
static void say(struct members *all, const struct member *from, const char *text)
{
    char line[1200];
    int size = snprintf(line, sizeof line, "[%s] %s: %s\n", from->room, from->name, text);
    struct member *to;

    LIST_FOREACH(to, all, link)
        if (strcmp(to->room, from->room) == 0)
            if (eddy_write_nowait(to->stream, line, (size_t)size) < 0)
                eddy_stream_abort(to->stream); /* ends his task's read, too */
}

/* The conversation with one member, in a task of its own. */
static int chat(eddy_stream *stream, void *all)
{
    struct member self = {.stream = stream, .name = "guest", .room = "lobby"};
    char line[1024];
    ssize_t size;

    EDDY_TRY(eddy_printf(stream, "/name NAME, /join ROOM, or say something\n"));
    LIST_INSERT_HEAD((struct members *)all, &self, link);
    while ((size = eddy_read_line(stream, line, sizeof line)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (sscanf(line, "/name %31s", self.name) != 1 &&
            sscanf(line, "/join %31s", self.room) != 1)
            say(all, &self, line);
    }
    LIST_REMOVE(&self, link); /* at the end of his input, after an error, and when cancelled */
    say(all, &self, "bye");
    return (int)size;
}

static int amain(int argc, char **argv)
{
    struct members all = LIST_HEAD_INITIALIZER(all);
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_start_server(argc > 1 ? argv[1] : "tcp://127.0.0.1:8888", chat, &all, &server));
    return eddy_serve_forever(server);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
