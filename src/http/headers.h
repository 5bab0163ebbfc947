/* SPDX-License-Identifier: MIT */
/* Header fields inside the library: see eddy/http_message.h. */
#ifndef ED_HTTP_HEADERS_H
#define ED_HTTP_HEADERS_H

#include "eddy/http_message.h"
#include "http/arena.h"

struct ed_field {
    const char *name, *value; /* in the arena, each with a NUL behind it */
    uint32_t name_size, value_size;
};

struct eddy_headers {
    struct ed_arena *arena; /* `own`, or an exchange's */
    struct ed_field *fields;
    uint32_t count, capacity;
    bool received;       /* of a message that came: cannot be changed */
    struct ed_arena own; /* of eddy_headers_new */
};

/* An empty list whose memory is an arena's; nothing has to be undone. */
void ed_headers_init(struct eddy_headers *headers, struct ed_arena *arena);

/* Adds a field whose texts are in the arena or static, and valid. 0, -ENOMEM. */
int ed_headers_put(struct eddy_headers *headers, const char *name, size_t name_size,
                   const char *value, size_t value_size);

/* The first field of a name at or behind `index`; NULL: none. */
const struct ed_field *ed_headers_find(const struct eddy_headers *headers, const char *name,
                                       size_t name_size, size_t index);

/* Whether bytes are a token (RFC 9110, 5.6.2), and a field's value without blanks around it. */
bool ed_is_token(const char *text, size_t size);
bool ed_is_field_value(const char *text, size_t size);

/* Whether two texts of one size are the same but for the case of ASCII letters. */
bool ed_same_letters(const char *one, const char *other, size_t size);

/* Calls `each` for the members of a comma-separated value, without blanks around them; those that
 * are empty are left out (RFC 9110, 5.6.1). Quoted texts are kept whole. Ends when it says
 * false. */
void ed_each_member(const char *value,
                    bool (*each)(const char *member, size_t size, void *argument), void *argument);

#endif
