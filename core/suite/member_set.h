/* member_set.h: some rows of a membership attack's input, copied out: known
 * members, known non-members, or the candidates of a file. */
#ifndef SUITE_MEMBER_SET_H
#define SUITE_MEMBER_SET_H

#include "hosting.h"

struct member_set {
    struct outputs o;
    float *logits; /* (n, n_views, n_classes) */
    int32_t *y;    /* (n) */
    uint32_t n_models;
    float **reference;   /* n_models of (n, n_views, n_classes) */
    uint8_t **inclusion; /* n_models of (n) */
};

/* Rows (n) of from's candidates, with the references on them. *ret (zeroed before) is to be
 * released after a failure too. */
int member_set_take(const struct member_input *from, const uint32_t *rows, uint32_t n,
                    struct member_set *ret, struct error *err);
void member_set_release(struct member_set *s);
/* Makes it side 0 (members) or 1 (non-members) of what the attack is told. */
void member_set_known(const struct member_set *s, int side, struct member_input *in);

#endif
