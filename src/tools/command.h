/* SPDX-License-Identifier: MIT */
/* The commands of `eddy`. */
#ifndef ED_TOOLS_COMMAND_H
#define ED_TOOLS_COMMAND_H

#include <eddy.h>

/* Each takes its arguments from argv[1] on, up to a NULL, and returns the status to exit with. */
int ed_command_get(char **argv);
int ed_command_load(char **argv);
int ed_command_serve(char **argv);

/* A client's TLS context that trusts the roots of a file; NULL: the system's. See
 * eddy_tls_client_context. */
struct eddy_tls_context;
EDDY_NODISCARD int ed_command_trust(const char *path, struct eddy_tls_context **out);

/* Runs `eddy`. */
int ed_command_main(char **argv);

#endif
