/* SPDX-License-Identifier: MIT */
/* Binary forms (the `_recv` functions of PostgreSQL, src/backend/utils/adt). */
#include "pg/append.h"

#include <errno.h>

#include "pg/decode.h"

#define APPEND_FAMILY_IPV4 2 /* PGSQL_AF_INET, of every system */
#define APPEND_FAMILY_IPV6 3

int pg_append_whole(struct eddy_buffer_ *to, enum pg_kind kind, uint64_t value)
{
    size_t size = pg_kind_size(kind);

    value = htobe64(value);
    return ed_buffer_append(to, (const char *)&value + sizeof value - size, size);
}

int pg_append_real(struct eddy_buffer_ *to, enum pg_kind kind, double value)
{
    float single = (float)value;
    uint32_t bits;

    if (kind == PG_KIND_FLOAT8)
        return pg_append_double(to, value);
    memcpy(&bits, &single, sizeof bits);
    return pg_append32(to, bits);
}

int pg_append_time(struct eddy_buffer_ *to, bool with_zone, eddy_pg_time time)
{
    int rc = pg_append64(to, (uint64_t)time.microseconds);

    return rc < 0 || !with_zone ? rc : pg_append32(to, -(uint32_t)time.zone);
}

int pg_append_interval(struct eddy_buffer_ *to, eddy_pg_interval interval)
{
    char *bytes = pg_extend(to, 16);

    if (!bytes)
        return -ENOMEM;
    pg_store64(bytes, (uint64_t)interval.microseconds);
    pg_store32(bytes + 8, (uint32_t)interval.days);
    pg_store32(bytes + 12, (uint32_t)interval.months);
    return 0;
}

int pg_append_inet(struct eddy_buffer_ *to, bool is_cidr, const eddy_pg_inet *inet)
{
    uint8_t length = inet->ipv6 ? 16 : 4;
    const uint8_t head[] = {inet->ipv6 ? APPEND_FAMILY_IPV6 : APPEND_FAMILY_IPV4, inet->prefix,
                            is_cidr, length};
    int rc = ed_buffer_append(to, head, sizeof head);

    return rc < 0 ? rc : ed_buffer_append(to, inet->bytes, length);
}

int pg_append_bits(struct eddy_buffer_ *to, eddy_pg_bits bits)
{
    size_t whole = bits.count / 8, rest = bits.count % 8;
    int rc = pg_append32(to, (uint32_t)bits.count);
    uint8_t last;

    if (rc == 0)
        rc = ed_buffer_append(to, bits.data, whole);
    if (rc < 0 || rest == 0)
        return rc;
    last = (uint8_t)(bits.data[whole] & 0xff00 >> rest);
    return ed_buffer_append(to, &last, 1);
}

int pg_append_length(struct eddy_buffer_ *to, size_t *place)
{
    *place = ed_buffer_size(to);
    return pg_append32(to, 0);
}

void pg_end_length(struct eddy_buffer_ *to, size_t place)
{
    pg_store32(to->data + to->start + place, (uint32_t)(ed_buffer_size(to) - place - 4));
}
