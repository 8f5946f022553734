/* Every figure of a report, kind by kind. */
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "fs.h"

/* Kinds without a function are not drawn by this program. `once`: not for each scenario. */
static const struct {
    const char *name;
    int (*draw)(const struct board *, const char *scenario, struct figure_place *, struct error *);
    bool once;
} functions[] = {
    {"gap", figure_gap, false},
    {"strip", figure_strip, false},
    {"time", figure_time, false},
    {"cost", figure_cost, false},
    {"roc", figure_roc, false},
    {"risk", figure_risk, false},
    {"confidence", figure_confidence, false},
    {"predictions", figure_predictions, false},
    {"consecutive", figure_consecutive, false},
    {"ablation", figure_ablation, false},
    {"critical-difference", figure_difference, false},
    {"agreement", figure_agreement, false},
    {"training", figure_training, false},
    {"spectral", figure_spectral, false},
    {"transfer", figure_transfer, true},
    {"metric", figure_metric, false},
    {"curve", figure_curve, false},
};

/* Templates stand beside the programs: bin/../share/lethe/reports. */
static int place_make(const struct results *r, const struct report_options *options,
                      struct figure_place *ret, struct error *err)
{
    char *program = fs_program_dir();
    *ret = (struct figure_place){.options = options,
                                 .results = r,
                                 .templates =
                                     program ? fs_join(program, "../share/lethe/reports") : NULL,
                                 .dir = fs_join(options->out_dir, "figures")};
    free(program);
    return ret->templates && ret->dir ? fs_mkdirs(ret->dir, err) : error_nomem(err);
}

static int draw_kind(const struct board *b, const struct figure_kind *kind, size_t function,
                     struct figure_place *place, struct error *err)
{
    bool once = functions[function].once;
    size_t n = once ? 1 : b->results->n_scenarios;
    for (size_t s = 0; s < n; s++) {
        const char *scenario = once ? "" : b->results->scenario[s];
        figure_list_begin(&place->list, kind->name, scenario, kind->varies);
        TRY(functions[function].draw(b, scenario, place, err));
        TRY(figure_list_end(&place->list, err));
    }
    return 0;
}

static int draw_all(const struct board *b, struct figure_place *place, struct error *err)
{
    for (const struct figure_kind *kind = figure_kinds; kind->name; kind++) {
        if (!report_choice_has(place->options->choice, kind))
            continue;
        for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++)
            if (strcmp(functions[f].name, kind->name) == 0)
                TRY(draw_kind(b, kind, f, place, err));
    }
    return 0;
}

static int save_list(const struct figure_place *place, struct error *err)
{
    struct csv_writer w;
    char *path = fs_join(place->dir, "figures.csv");
    csv_writer_init(&w);
    figure_list_csv(&place->list, &w);
    int rc = path ? csv_writer_save(&w, path, err) : error_nomem(err);
    csv_writer_release(&w);
    free(path);
    return rc;
}

int figures_write(const struct board *b, const struct report_options *options, struct error *err)
{
    struct figure_place place;
    int rc = place_make(b->results, options, &place, err);
    if (rc == 0)
        rc = draw_all(b, &place, err);
    if (rc == 0)
        rc = save_list(&place, err);
    if (rc == 0 && place.first.code) {
        if (err)
            *err = place.first;
        rc = place.first.code;
    }
    figure_list_release(&place.list);
    free(place.templates);
    free(place.dir);
    return rc;
}
