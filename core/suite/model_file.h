/* model_file.h: models as safetensors files that carry their architecture. */
#ifndef SUITE_MODEL_FILE_H
#define SUITE_MODEL_FILE_H

#include "model.h"

/* Tensor names and layouts are PyTorch's; the architecture's text is in the metadata. */
int model_save(const struct model *m, const char *path, struct error *err);
/* arch NULL: from the metadata. Every tensor must be there with its shape and no other one; errors
 * name tensor, found and expected. *ret_arch (owned by the caller) outlives the model. */
int model_load(const char *path, struct arch **ret_arch, struct model **ret, struct error *err);

#endif
