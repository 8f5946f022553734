/* net_a.h: the fixed network of the fixtures amun_pgdl2_netA, in plain loops:
 * conv 3->4 k3 s1 p1, relu, conv 4->6 k3 s2 p1, relu, linear 96->5; images 3x8x8. */
#ifndef NET_A_H
#define NET_A_H

#include "fake_host.h"

enum { NET_A_PIXELS = 3 * 8 * 8, NET_A_CLASSES = 5, NET_A_BATCH = 32 };

/* A lethe_model of the fake host points to one of these. */
struct net_a {
    struct fixture w1, b1, w2, b2, w3, b3;
    double hidden1[NET_A_BATCH][4 * 8 * 8]; /* of the last forward, after relu */
    double hidden2[NET_A_BATCH][6 * 4 * 4];
    uint32_t n;                     /* samples of the last forward */
    const int32_t *label;           /* by id - 100: what a batch must say; or NULL */
    uint64_t n_forward, n_backward; /* samples so far */
};

void net_a_load(struct net_a *net);
void net_a_free(struct net_a *net);
/* The two functions of lethe_model_api that example attacks call. */
lethe_status net_a_forward(lethe_ctx *ctx, const lethe_model *model, const lethe_batch *batch,
                           int32_t mode, float *logits);
lethe_status net_a_input_gradient(lethe_ctx *ctx, const lethe_model *model, const float *dlogits,
                                  float *dx);

#endif
