/* SPDX-License-Identifier: MIT */
/* Files like /etc/hosts: whatever is in one, an answer is a list of IP addresses or none. */
#include <sys/mman.h>
#include <unistd.h>

#include "net/hosts.h"

#include "fuzz.h"

static void look_up(const char *path, const char *name)
{
    eddy_addresses found = {0, NULL, NULL};
    char back[EDDY_HOST_TEXT];

    if (ed_hosts_find(path, name, 0, true, &found) == 0) {
        FUZZ_CHECK(found.count > 0 && found.canonical);
        for (size_t i = 0; i < found.count; i++)
            FUZZ_CHECK(found.at[i].as.any.sa_family == AF_INET ||
                       found.at[i].as.any.sa_family == AF_INET6);
        FUZZ_CHECK(ed_hosts_name(path, &found.at[0], back) == 0);
    }
    eddy_addresses_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("hosts", MFD_CLOEXEC);
    char path[40];

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    look_up(path, "localhost");
    look_up(path, "a");
    look_up(path, "a.example");
    close(fd);
    return 0;
}
