/* clip_config.c: `spectral_clip:` of a recipe and its canonical text. */
#include <inttypes.h>
#include <string.h>

#include "spectral_clip.h"

static const char *const method_names[] = {
    [CLIP_OFF] = "off",       [CLIP_NONE] = "none", [CLIP_FASTCLIP] = "fastclip",
    [CLIP_MIYATO] = "miyato", [CLIP_GOUK] = "gouk",
};

bool clip_acts(const struct clip_config *c)
{
    return c->method > CLIP_NONE;
}

static int read_method(const struct yaml_node *map, enum clip_method *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "method");
    const char *word;
    int method = CLIP_NONE;
    *ret = CLIP_FASTCLIP;
    if (!node)
        return 0;
    TRY(yaml_string(node, "spectral_clip.method", &word, err));
    while (method <= CLIP_GOUK && strcmp(word, method_names[method]) != 0)
        method++;
    if (method > CLIP_GOUK)
        return yaml_error(node, err,
                          "spectral_clip.method: \"%s\" is none of fastclip, gouk, miyato, none",
                          word);
    *ret = (enum clip_method)method;
    return 0;
}

static int read_count(const struct yaml_node *map, const char *key, int64_t lo, int64_t hi,
                      uint32_t *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < lo || v > hi)
        return yaml_error(node, err,
                          "spectral_clip.%s: expected %" PRId64 " to %" PRId64 ", found %" PRId64,
                          key, lo, hi, v);
    *ret = (uint32_t)v;
    return 0;
}

static int read_preset(const struct yaml_node *map, struct clip_config *c, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "preset");
    const char *word;
    if (!node)
        return 0;
    TRY(yaml_string(node, "spectral_clip.preset", &word, err));
    if (strcmp(word, "published") != 0 && strcmp(word, "correct") != 0)
        return yaml_error(node, err,
                          "spectral_clip.preset: \"%s\" is neither correct nor published", word);
    c->published = strcmp(word, "published") == 0;
    if (c->published && c->method != CLIP_FASTCLIP)
        return yaml_error(node, err, "spectral_clip.preset: published belongs to fastclip");
    return 0;
}

static int read_value(const struct yaml_node *map, double *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "value");
    double v;
    if (!node)
        return 0;
    TRY(yaml_real(node, "spectral_clip.value", &v, err));
    if (!(v > 0 && v <= 1e6))
        return yaml_error(node, err, "spectral_clip.value: expected more than 0, found %s",
                          node->text);
    *ret = v;
    return 0;
}

static int read_map(const struct yaml_node *node, struct clip_config *c, struct error *err)
{
    static const char *const keys[] = {"method",  "value",  "every", "iterations",
                                       "conv_bn", "preset", "track", NULL};
    TRY(yaml_known_keys(node, "spectral_clip", keys, err));
    TRY(read_method(node, &c->method, err));
    TRY(read_preset(node, c, err));
    if (c->method != CLIP_FASTCLIP)
        c->every = c->iterations = 1;
    TRY(read_value(node, &c->value, err));
    TRY(read_count(node, "every", 1, 1000000, &c->every, err));
    TRY(read_count(node, "iterations", 1, 10000, &c->iterations, err));
    TRY(read_count(node, "track", 1, SPECTRAL_BLOCK, &c->track, err));
    const struct yaml_node *conv_bn = yaml_get(node, "conv_bn");
    return conv_bn ? yaml_bool(conv_bn, "spectral_clip.conv_bn", &c->conv_bn, err) : 0;
}

int clip_parse(const struct yaml_node *node, struct clip_config *ret, struct error *err)
{
    struct clip_config c = {
        .method = CLIP_OFF, .value = 1, .every = 100, .iterations = 10, .track = 1};
    if (node->kind == YAML_MAP)
        TRY(read_map(node, &c, err));
    else if (node->kind != YAML_SCALAR || strcmp(node->text, "off") != 0)
        return yaml_error(node, err, "spectral_clip: expected off or a map, as {value: 1.0}");
    *ret = c;
    return 0;
}

void clip_text(const struct clip_config *c, struct strbuf *out)
{
    strbuf_addf(out, "{\"method\":\"%s\",\"value\":", method_names[c->method]);
    strbuf_add_double(out, c->value);
    strbuf_addf(out, ",\"every\":%u,\"iterations\":%u,\"conv_bn\":%s,\"preset\":\"%s\"", c->every,
                c->iterations, c->conv_bn ? "true" : "false",
                c->published ? "published" : "correct");
    strbuf_addf(out, ",\"track\":%u}", c->track);
}
