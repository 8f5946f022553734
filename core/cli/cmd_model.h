/* cmd_model.h: what the files of `lethe model` share. */
#ifndef CLI_CMD_MODEL_H
#define CLI_CMD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct model_options {
    const char *command, *file;
    bool json, spectral;
    const char *arch, *out; /* of --spectral; NULL: not given */
    int64_t iterations, top, seed;
};

/* Norms of the file's layers, measured by a worker; the exit code. */
int model_spectral(const struct model_options *o);

#endif
