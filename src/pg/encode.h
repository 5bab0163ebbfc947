/* SPDX-License-Identifier: MIT */
/*
 * Parameters on their way out: values, checked against the types that the server asks for, as libpq
 * wants them. The memory of one statement's is kept for the next one.
 */
#ifndef ED_PG_ENCODE_H
#define ED_PG_ENCODE_H

#include "base/buffer.h"
#include "pg/types.h"
#include "pg/value.h"

struct pg_parameters {
    const char **values;    /* NULL: NULL */
    int *lengths, *formats; /* a format of 1 is binary */
    int count;
    /* The encoder's: the block that these three are in, for how many, and the bytes. */
    void *block;
    size_t room;
    struct eddy_buffer_ bytes;
};

/* Encodes into a zeroed object, or one that was used before; EDDY_EPG_VALUE with a text that begins
 * with "$2: ..." for a value that does not fit, and for a count that differs; -ENOMEM. Texts of the
 * values are borrowed, not copied. */
int pg_parameters_encode(struct pg_parameters *parameters, const struct pg_types *types,
                         const uint32_t *oids, size_t expected, const eddy_pg_value *values,
                         size_t count);
void pg_parameters_free(struct pg_parameters *parameters);

/* Appends one value in binary COPY's form: its length (-1: NULL) and its bytes. With an error the
 * buffer is as it was, and the text says what is wrong, but not where. */
int pg_encode_field(struct eddy_buffer_ *to, const struct pg_types *types, uint32_t oid,
                    const eddy_pg_value *value);

/* Appends the binary form of a value that is not NULL: 0, EDDY_EPG_VALUE with a text, -ENOMEM. */
int pg_encode_value(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value);
/* The same of an array; and its text form, of texts, for elements that have no other. */
bool pg_value_is_array(const eddy_pg_value *value);
int pg_encode_array(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value);
int pg_encode_array_text(struct eddy_buffer_ *to, const struct pg_types *types,
                         const struct pg_type *type, const eddy_pg_value *value);
/* The same of a composite, range or multirange. */
int pg_encode_parts(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value);
/* EDDY_EPG_VALUE when a text is not UTF-8, or has a NUL in it. */
int pg_check_text(const eddy_pg_value *value);
/* Raises EDDY_EPG_VALUE: a value is none of a type. */
int pg_refuse(const struct pg_type *type, const eddy_pg_value *value);

#endif
