/* lethe model info: what is in a model file, whoever wrote it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "cli.h"
#include "cmd_model.h"
#include "hash.h"
#include "model_file.h"
#include "safetensors.h"
#include "strbuf.h"
#include "text.h"

enum { OPT_JSON = 1024, OPT_SPECTRAL, OPT_ARCH, OPT_OUT, OPT_ITERATIONS, OPT_TOP, OPT_SEED };

static const struct argp_option options[] = {
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {"spectral", OPT_SPECTRAL, 0, 0,
     "Norms of the layers instead: singular values, certified bounds, their products", 0},
    {"arch", OPT_ARCH, "FILE", 0, "With --spectral, for a file that does not say its own", 0},
    {"out", OPT_OUT, "NORMS.csv", 0, "With --spectral: also write a line a singular value", 0},
    {"top", OPT_TOP, "K", 0, "With --spectral: singular values a layer, 1 to 8 (default 1)", 0},
    {"iterations", OPT_ITERATIONS, "N", 0, "With --spectral: of PowerQR (default 200)", 0},
    {"seed", OPT_SEED, "S", 0, "With --spectral: of the first vectors (default 1)", 0},
    {0},
};

static void take_number(struct model_options *o, int key, const char *arg,
                        const struct argp_state *state)
{
    static const struct {
        const char *name;
        int64_t lo, hi;
    } range[] = {{"--iterations", 1, 1000000}, {"--top", 1, 8}, {"--seed", 0, INT64_C(1) << 53}};
    int64_t *to[] = {&o->iterations, &o->top, &o->seed};
    int i = key - OPT_ITERATIONS;
    if (!text_to_int(arg, to[i]) || *to[i] < range[i].lo || *to[i] > range[i].hi)
        argp_error(state, "%s: expected %" PRId64 " to %" PRId64 ", found \"%s\"", range[i].name,
                   range[i].lo, range[i].hi, arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct model_options *o = state->input;
    switch (key) {
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_SPECTRAL:
        o->spectral = true;
        break;
    case OPT_ARCH:
        o->arch = arg;
        break;
    case OPT_OUT:
        o->out = arg;
        break;
    case OPT_TOP:
    case OPT_ITERATIONS:
    case OPT_SEED:
        take_number(o, key, arg, state);
        break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "what is \"%s\"?", arg);
        *(state->arg_num == 0 ? &o->command : &o->file) = arg;
        break;
    case ARGP_KEY_END:
        if (!o->command || strcmp(o->command, "info") != 0 || !o->file)
            argp_error(state, "expected: info FILE.safetensors");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "info FILE.safetensors",
    "Tensors, types, sizes, ranges and the architecture of a model file.\v"
    "The file is checked as it is when a model is loaded: sizes, overlaps, types. A\n"
    "file of PyTorch has no architecture in it; --arch says it to other commands.\n"
    "\n--spectral prints, layer by layer, an estimate of the L2 norm (PowerQR; it\n"
    "converges from below) and a certified bound above it, and their products: upper\n"
    "bounds of the network's Lipschitz constant on pixels (docs/SMOOTHNESS.md).\n"
    "  lethe model info m.safetensors --spectral --top 4 --out norms.csv\n"
    "\nExit codes: 0 done; 1 a tensor holds numbers that are not finite; 2 wrong\n"
    "options or file; 3 the file cannot be read.",
    NULL,
    NULL,
    NULL,
};

/* Range of a tensor of real numbers. */
struct range {
    bool real; /* false: integers, nothing below is set */
    double lowest, highest;
    size_t not_finite;
};

static int range_of(const struct st_tensor *t, struct range *ret, struct error *err)
{
    struct range r = {true, INFINITY, -INFINITY, 0};
    struct error ignored = ERROR_INIT;
    float *v = malloc((t->n + 1) * sizeof *v);
    if (!v)
        return error_nomem(err);
    r.real = st_to_f32(t, v, &ignored) == 0 && t->n > 0;
    for (size_t i = 0; r.real && i < t->n; i++) {
        if (!isfinite(v[i])) {
            r.not_finite++;
            continue;
        }
        r.lowest = fmin(r.lowest, (double)v[i]);
        r.highest = fmax(r.highest, (double)v[i]);
    }
    free(v);
    *ret = r;
    return 0;
}

static void add_shape(struct strbuf *out, const struct st_tensor *t)
{
    for (uint32_t d = 0; d < t->n_dim; d++)
        strbuf_addf(out, "%s%zu", d ? "x" : "", t->dim[d]);
    if (t->n_dim == 0)
        strbuf_adds(out, "scalar");
}

static void print_tensor(const struct st_tensor *t, const struct range *r)
{
    struct strbuf shape;
    strbuf_init(&shape);
    add_shape(&shape, t);
    printf("  %-36s %-5s %-18s", t->name, t->dtype, shape.s);
    if (r->real && r->lowest <= r->highest)
        printf(" %.4g to %.4g", r->lowest, r->highest);
    if (r->not_finite)
        printf(" (%zu not finite)", r->not_finite);
    putchar('\n');
    strbuf_release(&shape);
}

static json_t *tensor_json(const struct st_tensor *t, const struct range *r)
{
    json_t *shape = json_array();
    for (uint32_t d = 0; d < t->n_dim; d++)
        json_array_append_new(shape, json_integer((json_int_t)t->dim[d]));
    bool some = r->real && r->lowest <= r->highest;
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:I}", "name", t->name, "dtype", t->dtype, "shape",
                     shape, "min", json_number_or_null(some ? r->lowest : NAN), "max",
                     json_number_or_null(some ? r->highest : NAN), "not_finite",
                     (json_int_t)r->not_finite);
}

/* Sums over the file. */
struct totals {
    size_t values, bytes, not_finite;
};

static int tensors(const struct safetensors *st, json_t *list, struct totals *total,
                   struct error *err)
{
    for (size_t i = 0; i < st->n; i++) {
        const struct st_tensor *t = &st->tensor[i];
        struct range r = {0};
        TRY(range_of(t, &r, err));
        total->values += t->n;
        total->bytes += t->n_bytes;
        total->not_finite += r.not_finite;
        if (!list)
            print_tensor(t, &r);
        else if (json_array_append_new(list, tensor_json(t, &r)) != 0)
            return error_nomem(err);
    }
    return 0;
}

/* The architecture in the metadata; NULL when something else than Lethe wrote the file. */
static int read_arch(const struct safetensors *st, const char *path, struct arch **ret,
                     struct error *err)
{
    const char *text = safetensors_meta(st, MODEL_ARCH_KEY);
    *ret = NULL;
    if (text && arch_from_text(text, ret, err) < 0)
        return error_prefix(err, "%s: metadata %s", path, MODEL_ARCH_KEY);
    return 0;
}

static void print_end(const struct arch *a, const struct totals *t, const char *sha256)
{
    printf("%zu values, %zu bytes, sha256 %s\n", t->values, t->bytes, sha256);
    if (a)
        printf("architecture: %" PRIu32 "x%" PRIu32 "x%" PRIu32 " images, %" PRIu32
               " layers, %" PRIu32 " classes\n",
               a->input[0], a->input[1], a->input[2], a->n_layers, a->classes);
    else
        puts("architecture: not in the file; give --arch to the commands that need it");
}

static int print_json(const struct safetensors *st, json_t *list, const struct totals *t,
                      const char *sha256, struct error *err)
{
    json_t *o = json_pack("{s:O,s:I,s:I,s:s,s:s?}", "tensors", list, "values",
                          (json_int_t)t->values, "bytes", (json_int_t)t->bytes, "sha256", sha256,
                          "arch", safetensors_meta(st, MODEL_ARCH_KEY));
    if (!o)
        return error_nomem(err);
    json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(o);
    return 0;
}

static int info(const struct model_options *o, struct totals *total, struct error *err)
{
    struct safetensors st;
    struct arch *arch = NULL;
    char sha256[HASH_HEX_SIZE];
    json_t *list = o->json ? json_array() : NULL;
    TRY(safetensors_open(o->file, &st, err));
    int rc = hash_file(o->file, sha256, err);
    if (rc == 0)
        rc = read_arch(&st, o->file, &arch, err);
    if (rc == 0)
        rc = tensors(&st, list, total, err);
    if (rc == 0 && o->json)
        rc = print_json(&st, list, total, sha256, err);
    else if (rc == 0)
        print_end(arch, total, sha256);
    json_decref(list);
    arch_free(arch);
    safetensors_release(&st);
    return rc;
}

int cmd_model(int argc, char **argv)
{
    struct model_options o = {.iterations = 200, .top = 1, .seed = 1};
    struct error err = ERROR_INIT;
    struct totals total = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code >= 0)
        return code;
    if (o.spectral)
        return model_spectral(&o);
    if (info(&o, &total, &err) < 0)
        return cli_fail(&err);
    return total.not_finite ? EXIT_SOME_FAILED : EXIT_OK;
}
