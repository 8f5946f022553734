/* model_head.h: models with more classes than they were trained for. */
#ifndef NN_MODEL_HEAD_H
#define NN_MODEL_HEAD_H

#include "model.h"

/* A copy of m with `extra` more outputs: the new rows of the last linear layer are U(+-1/sqrt(in))
 * from the stream (seed, "head", 0), everything else is m's. The last layer must be linear. *ret
 * refers to *ret_arch: free the model first. */
int model_expand_head(const struct model *m, uint32_t extra, uint64_t seed, struct arch **ret_arch,
                      struct model **ret, struct error *err);
/* Copies `expanded` into dst, which is the same but for fewer outputs. */
int model_prune_head(struct model *dst, const struct model *expanded, struct error *err);

#endif
