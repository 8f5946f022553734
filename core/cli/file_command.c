#include "file_command.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "files_arch.h"
#include "fs.h"
#include "log.h"
#include "text.h"

enum { OPT_ARCH = 768, OPT_IMAGES, OPT_OUT, OPT_SET, OPT_THREADS, OPT_JSON };

static const struct argp_option options[] = {
    {"arch", OPT_ARCH, "NAME|FILE", 0,
     "The architecture: a name such as cnn, or a YAML file with {arch: cnn, width: 16} or layers",
     0},
    {"images", OPT_IMAGES, "X.npy", 0,
     "Images (N, C, H, W): float32 or float64 in [0, 1], or uint8, which is divided by 255", 0},
    {"out", OPT_OUT, "FILE", 0, "Where the result goes; replaced in one piece", 0},
    {0},
};

static const struct argp_option run_options[] = {
    {"set", OPT_SET, "KEY=VALUE", 0, "Change a setting; may be repeated", 0},
    {"threads", OPT_THREADS, "N", 0,
     "Threads (default: one a core); their number never changes a result", 0},
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static int push_setting(struct file_options *o, const char *setting)
{
    const char **grown = realloc(o->setting, (o->n_settings + 1) * sizeof(*grown));
    if (!grown)
        return ENOMEM;
    o->setting = grown;
    grown[o->n_settings++] = setting;
    return 0;
}

static void set_threads(struct file_options *o, const char *arg, const struct argp_state *state)
{
    int64_t n;
    if (!text_to_int(arg, &n) || n < 1 || n > 256)
        argp_error(state, "--threads: expected a number from 1 to 256, found \"%s\"", arg);
    o->threads = (unsigned)n;
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
    struct file_options *o = state->input;
    switch (key) {
    case OPT_SET:
        return push_setting(o, arg);
    case OPT_THREADS:
        set_threads(o, arg, state);
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp file_run_argp = {run_options, parse_run, NULL, NULL, NULL, NULL, NULL};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct file_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        break;
    case OPT_ARCH:
        o->arch = arg;
        break;
    case OPT_IMAGES:
        o->images = arg;
        break;
    case OPT_OUT:
        o->out = arg;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "what is \"%s\"? Files are named by options, as --images x.npy", arg);
        break;
    case ARGP_KEY_END:
        if (!o->images)
            argp_error(state, "which images? Give --images X.npy");
        if (!o->out)
            argp_error(state, "where to? Give --out FILE");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_child children[] = {{&file_run_argp, 0, NULL, 0}, {0}};
const struct argp file_argp = {options, parse, NULL, NULL, children, NULL, NULL};

void file_options_release(struct file_options *o)
{
    free(o->setting);
}

/* Jobs are JSON, whose texts are UTF-8. */
static int check_utf8(const char *option, const char *path, struct error *err)
{
    if (text_is_utf8(path, strlen(path)))
        return 0;
    return error_set(err, ERR_INVALID, "%s: the file's name is not UTF-8 text; rename it", option);
}

int file_check_input(const char *option, const char *path, struct error *err)
{
    TRY(check_utf8(option, path, err));
    if (fs_is_dir(path))
        return error_set(err, ERR_INVALID, "%s %s: that is a folder", option, path);
    if (access(path, R_OK) == 0)
        return 0;
    error_errno(err, errno, "%s %s", option, path);
    err->code = ERR_INVALID; /* a name mistyped, not a machine that lacks something */
    return err->code;
}

int file_check_out(const char *path, struct error *err)
{
    TRY(check_utf8("--out", path, err));
    if (fs_is_dir(path))
        return error_set(err, ERR_INVALID, "--out %s: that is a folder; name a file", path);
    /* the worker's standard output is not this program's */
    if (text_starts(path, "/dev/") && strcmp(path, "/dev/null") != 0)
        return error_set(err, ERR_INVALID, "--out %s: expected a regular file", path);
    char *dir = fs_dirname(path);
    if (!dir)
        return error_nomem(err);
    bool there = fs_is_dir(dir);
    free(dir);
    return there ? 0 : error_set(err, ERR_INVALID, "--out %s: its folder does not exist", path);
}

static int apply_setting(struct yaml_node *map, const char *setting, struct error *err)
{
    const char *equals = strchr(setting, '=');
    if (!equals || equals == setting)
        return error_set(err, ERR_INVALID, "--set %s: expected KEY=VALUE, as in --set lr=0.05",
                         setting);
    char *key = strndup(setting, (size_t)(equals - setting));
    int rc = key ? yaml_set(map, key, equals + 1, err) : error_nomem(err);
    free(key);
    return rc;
}

int file_settings(const struct file_options *o, struct yaml_node **ret, struct error *err)
{
    struct yaml_node *map = NULL;
    TRY(yaml_parse("--set", "{}", 2, &map, err));
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < o->n_settings; i++)
        rc = apply_setting(map, o->setting[i], err);
    if (rc < 0)
        yaml_free(map);
    else
        *ret = map;
    return rc;
}

int file_take_int(struct yaml_node *map, const char *key, int64_t lo, int64_t hi, int64_t *ret,
                  struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < lo || v > hi)
        return yaml_error(node, err, "%s: expected %lld to %lld, found %lld", key, (long long)lo,
                          (long long)hi, (long long)v);
    size_t i = 0;
    while (map->child[i].value != node)
        i++;
    free(map->child[i].key);
    yaml_free(map->child[i].value);
    map->n--;
    memmove(&map->child[i], &map->child[i + 1], (map->n - i) * sizeof(*map->child));
    *ret = v;
    return 0;
}

int file_arch(const struct file_options *o, const char *model_option,
              const struct file_images *images, uint32_t classes_seen, struct strbuf *ret,
              uint32_t *ret_classes, struct error *err)
{
    struct arch_request request = {o->arch, o->model, model_option, images, classes_seen};
    struct arch *arch = NULL;
    TRY(files_arch(&request, &arch, err));
    arch_text(arch, ret);
    if (ret_classes)
        *ret_classes = arch->classes;
    arch_free(arch);
    return ret->failed ? error_nomem(err) : 0;
}

/* Cores that this process may use. */
static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 && n <= 256 ? (unsigned)n : n > 256 ? 256 : 1;
}

json_t *file_job(const struct file_options *o, const char *kind, const char *arch)
{
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:i}", "lethe_files", 1, "kind", kind, "arch", arch,
                     "images", o->images, "out", o->out, "threads",
                     (int)(o->threads ? o->threads : cores()));
}

void file_print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    putchar('\n');
}

int file_arch_of_model(const struct file_options *o, struct strbuf *ret, struct error *err)
{
    struct file_images images;
    TRY(file_images_open(o->images, &images, err));
    int rc = file_arch(o, "--model", &images, 0, ret, NULL, err);
    file_images_release(&images);
    return rc;
}

int file_outcome(const struct file_options *o, int rc, int signal, const struct error *err)
{
    if (rc < 0)
        return cli_fail(err);
    if (!signal)
        return -1;
    log_info("stopped by signal %d; %s is untouched", signal, o->out);
    return 128 + signal;
}
