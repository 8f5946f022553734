#include "figure_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static int append(struct figure_list *l, const char *name, const char *text, struct error *err)
{
    struct figure_item *grown = realloc(l->item, (l->n + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    l->item = grown;
    struct figure_item *i = &l->item[l->n++];
    *i = (struct figure_item){.name = text_dup(name),
                              .kind = text_dup(l->kind ? l->kind : ""),
                              .scenario = text_dup(l->scenario ? l->scenario : ""),
                              .varies = l->varies,
                              .caption = text_dup(text)};
    return i->name && i->kind && i->scenario && i->caption ? 0 : error_nomem(err);
}

void figure_list_begin(struct figure_list *l, const char *kind, const char *scenario, bool varies)
{
    l->kind = kind;
    l->scenario = scenario;
    l->varies = varies;
    l->n_before = l->n;
    l->why[0] = '\0';
}

int figure_list_add(struct figure_list *l, const char *name, const char *caption, struct error *err)
{
    return append(l, name, caption, err);
}

int figure_list_skip(struct figure_list *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->why, sizeof(l->why), format, args);
    va_end(args);
    return 0;
}

int figure_list_end(struct figure_list *l, struct error *err)
{
    if (l->n > l->n_before)
        return 0;
    return append(l, "", *l->why ? l->why : "there is nothing to draw", err);
}

void figure_list_csv(const struct figure_list *l, struct csv_writer *out)
{
    static const char *const names[] = {"figure", "kind", "scenario", "drawn", "varies", "text"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        csv_cell(out, names[i]);
    csv_end_row(out);
    for (size_t i = 0; i < l->n; i++) {
        const struct figure_item *f = &l->item[i];
        csv_cell(out, f->name);
        csv_cell(out, f->kind);
        csv_cell(out, f->scenario);
        csv_cell(out, *f->name ? "yes" : "no");
        csv_cell(out, f->varies ? "yes" : "no");
        csv_cell(out, f->caption);
        csv_end_row(out);
    }
}

void figure_list_release(struct figure_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->item[i].name);
        free(l->item[i].kind);
        free(l->item[i].scenario);
        free(l->item[i].caption);
    }
    free(l->item);
    memset(l, 0, sizeof(*l));
}
