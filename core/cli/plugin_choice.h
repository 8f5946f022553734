/* plugin_choice.h: the plugin that a file command runs, from ID and --plugin FILE. */
#ifndef CLI_PLUGIN_CHOICE_H
#define CLI_PLUGIN_CHOICE_H

#include "desc.h"

/* Everything there is, `file` (may be NULL) first; descriptions are kept between commands. */
int plugin_choice_discover(const char *file, struct plugin_set *ret, struct error *err);
/* The plugin `id` of one of the kinds (ends with 0), earlier kinds first. noun names them in
 * errors: "attack". A --plugin file that could not be described is an error with its reason. */
int plugin_choice_find(const struct plugin_set *set, const char *id, const char *file,
                       const enum plugin_kind *kinds, const char *noun,
                       const struct plugin_desc **ret, struct error *err);

#endif
