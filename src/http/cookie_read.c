/* SPDX-License-Identifier: MIT */
/*
 * Set-Cookie fields (RFC 6265, 5.2): a name and a value, and attributes, of which those that are
 * not known, or whose values make no sense, are passed over; the last of a name counts. What has a
 * control character, or no name, is no cookie at all. Lengths are those that browsers allow
 * (RFC 6265bis, 5.6): 4,096 bytes for name and value, 1,024 for that of an attribute.
 */
#include <string.h>
#include <strings.h>

#include "eddy/error.h"
#include "http/cookie_jar.h"

#define COOKIE_SIZE 4096
#define COOKIE_ATTRIBUTE_SIZE 1024

/* A piece of a field, without the blanks around it. */
struct cookie_text {
    const char *data;
    size_t size;
};

static struct cookie_text cookie_trim(const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (struct cookie_text){begin, (size_t)(end - begin)};
}

static bool cookie_text_is(struct cookie_text text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

/* Splits at the first "=": false, with all of it as the name, when there is none. */
static bool cookie_split(const char *begin, const char *end, struct cookie_text *name,
                         struct cookie_text *value)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));

    *name = cookie_trim(begin, equals ? equals : end);
    *value = equals ? cookie_trim(equals + 1, end) : (struct cookie_text){end, 0};
    return equals != NULL;
}

bool ed_cookie_is_valid(const char *name, size_t name_size, const char *value, size_t value_size)
{
    if (name_size == 0 || name_size + value_size > COOKIE_SIZE)
        return false;
    for (size_t i = 0; i < name_size + value_size; i++) {
        char c = i < name_size ? name[i] : value[i - name_size];

        if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f || c == ';' ||
            (i < name_size && c == '='))
            return false;
    }
    return true;
}

const char *ed_cookie_same_site(const char *name, size_t size)
{
    static const char *const names[] = {"Strict", "Lax", "None"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cookie_text_is((struct cookie_text){name, size}, names[i]))
            return names[i];
    return NULL;
}

/* Max-Age: a number of digits, perhaps with a "-"; what is too large is the last time there is. */
static bool cookie_read_age(struct cookie_text text, int64_t now, int64_t *expires)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    int64_t age = 0;

    if (text.size == negative)
        return false;
    for (size_t i = negative; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (age < ED_COOKIE_LAST)
            age = 10 * age + (text.data[i] - '0');
    }
    if (negative || age == 0)
        *expires = INT64_MIN;
    else
        *expires = age < ED_COOKIE_LAST - now ? now + age : ED_COOKIE_LAST;
    return true;
}

/* Domain: without the dot in front; one that ends with a dot counts for nothing. */
static void cookie_read_domain(struct cookie_text text, struct ed_cookie_request *out)
{
    if (text.size > 0 && text.data[0] == '.') {
        text.data++;
        text.size--;
    }
    out->domain = NULL;
    if (text.size == 0 || text.data[text.size - 1] == '.')
        return;
    out->domain = text.data;
    out->domain_size = text.size;
}

/* Takes an attribute; *aged: there was a Max-Age, which counts more than Expires. */
static void cookie_read_attribute(struct cookie_text name, struct cookie_text value, int64_t now,
                                  struct ed_cookie_request *out, bool *aged)
{
    int64_t time;

    if (value.size > COOKIE_ATTRIBUTE_SIZE)
        return;
    if (cookie_text_is(name, "max-age")) {
        if (cookie_read_age(value, now, &time)) {
            out->expires = time;
            *aged = true;
        }
    } else if (cookie_text_is(name, "expires")) {
        if (!*aged && ed_cookie_parse_date(value.data, value.size, &time) == 0)
            out->expires = time < ED_COOKIE_LAST ? time : ED_COOKIE_LAST;
    } else if (cookie_text_is(name, "domain")) {
        cookie_read_domain(value, out);
    } else if (cookie_text_is(name, "path")) {
        out->path = value.size > 0 && value.data[0] == '/' ? value.data : NULL;
        out->path_size = value.size;
    } else if (cookie_text_is(name, "samesite")) {
        out->same_site = ed_cookie_same_site(value.data, value.size);
    } else {
        out->secure |= cookie_text_is(name, "secure");
        out->http_only |= cookie_text_is(name, "httponly");
        out->partitioned |= cookie_text_is(name, "partitioned");
    }
}

/* Whether a field has a control character but the tab. */
static bool cookie_has_controls(const char *field)
{
    for (; *field; field++)
        if (((unsigned char)*field < ' ' && *field != '\t') || *field == 0x7f)
            return true;
    return false;
}

int ed_cookie_read(const char *field, int64_t now, struct ed_cookie_request *out)
{
    const char *end = strchrnul(field, ';');
    struct cookie_text name, value;
    bool aged = false;

    *out = (struct ed_cookie_request){.expires = ED_COOKIE_SESSION};
    if (cookie_has_controls(field) || !cookie_split(field, end, &name, &value) ||
        !ed_cookie_is_valid(name.data, name.size, value.data, value.size))
        return eddy_raise(-EINVAL, "a Set-Cookie field has no cookie: %.100s", field);
    out->name = name.data;
    out->name_size = name.size;
    out->value = value.data;
    out->value_size = value.size;
    while (*end) {
        const char *begin = end + 1;

        end = strchrnul(begin, ';');
        (void)cookie_split(begin, end, &name, &value);
        cookie_read_attribute(name, value, now, out, &aged);
    }
    return 0;
}
