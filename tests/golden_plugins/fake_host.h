/* fake_host.h: a small host that shares no code with Lethe's own, so that the
 * plugins are tried against a foreign one. It serves core, rng and par; a test
 * puts its own tables for the rest. Memory of alloc ends with fake_release. */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <stdbool.h>

#include <lethe/lethe.h>

#define FAKE_MAX_PARAMS 32

struct fake_host {
    lethe_ctx ctx; /* first: a ctx is a fake_host */
    lethe_host host;
    lethe_core_api core;
    lethe_rng_api rng;
    lethe_par_api par;
    const lethe_plugin *plugin;
    lethe_value param[FAKE_MAX_PARAMS];
    char failure[512]; /* last text given to core->fail, "" before any */
    lethe_status code; /* its code */
    char log[512];     /* last line logged */
    double fraction;   /* last progress */
    int64_t calls;     /* fallible calls so far, see fake_call */
    int64_t fail_at;   /* the call with this number fails; -1: none */
    lethe_status fail_code;
    uint64_t seed;
    struct fake_block *blocks;
};

/* The only plugin of a statically linked entry, with default parameters. */
void fake_init(struct fake_host *f, const lethe_entry *entry);
void fake_release(struct fake_host *f);
struct fake_host *fake_of(lethe_ctx *ctx);
/* Parameters by name; an unknown name or another type ends the test. */
void fake_real(struct fake_host *f, const char *name, double value);
void fake_int(struct fake_host *f, const char *name, int64_t value); /* INT and BOOL */
void fake_choice(struct fake_host *f, const char *name, const char *value);
/* Counts a call that may fail; answers fail_code when its turn has come. */
lethe_status fake_call(lethe_ctx *ctx);

/* A fixture array as doubles, from the folder of LETHE_FIXTURES. float, double,
 * int64 and uint8 .npy files of version 1.0; anything else ends the test. */
struct fixture {
    size_t n;
    double *v;
};
struct fixture fixture_load(const char *path);
void fixture_free(struct fixture *a);
float *fixture_float(const struct fixture *a);   /* (n), malloc'd */
int32_t *fixture_int32(const struct fixture *a); /* (n), malloc'd */
/* Largest |a - b|; NaN counts as infinite. */
double fixture_distance(const struct fixture *a, const double *b, size_t n);
double fixture_distance_f(const struct fixture *a, const float *b, size_t n);

#endif
