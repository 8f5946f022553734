/* `references:` of a suite, and `import:` wherever something made elsewhere may stand. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "npy.h"
#include "suite_internal.h"
#include "text.h"

int suite_parse_count(const struct yaml_node *node, const char *what, int64_t lo, int64_t hi,
                      unsigned *ret, struct error *err)
{
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, what, &v, err));
    if (v < lo || v > hi)
        return yaml_error(node, err, "%s: expected %lld to %lld, found %lld", what, (long long)lo,
                          (long long)hi, (long long)v);
    *ret = (unsigned)v;
    return 0;
}

static int no_such_word(const struct yaml_node *at, const char *found, const char *const *words,
                        struct error *err)
{
    char list[128] = "no {word}";
    size_t n = 0;
    for (size_t i = 0; words[i]; i++) {
        const char *glue = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", glue, words[i]);
    }
    return yaml_error(at, err, "import: expected %s, found \"%s\"", list, found);
}

/* Every {word} of a pattern is one that can be filled in there. */
static int check_pattern(const struct yaml_node *at, const char *pattern, const char *const *words,
                         struct error *err)
{
    for (const char *p = strchr(pattern, '{'); p; p = strchr(p + 1, '{')) {
        bool known = false;
        for (size_t i = 0; words[i]; i++)
            known = known || text_starts(p, words[i]);
        if (!known)
            return no_such_word(at, p, words, err);
    }
    return 0;
}

static int resolve(const struct suite *s, const struct yaml_node *node, const char *const *words,
                   char **ret, struct error *err)
{
    const char *pattern;
    TRY(yaml_string(node, "import", &pattern, err));
    TRY(check_pattern(node, pattern, words, err));
    char *joined = fs_join(s->dir, pattern);
    int rc = joined ? fs_absolute(joined, ret, err) : error_nomem(err);
    free(joined);
    return rc;
}

int suite_parse_import(const struct suite *s, const struct yaml_node *node,
                       const char *const *words, struct suite_import *ret, struct error *err)
{
    static const char *const keys[] = {"models", "logits", NULL};
    struct suite_import im = {.node = node};
    if (node->kind == YAML_MAP)
        TRY(yaml_known_keys(node, "import", keys, err));
    if (node->kind != YAML_MAP || node->n != 1)
        return yaml_error(node, err,
                          "import: expected {models: FILES.safetensors} or {logits: FILES.npy}");
    im.logits = yaml_get(node, "logits") != NULL;
    TRY(resolve(s, node->child[0].value, words, &im.files, err));
    *ret = im;
    return 0;
}

void suite_import_release(struct suite_import *im)
{
    free(im->files);
    free(im->inclusion);
    *im = (struct suite_import){0};
}

/* ---- shadow models: one array of outputs, one of who was trained on what ---- */

static int count_shadows(const struct suite_import *im, unsigned *ret, struct error *err)
{
    struct npy a;
    struct error why = ERROR_INIT;
    if (npy_open(im->files, &a, &why) < 0)
        return yaml_error(im->node, err, "references.shadow.import: %s", why.text);
    size_t n = a.dim[0];
    bool fits = a.n_dim == 3 && n >= 1 && n <= 10000;
    npy_release(&a);
    if (!fits)
        return yaml_error(
            im->node, err,
            "references.shadow.import: %s: expected shape (models, training rows used "
            "+ test rows used, classes) with 1 to 10000 models",
            im->files);
    if (!fs_exists(im->inclusion) || fs_is_dir(im->inclusion))
        return yaml_error(im->node, err, "references.shadow.import: there is no file %s",
                          im->inclusion);
    *ret = (unsigned)n;
    return 0;
}

static int import_shadows(struct suite *s, const struct yaml_node *node, struct error *err)
{
    static const char *const keys[] = {"logits", "inclusion", NULL}, *const none[] = {NULL};
    struct suite_import im = {.logits = true, .node = node};
    if (node->kind == YAML_MAP)
        TRY(yaml_known_keys(node, "import", keys, err));
    if (node->kind != YAML_MAP || node->n != 2)
        return yaml_error(
            node, err,
            "import: expected {logits: FILE.npy, inclusion: FILE.npy}: outputs of the "
            "shadow models, (models, rows, classes), and 1 where a model was trained "
            "on a row, (models, rows)");
    int rc = resolve(s, yaml_get(node, "logits"), none, &im.files, err);
    if (rc == 0)
        rc = resolve(s, yaml_get(node, "inclusion"), none, &im.inclusion, err);
    if (rc == 0)
        rc = count_shadows(&im, &s->n_shadow, err);
    if (rc < 0)
        suite_import_release(&im);
    else
        s->shadows = im;
    return rc;
}

static int parse_shadow(struct suite *s, const struct yaml_node *node, struct error *err)
{
    static const char *const keys[] = {"import", NULL};
    if (node && node->kind == YAML_MAP) {
        TRY(yaml_known_keys(node, "references.shadow", keys, err));
        if (yaml_get(node, "import"))
            return import_shadows(s, yaml_get(node, "import"), err);
    }
    TRY(suite_parse_count(node, "references.shadow", 0, 10000, &s->n_shadow, err));
    if (s->n_shadow % 2)
        return yaml_error(node, err,
                          "references.shadow: expected an even number (models come in "
                          "complementary pairs), found %u",
                          s->n_shadow);
    return 0;
}

/* ---- originals and oracles ---- */

/* retrain: 5 or {count: 5, import: {...}} */
static int parse_retrain(struct suite *s, const struct yaml_node *node, struct error *err)
{
    static const char *const keys[] = {"count", "import", NULL};
    static const char *const words[] = {"{scenario}", "{forget}", "{seed}", NULL};
    const struct yaml_node *count = node;
    if (node && node->kind == YAML_MAP) {
        TRY(yaml_known_keys(node, "references.retrain", keys, err));
        count = yaml_get(node, "count");
        if (yaml_get(node, "import"))
            TRY(suite_parse_import(s, yaml_get(node, "import"), words, &s->oracles, err));
    }
    return suite_parse_count(count, "references.retrain", 1, 1000, &s->n_retrain, err);
}

/* original: {import: {...}} */
static int parse_original(struct suite *s, const struct yaml_node *node, struct error *err)
{
    static const char *const keys[] = {"import", NULL}, *const words[] = {"{seed}", NULL};
    if (!node)
        return 0;
    TRY(yaml_known_keys(node, "references.original", keys, err));
    if (!yaml_get(node, "import"))
        return yaml_error(node, err, "references.original: expected {import: {models: FILES}}");
    return suite_parse_import(s, yaml_get(node, "import"), words, &s->originals, err);
}

int suite_parse_references(struct suite *s, struct error *err)
{
    static const char *const keys[] = {"original", "retrain", "shadow", NULL};
    const struct yaml_node *node = yaml_get(s->root, "references");
    s->n_retrain = 5;
    s->n_shadow = 0;
    if (!node)
        return 0;
    TRY(yaml_known_keys(node, "references", keys, err));
    TRY(parse_original(s, yaml_get(node, "original"), err));
    TRY(parse_retrain(s, yaml_get(node, "retrain"), err));
    return parse_shadow(s, yaml_get(node, "shadow"), err);
}
