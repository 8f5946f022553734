/* files_arch.h: which network `--arch`, a model file and the images mean together. */
#ifndef SUITE_FILES_ARCH_H
#define SUITE_FILES_ARCH_H

#include "arch.h"
#include "files_data.h"

struct arch_request {
    const char *arch;                 /* a name or a YAML file; NULL: the model file's own */
    const char *model;                /* a model file; NULL: none */
    const char *model_option;         /* "--init", for messages */
    const struct file_images *images; /* NULL: none, the architecture says its input */
    uint32_t classes_seen;            /* largest label + 1; 0: no labels */
};

/* What the YAML file says wins; what it leaves open (always, for a bare name) is the images' shape,
 * and the classes of the model file (of its architecture, else of its last layer's tensor), else
 * those seen. The images must fit. */
int files_arch(const struct arch_request *r, struct arch **ret, struct error *err);

#endif
