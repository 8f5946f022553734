/* nn_testing.h: what the tests of the engine share. */
#ifndef NN_TESTING_H
#define NN_TESTING_H

/* cmocka wants these four in front of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net_internal.h"

/* A network, a model with arbitrary (but not degenerate) numbers in it, and a net. */
struct testbed {
    struct arch *arch;
    struct model *m;
    struct net *net;
    struct par *par;
    uint32_t n;
    size_t n_x, n_y; /* floats of the batch and of its logits */
    float *x, *y;    /* x uniform in (-1, 1) */
    float *v, *dx;   /* a fixed dL/dlogits, uniform in (-1, 1); the input's gradient */
};

/* text: arch.yaml on one line. kernels NULL: the best. Fails the test on any error. */
void testbed_init(struct testbed *t, const char *text, uint32_t n, unsigned threads,
                  const struct kernels *kernels);
void testbed_release(struct testbed *t);
void testbed_forward(struct testbed *t, enum net_mode mode);
void testbed_backward(struct testbed *t); /* into m->grad (zeroed before) and dx */
/* <v, logits> of a forward pass that leaves the statistics as they were. */
double testbed_objective(struct testbed *t, enum net_mode mode);

struct arch *testing_arch(const char *text);
/* Parses text, which must fail with exactly `message`. */
void testing_arch_error(const char *text, const char *message);
void testing_uniform(float *x, size_t n, float low, float high, uint64_t seed);
void *testing_alloc(size_t n, size_t size);

/* Largest |a - b| over the largest |b|. */
double testing_distance(const float *a, const double *b, size_t n);
double testing_distance_f(const float *a, const float *b, size_t n);

#endif
