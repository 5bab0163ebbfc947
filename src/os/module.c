/* SPDX-License-Identifier: MIT */
/*
 * Where something lies is told by its module and the distance from its start, since modules are
 * loaded elsewhere in each process. The module is known by the path under which the loader has it;
 * an identity, made of the linker's build id and the segments, tells a file that has been replaced
 * under a running program from the one that runs.
 */
#include "os/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#define MODULE_HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define MODULE_HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t module_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * MODULE_HASH_PRIME;
    return hash;
}

/* The build id is a note; hashing the other ones with it does no harm, they are constant too. */
static uint64_t module_identity(const struct dl_phdr_info *info)
{
    uint64_t hash = MODULE_HASH_START;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        hash = module_hash(hash, &part->p_vaddr, sizeof part->p_vaddr);
        hash = module_hash(hash, &part->p_memsz, sizeof part->p_memsz);
        if (part->p_type == PT_NOTE)
            hash =
                module_hash(hash, (const void *)(info->dlpi_addr + part->p_vaddr), part->p_filesz);
    }
    return hash;
}

/* Whether an offset lies in a part that is loaded; with `code`, in one that can be run. */
static bool module_has(const struct dl_phdr_info *info, uint64_t offset, bool code)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && offset >= part->p_vaddr &&
            offset - part->p_vaddr < part->p_memsz && (!code || (part->p_flags & PF_X)))
            return true;
    }
    return false;
}

struct module_search {
    struct ed_place_in_module place;
    uintptr_t address;
    bool code;
};

static int module_visit_to_name(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct module_search *search = argument;
    uint64_t offset = search->address - info->dlpi_addr;

    (void)size;
    if (!module_has(info, offset, false))
        return 0;
    search->place = (struct ed_place_in_module){info->dlpi_name, module_identity(info), offset};
    return 1;
}

static int module_visit_to_find(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct module_search *search = argument;

    (void)size;
    if (strcmp(info->dlpi_name, search->place.path) != 0)
        return 0;
    if (module_identity(info) == search->place.identity &&
        module_has(info, search->place.offset, search->code))
        search->address = info->dlpi_addr + search->place.offset;
    return 1;
}

bool ed_module_name(const void *address, struct ed_place_in_module *place)
{
    struct module_search search = {.address = (uintptr_t)address};

    if (!dl_iterate_phdr(module_visit_to_name, &search))
        return false;
    *place = search.place;
    return true;
}

void *ed_module_find(const struct ed_place_in_module *place, bool code)
{
    struct module_search search = {.place = *place, .code = code};

    if (dl_iterate_phdr(module_visit_to_find, &search))
        return (void *)search.address;
    if (!place->path[0] || !dlopen(place->path, RTLD_NOW)) /* one that the program has opened */
        return NULL;
    dl_iterate_phdr(module_visit_to_find, &search);
    return (void *)search.address;
}
