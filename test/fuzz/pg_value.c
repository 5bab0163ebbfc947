/* SPDX-License-Identifier: MIT */
/*
 * Values from a server, of every type and in both forms: nothing is read behind their ends,
 * whatever they are; what a reader takes it takes each time; and the text form of a value is read
 * as a value whose text form is the same.
 *
 * The first byte of the input chooses a type, the second one the form, the others are the value.
 */
#include <eddy.h>
#include <eddy/pg_result.h>

#include "fuzz.h"
#include "pg/format.h"
#include "pg/parse.h"
#include "pg/result.h"

static const uint32_t oids[] = {
    16,   17,   18,   20,   21,   22,   23,   25,   26,   27,   30,    700,   701,
    705,  869,  650,  774,  829,  1000, 1005, 1007, 1009, 1020, 1082,  1083,  1114,
    1182, 1184, 1186, 1231, 1266, 1560, 1562, 1700, 2249, 2950, 3220,  3614,  3643,
    3802, 3807, 3904, 3905, 3906, 3910, 4451, 4534, 5069, 6150, 50000, 50001, 50002,
};

/* A pair of an array and a composite, which may be nested further; an array of it; a range of it.
 * */
static struct pg_types *make_types(void)
{
    static uint32_t fields[] = {1007, 25, 3904};
    struct pg_types *types = pg_types_new();

    FUZZ_CHECK(pg_types_add(types, &(struct pg_type){.oid = 50000,
                                                     .kind = PG_KIND_COMPOSITE,
                                                     .delimiter = ',',
                                                     .name = "pair",
                                                     .count = 3,
                                                     .fields = fields}) == 0);
    FUZZ_CHECK(pg_types_add(types, &(struct pg_type){.oid = 50001,
                                                     .kind = PG_KIND_ARRAY,
                                                     .delimiter = ',',
                                                     .name = "pair[]",
                                                     .element = 50000}) == 0);
    FUZZ_CHECK(pg_types_add(types, &(struct pg_type){.oid = 50002,
                                                     .kind = PG_KIND_RANGE,
                                                     .delimiter = ',',
                                                     .name = "pairrange",
                                                     .element = 50001}) == 0);
    return types;
}

static void check_rc(int rc)
{
    FUZZ_CHECK(rc == 0 || rc == EDDY_EPG_TYPE || rc == EDDY_EPG_PROTOCOL || rc == -ERANGE ||
               rc == EDDY_EPG_NULL);
}

static void read_all(eddy_pg_field field, int depth)
{
    union {
        bool truth;
        int32_t i32;
        uint64_t u64;
        float single;
        double real;
        eddy_pg_date date;
        eddy_pg_time time;
        eddy_pg_timestamp timestamp;
        eddy_pg_interval interval;
        eddy_pg_uuid uuid;
        eddy_pg_inet inet;
        eddy_pg_mac mac;
        eddy_pg_bytes bytes;
        eddy_pg_bits bits;
    } value;
    eddy_pg_array_view array;
    eddy_pg_composite_view composite;
    eddy_pg_range_view range;
    eddy_pg_field element;
    int64_t decimal;
    const char *text;
    size_t count = 0;
    int rc;

    check_rc(eddy_pg_read_bool(field, &value.truth));
    check_rc(eddy_pg_read_int32(field, &value.i32));
    check_rc(eddy_pg_read_uint64(field, &value.u64));
    check_rc(eddy_pg_read_float(field, &value.single));
    check_rc(eddy_pg_read_double(field, &value.real));
    check_rc(eddy_pg_read_decimal(field, 3, &decimal));
    check_rc(eddy_pg_read_date(field, &value.date));
    check_rc(eddy_pg_read_time(field, &value.time));
    check_rc(eddy_pg_read_timestamp(field, &value.timestamp));
    check_rc(eddy_pg_read_interval(field, &value.interval));
    check_rc(eddy_pg_read_uuid(field, &value.uuid));
    check_rc(eddy_pg_read_inet(field, &value.inet));
    check_rc(eddy_pg_read_mac(field, &value.mac));
    check_rc(eddy_pg_read_bits(field, &value.bits));
    rc = eddy_pg_read_bytes(field, &value.bytes);
    check_rc(rc);
    for (size_t i = 0; rc == 0 && i < value.bytes.size; i++)
        FUZZ_CHECK(((const char *)value.bytes.data)[i] == ((const char *)value.bytes.data)[i]);
    rc = eddy_pg_read_text(field, &text);
    check_rc(rc);
    if (rc == 0)
        FUZZ_CHECK(strlen(text) <= SIZE_MAX / 2);
    rc = eddy_pg_read_array(field, &array);
    check_rc(rc);
    while (rc == 0 && depth < 2 && eddy_pg_next_element(&array, &element)) {
        count++;
        if (count < 8)
            read_all(element, depth + 1);
    }
    FUZZ_CHECK(rc < 0 || depth == 2 || count == array.count);
    rc = eddy_pg_read_composite(field, &composite);
    check_rc(rc);
    for (count = 0; rc == 0 && depth < 2 && eddy_pg_next_field(&composite, &element); count++)
        if (count < 8)
            read_all(element, depth + 1);
    FUZZ_CHECK(rc < 0 || depth == 2 || count == composite.count);
    rc = eddy_pg_read_range(field, &range);
    check_rc(rc);
    if (rc == 0 && depth < 2) {
        read_all(range.lower, depth + 1);
        read_all(range.upper, depth + 1);
    }
}

/* A text form that was written is one that is read, and written the same. */
static void
check_text(const struct pg_types *types, const struct pg_type *type, const char *data, size_t size)
{
    struct eddy_buffer_ text = {.data = NULL}, binary = {.data = NULL}, again = {.data = NULL};
    int rc = pg_format(types, type, data, size, &text);

    FUZZ_CHECK(rc == 0 || rc == EDDY_EPG_PROTOCOL);
    if (rc == 0 && type->kind < PG_KIND_ARRAY) {
        rc = pg_parse(type->kind, text.data ? ed_buffer_bytes(&text) : "", ed_buffer_size(&text),
                      &binary);
        if (rc == 0) {
            FUZZ_CHECK(pg_format(types, type, binary.data ? ed_buffer_bytes(&binary) : "",
                                 ed_buffer_size(&binary), &again) == 0);
            FUZZ_CHECK(ed_buffer_size(&again) == ed_buffer_size(&text));
            FUZZ_CHECK(ed_buffer_size(&text) == 0 ||
                       memcmp(ed_buffer_bytes(&text), ed_buffer_bytes(&again),
                              ed_buffer_size(&text)) == 0);
        }
    }
    ed_buffer_release(&text);
    ed_buffer_release(&binary);
    ed_buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pg_types *types;
    PGresult *libpq;
    eddy_pg_result *result;
    eddy_pg_field field;
    char *value;

    if (size < 2)
        return 0;
    if (!types)
        types = make_types();
    libpq = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    FUZZ_CHECK(libpq && PQsetResultAttrs(libpq, 1, &(PGresAttDesc){.name = (char[]){"v"}}));
    result = pg_result_new(libpq, types);
    value = malloc(size - 1); /* a NUL stands behind it, and nothing more */
    FUZZ_CHECK(result && value);
    memcpy(value, data + 2, size - 2);
    value[size - 2] = '\0';
    field = (eddy_pg_field){.data = value,
                            .size = (int32_t)(size - 2),
                            .type = oids[data[0] % (sizeof oids / sizeof *oids)],
                            .result = result,
                            .is_text = data[1] & 1};
    read_all(field, 0);
    if (!field.is_text)
        check_text(types, pg_types_find(types, field.type), value, size - 2);
    free(value);
    eddy_pg_result_free(&result);
    return 0;
}
