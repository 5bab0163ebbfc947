/* SPDX-License-Identifier: MIT */
/* Results inside: libpq's, with what is known of its types. */
#ifndef ED_PG_RESULT_H
#define ED_PG_RESULT_H

#include <libpq-fe.h>

#include "eddy/pg_result.h"
#include "eddy/stream_class.h"
#include "pg/types.h"

struct pg_result_column {
    const char *name;
    uint32_t type;
    bool is_text; /* in text form */
};

struct eddy_pg_result {
    PGresult *libpq;
    struct pg_types *types;
    int rows, columns;
    void *texts; /* blocks that were made for readers, linked through their first word */
    struct pg_result_column column[];
};

/* Takes `result` over, also where it fails; NULL: no memory. All types of its columns are known, or
 * it is in text form. `types` is kept; NULL: the built-in ones. */
eddy_pg_result *pg_result_new(PGresult *result, struct pg_types *types);
/* For row generators: another PGresult of the same columns into the same object; the old one is
 * cleared. */
void pg_result_replace(eddy_pg_result *to, PGresult *result);

/* Memory that lives as long as the result's rows; NULL: none. */
void *pg_result_alloc(const eddy_pg_result *result, size_t size);
/* What is known of a field's type; NULL: nothing. */
const struct pg_type *pg_field_type(const eddy_pg_field *field);
/* Raises the error of a field without a value; of one that cannot be read as what is wanted. */
int pg_field_nothing(const eddy_pg_field *field);
int pg_field_refuse(const eddy_pg_field *field, int code, const char *wanted);
/* Bytes that were made of a field in text form, kept with its result: 0 or -ENOMEM. */
int pg_field_keep(const eddy_pg_field *field, const char **data, size_t size);
/* Appends a field's text form: 0, EDDY_EPG_PROTOCOL, -ENOMEM. */
int pg_field_format(const eddy_pg_field *field, struct eddy_buffer_ *to);

#endif
