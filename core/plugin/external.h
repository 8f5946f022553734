/* external.h: plugins in any language. A YAML manifest beside an executable declares what a shared
 * object's table would; the host then writes files, runs the command in a scratch folder, and reads
 * files back (docs/PLUGINS.md). To the rest of the host it is a plugin like any other: plugin_open
 * makes the entry that a library would export, with functions of host_external*.c in its tables. */
#ifndef PLUGIN_EXTERNAL_H
#define PLUGIN_EXTERNAL_H

#include <stdbool.h>

#include "plugin_file.h"

/* What a manifest declares beside what the ABI has a place for. */
struct external_command {
    const char *dir;          /* of the manifest, absolute */
    const char *const *word;  /* NULL-ended; words that name files beside the manifest are
                                 absolute paths */
    const char *const *file;  /* NULL-ended: names, relative to dir, of what identifies it */
    const char *const *shown; /* NULL-ended: the command as the manifest has it */
    int radius;               /* example attacks: parameter that bounds the norm; -1: none */
    bool logits, features;    /* unlearners: outputs of the model beside the images */
};

struct external {
    lethe_entry entry; /* first: the handle of plugin_open */
    const lethe_plugin *list[1];
    lethe_plugin plugin;
    lethe_info info;
    union {
        lethe_unlearner unlearner;
        lethe_example_attack example;
        lethe_membership_attack member;
        lethe_audit audit;
        lethe_metric metric;
    } iface;
    struct external_command command;
};

/* Reads and checks a manifest. As a library it stays until the process ends. Errors name the file
 * without its folder. */
int external_open(const char *path, struct plugin_file **ret, struct error *err);
/* The external plugin behind a table entry that external_open made. */
const struct external *external_of(const lethe_plugin *plugin);

/* host_external_*.c: the functions in its tables. */
extern const lethe_unlearner external_unlearner;
extern const lethe_example_attack external_example_attack;
extern const lethe_membership_attack external_membership_attack;
extern const lethe_audit external_audit;
extern const lethe_metric external_metric;

#endif
