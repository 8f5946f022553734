/* plugin_file.h: a loaded shared object, seen by the loader and the host. */
#ifndef PLUGIN_PLUGIN_FILE_H
#define PLUGIN_PLUGIN_FILE_H

#include "error.h"
#include "lethe/lethe.h"
#include "param_spec.h"

/* The least that this host accepts of each struct that a plugin fills: what ABI 1.0 had. A later
 * field is read only where LETHE_HAS says so. */
enum {
    SIZE_1_0_ENTRY = LETHE_SIZE_THROUGH(lethe_entry, plugins),
    SIZE_1_0_PLUGIN = LETHE_SIZE_THROUGH(lethe_plugin, extension),
    SIZE_1_0_INFO = LETHE_SIZE_THROUGH(lethe_info, tags),
    SIZE_1_0_PARAM = LETHE_SIZE_THROUGH(lethe_param, search),
    SIZE_1_0_UNLEARNER = LETHE_SIZE_THROUGH(lethe_unlearner, dispose),
    SIZE_1_0_ATTACK_USE = LETHE_SIZE_THROUGH(lethe_attack_use, settings),
    SIZE_1_0_EXAMPLE = LETHE_SIZE_THROUGH(lethe_example_attack, perturb),
    SIZE_1_0_MEMBER = LETHE_SIZE_THROUGH(lethe_membership_attack, dispose),
    SIZE_1_0_SCORE = LETHE_SIZE_THROUGH(lethe_score, doc),
    SIZE_1_0_AUDIT = LETHE_SIZE_THROUGH(lethe_audit, reserved1),
    SIZE_1_0_METRIC = LETHE_SIZE_THROUGH(lethe_metric, evaluate),
    SIZE_1_0_OUTPUT = LETHE_SIZE_THROUGH(lethe_output, constant)
};

/* Item i of an array whose items are `stride` bytes apart, as the plugin was compiled. */
static inline const void *plugin_item(const void *array, uint32_t stride, uint32_t i)
{
    return (const char *)array + (size_t)stride * i;
}

/* The entry is the handle: it lives as long as the library, and that is never closed. */
struct plugin_file;
static inline const lethe_entry *plugin_entry(const struct plugin_file *file)
{
    return (const lethe_entry *)(const void *)file;
}
/* The plugin of that kind, or NULL. */
const lethe_plugin *plugin_pick(const struct plugin_file *file, uint32_t kind, const char *id);

/* plugin_check.c: everything the plugin declares, before any of its code runs. */
int plugin_check(const lethe_plugin *plugin, struct error *err);
void plugin_param_spec(const lethe_param *param, struct param_spec *ret);

#endif
