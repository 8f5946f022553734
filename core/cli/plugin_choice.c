#include "plugin_choice.h"

#include <stdlib.h>
#include <string.h>

#include "file_command.h"
#include "fs.h"
#include "text.h"

/* Where descriptions are kept between commands; NULL: nowhere. malloc'd. */
static char *cache_dir(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return text_format("%s/lethe/plugins", cache);
    return home && *home == '/' ? text_format("%s/.cache/lethe/plugins", home) : NULL;
}

int plugin_choice_discover(const char *file, struct plugin_set *ret, struct error *err)
{
    char *path = NULL;
    if (file) {
        TRY(file_check_input("--plugin", file, err));
        TRY(fs_absolute(file, &path, err));
    }
    const char *const files[2] = {path, NULL};
    char *cache = cache_dir();
    int rc = plugins_discover(files, cache, ret, err);
    free(cache);
    free(path);
    return rc;
}

static bool is_of(const enum plugin_kind *kinds, enum plugin_kind kind)
{
    while (*kinds && *kinds != kind)
        kinds++;
    return *kinds != 0;
}

static int unknown(const struct plugin_set *set, const char *id, const enum plugin_kind *kinds,
                   const char *noun, struct error *err)
{
    static const char *const command[] = {[PLUGIN_UNLEARNER] = "unlearn",
                                          [PLUGIN_EXAMPLE_ATTACK] = "attack",
                                          [PLUGIN_MEMBERSHIP_ATTACK] = "attack",
                                          [PLUGIN_AUDIT] = "metric",
                                          [PLUGIN_METRIC] = "metric"};
    const struct plugin_desc *other = plugins_find(set, 0, id);
    if (other)
        return error_set(err, ERR_INVALID,
                         "%s is a plugin of kind %s; expected %s %s; run it with `lethe %s`", id,
                         plugin_kind_name(other->kind), strchr("aeiou", *noun) ? "an" : "a", noun,
                         command[other->kind]);
    const char **ids = calloc(set->n + 1, sizeof(*ids));
    if (!ids)
        return error_nomem(err);
    size_t n = 0;
    for (unsigned i = 0; i < set->n; i++)
        if (is_of(kinds, set->plugin[i].kind))
            ids[n++] = set->plugin[i].id;
    const char *near = text_did_you_mean(id, ids);
    int rc =
        error_set(err, ERR_INVALID, "no %s named \"%s\"%s%s%s; `lethe plugins` lists what there is",
                  noun, id, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    free(ids);
    return rc;
}

int plugin_choice_find(const struct plugin_set *set, const char *id, const char *file,
                       const enum plugin_kind *kinds, const char *noun,
                       const struct plugin_desc **ret, struct error *err)
{
    for (unsigned i = 0; i < set->n_failures && file; i++) {
        const char *path = set->failure[i].path;
        if (strcmp(fs_basename(path), fs_basename(file)) == 0)
            return error_set(err, ERR_INVALID, "--plugin %s: %s", path, set->failure[i].reason);
    }
    for (size_t k = 0; kinds[k]; k++)
        if ((*ret = plugins_find(set, kinds[k], id)))
            return 0;
    return unknown(set, id, kinds, noun, err);
}
