/* SPDX-License-Identifier: MIT */
/*
 * The intrusive list: doubly linked, with a head that is empty when zeroed, so
 * that public structs that hold one can be initialised statically.
 *
 * A link is in at most one list. One that is in none is not told apart from one
 * that is alone in a list: owners keep track.
 */
#ifndef ED_BASE_LIST_H
#define ED_BASE_LIST_H

#include "base/compat.h"
#include "eddy/scope.h"

ED_INLINE bool ed_list_empty(const struct eddy_list_ *list)
{
    return list->first == NULL;
}

ED_INLINE void ed_list_append(struct eddy_list_ *list, struct eddy_link_ *link)
{
    link->next = NULL;
    link->prev = list->last;
    if (list->last)
        list->last->next = link;
    else
        list->first = link;
    list->last = link;
}

ED_INLINE void ed_list_prepend(struct eddy_list_ *list, struct eddy_link_ *link)
{
    link->prev = NULL;
    link->next = list->first;
    if (list->first)
        list->first->prev = link;
    else
        list->last = link;
    list->first = link;
}

/* Puts a link behind another, NULL: at the front. */
ED_INLINE void
ed_list_insert_behind(struct eddy_list_ *list, struct eddy_link_ *before, struct eddy_link_ *link)
{
    if (!before) {
        ed_list_prepend(list, link);
        return;
    }
    link->prev = before;
    link->next = before->next;
    if (before->next)
        before->next->prev = link;
    else
        list->last = link;
    before->next = link;
}

ED_INLINE void ed_list_remove(struct eddy_list_ *list, struct eddy_link_ *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        list->first = link->next;
    if (link->next)
        link->next->prev = link->prev;
    else
        list->last = link->prev;
    link->next = link->prev = NULL;
}

/* Removes and returns the first link, or NULL. */
ED_INLINE struct eddy_link_ *ed_list_pop(struct eddy_list_ *list)
{
    struct eddy_link_ *link = list->first;

    if (link)
        ed_list_remove(list, link);
    return link;
}

/* Goes through a list; the current link may be removed in the body. */
#define ED_LIST_FOR_EACH(link, list)                                                               \
    for (struct eddy_link_ *link = (list)->first, *next_##link = link ? link->next : NULL; link;   \
         link = next_##link, next_##link = link ? link->next : NULL)

#endif
