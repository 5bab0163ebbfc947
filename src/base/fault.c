/* SPDX-License-Identifier: MIT */
/*
 * Counting operations, and failing some of them.
 *
 * Each kind has a counter of what was done and a small list of what is to fail.
 * EDDY_FAULT is read once, before the first check; an entry that cannot be read
 * ends the program, since a fault test that injects nothing would pass.
 *
 * Nothing is counted until there is a reason, and from then on everything: an atomic counter
 * for each operation costs more than some operations do.
 */
#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/error.h"

#define FAULTS_MAX ED_ARRAY_LENGTH(fault_kinds[0].plan) /* for each kind */

static const char *const fault_names[ED_FAULT_COUNT] = {
    [ED_FAULT_ALLOC] = "alloc",   [ED_FAULT_NOP] = "nop",           [ED_FAULT_POLL] = "poll",
    [ED_FAULT_ACCEPT] = "accept", [ED_FAULT_CONNECT] = "connect",   [ED_FAULT_RECV] = "recv",
    [ED_FAULT_SEND] = "send",     [ED_FAULT_SENDFILE] = "sendfile", [ED_FAULT_READ] = "read",
    [ED_FAULT_WRITE] = "write",   [ED_FAULT_SHUTDOWN] = "shutdown", [ED_FAULT_CLOSE] = "close",
    [ED_FAULT_OPENAT] = "openat", [ED_FAULT_FSYNC] = "fsync",       [ED_FAULT_CANCEL] = "cancel",
    [ED_FAULT_THREAD] = "thread", [ED_FAULT_STAT] = "stat",         [ED_FAULT_CHMOD] = "chmod",
    [ED_FAULT_LINK] = "link",     [ED_FAULT_RENAME] = "rename",     [ED_FAULT_UNLINK] = "unlink",
    [ED_FAULT_MKDIR] = "mkdir",   [ED_FAULT_LIST] = "list",         [ED_FAULT_COPY] = "copy",
    [ED_FAULT_SPAWN] = "spawn",
};

/* `count` and `planned` are atomic. */
static struct ed_fault_plan fault_kinds[ED_FAULT_COUNT];

static pthread_once_t fault_once = PTHREAD_ONCE_INIT;
int ed_faults_counted = -1;

static void fault_plan(const char *entry)
{
    char name[16], error[16];
    unsigned long long nth;
    int code, length = 0;

    if (sscanf(entry, "%15[^:]:%15[^:]:%18llu%n", name, error, &nth, &length) != 3 || nth == 0 ||
        entry[length] || strchr(entry, '-'))
        ed_die("EDDY_FAULT: \"%s\" is not op:error:nth", entry);
    code = strcmp(error, "short") == 0 ? ED_FAULT_SHORT : ed_error_by_name(error);
    if (code == 0)
        ed_die("EDDY_FAULT: \"%s\" is not the name of an error", error);
    for (size_t i = 0; i < ED_FAULT_COUNT; i++) {
        struct ed_fault_plan *kind = &fault_kinds[i];

        if (strcmp(name, fault_names[i]) != 0)
            continue;
        if (kind->planned == FAULTS_MAX)
            ed_die("EDDY_FAULT: more than %zu faults for %s", FAULTS_MAX, name);
        kind->plan[kind->planned].nth = nth;
        kind->plan[kind->planned++].code = code;
        return;
    }
    ed_die("EDDY_FAULT: there is no operation \"%s\"", name);
}

static void fault_read_environment(void)
{
    const char *text = getenv("EDDY_FAULT");
    char copy[512], *rest = copy, *entry;

    __atomic_store_n(&ed_faults_counted, text && *text, __ATOMIC_RELAXED);
    if (!text || !*text)
        return;
    if (strlen(text) >= sizeof copy)
        ed_die("EDDY_FAULT is longer than %zu bytes", sizeof copy - 1);
    memcpy(copy, text, strlen(text) + 1);
    while ((entry = strsep(&rest, ",")))
        fault_plan(entry);
}

static void fault_begin_to_count(void)
{
    pthread_once(&fault_once, fault_read_environment);
    __atomic_store_n(&ed_faults_counted, 1, __ATOMIC_RELAXED);
}

int ed_fault_count_one(enum ed_fault which)
{
    struct ed_fault_plan *kind = &fault_kinds[which];
    uint64_t count;

    pthread_once(&fault_once, fault_read_environment);
    count = __atomic_add_fetch(&kind->count, 1, __ATOMIC_RELAXED);
    for (size_t i = 0, n = __atomic_load_n(&kind->planned, __ATOMIC_ACQUIRE); i < n; i++)
        if (kind->plan[i].nth == count)
            return kind->plan[i].code;
    return 0;
}

bool ed_fault_count_unplanned_one(enum ed_fault which)
{
    pthread_once(&fault_once, fault_read_environment);
    return __atomic_load_n(&fault_kinds[which].planned, __ATOMIC_ACQUIRE) == 0 &&
           ed_fault_count_one(which) == 0;
}

uint64_t ed_fault_count(enum ed_fault which)
{
    fault_begin_to_count();
    return __atomic_load_n(&fault_kinds[which].count, __ATOMIC_RELAXED);
}

void ed_fault_save(enum ed_fault which, struct ed_fault_plan *plan)
{
    struct ed_fault_plan *kind = &fault_kinds[which];

    fault_begin_to_count();
    plan->planned = __atomic_exchange_n(&kind->planned, 0, __ATOMIC_ACQ_REL);
    memcpy(plan->plan, kind->plan, sizeof plan->plan);
    plan->count = __atomic_exchange_n(&kind->count, 0, __ATOMIC_RELAXED);
}

void ed_fault_restore(enum ed_fault which, const struct ed_fault_plan *plan)
{
    struct ed_fault_plan *kind = &fault_kinds[which];

    memcpy(kind->plan, plan->plan, sizeof kind->plan);
    __atomic_store_n(&kind->count, plan->count, __ATOMIC_RELAXED);
    __atomic_store_n(&kind->planned, plan->planned, __ATOMIC_RELEASE);
}

const char *ed_fault_name(enum ed_fault which)
{
    return fault_names[which];
}

uint64_t ed_fault_set(enum ed_fault which, uint64_t nth, int code)
{
    struct ed_fault_plan *kind = &fault_kinds[which];
    uint64_t counted = __atomic_exchange_n(&kind->count, 0, __ATOMIC_RELAXED);

    fault_begin_to_count();
    kind->plan[0].nth = nth;
    kind->plan[0].code = code;
    __atomic_store_n(&kind->planned, nth ? 1 : 0, __ATOMIC_RELEASE);
    return counted;
}
