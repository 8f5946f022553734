/* A manifest as the tables of a plugin. All of it lies in one anonymous map that is never given
 * back: it has to live as long as a loaded library would. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "external_files.h"
#include "external_internal.h"
#include "fs.h"
#include "plugin_words.h"
#include "text.h"

enum { MAX_MANIFEST = 64 << 10, ROOM = 8 << 20 };

void *external_alloc(struct external_reader *r, size_t bytes)
{
    bytes = (bytes + 15) / 16 * 16;
    if (bytes > r->room - r->used) {
        r->full = true;
        return NULL;
    }
    void *p = r->memory + r->used;
    r->used += bytes;
    return p;
}

const char *external_copy(struct external_reader *r, const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = external_alloc(r, n);
    return p ? memcpy(p, s, n) : "";
}

int external_text(struct external_reader *r, const struct yaml_node *map, const char *key,
                  bool required, const char **ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";
    if (!node && required)
        return yaml_error(map, err, "the key %s is missing", key);
    if (node)
        TRY(yaml_string(node, key, &text, err));
    *ret = external_copy(r, text);
    return 0;
}

int external_word(const struct yaml_node *map, const char *key, const struct plugin_word *table,
                  uint64_t otherwise, uint64_t *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    *ret = otherwise;
    if (!node)
        return 0;
    TRY(yaml_string(node, key, &text, err));
    const struct plugin_word *word = plugin_word_find(table, text);
    if (word) {
        *ret = word->value;
        return 0;
    }
    struct strbuf known;
    strbuf_init(&known);
    for (; table->text; table++)
        strbuf_addf(&known, "%s%s", known.len ? ", " : "", table->text);
    int rc = yaml_error(node, err, "%s: expected one of %s, found \"%s\"", key, known.s, text);
    strbuf_release(&known);
    return rc;
}

/* A list of words as bits. */
static int read_bits(const struct yaml_node *map, const char *key, const struct plugin_word *table,
                     uint64_t allowed, uint64_t *ret, struct error *err)
{
    const struct yaml_node *list = yaml_get(map, key);
    if (!list)
        return 0;
    if (list->kind != YAML_LIST)
        return yaml_error(list, err, "%s: expected a list of words", key);
    for (size_t i = 0; i < list->n; i++) {
        const char *text;
        TRY(yaml_string(list->child[i].value, key, &text, err));
        const struct plugin_word *word = plugin_word_find(table, text);
        if (!word || !(word->value & allowed))
            return yaml_error(list->child[i].value, err,
                              "%s: \"%s\" is nothing that an external plugin of this kind gets",
                              key, text);
        *ret |= word->value;
    }
    return 0;
}

/* ---- info ---- */

static int read_info(struct external_reader *r, struct error *err)
{
    lethe_info *info = &r->out->info;
    const struct {
        const char *key, **to;
        bool required;
    } texts[] = {{"id", &info->id, true},
                 {"name", &info->name, false},
                 {"short_name", &info->short_name, false},
                 {"version", &info->version, true},
                 {"license", &info->license, true},
                 {"summary", &info->summary, true},
                 {"author", &info->author, false},
                 {"doc", &info->doc, false},
                 {"citation", &info->citation, false},
                 {"url", &info->url, false}};
    info->struct_size = sizeof(*info);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        TRY(external_text(r, r->root, texts[i].key, texts[i].required, texts[i].to, err));
    info->name = *info->name ? info->name : info->id;
    info->short_name = *info->short_name ? info->short_name : info->name;
    info->doc = *info->doc ? info->doc : info->summary;
    return 0;
}

/* ---- access ---- */

/* What each kind gets in any case, and what it may ask for. */
static const struct {
    uint64_t given, allowed;
} access_of[] = {
    [LETHE_KIND_UNLEARNER] = {LETHE_CAP_WEIGHTS, LETHE_CAP_WEIGHTS | LETHE_CAP_FORGET |
                                                     LETHE_CAP_RETAIN | LETHE_CAP_VALIDATION |
                                                     LETHE_CAP_LOGITS | LETHE_CAP_RECIPE},
    [LETHE_KIND_EXAMPLE_ATTACK] = {LETHE_CAP_WEIGHTS, LETHE_CAP_WEIGHTS},
    [LETHE_KIND_MEMBERSHIP_ATTACK] = {LETHE_CAP_LOGITS, LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS},
    [LETHE_KIND_AUDIT] = {LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES,
                          LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES | LETHE_CAP_ORIGINAL},
    [LETHE_KIND_METRIC] = {LETHE_CAP_LOGITS,
                           LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES | LETHE_CAP_ORIGINAL},
};

static int read_access(struct external_reader *r, struct error *err)
{
    lethe_plugin *p = &r->out->plugin;
    uint64_t allowed = access_of[p->kind].allowed;
    p->needs = access_of[p->kind].given;
    TRY(read_bits(r->root, "needs", plugin_cap_words, allowed, &p->needs, err));
    TRY(read_bits(r->root, "uses", plugin_cap_words, allowed, &p->uses, err));
    r->out->command.logits = (p->needs | p->uses) & LETHE_CAP_LOGITS;
    const struct yaml_node *features = yaml_get(r->root, "features");
    if (features)
        TRY(yaml_bool(features, "features", &r->out->command.features, err));
    return 0;
}

/* ---- the command and its files ---- */

static bool is_beside(const char *dir, const char *name)
{
    char *path = fs_join(dir, name);
    bool there = path && *name && fs_exists(path) && !fs_is_dir(path);
    free(path);
    return there;
}

static const char *absolute(struct external_reader *r, const char *name)
{
    char *path = fs_join(r->out->command.dir, name);
    const char *copy = path ? external_copy(r, path) : "";
    r->full |= !path;
    free(path);
    return copy;
}

struct command_lists {
    const char **word, **file, **shown;
    size_t n_files;
};

/* A word that names a file beside the manifest means that file, which then identifies the plugin.
 */
static int add_word(struct external_reader *r, struct command_lists *l, size_t i,
                    const struct yaml_node *node, struct error *err)
{
    const char *text;
    TRY(yaml_string(node, "command", &text, err));
    bool ours = is_beside(r->out->command.dir, text);
    if (i == 0 && strchr(text, '/') && !ours)
        return yaml_error(node, err, "command: there is no file %s beside the manifest",
                          fs_basename(text));
    l->shown[i] = external_copy(r, text);
    l->word[i] = ours ? absolute(r, text) : l->shown[i];
    if (ours)
        l->file[l->n_files++] = l->shown[i];
    if (i == 0 && ours && access(l->word[0], X_OK) != 0)
        return yaml_error(node, err,
                          "command: %s is not executable; chmod +x it, or name its "
                          "interpreter first: [python3, %s]",
                          text, text);
    return 0;
}

static int add_named_file(struct external_reader *r, struct command_lists *l,
                          const struct yaml_node *node, struct error *err)
{
    const char *text;
    TRY(yaml_string(node, "files", &text, err));
    if (!is_beside(r->out->command.dir, text))
        return yaml_error(node, err, "files: there is no file %s beside the manifest", text);
    l->file[l->n_files++] = external_copy(r, text);
    return 0;
}

static int read_command(struct external_reader *r, struct error *err)
{
    const struct yaml_node *command = yaml_get(r->root, "command");
    const struct yaml_node *files = yaml_get(r->root, "files");
    struct command_lists l = {NULL, NULL, NULL, 0};
    if (!command || command->kind != YAML_LIST || command->n == 0)
        return yaml_error(command ? command : r->root, err,
                          "command: expected a list of words such as [python3, method.py]");
    if (files && files->kind != YAML_LIST)
        return yaml_error(files, err, "files: expected a list of names");
    size_t n_files = files ? files->n : 0;
    l.word = external_alloc(r, (command->n + 1) * sizeof(*l.word));
    l.shown = external_alloc(r, (command->n + 1) * sizeof(*l.shown));
    l.file = external_alloc(r, (command->n + n_files + 1) * sizeof(*l.file));
    if (!l.word || !l.shown || !l.file)
        return error_nomem(err);
    for (size_t i = 0; i < command->n; i++)
        TRY(add_word(r, &l, i, command->child[i].value, err));
    for (size_t i = 0; i < n_files; i++)
        TRY(add_named_file(r, &l, files->child[i].value, err));
    r->out->command.word = l.word;
    r->out->command.shown = l.shown;
    r->out->command.file = l.file;
    return 0;
}

/* ---- the table of each kind ---- */

static int read_unlearner(struct external_reader *r, struct error *err)
{
    lethe_unlearner *u = &r->out->iface.unlearner;
    uint64_t scenarios = 0;
    *u = external_unlearner;
    TRY(read_bits(r->root, "scenarios", plugin_scenario_words, UINT64_MAX, &scenarios, err));
    u->scenarios = scenarios ? (uint32_t)scenarios : LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS;
    return 0;
}

static int read_example(struct external_reader *r, struct error *err)
{
    lethe_example_attack *a = &r->out->iface.example;
    const struct yaml_node *radius = yaml_get(r->root, "radius");
    const lethe_param *params = r->out->plugin.params;
    uint64_t norm;
    const char *name;
    *a = external_example_attack;
    TRY(external_word(r->root, "norm", plugin_norm_words, LETHE_NORM_L2, &norm, err));
    a->norm = (int32_t)norm;
    if (!radius)
        return 0;
    TRY(yaml_string(radius, "radius", &name, err));
    for (uint32_t i = 0; i < r->out->plugin.n_params; i++)
        if (strcmp(params[i].name, name) == 0 && params[i].type == LETHE_PARAM_REAL)
            r->out->command.radius = (int)i;
    return r->out->command.radius >= 0
               ? 0
               : yaml_error(radius, err, "radius: expected the name of a parameter of type real");
}

static int read_member(struct external_reader *r, struct error *err)
{
    lethe_membership_attack *a = &r->out->iface.member;
    const struct yaml_node *fit = yaml_get(r->root, "wants_fit");
    bool wants_fit = false;
    *a = external_membership_attack;
    if (fit)
        TRY(yaml_bool(fit, "wants_fit", &wants_fit, err));
    a->wants_fit = wants_fit;
    a->score_stride = sizeof(lethe_score);
    return external_scores(r, &a->scores, &a->n_scores, err);
}

static int read_count(const struct yaml_node *map, const char *key, uint32_t *ret,
                      struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v = 0;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < 0 || v > 10000)
        return yaml_error(node, err, "%s: expected a number from 0 to 10000", key);
    *ret = (uint32_t)v;
    return 0;
}

static int read_audit(struct external_reader *r, struct error *err)
{
    lethe_audit *a = &r->out->iface.audit;
    *a = external_audit;
    a->output_stride = sizeof(lethe_output);
    TRY(read_count(r->root, "min_references", &a->min_references, err));
    return external_outputs(r, &a->outputs, &a->n_outputs, err);
}

static int read_metric(struct external_reader *r, struct error *err)
{
    lethe_metric *m = &r->out->iface.metric;
    uint64_t scope;
    *m = external_metric;
    m->output_stride = sizeof(lethe_output);
    TRY(external_word(r->root, "scope", plugin_scope_words, LETHE_SCOPE_RUN, &scope, err));
    m->scope = (uint32_t)scope;
    TRY(read_count(r->root, "min_models", &m->min_models, err));
    return external_outputs(r, &m->outputs, &m->n_outputs, err);
}

#define COMMON_KEYS                                                                                \
    "lethe_plugin", "kind", "id", "name", "short_name", "version", "license", "summary", "author", \
        "doc", "citation", "url", "needs", "uses", "params", "command", "files"

static const struct {
    int (*read)(struct external_reader *, struct error *);
    const char *const *keys;
} kinds[] = {
    [LETHE_KIND_UNLEARNER] = {read_unlearner,
                              (const char *const[]){COMMON_KEYS, "scenarios", "features", NULL}},
    [LETHE_KIND_EXAMPLE_ATTACK] = {read_example,
                                   (const char *const[]){COMMON_KEYS, "norm", "radius", NULL}},
    [LETHE_KIND_MEMBERSHIP_ATTACK] = {read_member, (const char *const[]){COMMON_KEYS, "scores",
                                                                         "wants_fit", NULL}},
    [LETHE_KIND_AUDIT] = {read_audit,
                          (const char *const[]){COMMON_KEYS, "outputs", "min_references", NULL}},
    [LETHE_KIND_METRIC] = {read_metric, (const char *const[]){COMMON_KEYS, "outputs", "scope",
                                                              "min_models", NULL}},
};

/* ---- the whole ---- */

static int read_kind(struct external_reader *r, struct error *err)
{
    const struct yaml_node *version = yaml_get(r->root, "lethe_plugin");
    int64_t v = 0;
    uint64_t kind;
    if (r->root->kind != YAML_MAP || !version)
        return yaml_error(r->root, err,
                          "this is no manifest of a plugin: it does not say "
                          "lethe_plugin: 1");
    TRY(yaml_int(version, "lethe_plugin", &v, err));
    if (v != 1)
        return yaml_error(version, err,
                          "lethe_plugin: this Lethe reads 1, found %lld; update "
                          "Lethe",
                          (long long)v);
    TRY(external_word(r->root, "kind", plugin_kind_words, 0, &kind, err));
    if (!kind)
        return yaml_error(r->root, err, "the key kind is missing");
    r->out->plugin.kind = (uint32_t)kind;
    return yaml_known_keys(r->root, "the manifest", kinds[kind].keys, err);
}

static void connect(struct external *x)
{
    lethe_plugin *p = &x->plugin;
    p->struct_size = sizeof(*p);
    p->info = &x->info;
    p->param_stride = sizeof(lethe_param);
    p->iface = &x->iface;
    x->list[0] = p;
    x->entry = (lethe_entry){.magic = LETHE_MAGIC,
                             .struct_size = sizeof(lethe_entry),
                             .abi_major = LETHE_ABI_MAJOR,
                             .abi_minor = LETHE_ABI_MINOR,
                             .abi_minor_required = LETHE_ABI_MINOR,
                             .n_plugins = 1,
                             .plugins = x->list};
}

static int read_manifest(struct external_reader *r, const char *path, struct error *err)
{
    char *dir = fs_dirname(path);
    struct external *x = r->out = external_alloc(r, sizeof(*x));
    if (!dir || !x) {
        free(dir);
        return error_nomem(err);
    }
    x->command.radius = -1;
    x->command.dir = external_copy(r, dir);
    free(dir);
    TRY(read_kind(r, err));
    connect(x);
    TRY(read_info(r, err));
    TRY(read_access(r, err));
    TRY(read_command(r, err));
    TRY(external_params(r, err));
    TRY(kinds[x->plugin.kind].read(r, err));
    return r->full ? error_set(err, ERR_INVALID, "%s: the manifest is too long", fs_basename(path))
                   : plugin_check(&x->plugin, err);
}

int external_open(const char *path, struct plugin_file **ret, struct error *err)
{
    struct external_reader r = {.room = ROOM};
    struct yaml_node *root = NULL;
    char *text = NULL, *full = NULL;
    size_t n = 0;
    TRY(fs_absolute(path, &full, err));
    int rc = fs_read(full, MAX_MANIFEST, &text, &n, err);
    if (rc == 0)
        rc = yaml_parse(fs_basename(full), text, n, &root, err);
    r.root = root;
    r.memory = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rc == 0 && r.memory == MAP_FAILED)
        rc = error_nomem(err);
    if (rc == 0)
        rc = read_manifest(&r, full, err);
    if (rc == 0)
        *ret = (struct plugin_file *)(void *)r.out;
    else if (r.memory != MAP_FAILED)
        munmap(r.memory, ROOM);
    yaml_free(root);
    free(text);
    free(full);
    return rc;
}

const struct external *external_of(const lethe_plugin *plugin)
{
    return (const struct external *)(const void *)((const char *)plugin -
                                                   offsetof(struct external, plugin));
}
