/* SPDX-License-Identifier: MIT */
/*
 * The addresses of a name, in the order in which to try them: resolve [--server IP:PORT] NAME
 */
#include <eddy.h>
#include <stdio.h>
#include <string.h>

static int resolve(const char *name, const char *servers)
{
    EDDY_RESOLVER(resolver);
    EDDY_ADDRESSES(found);
    char text[EDDY_HOST_TEXT];

    if (servers) {
        eddy_resolver_options options = {.servers = servers, .timeout = 1, .tries = 2};
        EDDY_TRY(eddy_resolver_new(&options, &resolver));
    }
    eddy_lookup_options options = {.resolver = resolver, .canonical = true};
    EDDY_TRY(eddy_getaddrinfo(name, 0, &options, &found));

    eddy_lookup_options numeric = {.numeric = true};
    for (size_t i = 0; i < found.count; i++) {
        EDDY_TRY(eddy_getnameinfo(&found.at[i], &numeric, text, sizeof text));
        puts(text);
    }
    return 0;
}
EDDY_ASYNC(resolve, const char *, const char *);

int main(int argc, char **argv)
{
    bool server = argc == 4 && strcmp(argv[1], "--server") == 0;

    if (argc != 2 && !server) {
        fprintf(stderr, "usage: resolve [--server IP:PORT] NAME\n");
        return 1;
    }
    int rc = eddy_run(resolve, argv[argc - 1], server ? argv[2] : NULL);
    if (rc < 0)
        fprintf(stderr, "resolve: %s\n", eddy_error_message(rc));
    return rc < 0;
}
