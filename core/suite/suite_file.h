/* suite_file.h: a suite as read and checked: what is trained, forgotten,
 * unlearned, attacked and measured. */
#ifndef SUITE_SUITE_FILE_H
#define SUITE_SUITE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "budget.h"
#include "dataset.h"
#include "desc.h"
#include "error.h"
#include "report_choice.h"
#include "split.h"
#include "train.h"
#include "yaml.h"

/* Where an entry's parameters come from. */
enum entry_settings { SETTINGS_DEFAULT = 0, SETTINGS_GIVEN, SETTINGS_TUNED };
const char *entry_settings_name(enum entry_settings s); /* "default" | "given" | "tuned" */

/* One item of `unlearn:`, `attacks:`, `metrics:` or `transfer:`. */
struct suite_entry {
    char *label;                     /* as on the board: the label, else the id */
    char *id;                        /* plugin id; "" when only a file is named */
    char *file;                      /* absolute path of `plugin:`; NULL: by id */
    char *import;                    /* absolute pattern of `import: {models: ...}`, or NULL */
    bool import_logits;              /* it was `import: {logits: ...}` */
    const struct yaml_node *node;    /* the item, for errors */
    const struct yaml_node *given;   /* its parameters, or NULL */
    bool expect_unsupported;         /* `expect: unsupported` */
    uint32_t rows;                   /* example attacks: test rows attacked; 0: all */
    const struct yaml_node *rows_at; /* `rows:`, or NULL */
    bool has_budget;                 /* the item has a `budget:` */
    struct budget budget;            /* of unlearners: the suite's, with the item's own `budget:` */
    /* filled by suite_bind */
    const struct plugin_desc *desc; /* NULL: could not be described (see failure) */
    const struct plugin_failure *failure;
    json_t *params; /* resolved */
    enum entry_settings settings;
};

/* Models or outputs made elsewhere, in place of what a suite would train. */
struct suite_import {
    char *files;                  /* absolute pattern; NULL: nothing is imported */
    bool logits;                  /* .npy of outputs, not .safetensors of weights */
    char *inclusion;              /* of shadow models: absolute path; else NULL */
    const struct yaml_node *node; /* for errors */
};

/* One item of `report: names:`. Texts are "" where not given. */
struct suite_name {
    char *key; /* label of a method, attack or metric, or a column */
    char *name, *cite, *colour;
    int64_t order; /* INT64_MAX: not given */
    const struct yaml_node *node;
};

struct suite_seeds {
    int64_t *v;
    unsigned n;
};

/* A recipe under which all scenarios are gone through. */
struct suite_variant {
    char *name; /* behind the scenarios' names; "" for the one of a suite without variants */
    struct recipe train;
};

enum tune_method { TUNE_QUASI_RANDOM = 0, TUNE_GRID };

/* `tune:`: every method gets the same number of trials on forget sets and original models that are
 * never reported. */
struct suite_tune {
    bool on;
    unsigned trials;
    enum tune_method method;
    char *select; /* "gap", "gap_worst" or a column: what the best trial is best in */
    struct suite_seeds seed_model, seed_forget;
    struct forget_spec *scenario;
    unsigned n_scenarios;
    unsigned *variant_of; /* (n_scenarios) index in suite.variant */
    unsigned n_retrain;   /* oracles of each of its forget sets */
};

struct suite {
    char *name;
    char *path, *dir; /* of the file; relative paths start at dir */
    struct yaml_node *root;
    struct data_spec data;
    struct arch *arch;
    struct recipe train;
    struct suite_seeds seed_model, seed_forget, seed_unlearn;
    struct forget_spec *scenario;
    unsigned n_scenarios;
    struct suite_variant *variant;
    unsigned n_variants;
    unsigned *variant_of; /* (n_scenarios) index in variant */
    unsigned n_retrain, n_shadow;
    struct suite_import originals, oracles, shadows; /* `references: {...: {import: ...}}` */
    struct suite_entry *unlearn, *attack, *metric;
    unsigned n_unlearn, n_attacks, n_metrics;
    struct suite_entry *transfer; /* example attacks between the original models */
    unsigned n_transfer;
    double wall_limit_s;   /* of one plugin task; 0: none */
    uint64_t memory_limit; /* bytes of one plugin task; 0: none */
    uint64_t file_limit;   /* bytes of one file that a plugin task writes; 0: none */
    struct budget budget;  /* of every unlearner that names no other */
    bool svg, pdf;
    struct report_choice report;
    char **gap;
    unsigned n_gap;
    char **baseline; /* methods that all others are compared with, beside the first of the board */
    unsigned n_baselines;
    struct suite_name *names;
    unsigned n_names;
    struct suite_tune tune;
};

/* settings: "key.path=value", applied before anything is checked. Errors are
 * "file:line:column: what; expected ..." and have code ERR_INVALID. */
int suite_load(const char *path, const char *const *settings, unsigned n_settings,
               struct suite *ret, struct error *err);
void suite_release(struct suite *s);
/* Files named by `plugin:` keys, NULL-ended, to be described with the others. The array is
 * malloc'd. */
const char **suite_plugin_files(const struct suite *s);
/* Finds each entry's plugin, checks kind and parameters, and that gap terms exist. Unknown ids are
 * errors with a did-you-mean; a file that cannot be described keeps its verdict for its rows. */
int suite_bind(struct suite *s, const struct plugin_set *plugins, struct error *err);

#endif
