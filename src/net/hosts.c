/* SPDX-License-Identifier: MIT */
/*
 * The file of hosts, hosts(5): an address a line, its names behind it.
 *
 * It is read anew for each lookup, so that changes count at once. Lines are read in pieces
 * of a fixed size: what of a line does not fit into the first one is passed over, so that no
 * piece is taken for a line.
 */
#include "net/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/order.h"

#define HOSTS_LINE 1024 /* bytes of a line that count */
#define HOSTS_BLANK " \t\r\n\v\f"

struct hosts_line {
    eddy_address address; /* port 0 */
    char *names;          /* for strtok_r */
    char text[HOSTS_LINE];
};

/* Passes over the rest of a line that did not fit. */
static void hosts_skip(FILE *file, const char *text)
{
    int c = strchr(text, '\n') ? '\n' : 0;

    while (c != '\n' && c != EOF)
        c = getc(file);
}

/* Goes to the next line that has an address. */
static bool hosts_next(FILE *file, struct hosts_line *line)
{
    while (fgets(line->text, sizeof line->text, file)) {
        char *ip;

        hosts_skip(file, line->text);
        line->text[strcspn(line->text, "#")] = '\0';
        line->names = NULL;
        ip = strtok_r(line->text, HOSTS_BLANK, &line->names);
        if (ip && eddy_address_from_ip(ip, 0, &line->address) == 0)
            return true;
    }
    return false;
}

static bool hosts_has(const eddy_addresses *list, const eddy_address *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (eddy_address_equal(&list->at[i], address))
            return true;
    return false;
}

static int hosts_add(eddy_addresses *list, const eddy_address *address)
{
    eddy_address *grown;

    if (list->count == ED_ORDER_MAX || hosts_has(list, address))
        return 0;
    grown = ed_realloc(list->at, (list->count + 1) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    grown[list->count++] = *address;
    list->at = grown;
    return 0;
}

/* Takes the address of a line that has the name. */
static int hosts_match(struct hosts_line *line, const char *name, int family, bool canonical,
                       eddy_addresses *list)
{
    const char *first = strtok_r(NULL, HOSTS_BLANK, &line->names), *each = first;

    if (family && line->address.as.any.sa_family != family)
        return 0;
    while (each && strcasecmp(each, name) != 0)
        each = strtok_r(NULL, HOSTS_BLANK, &line->names);
    if (!each)
        return 0;
    if (canonical && !list->canonical && !(list->canonical = ed_strdup(first)))
        return -ENOMEM;
    return hosts_add(list, &line->address);
}

int ed_hosts_find(const char *path, const char *name, int family, bool canonical,
                  eddy_addresses *out)
{
    FILE *file = fopen(path, "re");
    struct hosts_line line;
    eddy_addresses list = {0, NULL, NULL};
    int rc = 0;

    if (!file)
        return -ENOENT;
    while (rc == 0 && hosts_next(file, &line))
        rc = hosts_match(&line, name, family, canonical, &list);
    fclose(file);
    if (rc == 0 && list.count == 0)
        rc = -ENOENT;
    if (rc < 0)
        eddy_addresses_free(&list);
    else
        *out = list;
    return rc;
}

int ed_hosts_name(const char *path, const eddy_address *address, char *name)
{
    FILE *file = fopen(path, "re");
    eddy_address wanted = *address;
    struct hosts_line line;
    int rc = -ENOENT;

    if (!file)
        return rc;
    (void)eddy_address_set_port(&wanted, 0); /* it has one */
    while (rc < 0 && hosts_next(file, &line)) {
        const char *first = strtok_r(NULL, HOSTS_BLANK, &line.names);

        if (!first || strlen(first) >= EDDY_HOST_TEXT ||
            !eddy_address_equal(&line.address, &wanted))
            continue;
        memcpy(name, first, strlen(first) + 1);
        rc = 0;
    }
    fclose(file);
    return rc;
}
