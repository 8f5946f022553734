/* file_command.h: what the commands that work on files share: options, checks, the worker, its
 * progress, its result. */
#ifndef CLI_FILE_COMMAND_H
#define CLI_FILE_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "files_data.h"
#include "json.h"
#include "yaml.h"

struct file_options {
    const char *arch, *images, *labels, *model, *out;
    const char **setting; /* --set */
    unsigned n_settings;
    unsigned threads; /* 0: all this process may use */
    bool json, quiet;
};
/* Child parser of --arch --images --out --set --threads --json --quiet; its input is a
 * file_options. Arguments that are no option are refused. */
extern const struct argp file_argp;
/* The part of it that commands without images share: --set --threads --json --quiet. */
extern const struct argp file_run_argp;
void file_options_release(struct file_options *o);

/* Usage errors that name the option: the file is missing, or the result could not be written. */
int file_check_input(const char *option, const char *path, struct error *err);
int file_check_out(const char *path, struct error *err);
/* All --set together, as a map. */
int file_settings(const struct file_options *o, struct yaml_node **ret, struct error *err);
/* Takes `key` out of the map if it is there; a whole number from lo to hi. */
int file_take_int(struct yaml_node *map, const char *key, int64_t lo, int64_t hi, int64_t *ret,
                  struct error *err);
/* The architecture's text, from --arch, the model file and the images. classes_seen: largest label
 * + 1, 0 without labels. *ret_classes may be NULL. */
int file_arch(const struct file_options *o, const char *model_option,
              const struct file_images *images, uint32_t classes_seen, struct strbuf *ret,
              uint32_t *ret_classes, struct error *err);

/* The same of --model, for images without labels. */
int file_arch_of_model(const struct file_options *o, struct strbuf *ret, struct error *err);

/* What every job has; NULL when out of memory. */
json_t *file_job(const struct file_options *o, const char *kind, const char *arch);
/* Hands the job (taken over) to a worker, shows its progress on stderr, prints its warning.
 * *ret is the result object, or NULL with *ret_signal > 0 when a signal ended it. */
int file_run(const struct file_options *o, const char *title, json_t *job, json_t **ret,
             int *ret_signal, struct error *err);
void file_print_json(const json_t *value); /* on stdout */
/* Says how a command that writes --out ended, unless there is a result: the exit code, or -1 with a
 * result to show. */
int file_outcome(const struct file_options *o, int rc, int signal, const struct error *err);

#endif
