/* The tuning ledger as a table: every trial of every method, the chosen one in bold. */
#include <stdio.h>
#include <string.h>

#include "report_csv.h"
#include "report_names.h"
#include "table.h"
#include "tex.h"
#include "text.h"

enum { METHOD, TRIAL, PARAMETERS, SELECT, VALUE, STATUS, CHOSEN, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {"method", "trial",  "parameters", "select",
                                               "value",  "status", "chosen"};

static void value_cell(struct tex_table *t, const char *value, bool chosen)
{
    char text[48];
    double v;
    if (!text_to_real(value, &v)) {
        tex_cell_raw(t, "n/a");
        return;
    }
    snprintf(text, sizeof(text), chosen ? "\\lethebest{%.3f}" : "%.3f", v);
    tex_cell_raw(t, text);
}

static void add_row(struct tex_table *t, const struct results *r, char *const *row, const int *at)
{
    const char *chosen = row[at[CHOSEN]];
    bool is_chosen =
        strcmp(chosen, "yes") == 0 || strcmp(chosen, "1") == 0 || strcmp(chosen, "true") == 0;
    tex_cell(t, report_method_name(r, row[at[METHOD]]));
    tex_cell(t, row[at[TRIAL]]);
    tex_cell(t, *row[at[TRIAL]] ? row[at[PARAMETERS]] : "as given, nothing to tune");
    value_cell(t, row[at[VALUE]], is_chosen);
    tex_cell(t, row[at[STATUS]]);
    tex_end_row(t);
    for (size_t k = 0; k < N_COLUMNS; k++)
        csv_cell(&t->csv, row[at[k]]);
    csv_end_row(&t->csv);
}

/* What the trials are compared by, "Value" where that is unknown: all of a suite by the same. */
static void value_head(struct tex_table *t, const struct results *r, const struct csv_table *ledger,
                       const int *at)
{
    const char *select = "";
    struct strbuf head;
    strbuf_init(&head);
    for (size_t i = 0; i < ledger->n_rows && !*select; i++)
        select = ledger->row[i][at[SELECT]];
    if (strcmp(select, "gap") == 0)
        strbuf_adds(&head, "Gap, points");
    else if (strcmp(select, "gap_worst") == 0)
        strbuf_adds(&head, "Worst gap, points");
    else if (*select)
        report_column_name(&head, r, select);
    tex_cell(t, head.len ? head.s : "Value");
    t->csv.out.failed |= head.failed;
    strbuf_release(&head);
}

static void fill(struct tex_table *t, const struct results *r, const struct csv_table *ledger,
                 const int *at)
{
    static const char *const heads[] = {"Method", "Trial", "Parameters"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        tex_cell(t, heads[i]);
    value_head(t, r, ledger, at);
    tex_cell(t, "Status");
    tex_end_row(t);
    for (size_t k = 0; k < N_COLUMNS; k++)
        csv_cell(&t->csv, columns[k]);
    csv_end_row(&t->csv);
    for (size_t i = 0; i < ledger->n_rows; i++) {
        if (i == 0 || strcmp(ledger->row[i][at[METHOD]], ledger->row[i - 1][at[METHOD]]) != 0)
            tex_rule(t);
        add_row(t, r, ledger->row[i], at);
    }
    tex_note(t, "Every method had the same number of trials, on forget sets and models that are "
                "not reported. Chosen: bold. Trials that failed count.");
}

int table_tuning(const struct results *r, const char *dir, struct error *err)
{
    struct csv_writer w;
    struct csv_table ledger = {0};
    struct tex_table t;
    int at[N_COLUMNS];
    if (!r->ledger)
        return 0;
    csv_writer_init(&w);
    report_tuning(r, &w);
    int rc = w.out.failed ? error_nomem(err)
                          : csv_parse_text("tuning.csv", w.out.s, w.out.len, &ledger, err);
    csv_writer_release(&w);
    for (size_t k = 0; rc == 0 && k < N_COLUMNS; k++)
        if ((at[k] = csv_column(&ledger, columns[k])) < 0)
            rc = error_set(err, ERR_INTERNAL, "tuning.csv has no column %s", columns[k]);
    if (rc == 0) {
        tex_table_begin(&t, "lrlrl", "tuning.csv");
        fill(&t, r, &ledger, at);
        rc = tex_table_save(&t, dir, "tuning", err);
    }
    csv_release(&ledger);
    return rc;
}
