/* optim.h: optimisers over a model's parameter block, in PyTorch's order of
 * operations. */
#ifndef NN_OPTIM_H
#define NN_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "model.h"

enum optim_kind { OPTIM_SGD = 1, OPTIM_ADAM, OPTIM_ADAMW };

struct optim_config {
    enum optim_kind kind;
    double momentum, weight_decay; /* momentum: SGD */
    double beta1, beta2, eps;      /* Adam: .9 .999 1e-8 */
};

struct optim {
    struct optim_config config;
    struct model *model; /* not owned */
    uint64_t steps;
    float *m, *v;  /* momentum or first moment; second moment */
    uint8_t *mask; /* NULL: everything trains */
    bool restore;
    float *frozen;    /* values of masked weights when restore */
    double clip_norm; /* 0: no clipping */
    double *norms;    /* squared norms of parts of the gradient */
};

int optim_new(struct model *model, const struct optim_config *config, struct optim **ret,
              struct error *err);
void optim_free(struct optim *o); /* accepts NULL */
/* mask (n_param): 1 trains. Copied. restore: masked weights stay bit-identical. */
int optim_mask(struct optim *o, const uint8_t *mask, bool restore, struct error *err);
/* One step with learning rate `lr`; gradients are zeroed afterwards. */
void optim_step(struct optim *o, double lr, struct par *par);

#endif
