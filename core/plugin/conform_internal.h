/* conform_internal.h: what the conform_*.c files share: one test at work in its own process. */
#ifndef PLUGIN_CONFORM_INTERNAL_H
#define PLUGIN_CONFORM_INTERNAL_H

#include "conform.h"
#include "conform_world.h"
#include "hash.h"
#include "plugin_file.h"
#include "rng.h"
#include "trial.h"

struct conform {
    json_t *json;     /* the job */
    const char *path; /* of the plugin's file */
    const char *job_path, *result_path, *scratch, *test;
    uint64_t seed;
    uint32_t n_fuzz;
    struct plugin_file *file;
    const lethe_plugin *plugin; /* NULL in tests of the file */
    const char *id;
    bool attack_refused; /* by the last call: settings of an attack that the plugin declares */
    enum conform_outcome outcome;
    char text[1000], repeat[200];
};

/* Records the outcome and a sentence; returns 0, so that a test ends with it. A fail is kept when a
 * warning follows. */
int conform_say(struct conform *t, enum conform_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is being tried: told when the plugin takes the process down with it. */
int conform_doing(struct conform *t, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- one call of the plugin (conform_call.c) ---- */

struct conform_case {
    const struct world *world;
    const json_t *params; /* resolved */
    uint64_t seed;
    struct par *par;       /* NULL: one thread */
    uint64_t withheld;     /* LETHE_CAP_* */
    struct trial *trial;   /* NULL: the host as it is */
    const int32_t *target; /* example attacks: (pool) classes to reach; NULL: untargeted */
    const uint32_t *order; /* (candidates) membership attacks: their order; NULL: as they are */
    const uint32_t *row;   /* example attacks: (n_rows) pool ids; NULL: all */
    uint32_t n_rows;
    uint32_t n_requests; /* unlearners: deletions in a row; 0 counts as 1 */
};

struct conform_answer {
    int rc;                   /* of the plugin or of the host's checks of its answer; 0: success */
    struct error why;         /* where rc < 0 */
    char hash[HASH_HEX_SIZE]; /* of everything it gave; "" where rc < 0 */
    struct model *model;      /* unlearner */
    struct adversarial set;   /* example attack */
    double *score;            /* membership attack: (n_scores, n) */
    uint32_t n_scores, n;
    json_t *values;    /* audit, metric */
    bool wrote_inputs; /* the outputs it was to look at have changed */
};

/* Negative only when the suite itself failed: what the plugin did is in *ret. */
int conform_call(struct conform *t, const struct conform_case *c, struct conform_answer *ret,
                 struct error *err);
void conform_answer_release(struct conform_answer *a);
/* The world with the models that the plugin's kind needs. */
int conform_world(const struct conform *t, const struct world_spec *spec, struct world *ret,
                  struct error *err);
/* Candidates of membership attacks on that world: pool ids, in order. */
uint32_t conform_candidates(const struct world *b, uint32_t *ret_ids);

/* ---- parameters (conform_values.c) ---- */

const lethe_param *conform_param(const struct conform *t, uint32_t i);
/* Defaults, new reference; `quick`: fewer epochs and smaller batches where a plugin has them. */
int conform_defaults(const struct conform *t, bool quick, json_t **ret, struct error *err);
/* The values worth trying of parameter i: bounds, choices. New reference to an array. */
json_t *conform_corners(const struct conform *t, uint32_t i);
/* A value inside the bounds; near the default, wide, or at a bound. New reference. */
json_t *conform_random_value(const struct conform *t, uint32_t i, struct rng *rng);
/* Whether the host takes the value for parameter i. */
bool conform_accepts(const struct conform *t, uint32_t i, const json_t *value);
/* "name=value" of a parameter, for sentences. */
void conform_setting(const struct conform *t, uint32_t i, const json_t *value, char ret[96]);

/* Usual world, quick parameters, seed of the test: what most tests start from. */
struct conform_usual {
    struct world world;
    json_t *params;
    struct conform_case c;
};
int conform_usual_open(struct conform *t, struct conform_usual *ret, struct error *err);
void conform_usual_close(struct conform_usual *u);
/* Runs the usual case; says SKIP or FAIL (and returns 1) when it does not work. */
int conform_usual_call(struct conform *t, struct conform_usual *u, struct conform_answer *ret,
                       struct error *err);

/* A failure that any plugin may answer with: has a sentence, and is no broken answer. Says FAIL and
 * returns false otherwise. what: the circumstances. */
bool conform_clean(struct conform *t, const struct conform_answer *a, const char *what);

/* ---- what a shared object names (elf_symbols.c) ---- */

struct elf_symbols {
    char **defined, **undefined; /* global names, NULL-ended */
    unsigned long init_bytes;    /* size of .init_array */
};
int elf_symbols_read(const char *path, struct elf_symbols *ret, struct error *err);
void elf_symbols_release(struct elf_symbols *s);

#endif
