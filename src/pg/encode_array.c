/* SPDX-License-Identifier: MIT */
/*
 * Arrays as parameters. The sizes are those of the first element of each dimension; all others must
 * have the same, or the array is ragged and refused. One that is empty in any dimension is empty.
 */
#include <errno.h>

#include "eddy/error.h"
#include "pg/append.h"
#include "pg/array.h"
#include "pg/encode.h"
#include "pg/format.h"

#define ARRAY_INT2VECTOR 22 /* these count from 0 */
#define ARRAY_OIDVECTOR 30

bool pg_value_is_array(const eddy_pg_value *value)
{
    return value->kind >= PG_VALUE_ARRAY && value->kind <= PG_VALUE_TEXTS;
}

static int
array_measure(const struct pg_type *type, const eddy_pg_value *value, struct pg_array *out)
{
    int32_t bound = type->oid != ARRAY_INT2VECTOR && type->oid != ARRAY_OIDVECTOR;
    struct pg_array array = {.element = type->element};
    eddy_pg_value first = *value;

    while (pg_value_is_array(&first)) {
        if (array.dimensions == PG_ARRAY_DIMENSIONS)
            return eddy_raise(EDDY_EPG_VALUE, "an array of more than %d dimensions",
                              PG_ARRAY_DIMENSIONS);
        if (first.size > INT32_MAX)
            return eddy_raise(EDDY_EPG_VALUE, "an array of %zu elements", first.size);
        array.sizes[array.dimensions] = (int32_t)first.size;
        array.bounds[array.dimensions++] = bound;
        if (first.size == 0)
            break;
        first = pg_value_element(&first, 0);
    }
    *out = array;
    return 0;
}

/* What is done with each element, and around those of a dimension. */
struct array_writer {
    struct eddy_buffer_ *to;
    const struct pg_types *types;
    const struct pg_type *element;
    struct pg_array array;
    bool as_text, has_null, is_empty;
};

static int array_put(struct array_writer *writer, const eddy_pg_value *value)
{
    size_t place;
    int rc;

    if (value->kind == PG_VALUE_NULL) {
        writer->has_null = true;
        return pg_append32(writer->to, UINT32_MAX);
    }
    if (pg_value_is_array(value))
        return eddy_raise(EDDY_EPG_VALUE, "an array whose parts have different dimensions");
    rc = pg_append_length(writer->to, &place);
    if (rc == 0)
        rc = pg_encode_value(writer->to, writer->types, writer->element, value);
    if (rc == 0)
        pg_end_length(writer->to, place);
    return rc;
}

static int array_put_text(struct array_writer *writer, const eddy_pg_value *value)
{
    int rc;

    if (value->kind == PG_VALUE_NULL)
        return ed_buffer_append(writer->to, "NULL", 4);
    if (value->kind != PG_VALUE_TEXT)
        return pg_refuse(writer->element, value);
    rc = pg_check_text(value);
    return rc < 0 ? rc
                  : pg_format_element(value->pointer, value->size, writer->element->delimiter,
                                      writer->to);
}

static int array_put_all(struct array_writer *writer, int dimension, const eddy_pg_value *value)
{
    bool is_last = dimension + 1 == writer->array.dimensions;
    int rc = 0;

    if (!pg_value_is_array(value))
        return eddy_raise(EDDY_EPG_VALUE, "an array whose parts have different dimensions");
    if (value->size != (size_t)writer->array.sizes[dimension])
        return eddy_raise(EDDY_EPG_VALUE, "an array with parts of %d and of %zu elements",
                          writer->array.sizes[dimension], value->size);
    writer->is_empty |= value->size == 0;
    if (writer->as_text)
        rc = ed_buffer_append(writer->to, "{", 1);
    for (size_t i = 0; rc == 0 && i < value->size; i++) {
        eddy_pg_value part = pg_value_element(value, i);

        if (writer->as_text && i > 0)
            rc = ed_buffer_append(writer->to, &writer->element->delimiter, 1);
        if (rc == 0)
            rc = !is_last          ? array_put_all(writer, dimension + 1, &part)
                 : writer->as_text ? array_put_text(writer, &part)
                                   : array_put(writer, &part);
    }
    return rc < 0 || !writer->as_text ? rc : ed_buffer_append(writer->to, "}", 1);
}

static int
array_begin(struct array_writer *writer, const struct pg_type *type, const eddy_pg_value *value)
{
    writer->element = pg_types_find(writer->types, type->element);
    if (!writer->element)
        return eddy_raise(EDDY_EPG_VALUE, "type %u is not known", type->element);
    return array_measure(type, value, &writer->array);
}

int pg_encode_array(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value)
{
    struct array_writer writer = {.to = to, .types = types};
    size_t head = ed_buffer_size(to);
    int rc = array_begin(&writer, type, value);

    if (rc == 0)
        rc = pg_array_append_head(to, &writer.array, false);
    if (rc == 0)
        rc = array_put_all(&writer, 0, value);
    if (rc < 0)
        return rc;
    if (writer.is_empty) {
        to->end = to->start + head;
        return pg_array_append_head(to, &(struct pg_array){.element = type->element}, false);
    }
    pg_store32(to->data + to->start + head + 4, writer.has_null);
    return 0;
}

int pg_encode_array_text(struct eddy_buffer_ *to, const struct pg_types *types,
                         const struct pg_type *type, const eddy_pg_value *value)
{
    struct array_writer writer = {.to = to, .types = types, .as_text = true};
    int rc = array_begin(&writer, type, value);

    return rc < 0 ? rc : array_put_all(&writer, 0, value);
}
