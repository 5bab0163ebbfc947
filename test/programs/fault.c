/* SPDX-License-Identifier: MIT */
/*
 * What EDDY_FAULT does to a process that starts with it.
 *
 *     fault checks     four checks of each kind
 *     fault engine     operations of an engine: two no-ops, two polls of a pipe that
 *                      can be read, and a cancelled poll of one that cannot
 */
#include <eddy/error.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/engine.h"

static int checks(void)
{
    static const struct {
        const char *name;
        enum ed_fault kind;
    } kinds[] = {{"alloc", ED_FAULT_ALLOC},
                 {"nop", ED_FAULT_NOP},
                 {"poll", ED_FAULT_POLL},
                 {"cancel", ED_FAULT_CANCEL},
                 {"thread", ED_FAULT_THREAD}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        printf("%s", kinds[i].name);
        for (int n = 0; n < 4; n++)
            printf(" %s", eddy_error_name(ed_fault_check(kinds[i].kind)));
        putchar('\n');
    }
    return 0;
}

static void print_done(struct ed_op *op)
{
    printf("%s %s\n",
           op->kind == ED_OP_NOP ? "nop"
           : op->cancelled       ? "cancelled poll"
                                 : "poll",
           op->result > 0 ? "ready" : eddy_error_name(op->result));
}

static int engine(void)
{
    struct ed_op ops[5] = {{.kind = ED_OP_NOP},
                           {.kind = ED_OP_NOP},
                           {.kind = ED_OP_POLL},
                           {.kind = ED_OP_POLL},
                           {.kind = ED_OP_POLL}};
    struct ed_engine *engine;
    int full[2], empty[2];

    if (pipe(full) < 0 || pipe(empty) < 0 || write(full[1], "x", 1) != 1 ||
        ed_engine_open(&engine) < 0)
        return 1;
    for (int i = 0; i < 5; i++) {
        ops[i].done = print_done;
        ops[i].fd = i == 4 ? empty[0] : full[0];
        ops[i].events = ED_POLL_IN;
        ed_engine_submit(engine, &ops[i]);
        if (i == 4)
            ed_engine_cancel(engine, &ops[i]);
        while (engine->in_flight && i < 4)
            if (ed_engine_wait(engine, 1000000000) < 0)
                return 1;
    }
    if (ed_engine_wait(engine, 0) < 0 || write(empty[1], "x", 1) != 1)
        return 1;
    while (engine->in_flight)
        if (ed_engine_wait(engine, 1000000000) < 0)
            return 1;
    ed_engine_close(engine);
    return 0;
}

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "engine") == 0 ? engine() : checks();
}
