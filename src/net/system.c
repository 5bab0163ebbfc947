/* SPDX-License-Identifier: MIT */
/*
 * The system's name service, which blocks: a thread job that its caller leaves at once when it
 * is cancelled. All that the job uses is copied into it, and its answer has a destructor.
 */
#include "net/system.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/memory.h"
#include "net/order.h"
#include "os/executor.h"
#include "task/task.h"

struct system_question {
    char name[EDDY_HOST_TEXT];
    eddy_address address;
    int family;
    uint16_t port;
    bool canonical;
};

struct system_answer {
    eddy_addresses found;
    char host[EDDY_HOST_TEXT];
};

static int system_code(int code, int error)
{
    switch (code) {
    case EAI_NONAME: return EDDY_EDNS_NOT_FOUND;
    case EAI_NODATA:
    case EAI_ADDRFAMILY: return EDDY_EDNS_NO_DATA;
    case EAI_FAIL: return EDDY_EDNS_FAILED;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_OVERFLOW: return EDDY_EDNS_BAD_ANSWER;
    case EAI_SYSTEM: return error == EMFILE || error == ENFILE ? -error : EDDY_EDNS_SYSTEM;
    default: return EDDY_EDNS_SYSTEM;
    }
}

static int system_fail(const char *what, int code)
{
    int error = errno;

    return ed_raise(system_code(code, error), "%s: %s (the system's name service)", what,
                    code == EAI_SYSTEM ? eddy_strerror(-error) : gai_strerror(code));
}

static int system_take(const struct addrinfo *list, bool canonical, eddy_addresses *out)
{
    eddy_addresses found = {0, ed_alloc_zero(ED_ORDER_MAX * sizeof *found.at), NULL};
    const char *name = list->ai_canonname;

    if (canonical && name && found.at)
        found.canonical = ed_strdup(name);
    if (!found.at || (canonical && name && !found.canonical)) {
        eddy_addresses_free(&found);
        return ed_fail(-ENOMEM);
    }
    for (; list && found.count < ED_ORDER_MAX; list = list->ai_next) {
        eddy_address *place = &found.at[found.count];

        if (list->ai_addrlen > sizeof place->as)
            continue;
        memcpy(&place->as, list->ai_addr, list->ai_addrlen);
        place->size = list->ai_addrlen;
        found.count++;
    }
    *out = found;
    return 0;
}

/* In a thread. */
static int system_find(void *args, void *result)
{
    const struct system_question *question = args;
    struct system_answer *answer = result;
    struct addrinfo hints = {.ai_flags = question->canonical ? AI_CANONNAME : 0,
                             .ai_family = question->family,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(question->name, NULL, &hints, &list);

    if (rc != 0)
        return system_fail(question->name, rc);
    rc = system_take(list, question->canonical, &answer->found);
    freeaddrinfo(list);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < answer->found.count; i++)
        (void)eddy_address_set_port(&answer->found.at[i], question->port); /* each has one */
    return 0;
}

/* In a thread. */
static int system_name(void *args, void *result)
{
    const struct system_question *question = args;
    struct system_answer *answer = result;
    char text[EDDY_ADDRESS_TEXT];
    int rc = getnameinfo(&question->address.as.any, question->address.size, answer->host,
                         sizeof answer->host, NULL, 0, NI_NAMEREQD);

    return rc == 0 ? 0 : system_fail(eddy_address_text(&question->address, text, sizeof text), rc);
}

static void system_drop(void *result)
{
    eddy_addresses_free(&((struct system_answer *)result)->found);
}

int ed_system_ask(struct ed_question *question)
{
    struct system_question args = {
        .family = question->family, .port = question->port, .canonical = question->canonical};
    struct system_answer answer = {.found = {0, NULL, NULL}};
    eddy_abandonable job = {.entry = question->name ? system_find : system_name,
                            .name = "getaddrinfo",
                            .args = &args,
                            .args_size = sizeof args,
                            .result_size = sizeof answer,
                            .destroy = system_drop};
    int rc;

    if (question->name)
        memcpy(args.name, question->name, strlen(question->name) + 1);
    else
        args.address = *question->address;
    rc = ed_executor_run_abandonable(ED_POOL_NAMES, &job, &answer);
    if (rc < 0)
        return rc;
    question->found = answer.found;
    memcpy(question->host, answer.host, sizeof question->host);
    return 0;
}
