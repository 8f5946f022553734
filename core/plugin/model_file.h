/* model_file.h: models as safetensors files that carry their architecture. */
#ifndef PLUGIN_MODEL_FILE_H
#define PLUGIN_MODEL_FILE_H

#include "model.h"
#include "safetensors.h"

/* Where a file's metadata keeps the architecture. */
#define MODEL_ARCH_KEY "lethe.arch"

/* Tensor names and layouts are PyTorch's; the architecture's text is in the metadata. */
int model_save(const struct model *m, const char *path, struct error *err);
/* The architecture is the metadata's. Every tensor must be there with its shape and no other one;
 * errors name tensor, found and expected. *ret_arch (owned by the caller) outlives the model. */
int model_load(const char *path, struct arch **ret_arch, struct model **ret, struct error *err);
/* Parameters and statistics of a file, whatever wrote it, into a model whose architecture is known.
 * After an error m holds a mixture. */
int model_load_into(struct model *m, const char *path, struct error *err);
/* The tensor that a file of any known naming has for our name ("linear.weight": also
 * "module.linear.weight" of DataParallel, "fc.weight" of torchvision); NULL when there is none. */
const struct st_tensor *model_file_tensor(const struct safetensors *st, const char *name);

#endif
