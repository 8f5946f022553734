/* arch_text.c: the canonical text of a network: a sequential with every name. */
#include "arch_internal.h"

static void add_layers(struct strbuf *out, const struct arch_layer *layer, uint32_t n);

static void add_window(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_addf(out, ",\"kernel\":%u,\"stride\":%u,\"pad\":%u", l->kernel, l->stride, l->pad);
}

static void add_bias(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_addf(out, ",\"bias\":%s", l->bias ? "true" : "false");
}

static void add_floats(struct strbuf *out, const char *key, const float *v, uint32_t n)
{
    strbuf_addf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            strbuf_addc(out, ',');
        strbuf_add_double(out, (double)v[i]);
    }
    strbuf_addc(out, ']');
}

static void add_conv(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_addf(out, ",\"out\":%u", l->out[0]);
    add_window(out, l);
    add_bias(out, l);
}

static void add_linear(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_addf(out, ",\"out\":%u", l->out[0]);
    add_bias(out, l);
}

static void add_elu(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_adds(out, ",\"alpha\":");
    strbuf_add_double(out, l->p);
}

static void add_dropout(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_adds(out, ",\"p\":");
    strbuf_add_double(out, l->p);
}

static void add_normalize(struct strbuf *out, const struct arch_layer *l)
{
    add_floats(out, "mean", l->mean, l->in[0]);
    add_floats(out, "std", l->std, l->in[0]);
}

static void add_residual(struct strbuf *out, const struct arch_layer *l)
{
    strbuf_adds(out, ",\"body\":");
    add_layers(out, l->body, l->n_body);
    if (l->n_shortcut) {
        strbuf_adds(out, ",\"shortcut\":");
        add_layers(out, l->shortcut, l->n_shortcut);
    }
    strbuf_addf(out, ",\"halve\":%s", l->halve ? "true" : "false");
}

static void (*const add_options[])(struct strbuf *, const struct arch_layer *) = {
    [LAYER_CONV] = add_conv,
    [LAYER_LINEAR] = add_linear,
    [LAYER_ELU] = add_elu,
    [LAYER_MAXPOOL] = add_window,
    [LAYER_AVGPOOL] = add_window,
    [LAYER_DROPOUT] = add_dropout,
    [LAYER_NORMALIZE] = add_normalize,
    [LAYER_RESIDUAL] = add_residual,
};

static void add_layers(struct strbuf *out, const struct arch_layer *layer, uint32_t n)
{
    strbuf_addc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addf(out, "%s{\"%s\":{\"name\":\"%s\"", i ? "," : "", layer_kind_name(layer[i].kind),
                    layer[i].name);
        if (add_options[layer[i].kind])
            add_options[layer[i].kind](out, &layer[i]);
        strbuf_adds(out, "}}");
    }
    strbuf_addc(out, ']');
}

void arch_text(const struct arch *a, struct strbuf *out)
{
    strbuf_addf(out, "{\"arch\":\"sequential\",\"input\":[%u,%u,%u],\"classes\":%u,\"layers\":",
                a->input[0], a->input[1], a->input[2], a->classes);
    add_layers(out, a->layer, a->n_layers);
    strbuf_addc(out, '}');
}
