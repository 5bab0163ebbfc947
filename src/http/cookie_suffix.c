/* SPDX-License-Identifier: MIT */
/* The list of public suffixes (https://publicsuffix.org), as libpsl has it built in: no file is
 * read. Without a list only names without a dot are public. */
#include <libpsl.h>
#include <string.h>

#include "http/cookie_jar.h"

bool ed_is_public_suffix(const char *domain)
{
    const psl_ctx_t *list = psl_builtin();

    if (!strchr(domain, '.'))
        return true;
    return list && psl_is_public_suffix2(list, domain, PSL_TYPE_ANY);
}
