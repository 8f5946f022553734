/* loss.h: losses as means over the batch and their gradients dL/dlogits.
 * Any of ret_loss and dlogits may be NULL; dlogits may be the logits' buffer. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include <stdint.h>

/* logits (n, c), y (n). */
void loss_cross_entropy(const float *logits, const int32_t *y, uint32_t n, uint32_t c,
                        double *ret_loss, float *dlogits);
/* q (n, c): target distributions. */
void loss_soft_cross_entropy(const float *logits, const float *q, uint32_t n, uint32_t c,
                             double *ret_loss, float *dlogits);
/* T^2 KL(softmax(teacher/T) || softmax(logits/T)) (Hinton et al. 2015). */
void loss_distill(const float *logits, const float *teacher, double T, uint32_t n, uint32_t c,
                  double *ret_loss, float *dlogits);
/* Index of the largest logit, the lowest index on ties. */
int32_t loss_argmax(const float *logits, uint32_t c);

#endif
