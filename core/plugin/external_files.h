/* external_files.h: manifests as files, for the parent too: it knows no type of the ABI. */
#ifndef PLUGIN_EXTERNAL_FILES_H
#define PLUGIN_EXTERNAL_FILES_H

#include <stdbool.h>

#include "error.h"
#include "hash.h"
#include "json.h"

/* By its name: *.yaml, *.yml. */
bool external_is_manifest(const char *path);
/* Does the file declare an external plugin (a line that begins "lethe_plugin:")? Folders of plugins
 * may hold other YAML. */
bool external_declares(const char *path);
/* SHA-256 over the manifest and the files (names relative to its folder) that it names: what
 * identifies an external plugin. */
int external_hash(const char *path, const json_t *files, char ret_hex[HASH_HEX_SIZE],
                  struct error *err);

#endif
