/* desc.h: what plugins say of themselves, without running their code in this
 * process: `lethe-worker describe FILE` loads the file and prints JSON. */
#ifndef PLUGIN_DESC_H
#define PLUGIN_DESC_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "verdict.h"
#include "yaml.h"

/* The same numbers as LETHE_KIND_* of the ABI. */
enum plugin_kind {
    PLUGIN_UNLEARNER = 1,
    PLUGIN_EXAMPLE_ATTACK,
    PLUGIN_MEMBERSHIP_ATTACK,
    PLUGIN_AUDIT,
    PLUGIN_METRIC
};
const char *plugin_kind_name(enum plugin_kind kind); /* "unlearner", "example-attack", ... */

/* Parameter types as words in JSON: "bool" "int" "real" "choice" "string". */
struct plugin_desc {
    enum plugin_kind kind;
    const char *id, *name, *short_name, *version, *license, *summary, *doc, *citation, *url;
    const char *path;   /* of the shared object or manifest, absolute */
    const char *sha256; /* of that file; with a manifest also of the files it names */
    json_t *json; /* everything, as `lethe plugins --json` prints it: {id, kind, version, license,
                     summary, citation, url, path, sha256, scenarios, needs, uses, attacks,
                     scores, params: [...], outputs: [...], wants_fit, scope, min_models} */
    const char *shadowed_by; /* path of the earlier plugin of the same id and kind, or NULL */
};

/* A file that could not be described. */
struct plugin_failure {
    const char *path;
    enum verdict verdict;
    int signal;
    const char *reason;
};

struct plugin_set {
    struct plugin_desc *plugin;
    unsigned n;
    struct plugin_failure *failure;
    unsigned n_failures;
    void *memory;
};

/* Search order of interfaces: `files` (--plugin, suite `plugin:`), $LETHE_PLUGIN_PATH,
 * $XDG_DATA_HOME/lethe/plugins,
 * ../lib/lethe-1/plugins beside the program. Never the current folder. Descriptions are cached in
 * cache_dir (may be NULL) by path, inode, size and mtime; failures are never cached. */
int plugins_discover(const char *const *files, const char *cache_dir, struct plugin_set *ret,
                     struct error *err);
void plugins_release(struct plugin_set *set);
/* First not shadowed plugin of that kind; kind 0: any. path: NULL or only from that file. */
const struct plugin_desc *plugins_find(const struct plugin_set *set, enum plugin_kind kind,
                                       const char *id);
const struct plugin_desc *plugins_find_file(const struct plugin_set *set, const char *path);

/* Checks `given` (a YAML map of parameters, or NULL) against the schema and fills in defaults:
 * a JSON object with every parameter, in schema order, choices as their text. Errors carry
 * file:line:column, bounds and a did-you-mean. */
int desc_params(const struct plugin_desc *p, const struct yaml_node *given, json_t **ret,
                struct error *err);
/* The settings of a lethe_attack_use with "$name" replaced from the unlearner's resolved
 * parameters, checked and completed by the attack's own schema. */
int desc_attack_params(const struct plugin_desc *attack, const json_t *use,
                       const json_t *unlearner_params, json_t **ret, struct error *err);
bool desc_has_cap(const struct plugin_desc *p,
                  const char *cap); /* in needs or uses: "retain", ... */
bool desc_serves(const struct plugin_desc *p, const char *scenario); /* "random" | "class" */

#endif
