/* SPDX-License-Identifier: MIT */
/* Texts of addresses and UUIDs. */
#include "pg/network.h"

#include "values.h"

RAW_TEST(network_text_of_the_server_comes_back_as_it_was)
{
    static const struct {
        uint32_t type;
        const char *text;
    } texts[] = {
        {EDDY_PG_INET, "1.2.3.4"},
        {EDDY_PG_INET, "1.2.3.4/24"},
        {EDDY_PG_INET, "0.0.0.0/0"},
        {EDDY_PG_INET, "::1"},
        {EDDY_PG_INET, "::ffff:1.2.3.4"},
        {EDDY_PG_INET, "2001:db8::1/64"},
        {EDDY_PG_CIDR, "10.0.0.0/8"},
        {EDDY_PG_CIDR, "1.2.3.4/32"},
        {EDDY_PG_CIDR, "2001:db8::/32"},
        {EDDY_PG_MACADDR, "08:00:2b:01:02:03"},
        {EDDY_PG_MACADDR8, "08:00:2b:01:02:03:04:05"},
        {EDDY_PG_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].text);
}

RAW_TEST(network_text_is_read_in_the_forms_that_the_server_takes)
{
    static const char *const macs[] = {"08002b010203", "0800.2b01.0203", "08-00-2B-01-02-03",
                                       "08002b:010203", "08002b-010203"};
    static const char *const uuids[] = {"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
                                        "A0EEBC999C0B4EF8BB6D6BB9BD380A11",
                                        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(macs); i++)
        CHECK_STR(test_text_again(EDDY_PG_MACADDR, macs[i]), "08:00:2b:01:02:03");
    for (size_t i = 0; i < ED_ARRAY_LENGTH(uuids); i++)
        CHECK_STR(test_text_again(EDDY_PG_UUID, uuids[i]), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    CHECK_STR(test_text_again(EDDY_PG_MACADDR8, "08:00:2b:01:02:03"), "08:00:2b:ff:fe:01:02:03");
}

RAW_TEST(network_text_that_is_none_is_refused)
{
    static const struct {
        uint32_t type;
        const char *text;
    } texts[] = {
        {EDDY_PG_INET, ""},
        {EDDY_PG_INET, "1.2.3"},
        {EDDY_PG_INET, "1.2.3.4/33"},
        {EDDY_PG_INET, "1.2.3.4/"},
        {EDDY_PG_INET, "::1/129"},
        {EDDY_PG_INET, "1.2.3.256"},
        {EDDY_PG_INET, "12345:678:90ab:cdef:12345:678:90ab:cdef:12345:678:90ab:cdef"},
        {EDDY_PG_MACADDR, "08:00:2b:01:02"},
        {EDDY_PG_MACADDR, "08:00-2b:01:02:03"},
        {EDDY_PG_MACADDR, "08:00:2b:01:02:03:"},
        {EDDY_PG_MACADDR, "08002b0102:03"},
        {EDDY_PG_MACADDR, "g8:00:2b:01:02:03"},
        {EDDY_PG_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"},
        {EDDY_PG_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111"},
        {EDDY_PG_UUID, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {EDDY_PG_UUID, "a-0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), "EINVAL");
    CHECK_STR(test_text_again(EDDY_PG_CIDR, "10.0.0.1/8"), "ERANGE");
    CHECK_STR(test_text_again(EDDY_PG_MACADDR, "08:00:2b:01:02:03:04:05"), "ERANGE");
}

RAW_TEST(network_text_is_parsed_by_the_public_functions)
{
    char text[EDDY_PG_TEXT_SIZE];
    eddy_pg_inet inet;
    eddy_pg_mac mac;
    eddy_pg_uuid uuid;

    CHECK_OK(eddy_pg_inet_parse("10.0.0.0/8", &inet));
    CHECK(!inet.ipv6 && inet.prefix == 8 && inet.bytes[0] == 10);
    CHECK(pg_inet_is_network(&inet));
    CHECK_STR(eddy_pg_inet_text(inet, false, text), "10.0.0.0/8");
    CHECK_OK(eddy_pg_mac_parse("01:02:03:04:05:06", &mac));
    CHECK_EQ(mac.size, 6);
    CHECK_OK(eddy_pg_uuid_parse("00000000-0000-0000-0000-0000000000ff", &uuid));
    CHECK_EQ(uuid.bytes[15], 255);
    CHECK_EQ(eddy_pg_inet_parse("x", &inet), -EINVAL);
    CHECK_EQ(eddy_pg_mac_parse("x", &mac), -EINVAL);
    CHECK_EQ(eddy_pg_uuid_parse("x", &uuid), -EINVAL);
}
