/* results.h: a finished (or partly failed) suite as rows and columns: what the
 * report room draws from. Strings and arrays belong to the struct. */
#ifndef SUITE_RESULTS_H
#define SUITE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "verdict.h"

enum result_better { BETTER_HIGHER = 1, BETTER_LOWER, BETTER_NEAR_REFERENCE, BETTER_NEITHER };

struct result_column { /* one metric or attack value of runs.csv */
    char *name;        /* "forget_acc", "rmia.auc_forget_test" */
    char *unit;        /* "percent" or "" (fraction or number) */
    char *doc;
    enum result_better better;
    bool near_retrain; /* compared with the oracles: has gap columns */
    bool group;        /* one value for all runs of a method on a forget set */
    char *source;      /* label of the metric or attack that gives it; NULL: not known */
    bool is_attack;
};

struct result_curve { /* one file of curves/ */
    char *name;       /* "roc-rmia", "confidence" */
    char *series;     /* "forget_test", "forget": which curve of that name */
    size_t n;
    double *x, *y;
};

struct result_spectral { /* one line of curves/spectral-originals.csv */
    uint32_t epoch, k;
    char *layer;
    double value;
};

enum row_class { ROW_METHOD = 0, ROW_ORIGINAL, ROW_ORACLE };

struct result_row {
    uint32_t run; /* 1-based line number in runs.csv */
    enum row_class row_class;
    char *scenario, *method, *plugin,
        *division; /* "with-retain" | "forget-only" | "imported" | "reference" */
    int64_t seed_model, seed_forget, seed_unlearn; /* -1: does not apply (empty cell) */
    int64_t request;                               /* -1: not consecutive */
    bool interim; /* a later request of the same run follows: not on the board */
    enum verdict status;
    int signal;                   /* 0: none */
    char *reason;                 /* "" when ok */
    char *failed_parts;           /* "rmia:timeout;..." */
    double *value;                /* (n_columns) NaN: undefined or not computed */
    char **note;                  /* (n_columns) why a value is undefined; NULL else */
    double *count;                /* (n_counts) machine-independent costs; NaN: none */
    char *model_id, *original_id; /* identities in the store; "" when absent */
    char *oracle_ids;             /* the oracles it is compared with, ';'-separated */
    /* costs: may differ between equal runs */
    double wall_s, cpu_s, prepare_s, peak_mb;
    double run_s, prepare_cpu_s,
        run_cpu_s; /* of the plugin's own calls; NaN where there are none */
    char *host, *executor;
    struct result_curve *curve;
    size_t n_curves;
    struct result_spectral *spectral; /* originals whose recipe has spectral_clip */
    size_t n_spectral;
};

/* One cell of a transfer matrix: samples perturbed on the source, shown to the target. */
struct result_transfer {
    char *variant;                  /* "" in a suite without variants */
    char *attack, *source, *target; /* label; "original-1" */
    char *source_id, *target_id;    /* identities in the store */
    double rate, label_match;       /* NaN: undefined or not computed */
    double n, transferred, rows;    /* NaN: not computed */
    char *note;                     /* why the rate is undefined; "" else */
    bool failed;
};

enum name_kind { NAME_METHOD = 0, NAME_ATTACK, NAME_METRIC, NAME_COLUMN };

struct result_name { /* how something is called; "" where nothing is said */
    enum name_kind kind;
    bool given; /* the name is the suite's own */
    char *key;  /* label or column */
    char *name, *colour;
    char *cite;    /* keys of BibTeX entries, ','-separated */
    char *bibtex;  /* the plugin's citation */
    int64_t order; /* INT64_MAX: none */
};

struct results {
    char *suite; /* name */
    size_t n_columns;
    struct result_column *column;
    size_t n_counts;
    char **count_name; /* "read_forget", "forward", ... */
    size_t n_rows;
    struct result_row *row; /* order: scenario as in the suite; original, retrain, methods as in the
                               suite; seeds */
    size_t n_scenarios;
    char **scenario;
    size_t n_methods; /* labels in board order: original, retrain, then the suite's */
    char **method;
    size_t n_gap;
    char **gap; /* gap terms: column names */
    size_t n_baselines;
    char **baseline;       /* methods that every other one is compared with, beside the first */
    const char **settings; /* (n_methods) "default" | "given" | "tuned", or "" (static) */
    json_t *ledger;        /* of `tune:` (tuning_ledgers); NULL: none */
    uint32_t n_oracles;    /* K */
    struct result_transfer *transfer; /* attack, source, target */
    size_t n_transfer;
    size_t n_names;
    struct result_name *name; /* methods, attacks, metrics in the suite's order; then what else the
                                 suite names */
    json_t *setup;            /* the experimental set-up (setup.h); NULL when it is not known */
    json_t *manifest;         /* what manifest.json holds, without volatile fields */
};

void results_release(struct results *r);
/* Index of a column by name, or -1. */
int results_column(const struct results *r, const char *name);

#endif
