/* nn_testing.c: what the tests of the engine share. */
#include "nn_testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "text.h"

void *testing_alloc(size_t n, size_t size)
{
    void *p = calloc(n + 64, size); /* kernels may read beyond the end */
    assert_non_null(p);
    return p;
}

void testing_uniform(float *x, size_t n, float low, float high, uint64_t seed)
{
    struct rng r;
    rng_stream(&r, seed, "test", 0);
    for (size_t i = 0; i < n; i++)
        x[i] = low + (high - low) * rng_uniform(&r);
}

struct arch *testing_arch(const char *text)
{
    struct error err = ERROR_INIT;
    struct arch *a = NULL;
    if (arch_from_text(text, &a, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return a;
}

void testing_arch_error(const char *text, const char *message)
{
    struct error err = ERROR_INIT;
    struct arch *a = NULL;
    assert_int_equal(arch_from_text(text, &a, &err), ERR_INVALID);
    assert_null(a);
    assert_string_equal(err.text, message);
}

static void fill_model(struct model *m)
{
    testing_uniform(m->param, m->n_param, -0.5F, 0.5F, 11);
    testing_uniform(m->stat, m->n_stat, -0.5F, 0.5F, 12);
    for (size_t i = 0; i < m->n_tensors; i++) {
        const struct tensor_info *t = &m->tensor[i];
        if (text_ends(t->name, ".running_var"))
            testing_uniform(m->stat + t->offset, t->n, 0.5F, 1.5F, i);
        else if (t->flags == TENSOR_NORM)
            testing_uniform(m->param + t->offset, t->n, 0.5F, 1.5F, i);
    }
}

void testbed_init(struct testbed *t, const char *text, uint32_t n, unsigned threads,
                  const struct kernels *kernels)
{
    struct error err = ERROR_INIT;
    *t = (struct testbed){.arch = testing_arch(text), .n = n, .par = par_new(threads)};
    const struct arch *a = t->arch;
    assert_non_null(t->par);
    if (model_new(a, &t->m, &err) < 0 ||
        net_new_with(a, n, t->par, kernels ? kernels : kernels_best(), &t->net, &err) < 0)
        fail_msg("%s", err.text);
    fill_model(t->m);
    t->n_x = (size_t)n * a->input[0] * a->input[1] * a->input[2];
    t->n_y = (size_t)n * a->classes;
    t->x = testing_alloc(t->n_x, sizeof(float));
    t->dx = testing_alloc(t->n_x, sizeof(float));
    t->y = testing_alloc(t->n_y, sizeof(float));
    t->v = testing_alloc(t->n_y, sizeof(float));
    testing_uniform(t->x, t->n_x, -1, 1, 1);
    testing_uniform(t->v, t->n_y, -1, 1, 2);
}

void testbed_release(struct testbed *t)
{
    net_free(t->net);
    model_free(t->m);
    arch_free(t->arch);
    par_free(t->par);
    free(t->x);
    free(t->dx);
    free(t->y);
    free(t->v);
}

void testbed_forward(struct testbed *t, enum net_mode mode)
{
    struct error err = ERROR_INIT;
    if (net_forward(t->net, t->m, t->x, t->n, mode, t->y, &err) < 0)
        fail_msg("%s", err.text);
}

void testbed_backward(struct testbed *t)
{
    struct error err = ERROR_INIT;
    memset(t->m->grad, 0, t->m->n_param * sizeof(float));
    if (net_backward(t->net, t->m, t->v, true, t->dx, &err) < 0)
        fail_msg("%s", err.text);
}

double testbed_objective(struct testbed *t, enum net_mode mode)
{
    double sum = 0;
    float *stat = testing_alloc(t->m->n_stat, sizeof(float));
    memcpy(stat, t->m->stat, t->m->n_stat * sizeof(float));
    testbed_forward(t, mode);
    memcpy(t->m->stat, stat, t->m->n_stat * sizeof(float));
    free(stat);
    for (size_t i = 0; i < t->n_y; i++)
        sum += (double)t->v[i] * (double)t->y[i];
    return sum;
}

double testing_distance(const float *a, const double *b, size_t n)
{
    double worst = 0, top = 1e-30;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        worst = d <= worst ? worst : isnan(d) ? HUGE_VAL : d;
        top = fmax(top, fabs(b[i]));
    }
    return worst / top;
}

double testing_distance_f(const float *a, const float *b, size_t n)
{
    double *wide = testing_alloc(n, sizeof(*wide));
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)b[i];
    double d = testing_distance(a, wide, n);
    free(wide);
    return d;
}
