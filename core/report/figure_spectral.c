/* Largest singular value of every layer over training, a panel a layer, a line an original: where
 * clipping holds it and where it grows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure_lines.h"
#include "figure_parts.h"

enum { MOST_PANELS = 12, MOST_LINES = 48 };

struct layers {
    const char *name[MOST_PANELS];
    size_t n;
};

static bool is_drawn(const struct results *r, size_t i, const char *scenario)
{
    const struct result_row *row = &r->row[i];
    return row->row_class == ROW_ORIGINAL && row->n_spectral > 0 &&
           strcmp(row->scenario, scenario) == 0;
}

/* 1-based; 0 when there is no room. */
static size_t place_of(struct layers *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->name[i], name) == 0)
            return i + 1;
    if (l->n == MOST_PANELS)
        return 0;
    l->name[l->n++] = name;
    return l->n;
}

static void add_panels(struct lines *l, const struct results *r, const char *scenario,
                       struct layers *layers)
{
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; is_drawn(r, i, scenario) && k < r->row[i].n_spectral; k++)
            if (place_of(layers, r->row[i].spectral[k].layer) > l->n_panels)
                lines_panel(l, r->row[i].spectral[k].layer, "epoch", 0);
}

static void add_row(struct lines *l, const struct result_row *row, struct layers *layers)
{
    char label[48];
    snprintf(label, sizeof(label), "original %lld", (long long)row->seed_model);
    size_t line = lines_line(l, label, FIGURE_NO_METHOD + (int)l->n_lines + 1);
    /* Layer by layer: gnuplot breaks a line where a point of another panel stands between. */
    for (size_t panel = 1; panel <= layers->n; panel++)
        for (size_t k = 0; k < row->n_spectral; k++) {
            const struct result_spectral *s = &row->spectral[k];
            if (s->k == 1 && place_of(layers, s->layer) == panel)
                lines_point(l, panel, line, s->epoch, s->value, NAN, NAN);
        }
}

int figure_spectral(const struct board *b, const char *scenario, struct figure_place *place,
                    struct error *err)
{
    const struct results *r = b->results;
    struct layers layers = {.n = 0};
    struct lines l;
    lines_init(&l, "spectral", scenario);
    l.y_label = "largest singular value";
    l.panel_height = 1.6;
    add_panels(&l, r, scenario, &layers);
    for (size_t i = 0; i < r->n_rows && l.n_lines < MOST_LINES; i++)
        if (is_drawn(r, i, scenario))
            add_row(&l, &r->row[i], &layers);
    strbuf_addf(&l.f.caption,
                "Largest singular value of each layer, as a map at its input size, over the "
                "training of the originals (%s); epoch 0 is the start.%s",
                scenario, layers.n == MOST_PANELS ? " The first 12 layers." : "");
    int rc = l.n_lines ? lines_write(&l, place, err)
                       : figure_list_skip(&place->list, "no recipe records singular values "
                                                        "(spectral_clip)");
    lines_release(&l);
    return rc;
}
