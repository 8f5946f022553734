/* arch_parse.c: `model:` of a suite, or arch.yaml, as a network. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_internal.h"
#include "text.h"

struct layer_syntax {
    enum layer_kind kind;
    const char *const *keys; /* NULL-ended; `name` is always allowed */
    int (*read)(const struct yaml_node *node, const char *position, struct arch_layer *layer,
                struct error *err);
    bool needs_options; /* the bare word is not enough */
};

static int read_list(const struct yaml_node *node, const uint32_t in[3], const char *prefix,
                     struct arch_layer **ret, uint32_t *ret_n, struct error *err);

/* An integer in [min, max]; an absent one leaves *ret alone, or is an error when required. */
static int read_u32(const struct yaml_node *map, const char *key, int64_t min, int64_t max,
                    bool required, uint32_t *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v;
    if (!node)
        return required ? yaml_error(map, err, "%s is missing", key) : 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < min || v > max)
        return yaml_error(node, err, "%s: %" PRId64 " is not between %" PRId64 " and %" PRId64, key,
                          v, min, max);
    *ret = (uint32_t)v;
    return 0;
}

static int read_conv(const struct yaml_node *node, const char *position, struct arch_layer *layer,
                     struct error *err)
{
    const struct yaml_node *bias = yaml_get(node, "bias");
    layer->stride = 1;
    layer->bias = true;
    TRY(read_u32(node, "out", 1, ARCH_MAX_DIM, true, &layer->out[0], err));
    TRY(read_u32(node, "kernel", 1, ARCH_MAX_KERNEL, true, &layer->kernel, err));
    TRY(read_u32(node, "stride", 1, ARCH_MAX_KERNEL, false, &layer->stride, err));
    TRY(read_u32(node, "pad", 0, ARCH_MAX_KERNEL, false, &layer->pad, err));
    return bias ? yaml_bool(bias, "bias", &layer->bias, err) : 0;
}

static int read_linear(const struct yaml_node *node, const char *position, struct arch_layer *layer,
                       struct error *err)
{
    const struct yaml_node *bias = yaml_get(node, "bias");
    layer->bias = true;
    TRY(read_u32(node, "out", 1, 1 << 20, true, &layer->out[0], err));
    return bias ? yaml_bool(bias, "bias", &layer->bias, err) : 0;
}

static int read_pool(const struct yaml_node *node, const char *position, struct arch_layer *layer,
                     struct error *err)
{
    TRY(read_u32(node, "kernel", 1, ARCH_MAX_KERNEL, true, &layer->kernel, err));
    layer->stride = layer->kernel; /* PyTorch's default */
    TRY(read_u32(node, "stride", 1, ARCH_MAX_KERNEL, false, &layer->stride, err));
    return read_u32(node, "pad", 0, ARCH_MAX_KERNEL, false, &layer->pad, err);
}

static int read_nothing(const struct yaml_node *node, const char *position,
                        struct arch_layer *layer, struct error *err)
{
    return 0;
}

static int read_elu(const struct yaml_node *node, const char *position, struct arch_layer *layer,
                    struct error *err)
{
    const struct yaml_node *alpha = yaml_get(node, "alpha");
    layer->p = 1;
    if (alpha)
        TRY(yaml_real(alpha, "alpha", &layer->p, err));
    if (layer->p <= 0 || layer->p > 1e6)
        return yaml_error(alpha, err, "alpha: must be above 0");
    return 0;
}

static int read_dropout(const struct yaml_node *node, const char *position,
                        struct arch_layer *layer, struct error *err)
{
    const struct yaml_node *p = yaml_get(node, "p");
    layer->p = 0.5;
    if (p)
        TRY(yaml_real(p, "p", &layer->p, err));
    if (layer->p < 0 || layer->p >= 1)
        return yaml_error(p, err, "p: %s is not in [0, 1)", p->text);
    return 0;
}

static int read_channels(const struct yaml_node *map, const char *key, uint32_t n, float **ret,
                         struct error *err)
{
    const struct yaml_node *list = yaml_get(map, key);
    if (!list || list->kind != YAML_LIST || list->n != n)
        return yaml_error(list ? list : map, err,
                          "%s: expected a list of %u numbers, one per channel", key, n);
    float *values = malloc(n * sizeof(*values));
    if (!values)
        return error_nomem(err);
    *ret = values;
    for (uint32_t c = 0; c < n; c++) {
        double v;
        TRY(yaml_real(list->child[c].value, key, &v, err));
        values[c] = (float)v;
    }
    return 0;
}

static int read_normalize(const struct yaml_node *node, const char *position,
                          struct arch_layer *layer, struct error *err)
{
    uint32_t n = layer->in[0];
    TRY(read_channels(node, "mean", n, &layer->mean, err));
    TRY(read_channels(node, "std", n, &layer->std, err));
    for (uint32_t c = 0; c < n; c++)
        if (!(layer->std[c] > 0))
            return yaml_error(yaml_get(node, "std"), err, "std: must be above 0");
    return 0;
}

static int read_residual(const struct yaml_node *node, const char *position,
                         struct arch_layer *layer, struct error *err)
{
    const struct yaml_node *body = yaml_get(node, "body"), *halve = yaml_get(node, "halve");
    const struct yaml_node *shortcut = yaml_get(node, "shortcut");
    char prefix[128];
    if (!body || body->n == 0)
        return yaml_error(node, err, "residual: body is missing");
    if (snprintf(prefix, sizeof(prefix), "%s.body.", position) >= (int)sizeof(prefix))
        return yaml_error(node, err, "residual: nested too deeply");
    TRY(read_list(body, layer->in, prefix, &layer->body, &layer->n_body, err));
    snprintf(prefix, sizeof(prefix), "%s.shortcut.", position);
    if (shortcut && shortcut->n)
        TRY(read_list(shortcut, layer->in, prefix, &layer->shortcut, &layer->n_shortcut, err));
    return halve ? yaml_bool(halve, "halve", &layer->halve, err) : 0;
}

static const char *const conv_keys[] = {"name", "out", "kernel", "stride", "pad", "bias", NULL};
static const char *const linear_keys[] = {"name", "out", "bias", NULL};
static const char *const pool_keys[] = {"name", "kernel", "stride", "pad", NULL};
static const char *const plain_keys[] = {"name", NULL};
static const char *const elu_keys[] = {"name", "alpha", NULL};
static const char *const dropout_keys[] = {"name", "p", NULL};
static const char *const normalize_keys[] = {"name", "mean", "std", NULL};
static const char *const residual_keys[] = {"name", "body", "shortcut", "halve", NULL};

static const struct layer_syntax syntaxes[] = {
    {LAYER_CONV, conv_keys, read_conv, true},
    {LAYER_LINEAR, linear_keys, read_linear, true},
    {LAYER_BATCHNORM, plain_keys, read_nothing, false},
    {LAYER_RELU, plain_keys, read_nothing, false},
    {LAYER_ELU, elu_keys, read_elu, false},
    {LAYER_MAXPOOL, pool_keys, read_pool, true},
    {LAYER_AVGPOOL, pool_keys, read_pool, true},
    {LAYER_GLOBALAVGPOOL, plain_keys, read_nothing, false},
    {LAYER_FLATTEN, plain_keys, read_nothing, false},
    {LAYER_DROPOUT, dropout_keys, read_dropout, false},
    {LAYER_NORMALIZE, normalize_keys, read_normalize, true},
    {LAYER_RESIDUAL, residual_keys, read_residual, true},
};

enum { N_SYNTAXES = sizeof(syntaxes) / sizeof(*syntaxes) };

static int unknown_layer(const struct yaml_node *node, const char *word, struct error *err)
{
    const char *names[N_SYNTAXES + 1] = {NULL};
    for (int i = 0; i < N_SYNTAXES; i++)
        names[i] = layer_kind_name(syntaxes[i].kind);
    const char *near = text_did_you_mean(word, names);
    return near ? yaml_error(node, err, "unknown layer \"%s\"; did you mean \"%s\"?", word, near)
                : yaml_error(
                      node, err,
                      "unknown layer \"%s\"; known are conv linear batchnorm relu elu maxpool "
                      "avgpool globalavgpool flatten dropout normalize residual",
                      word);
}

/* `relu` or `{conv: {...}}`: the kind's syntax, and its options or NULL. */
static int layer_head(const struct yaml_node *item, const struct layer_syntax **ret,
                      const struct yaml_node **ret_options, struct error *err)
{
    bool word = item->kind == YAML_SCALAR;
    if (!word && (item->kind != YAML_MAP || item->n != 1))
        return yaml_error(item, err,
                          "expected one layer, as \"relu\" or \"conv: {out: 8, kernel: 3}\"");
    const char *kind = word ? item->text : item->child[0].key;
    const struct yaml_node *options = word ? NULL : item->child[0].value;
    for (int i = 0; i < N_SYNTAXES; i++) {
        const struct layer_syntax *s = &syntaxes[i];
        if (strcmp(kind, layer_kind_name(s->kind)) != 0)
            continue;
        bool empty = !options || (options->kind == YAML_SCALAR && !*options->text);
        if (!empty && options->kind != YAML_MAP)
            return yaml_error(options, err, "%s: expected its options as a map", kind);
        if (empty && s->needs_options)
            return yaml_error(item, err, "%s needs options (%s, ...)", kind, s->keys[1]);
        *ret = s;
        *ret_options = empty ? NULL : options;
        return 0;
    }
    return unknown_layer(item, kind, err);
}

static int layer_name(const struct yaml_node *options, const char *position,
                      struct arch_layer *layer, struct error *err)
{
    const struct yaml_node *node = yaml_get(options, "name");
    const char *name = position;
    if (node)
        TRY(yaml_string(node, "name", &name, err));
    size_t n = strlen(name);
    if (n == 0 || n > 100 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
        return yaml_error(node, err, "name: \"%s\" is no module name", name);
    layer->name = text_dup(name);
    return layer->name ? 0 : error_nomem(err);
}

static int at_node(const struct yaml_node *node, struct error *err)
{
    return err ? error_prefix(err, "%s:%d:%d", node->origin, node->line, node->column)
               : ERR_INVALID;
}

static int read_layer(const struct yaml_node *item, const uint32_t in[3], const char *position,
                      struct arch_layer *layer, struct error *err)
{
    const struct layer_syntax *s = NULL;
    const struct yaml_node *options = NULL;
    TRY(layer_head(item, &s, &options, err));
    layer->kind = s->kind;
    memcpy(layer->in, in, sizeof(layer->in));
    if (options)
        TRY(yaml_known_keys(options, layer_kind_name(s->kind), s->keys, err));
    TRY(layer_name(options, position, layer, err));
    TRY(s->read(options ? options : item, position, layer, err));
    int rc = arch_layer_shape(layer, in, position, err);
    return rc < 0 ? at_node(item, err) : 0;
}

static int read_list(const struct yaml_node *node, const uint32_t in[3], const char *prefix,
                     struct arch_layer **ret, uint32_t *ret_n, struct error *err)
{
    struct layer_list list = {0};
    int rc = 0;
    if (node->kind != YAML_LIST || node->n == 0)
        return yaml_error(node, err, "expected a list of layers");
    for (size_t i = 0; rc == 0 && i < node->n; i++) {
        struct arch_layer layer = {0};
        char position[160];
        snprintf(position, sizeof(position), "%s%zu", prefix, i);
        rc = read_layer(node->child[i].value, in, position, &layer, err);
        if (rc < 0)
            arch_layer_release(&layer);
        else
            rc = layer_list_add(&list, &layer, err);
        if (rc == 0)
            in = list.layer[i].out;
    }
    if (rc < 0) {
        arch_layers_free(list.layer, list.n);
        return rc;
    }
    *ret = list.layer;
    *ret_n = list.n;
    return 0;
}

static int read_input(const struct yaml_node *node, const uint32_t given[3], uint32_t ret[3],
                      struct error *err)
{
    static const char *const axis[] = {"channels", "height", "width"};
    const struct yaml_node *input = yaml_get(node, "input");
    if (!input) {
        if (!given || !given[0] || !given[1] || !given[2])
            return yaml_error(node, err, "input is missing; for example input: [1, 28, 28]");
        memcpy(ret, given, 3 * sizeof(*ret));
        return 0;
    }
    if (input->kind != YAML_LIST || input->n != 3)
        return yaml_error(input, err, "input: expected [channels, height, width]");
    for (int d = 0; d < 3; d++) {
        int64_t v;
        TRY(yaml_int(input->child[d].value, "input", &v, err));
        if (v < 1 || v > 4096)
            return yaml_error(input->child[d].value, err,
                              "input: %s of %" PRId64 " is not between 1 and 4096", axis[d], v);
        ret[d] = (uint32_t)v;
    }
    return 0;
}

static int read_named(const struct yaml_node *node, const struct arch_named *def, struct arch *a,
                      struct error *err)
{
    static const char *const all[] = {"arch", "input", "classes", "width", "bn", "halve"};
    const char *keys[7] = {all[0], all[1], all[2], NULL};
    size_t n = 3;
    if (def->default_width)
        keys[n++] = all[3];
    if (def->takes_bn)
        keys[n++] = all[4];
    if (def->takes_halve)
        keys[n++] = all[5];
    struct arch_options o = {.width = def->default_width, .bn = true};
    struct arch_builder b = {.input = a->input};
    if (node->kind == YAML_MAP) {
        const struct yaml_node *bn = yaml_get(node, "bn"), *halve = yaml_get(node, "halve");
        TRY(yaml_known_keys(node, def->name, keys, err));
        TRY(read_u32(node, "width", def->min_width, 4096, false, &o.width, err));
        if (bn)
            TRY(yaml_bool(bn, "bn", &o.bn, err));
        if (halve)
            TRY(yaml_bool(halve, "halve", &o.halve, err));
    }
    if (a->classes == 0)
        return yaml_error(node, err, "classes is missing; for example classes: 10");
    int rc = def->build(&b, &o, a->classes, err);
    a->layer = b.list.layer;
    a->n_layers = b.list.n;
    return rc < 0 ? at_node(node, err) : 0;
}

static int read_sequential(const struct yaml_node *node, struct arch *a, struct error *err)
{
    static const char *const keys[] = {"arch", "input", "classes", "layers", NULL};
    TRY(yaml_known_keys(node, "sequential", keys, err));
    const struct yaml_node *layers = yaml_get(node, "layers");
    if (!layers)
        return yaml_error(node, err, "layers is missing");
    TRY(read_list(layers, a->input, "", &a->layer, &a->n_layers, err));
    const struct arch_layer *last = &a->layer[a->n_layers - 1];
    if (a->classes == 0)
        a->classes = last->out[0];
    if (a->classes >= 2 && last->out[0] == a->classes && last->out[1] == 1 && last->out[2] == 1)
        return 0;
    char position[16];
    snprintf(position, sizeof(position), "%u", a->n_layers - 1);
    if (a->classes < 2)
        arch_layer_error(last, position, err, "output %ux%ux%u, expected 2 or more classes",
                         last->out[0], last->out[1], last->out[2]);
    else
        arch_layer_error(last, position, err,
                         "output %ux%ux%u is not one value for each of %u classes", last->out[0],
                         last->out[1], last->out[2], a->classes);
    return at_node(layers->child[layers->n - 1].value, err);
}

static bool name_repeats(const struct arch_layer *layer, uint32_t n, const char *name, int *count)
{
    for (uint32_t i = 0; i < n && *count < 2; i++) {
        *count += strcmp(layer[i].name, name) == 0;
        name_repeats(layer[i].body, layer[i].n_body, name, count);
        name_repeats(layer[i].shortcut, layer[i].n_shortcut, name, count);
    }
    return *count > 1;
}

/* Names address tensors in files, so each may stand once. */
static int check_names(const struct arch *a, const struct arch_layer *layer, uint32_t n,
                       const struct yaml_node *node, struct error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        int count = 0;
        if (name_repeats(a->layer, a->n_layers, layer[i].name, &count))
            return yaml_error(node, err, "two layers are named \"%s\"", layer[i].name);
        TRY(check_names(a, layer[i].body, layer[i].n_body, node, err));
        TRY(check_names(a, layer[i].shortcut, layer[i].n_shortcut, node, err));
    }
    return 0;
}

static int unknown_arch(const struct yaml_node *node, const char *name, struct error *err)
{
    const char *near = text_did_you_mean(name, arch_names());
    if (near)
        return yaml_error(node, err, "unknown architecture \"%s\"; did you mean \"%s\"?", name,
                          near);
    struct strbuf known;
    strbuf_init(&known);
    for (const char *const *n = arch_names(); *n; n++)
        strbuf_addf(&known, " %s", *n);
    int rc = yaml_error(node, err, "unknown architecture \"%s\"; known are%s", name, known.s);
    strbuf_release(&known);
    return rc;
}

static int parse_into(const struct yaml_node *node, const uint32_t input[3], struct arch *a,
                      struct error *err)
{
    const struct yaml_node *kind = node->kind == YAML_MAP ? yaml_get(node, "arch") : node;
    const char *name;
    if (!kind)
        return yaml_error(node, err, "arch is missing; for example arch: cnn");
    TRY(yaml_string(kind, "arch", &name, err));
    bool sequential = strcmp(name, "sequential") == 0;
    const struct arch_named *def = arch_named_find(name);
    if (!sequential && !def)
        return unknown_arch(kind, name, err);
    if (sequential && node->kind != YAML_MAP)
        return yaml_error(node, err, "sequential needs layers");
    TRY(read_input(node, input, a->input, err));
    TRY(read_u32(node, "classes", 2, ARCH_MAX_DIM, false, &a->classes, err));
    TRY(sequential ? read_sequential(node, a, err) : read_named(node, def, a, err));
    return check_names(a, a->layer, a->n_layers, node, err);
}

int arch_parse(const struct yaml_node *node, const uint32_t input[3], uint32_t classes,
               struct arch **ret, struct error *err)
{
    struct arch *a = calloc(1, sizeof(*a));
    if (!a)
        return error_nomem(err);
    a->classes = classes;
    int rc = parse_into(node, input, a, err);
    if (rc < 0) {
        arch_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

int arch_from_text(const char *text, struct arch **ret, struct error *err)
{
    struct yaml_node *node;
    TRY(yaml_parse("architecture", text, strlen(text), &node, err));
    int rc = arch_parse(node, NULL, 0, ret, err);
    yaml_free(node);
    return rc;
}
