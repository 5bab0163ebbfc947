/* SPDX-License-Identifier: MIT */
/* Composites (record_recv), ranges (range_recv) and multiranges (multirange_recv) as parameters:
 * each part behind its length, a field behind its type too. */
#include "eddy/error.h"
#include "pg/append.h"
#include "pg/encode.h"
#include "pg/range.h"

static int parts_put_composite(struct eddy_buffer_ *to, const struct pg_types *types,
                               const struct pg_type *type, const eddy_pg_value *value)
{
    const eddy_pg_value *fields = value->pointer;
    int rc;

    if (value->size != type->count)
        return eddy_raise(EDDY_EPG_VALUE, "a composite of %zu fields for %s, which has %zu",
                          value->size, type->name, type->count);
    rc = pg_append32(to, (uint32_t)type->count);
    for (size_t i = 0; rc == 0 && i < type->count; i++) {
        rc = pg_append32(to, type->fields[i]);
        if (rc == 0)
            rc = pg_encode_field(to, types, type->fields[i], &fields[i]);
    }
    return rc;
}

static int parts_put_range(struct eddy_buffer_ *to, const struct pg_types *types,
                           const struct pg_type *type, const eddy_pg_value *value)
{
    static const uint8_t infinite[] = {PG_RANGE_LOWER_INFINITE, PG_RANGE_UPPER_INFINITE};
    const eddy_pg_value *bounds = value->pointer;
    uint8_t flags = (uint8_t)value->extra;
    int rc;

    for (size_t i = 0; i < value->size; i++)
        if (bounds[i].kind == PG_VALUE_NULL)
            flags |= infinite[i];
    rc = ed_buffer_append(to, &flags, 1);
    for (size_t i = 0; rc == 0 && i < value->size; i++)
        if (bounds[i].kind != PG_VALUE_NULL)
            rc = pg_encode_field(to, types, type->element, &bounds[i]);
    return rc;
}

static int parts_put_multirange(struct eddy_buffer_ *to, const struct pg_types *types,
                                const struct pg_type *type, const eddy_pg_value *value)
{
    int rc = pg_append32(to, (uint32_t)value->size);

    for (size_t i = 0; rc == 0 && i < value->size; i++) {
        eddy_pg_value range = pg_value_element(value, i);

        if (range.kind != PG_VALUE_RANGE)
            return pg_refuse(type, &range);
        rc = pg_encode_field(to, types, type->element, &range);
    }
    return rc;
}

int pg_encode_parts(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value)
{
    if (type->kind == PG_KIND_COMPOSITE && value->kind == PG_VALUE_COMPOSITE)
        return parts_put_composite(to, types, type, value);
    if (type->kind == PG_KIND_RANGE && value->kind == PG_VALUE_RANGE)
        return parts_put_range(to, types, type, value);
    if (type->kind == PG_KIND_MULTIRANGE && pg_value_is_array(value) && value->size <= INT32_MAX)
        return parts_put_multirange(to, types, type, value);
    return pg_refuse(type, value);
}
