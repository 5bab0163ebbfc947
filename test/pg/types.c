/* SPDX-License-Identifier: MIT */
/* What is known of types. */
#include "pg/types.h"

#include "values.h"

RAW_TEST(types_that_are_built_in_are_found)
{
    CHECK_EQ(pg_types_find(NULL, 23)->kind, PG_KIND_INT4);
    CHECK_STR(pg_types_find(NULL, 1009)->name, "text[]");
    CHECK_EQ(pg_types_find(NULL, 1009)->element, 25);
    CHECK_EQ(pg_types_find(NULL, 1020)->kind, PG_KIND_ARRAY);
    CHECK_EQ(pg_types_find(NULL, 603)->delimiter, ';');
    CHECK_EQ(pg_types_find(NULL, 6157)->element, 4536);
    CHECK(!pg_types_find(NULL, 0) && !pg_types_find(NULL, 1) && !pg_types_find(NULL, UINT32_MAX));
}

/* P-PREP-7 */
RAW_TEST(types_that_were_learned_are_found_and_stay_where_they_are)
{
    struct pg_types *types = pg_types_new();
    const struct pg_type *first;
    char name[32];

    CHECK_OK(pg_types_add(types, &(struct pg_type){.oid = 16385, .name = "first"}));
    first = pg_types_find(types, 16385);
    for (uint32_t oid = 16386; oid < 18000; oid++) {
        (void)snprintf(name, sizeof name, "t%u", oid);
        CHECK_OK(pg_types_add(types, &(struct pg_type){.oid = oid, .name = name}));
    }
    CHECK_OK(pg_types_add(types, &(struct pg_type){.oid = 16385, .name = "another"}));
    CHECK(pg_types_find(types, 16385) == first);
    CHECK_STR(first->name, "first");
    CHECK_STR(pg_types_find(types, 17999)->name, "t17999");
    CHECK(!pg_types_find(types, 18000));
    pg_types_unref(pg_types_ref(types));
    CHECK_STR(pg_types_find(types, 17999)->name, "t17999");
    pg_types_unref(types);
    pg_types_unref(NULL);
}

RAW_TEST(types_travel_in_binary_form_when_all_that_they_are_made_of_does)
{
    struct pg_types *types = pg_types_new();
    uint32_t fields[] = {23, 50001}, itself[] = {50002};

    CHECK(pg_types_binary(NULL, (uint32_t[]){23, 1009, 3904, 4451, 6150}, 5));
    CHECK(!pg_types_binary(NULL, (uint32_t[]){23, 3614}, 2));
    CHECK(!pg_types_binary(NULL, (uint32_t[]){3643}, 1)); /* tsvector[] */
    CHECK(!pg_types_binary(types, (uint32_t[]){50000}, 1));
    CHECK_OK(pg_types_add(
        types,
        &(struct pg_type){
            .oid = 50000, .kind = PG_KIND_COMPOSITE, .name = "a", .count = 2, .fields = fields}));
    CHECK(!pg_types_binary(types, (uint32_t[]){50000}, 1));
    CHECK_OK(
        pg_types_add(types, &(struct pg_type){.oid = 50001, .kind = PG_KIND_TEXT, .name = "b"}));
    CHECK(pg_types_binary(types, (uint32_t[]){50000}, 1));
    CHECK_OK(pg_types_add(
        types,
        &(struct pg_type){
            .oid = 50002, .kind = PG_KIND_COMPOSITE, .name = "c", .count = 1, .fields = itself}));
    CHECK(!pg_types_binary(types, itself, 1));
    pg_types_unref(types);
}
