/* SPDX-License-Identifier: MIT */
/*
 * Values that are made of others, part by part: arrays and multiranges, composites, ranges. One in
 * text form is laid out first as the binary form is, with parts that are texts, in memory that the
 * result frees. A value is looked at as a whole before its first part is handed out, so that
 * walking over it cannot fail.
 */
#include <errno.h>
#include <string.h>

#include "pg/array.h"
#include "pg/composite.h"
#include "pg/range.h"
#include "pg/result.h"

#define PARTS_RECORD 2249

/* A value, or its layout, which is kept where it had to be made. */
struct parts {
    const struct pg_type *type;
    const char *data;
    size_t size;
};

static int
parts_lay_out(const eddy_pg_field *field, const struct pg_type *type, struct eddy_buffer_ *to)
{
    const struct pg_type *element = pg_types_find(field->result->types, type->element);
    size_t size = (size_t)field->size;

    switch (type->kind) {
    case PG_KIND_ARRAY:
        return pg_array_from_text(field->data, size, (char)(element ? element->delimiter : ','),
                                  type->element, to);
    case PG_KIND_RANGE: return pg_range_from_text(field->data, size, to);
    case PG_KIND_MULTIRANGE: return pg_multirange_from_text(field->data, size, to);
    default: return pg_composite_from_text(field->data, size, type->fields, type->count, to);
    }
}

/* What is wanted of a field that is of this kind, or else of that one. */
static int
parts_begin(const eddy_pg_field *field, enum pg_kind kind, enum pg_kind or_kind, struct parts *out)
{
    struct eddy_buffer_ buffer = {.data = NULL};
    int rc;

    if (!field->data)
        return pg_field_nothing(field);
    *out = (struct parts){pg_field_type(field), field->data, (size_t)field->size};
    if (!out->type || (out->type->kind != kind && out->type->kind != or_kind))
        return EDDY_EPG_TYPE;
    if (!field->is_text)
        return 0;
    rc = parts_lay_out(field, out->type, &buffer);
    if (rc == 0) {
        out->data = ed_buffer_bytes(&buffer);
        out->size = ed_buffer_size(&buffer);
        rc = pg_field_keep(field, &out->data, out->size);
    }
    ed_buffer_release(&buffer);
    if (rc == -EINVAL)
        rc = out->type->kind == PG_KIND_FOREIGN && out->type->oid != PARTS_RECORD
                 ? EDDY_EPG_TYPE
                 : EDDY_EPG_PROTOCOL;
    return rc;
}

static int parts_end(const eddy_pg_field *field, int rc, const char *wanted)
{
    return rc == 0 ? 0 : !field->data ? rc : pg_field_refuse(field, rc, wanted);
}

/* A part like its whole. */
static eddy_pg_field
parts_field(const eddy_pg_field *whole, uint32_t type, const char *data, int32_t size)
{
    return (eddy_pg_field){.data = data,
                           .size = data ? size : EDDY_EPG_NULL,
                           .type = type,
                           .result = whole->result,
                           .column = whole->column,
                           .is_text = whole->is_text};
}

static int parts_array(const struct parts *parts, eddy_pg_array_view *out)
{
    struct pg_array array;
    int rc = pg_array_read(parts->data, parts->size, &array);

    if (rc == 0 && array.element != parts->type->element)
        rc = EDDY_EPG_PROTOCOL;
    if (rc < 0)
        return rc;
    out->count = array.count;
    out->dimensions = array.dimensions;
    out->next = array.parts.next;
    out->end = array.parts.end;
    memcpy(out->sizes, array.sizes, sizeof out->sizes);
    memcpy(out->bounds, array.bounds, sizeof out->bounds);
    return 0;
}

static int parts_multirange(const struct parts *parts, eddy_pg_array_view *out)
{
    struct pg_rest rest;
    int64_t count = pg_multirange_read(parts->data, parts->size, &rest);

    if (count < 0)
        return (int)count;
    out->count = (size_t)count;
    out->dimensions = count > 0;
    out->sizes[0] = (int32_t)count;
    out->bounds[0] = 1;
    out->next = rest.next;
    out->end = rest.end;
    return 0;
}

int eddy_pg_read_array(eddy_pg_field field, eddy_pg_array_view *out)
{
    struct parts parts;
    eddy_pg_array_view view = {
        .result = field.result, .column = field.column, .is_text = field.is_text};
    int rc = parts_begin(&field, PG_KIND_ARRAY, PG_KIND_MULTIRANGE, &parts);

    if (rc == 0)
        rc = parts.type->kind == PG_KIND_ARRAY ? parts_array(&parts, &view)
                                               : parts_multirange(&parts, &view);
    if (rc == 0) {
        view.type = parts.type->element;
        *out = view;
    }
    return parts_end(&field, rc, "an array");
}

int eddy_pg_next_element(eddy_pg_array_view *array, eddy_pg_field *out)
{
    const eddy_pg_field whole = {
        .result = array->result, .column = array->column, .is_text = array->is_text};
    struct pg_rest rest = {array->next, array->end};
    const char *data;
    int32_t size;

    if (rest.next == rest.end || pg_take_part(&rest, &data, &size) < 0)
        return 0;
    array->next = rest.next;
    *out = parts_field(&whole, array->type, data, size);
    return 1;
}

int eddy_pg_read_composite(eddy_pg_field field, eddy_pg_composite_view *out)
{
    struct pg_rest rest = {NULL, NULL};
    struct parts parts;
    int64_t count = 0;
    int rc = parts_begin(&field, PG_KIND_COMPOSITE,
                         field.is_text ? PG_KIND_FOREIGN : PG_KIND_COMPOSITE, &parts);

    if (rc == 0) {
        count = pg_composite_read(parts.data, parts.size, &rest);
        rc = count < 0 ? (int)count : 0;
    }
    if (rc == 0)
        *out = (eddy_pg_composite_view){.count = (size_t)count,
                                        .next = rest.next,
                                        .end = rest.end,
                                        .result = field.result,
                                        .column = field.column,
                                        .is_text = field.is_text};
    return parts_end(&field, rc, "a composite");
}

int eddy_pg_next_field(eddy_pg_composite_view *composite, eddy_pg_field *out)
{
    const eddy_pg_field whole = {
        .result = composite->result, .column = composite->column, .is_text = composite->is_text};
    struct pg_rest rest = {composite->next, composite->end};
    const char *data;
    uint32_t type;
    int32_t size;

    if (rest.next == rest.end || pg_composite_next(&rest, &type, &data, &size) < 0)
        return 0;
    composite->next = rest.next;
    *out = parts_field(&whole, type, data, size);
    return 1;
}

int eddy_pg_read_range(eddy_pg_field field, eddy_pg_range_view *out)
{
    struct pg_range range;
    struct parts parts;
    int rc = parts_begin(&field, PG_KIND_RANGE, PG_KIND_RANGE, &parts);

    if (rc == 0)
        rc = pg_range_read(parts.data, parts.size, &range);
    if (rc == 0)
        *out = (eddy_pg_range_view){
            .is_empty = range.flags & PG_RANGE_EMPTY,
            .includes_lower = range.flags & PG_RANGE_LOWER_INCLUSIVE,
            .includes_upper = range.flags & PG_RANGE_UPPER_INCLUSIVE,
            .lower = parts_field(&field, parts.type->element, range.bounds[0], range.sizes[0]),
            .upper = parts_field(&field, parts.type->element, range.bounds[1], range.sizes[1])};
    return parts_end(&field, rc, "a range");
}
