/* split.h: which pool rows are forgotten, retained, tested, or trained on by a
 * shadow model. Everything is a function of a small spec, so that parent and
 * worker agree without passing lists around. */
#ifndef DATA_SPLIT_H
#define DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "error.h"
#include "json.h"
#include "yaml.h"

enum forget_kind { FORGET_RANDOM = 1, FORGET_CLASS, FORGET_INDICES, FORGET_CONSECUTIVE };

/* One scenario of a suite's `forget:` list. */
struct forget_spec {
    enum forget_kind kind;
    double fraction;     /* random, consecutive: share of the training rows, of all requests */
    uint32_t requests;   /* consecutive: deletions that arrive one after another, equal parts */
    uint32_t request;    /* consecutive: what the first `request` of them delete together; 0: all */
    int32_t classes[16]; /* class: what is forgotten */
    uint32_t n_classes;
    uint32_t *rows; /* indices: ascending training rows */
    uint32_t n_rows;
    char name[64]; /* "random-0.1", "class-3", "indices-<stem>", "consecutive-5x0.02" */
};

/* base_dir: relative index files are looked up there. */
int forget_parse(const struct yaml_node *node, const char *base_dir, struct forget_spec *ret,
                 struct error *err);
/* A spec of kind FORGET_INDICES from a CSV file of training rows; column NULL: unlearn_idx, or the
 * only one. */
int forget_read(const char *path, const char *column, struct forget_spec *ret, struct error *err);
void forget_release(struct forget_spec *spec);
/* Canonical JSON with the seed where it matters ({"random":0.1,"seed":1}, {"class":[3]},
 * {"indices":[...]}); forget_from_json reads it back. What all requests delete together is the
 * random forget set of that seed, and has its identity; the first k alone
 * {"random":0.1,"requests":5,"request":k,"seed":1}. New reference. */
json_t *forget_identity(const struct forget_spec *spec, uint64_t seed);
/* The deletions one by one: {"random":0.1,"requests":5,"seed":1}. New reference. */
json_t *forget_sequence(const struct forget_spec *spec, uint64_t seed);
int forget_from_json(const json_t *identity, struct forget_spec *ret, uint64_t *ret_seed,
                     struct error *err);
/* True when different forget seeds give different sets. */
bool forget_depends_on_seed(const struct forget_spec *spec);

/* Roles of the pool rows under a forget spec. Deleted rows left with an earlier request. */
enum row_role {
    ROW_RETAIN = 0,
    ROW_FORGET = 1,
    ROW_TEST = 2,
    ROW_TEST_FORGOTTEN = 3,
    ROW_DELETED = 4
};

struct split {
    uint32_t n;                                        /* pool size */
    uint8_t *role;                                     /* (n) enum row_role */
    uint32_t *forget, *retain, *test, *test_forgotten; /* pool ids, ascending */
    uint32_t n_forget, n_retain, n_test, n_test_forgotten;
    /* class scenarios: test rows of forgotten classes are TEST_FORGOTTEN, else n = 0 */
};

int split_make(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
               struct split *ret, struct error *err);
/* Request k (from 1) of a consecutive spec alone: its own part is forgotten, what earlier ones
 * forgot has role ROW_DELETED, in none of the lists. */
int split_make_request(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                       uint32_t k, struct split *ret, struct error *err);
/* role (n): enum row_role of each pool row, copied. name says what it is in errors. */
int split_from_roles(const uint8_t *role, uint32_t n, const char *name, struct split *ret,
                     struct error *err);
void split_release(struct split *s);

/* Shadow model k of a bank: complementary pairs (ml_privacy_meter's design), models 2j and
 * 2j+1 train on two random halves of the pool, so that each sample is in exactly half of any
 * even number of models and a bank can grow. inclusion (n_pool) gets 0/1. */
void split_shadow(uint32_t n_pool, uint64_t seed, uint32_t k, uint8_t *inclusion);

#endif
