/* tuning.csv: every trial of `tune:`, chosen or not. */
#include <math.h>

#include "report_csv.h"
#include "text.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void add_value(struct strbuf *out, const json_t *v)
{
    char number[32];
    if (json_is_real(v)) {
        text_from_double(json_real_value(v), number);
        strbuf_adds(out, number);
    } else if (json_is_integer(v)) {
        strbuf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else {
        strbuf_adds(out, json_is_true(v)    ? "true"
                         : json_is_false(v) ? "false"
                                            : json_string_value(v));
    }
}

/* "lr=0.01 epochs=5": what differs between the trials. */
static void parameters_cell(struct csv_writer *w, const json_t *tried, const json_t *params)
{
    struct strbuf text;
    size_t i;
    json_t *name;
    strbuf_init(&text);
    json_array_foreach(tried, i, name)
    {
        strbuf_addf(&text, "%s%s=", i ? " " : "", json_string_value(name));
        add_value(&text, json_object_get(params, json_string_value(name)));
    }
    csv_cell(w, text.s);
    w->out.failed |= text.failed;
    strbuf_release(&text);
}

static void trial_row(struct csv_writer *w, const json_t *method, size_t k, const json_t *trial)
{
    json_int_t chosen = json_integer_value(json_object_get(method, "chosen"));
    csv_cell(w, text_of(method, "method"));
    csv_cell(w, text_of(method, "plugin"));
    csv_cell_int(w, (int64_t)k + 1);
    parameters_cell(w, json_object_get(method, "tried"), json_object_get(trial, "params"));
    csv_cell(w, text_of(method, "select"));
    csv_cell_double(w, json_number_or_nan(json_object_get(trial, "value")));
    csv_cell(w, text_of(trial, "status"));
    csv_cell_int(w, json_integer_value(json_object_get(trial, "n_planned")));
    csv_cell_int(w, json_integer_value(json_object_get(trial, "n_used")));
    csv_cell(w, (json_int_t)k + 1 == chosen ? "yes" : "no");
    csv_cell(w, text_of(trial, "reason"));
    csv_end_row(w);
}

static void untuned_row(struct csv_writer *w, const json_t *method)
{
    csv_cell(w, text_of(method, "method"));
    csv_cell(w, text_of(method, "plugin"));
    for (int i = 0; i < 8; i++)
        csv_cell(w, NULL);
    csv_cell(w, text_of(method, "why_not"));
    csv_end_row(w);
}

void report_tuning(const struct results *r, struct csv_writer *out)
{
    static const char *const names[] = {"method", "plugin", "trial",  "parameters",
                                        "select", "value",  "status", "n_planned",
                                        "n_used", "chosen", "note",   NULL};
    size_t i, k;
    json_t *method, *trial;
    for (size_t c = 0; names[c]; c++)
        csv_cell(out, names[c]);
    csv_end_row(out);
    json_array_foreach(r->ledger, i, method)
    {
        if (json_array_size(json_object_get(method, "trials")) == 0)
            untuned_row(out, method);
        json_array_foreach(json_object_get(method, "trials"), k, trial)
            trial_row(out, method, k, trial);
    }
}
