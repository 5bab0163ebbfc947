/* SPDX-License-Identifier: MIT */
/*
 * The files of unix sockets. One that an earlier owner has left is removed before a bind, but
 * only if it is a socket. When the owner closes it removes its own, but only if the name still
 * stands for it: another may have taken the name over meanwhile.
 */
#ifndef ED_NET_SOCKET_FILE_H
#define ED_NET_SOCKET_FILE_H

#include <sys/stat.h>

#include "eddy/address.h"

/* Nothing to remove when zeroed. */
struct ed_socket_file {
    bool exists;
    dev_t device;
    ino_t inode;
};

/* The path of a unix address, or NULL for others. */
const char *ed_socket_path(const eddy_address *address);

/* bind(2) for an address of any family, with what a file needs: `mode` 0 is by umask; with `keep`
 * it is left behind. 0, or a negative error; then nothing is to be removed. */
int ed_socket_bind(int fd, const eddy_address *address, int mode, bool keep,
                   struct ed_socket_file *file);

/* Removes what a bind has made, once. */
void ed_socket_file_remove(struct ed_socket_file *file, const eddy_address *address);

#endif
