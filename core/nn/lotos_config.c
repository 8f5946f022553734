/* lotos_config.c: `lotos:` of a recipe and its canonical text; no kernels, so that the parent
 * process stays without OpenBLAS. */
#include <inttypes.h>
#include <string.h>

#include "lotos.h"

static int read_real(const struct yaml_node *map, const char *key, double *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    double v;
    if (!node)
        return 0;
    TRY(yaml_real(node, key, &v, err));
    if (!(v >= 0 && v <= 1e6))
        return yaml_error(node, err, "lotos.%s: expected 0 or more, found %s", key, node->text);
    *ret = v;
    return 0;
}

static int read_count(const struct yaml_node *map, const char *key, int64_t most, uint32_t *ret,
                      struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < 1 || v > most)
        return yaml_error(node, err, "lotos.%s: expected 1 to %" PRId64 ", found %" PRId64, key,
                          most, v);
    *ret = (uint32_t)v;
    return 0;
}

static int read_map(const struct yaml_node *node, struct lotos_config *c, struct error *err)
{
    static const char *const keys[] = {"factor", "mal", "every", "vectors", NULL};
    TRY(yaml_known_keys(node, "lotos", keys, err));
    TRY(read_real(node, "factor", &c->factor, err));
    TRY(read_real(node, "mal", &c->mal, err));
    TRY(read_count(node, "every", 1000000, &c->every, err));
    return read_count(node, "vectors", SPECTRAL_BLOCK, &c->vectors, err);
}

int lotos_parse(const struct yaml_node *node, const struct clip_config *clip,
                struct lotos_config *ret, struct error *err)
{
    struct lotos_config c = {.on = true, .factor = 0.05, .mal = 0.8, .every = 1, .vectors = 1};
    if (node->kind == YAML_SCALAR && strcmp(node->text, "off") == 0) {
        *ret = (struct lotos_config){0};
        return 0;
    }
    if (node->kind != YAML_MAP)
        return yaml_error(node, err, "lotos: expected off or a map, as {factor: 0.05, mal: 0.8}");
    if (clip->method != CLIP_FASTCLIP)
        return yaml_error(node, err,
                          "lotos: needs spectral_clip with method fastclip, whose singular vectors "
                          "it works on");
    TRY(read_map(node, &c, err));
    *ret = c;
    return 0;
}

void lotos_text(const struct lotos_config *c, struct strbuf *out)
{
    strbuf_adds(out, "{\"factor\":");
    strbuf_add_double(out, c->factor);
    strbuf_adds(out, ",\"mal\":");
    strbuf_add_double(out, c->mal);
    strbuf_addf(out, ",\"every\":%u,\"vectors\":%u}", c->every, c->vectors);
}
