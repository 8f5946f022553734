/* A model on pages that cannot be written: whoever tries crashes, and the numbers stay. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host_internal.h"

struct protected_model {
    struct model model; /* tensor and layer tables are the source's, which must live longer */
    void *pages;
    size_t n_bytes;
};

static size_t aligned(size_t floats)
{
    return (floats * sizeof(float) + 63) / 64 * 64;
}

int protected_model_new(const struct model *m, struct protected_model **ret, struct error *err)
{
    struct protected_model *p = calloc(1, sizeof(*p));
    if (!p)
        return error_nomem(err);
    size_t params = aligned(m->n_param);
    p->model = *m;
    p->n_bytes = params + aligned(m->n_stat) + 64;
    p->pages = mmap(NULL, p->n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->pages == MAP_FAILED) {
        free(p);
        return error_nomem(err);
    }
    p->model.param = p->pages;
    p->model.stat = (float *)(void *)((char *)p->pages + params);
    p->model.grad = NULL; /* its gradients are never asked for */
    memcpy(p->model.param, m->param, m->n_param * sizeof(float));
    if (m->n_stat > 0)
        memcpy(p->model.stat, m->stat, m->n_stat * sizeof(float));
    if (mprotect(p->pages, p->n_bytes, PROT_READ) < 0) {
        int why = errno;
        protected_model_free(p);
        return error_errno(err, why, "cannot write-protect the original model");
    }
    *ret = p;
    return 0;
}

void protected_model_free(struct protected_model *p)
{
    if (!p)
        return;
    munmap(p->pages, p->n_bytes);
    free(p);
}

struct model *protected_model_get(struct protected_model *p)
{
    return &p->model;
}
