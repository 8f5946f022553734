/* Loss and accuracy on the training images per epoch: originals and oracles, a line a model. That
 * oracles end where originals end is what makes them a reference. */
#include <math.h>
#include <string.h>

#include "figure_lines.h"
#include "figure_parts.h"

static const char *const series[] = {"loss", "accuracy"};
static const char *const titles[] = {"training loss", "training accuracy, percent"};

static const struct result_curve *curve_of(const struct result_row *row, const char *name)
{
    for (size_t k = 0; k < row->n_curves; k++)
        if (strcmp(row->curve[k].name, "training") == 0 &&
            strcmp(row->curve[k].series, name) == 0 && row->curve[k].n > 1)
            return &row->curve[k];
    return NULL;
}

static void add_model(struct lines *l, const struct result_row *row, size_t keyed[2])
{
    bool oracle = row->row_class == ROW_ORACLE;
    const char *label = oracle ? "retrain" : "original";
    if (!curve_of(row, "loss"))
        return;
    size_t line =
        lines_line(l, keyed[oracle]++ ? NULL : label, FIGURE_NO_METHOD + (oracle ? 2 : 1));
    for (size_t s = 0; s < 2; s++) {
        const struct result_curve *c = curve_of(row, series[s]);
        for (size_t i = 0; c && i < c->n; i++)
            lines_point(l, s + 1, line, c->x[i], c->y[i], NAN, NAN);
    }
}

int figure_training(const struct board *b, const char *scenario, struct figure_place *place,
                    struct error *err)
{
    const struct results *r = b->results;
    struct lines l;
    size_t keyed[2] = {0, 0};
    lines_init(&l, "training", scenario);
    for (size_t s = 0; s < 2; s++)
        lines_panel(&l, titles[s], "epoch", 0);
    for (size_t i = 0; i < r->n_rows; i++)
        if (strcmp(r->row[i].scenario, scenario) == 0 && r->row[i].row_class != ROW_METHOD &&
            r->row[i].status == VERDICT_OK && !r->row[i].interim)
            add_model(&l, &r->row[i], keyed);
    strbuf_addf(&l.f.caption,
                "Training loss and accuracy per epoch of %zu original and %zu retrained models "
                "(%s), measured while the weights move.",
                keyed[0], keyed[1], scenario);
    int rc = l.n_lines ? lines_write(&l, place, err)
                       : figure_list_skip(&place->list, "no model of this scenario was trained "
                                                        "here for two epochs or more");
    lines_release(&l);
    return rc;
}
