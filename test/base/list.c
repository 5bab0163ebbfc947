/* SPDX-License-Identifier: MIT */
/* The intrusive list. */
#include "base/list.h"

#include "harness.h"

struct number {
    struct eddy_link_ link;
    int value;
};

/* The numbers of a list, each followed by a space; forwards and backwards agree. */
static const char *spell(const struct eddy_list_ *list)
{
    static char text[256];
    const struct eddy_link_ *before = NULL;
    size_t length = 0;

    text[0] = '\0';
    ED_LIST_FOR_EACH(link, list) {
        if (link->prev != before)
            return "a link does not point back";
        length += (size_t)snprintf(text + length, sizeof text - length, "%d ",
                                   ed_container_of(link, struct number, link)->value);
        before = link;
    }
    return list->last == before ? text : "the last is not the last";
}

RAW_TEST(list_zeroed_is_empty)
{
    struct eddy_list_ list = {NULL, NULL};

    CHECK(ed_list_empty(&list));
    CHECK(!ed_list_pop(&list));
    CHECK_STR(spell(&list), "");
}

RAW_TEST(list_keeps_order_at_both_ends)
{
    struct number n[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    struct eddy_list_ list = {NULL, NULL};

    ed_list_append(&list, &n[1].link);
    ed_list_append(&list, &n[2].link);
    ed_list_prepend(&list, &n[0].link);
    ed_list_append(&list, &n[3].link);
    CHECK_STR(spell(&list), "0 1 2 3 ");
    CHECK(ed_list_pop(&list) == &n[0].link);
    ed_list_prepend(&list, &n[0].link);
    CHECK_STR(spell(&list), "0 1 2 3 ");
}

RAW_TEST(list_removes_first_middle_last_and_only)
{
    struct number n[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    struct eddy_list_ list = {NULL, NULL};

    for (int i = 0; i < 4; i++)
        ed_list_append(&list, &n[i].link);
    ed_list_remove(&list, &n[1].link);
    CHECK_STR(spell(&list), "0 2 3 ");
    ed_list_remove(&list, &n[3].link);
    CHECK_STR(spell(&list), "0 2 ");
    ed_list_remove(&list, &n[0].link);
    CHECK_STR(spell(&list), "2 ");
    ed_list_remove(&list, &n[2].link);
    CHECK(ed_list_empty(&list));
    ed_list_append(&list, &n[2].link);
    CHECK_STR(spell(&list), "2 ");
}

RAW_TEST(list_walk_allows_removing_where_it_stands)
{
    struct number n[6];
    struct eddy_list_ list = {NULL, NULL}, odd = {NULL, NULL};

    for (int i = 0; i < 6; i++) {
        n[i].value = i;
        ed_list_append(&list, &n[i].link);
    }
    ED_LIST_FOR_EACH(link, &list) {
        if (ed_container_of(link, struct number, link)->value % 2 == 0)
            continue;
        ed_list_remove(&list, link);
        ed_list_append(&odd, link);
    }
    CHECK_STR(spell(&list), "0 2 4 ");
    CHECK_STR(spell(&odd), "1 3 5 ");
}
