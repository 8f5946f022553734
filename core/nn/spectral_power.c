/* spectral_power.c: PowerQR with a Rayleigh-Ritz step. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spectral.h"

int spectral_basis_init(struct spectral_basis *b, const struct spectral_map *map, uint32_t k,
                        struct error *err)
{
    size_t side = map->n_in < map->n_out ? map->n_in : map->n_out;
    *b = (struct spectral_basis){.k = k < side ? k : (uint32_t)side, .n_in = map->n_in};
    b->k = b->k < SPECTRAL_BLOCK ? b->k : SPECTRAL_BLOCK;
    b->v = calloc(b->k * map->n_in, sizeof(*b->v));
    b->sigma = calloc(b->k, sizeof(*b->sigma));
    return b->v && b->sigma ? 0 : error_nomem(err);
}

void spectral_basis_release(struct spectral_basis *b)
{
    free(b->v);
    free(b->sigma);
    *b = (struct spectral_basis){0};
}

static double dot(const double *a, const double *b, size_t n)
{
    return cblas_ddot((int)n, a, 1, b, 1);
}

/* Q of the thin QR of the columns v_0..v_k-1, R's diagonal positive: Gram-Schmidt, twice over
 * (Kahan: twice is enough). What lies in the span of earlier vectors becomes zero. */
static void orthonormalise(struct spectral_basis *b)
{
    for (uint32_t i = 0; i < b->k; i++) {
        double *v = b->v + i * b->n_in, norm = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (uint32_t j = 0; j < i; j++) {
                const double *w = b->v + j * b->n_in;
                cblas_daxpy((int)b->n_in, -dot(v, w, b->n_in), w, 1, v, 1);
            }
            norm = sqrt(dot(v, v, b->n_in));
            cblas_dscal((int)b->n_in, norm > 1e-150 ? 1 / norm : 0, v, 1);
        }
    }
}

void spectral_basis_draw(struct spectral_basis *b, struct rng *rng)
{
    enum { CHUNK = 256 };
    float normal[CHUNK];
    size_t all = b->k * b->n_in;
    for (size_t at = 0; at < all; at += CHUNK) {
        size_t n = all - at < CHUNK ? all - at : CHUNK;
        rng_fill_normal(rng, normal, n);
        for (size_t i = 0; i < n; i++)
            b->v[at + i] = (double)normal[i];
    }
    orthonormalise(b);
}

bool spectral_basis_is_drawn(const struct spectral_basis *b)
{
    return dot(b->v, b->v, b->n_in) > 0;
}

/* ---- Rayleigh-Ritz ---- */

/* A small symmetric matrix and the rotations that made it what it is. */
struct small {
    uint32_t n;
    double a[SPECTRAL_BLOCK][SPECTRAL_BLOCK];
    double q[SPECTRAL_BLOCK][SPECTRAL_BLOCK]; /* rows: eigenvectors, in the end */
};

static void rotate(struct small *s, uint32_t p, uint32_t q)
{
    if (s->a[p][q] == 0)
        return;
    double theta = (s->a[q][q] - s->a[p][p]) / (2 * s->a[p][q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), sn = t * c;
    for (uint32_t i = 0; i < s->n; i++) {
        double x = s->a[i][p], y = s->a[i][q];
        s->a[i][p] = c * x - sn * y;
        s->a[i][q] = sn * x + c * y;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        double x = s->a[p][i], y = s->a[q][i];
        s->a[p][i] = c * x - sn * y;
        s->a[q][i] = sn * x + c * y;
        x = s->q[p][i];
        y = s->q[q][i];
        s->q[p][i] = c * x - sn * y;
        s->q[q][i] = sn * x + c * y;
    }
}

/* Cyclic Jacobi; then the largest eigenvalue first. */
static void eigen(struct small *s)
{
    for (int sweep = 0; sweep < 12; sweep++)
        for (uint32_t p = 0; p < s->n; p++)
            for (uint32_t q = p + 1; q < s->n; q++)
                rotate(s, p, q);
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t j = i; j > 0 && s->a[j][j] > s->a[j - 1][j - 1]; j--) {
            double swap[SPECTRAL_BLOCK], value = s->a[j][j];
            s->a[j][j] = s->a[j - 1][j - 1];
            s->a[j - 1][j - 1] = value;
            memcpy(swap, s->q[j], sizeof(swap));
            memcpy(s->q[j], s->q[j - 1], sizeof(swap));
            memcpy(s->q[j - 1], swap, sizeof(swap));
        }
}

/* v <- q v, number by number. */
static void turn(struct spectral_basis *b, const struct small *s)
{
    for (size_t i = 0; i < b->n_in; i++) {
        double x[SPECTRAL_BLOCK];
        for (uint32_t r = 0; r < b->k; r++) {
            x[r] = 0;
            for (uint32_t c = 0; c < b->k; c++)
                x[r] += s->q[r][c] * b->v[c * b->n_in + i];
        }
        for (uint32_t r = 0; r < b->k; r++)
            b->v[r * b->n_in + i] = x[r];
    }
}

/* aa (k, n_in): A^T A v, row by row. */
static void products(struct spectral_map *map, const struct spectral_basis *b, double *aa)
{
    for (uint32_t i = 0; i < b->k; i++) {
        spectral_map_apply(map, b->v + i * b->n_in, map->out);
        spectral_map_adjoint(map, map->out, aa + i * b->n_in);
    }
}

static void ritz(struct spectral_map *map, struct spectral_basis *b, double *aa)
{
    struct small s = {.n = b->k};
    products(map, b, aa);
    for (uint32_t i = 0; i < b->k; i++)
        for (uint32_t j = 0; j <= i; j++)
            s.a[i][j] = s.a[j][i] = dot(b->v + i * b->n_in, aa + j * b->n_in, b->n_in);
    for (uint32_t i = 0; i < b->k; i++)
        s.q[i][i] = 1;
    eigen(&s);
    turn(b, &s);
    for (uint32_t i = 0; i < b->k; i++)
        b->sigma[i] = sqrt(fmax(s.a[i][i], 0));
}

static void step(struct spectral_basis *b, const double *aa)
{
    int n = (int)(b->k * b->n_in);
    cblas_dscal(n, b->shift, b->v, 1);
    cblas_daxpy(n, 1, aa, 1, b->v, 1);
    orthonormalise(b);
}

bool spectral_refine(struct spectral_map *map, struct spectral_basis *b, uint32_t n)
{
    double *aa = malloc(b->k * b->n_in * sizeof(*aa));
    for (uint32_t i = 0; aa && i < n; i++) {
        products(map, b, aa);
        step(b, aa);
    }
    if (aa)
        ritz(map, b, aa);
    bool done = aa != NULL;
    free(aa);
    return done;
}

double spectral_iterate(struct spectral_map *map, struct spectral_basis *b, uint32_t n)
{
    if (!spectral_refine(map, b, n > 0 ? n - 1 : 0))
        return INFINITY;
    double before = b->sigma[0];
    if (n == 0 || !spectral_refine(map, b, 1))
        return INFINITY;
    return b->sigma[0] > 0 ? (b->sigma[0] - before) / b->sigma[0] : 0;
}
