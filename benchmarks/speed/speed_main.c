/* lethe-speed: how fast the engine trains, predicts and attacks on this machine. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "model.h"
#include "speed_run.h"
#include "text.h"
#include "yaml.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
    const char *arch, *width;
    uint32_t classes, input[3], batch;
    unsigned threads, copies;
    double seconds;
    bool no_bn, csv, products, kind[WORK_COUNT];
};

enum {
    OPT_ARCH = 256,
    OPT_WIDTH,
    OPT_CLASSES,
    OPT_INPUT,
    OPT_NO_BN,
    OPT_BATCH,
    OPT_THREADS,
    OPT_SECONDS,
    OPT_COPIES,
    OPT_KINDS,
    OPT_PRODUCTS,
    OPT_CSV
};

static const struct argp_option argp_options[] = {
    {"arch", OPT_ARCH, "NAME|FILE", 0, "Architecture (default: cnn), or a YAML file with one", 0},
    {"width", OPT_WIDTH, "N", 0, "Its width (default: the architecture's own)", 0},
    {"classes", OPT_CLASSES, "N", 0, "Classes (default: 10)", 0},
    {"input", OPT_INPUT, "C,H,W", 0,
     "Image shape (default: 1,28,28 for mlp, lenet5 and cnn, 3,32,32 for others)", 0},
    {"no-bn", OPT_NO_BN, 0, 0, "Without batch normalisation", 0},
    {"batch", OPT_BATCH, "N", 0, "Images a step (default: 128)", 0},
    {"threads", OPT_THREADS, "N", 0, "Threads (default: 1)", 0},
    {"seconds", OPT_SECONDS, "S", 0, "Time for each kind of work, besides warming up (default: 5)",
     0},
    {"copies", OPT_COPIES, "N", 0, "Processes at once, whose speeds are added (default: 1)", 0},
    {"kinds", OPT_KINDS, "LIST", 0, "Of train,infer,inputgrad (default: all three)", 0},
    {"products", OPT_PRODUCTS, 0, 0,
     "Instead, the matrix products of a training step alone (linear layers, one thread)", 0},
    {"csv", OPT_CSV, 0, 0, "Print a CSV header and one row", 0},
    {0},
};

static uint32_t count(const char *name, const char *arg, int64_t max,
                      const struct argp_state *state)
{
    int64_t n;
    if (!text_to_int(arg, &n) || n < 1 || n > max)
        argp_error(state, "--%s: expected a number from 1 to %" PRId64 ", found \"%s\"", name, max,
                   arg);
    return (uint32_t)n;
}

static void read_kinds(struct options *o, char *arg, const struct argp_state *state)
{
    char *save = NULL;
    memset(o->kind, 0, sizeof(o->kind));
    for (char *word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        int k = 0;
        while (k < WORK_PRODUCTS && strcmp(work_kinds[k].option, word) != 0)
            k++;
        if (k == WORK_PRODUCTS)
            argp_error(state, "--kinds: \"%s\" is none of train, infer, inputgrad", word);
        o->kind[k] = true;
    }
}

static void read_input(struct options *o, char *arg, const struct argp_state *state)
{
    char *save = NULL;
    int d = 0;
    for (char *word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save), d++)
        if (d < 3)
            o->input[d] = count("input", word, 4096, state);
    if (d != 3)
        argp_error(state, "--input: expected C,H,W, as in --input 3,32,32");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case OPT_ARCH:
        o->arch = arg;
        break;
    case OPT_WIDTH:
        count("width", arg, 4096, state);
        o->width = arg;
        break;
    case OPT_CLASSES:
        o->classes = count("classes", arg, 65536, state);
        break;
    case OPT_INPUT:
        read_input(o, arg, state);
        break;
    case OPT_NO_BN:
        o->no_bn = true;
        break;
    case OPT_BATCH:
        o->batch = count("batch", arg, 65536, state);
        break;
    case OPT_THREADS:
        o->threads = count("threads", arg, 256, state);
        break;
    case OPT_SECONDS:
        if (!text_to_seconds(arg, &o->seconds) || o->seconds < 0 || o->seconds > 3600)
            argp_error(state, "--seconds: expected a time up to an hour, found \"%s\"", arg);
        break;
    case OPT_COPIES:
        o->copies = count("copies", arg, 64, state);
        break;
    case OPT_KINDS:
        read_kinds(o, arg, state);
        break;
    case OPT_PRODUCTS:
        o->products = true;
        break;
    case OPT_CSV:
        o->csv = true;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "what is \"%s\"? There are options only", arg);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    argp_options,
    parse,
    NULL,
    "Times training steps, inference and input gradients on a random batch, each\n"
    "in a process of its own, and prints images per second (from the median step)\n"
    "and peak memory.\v"
    "Columns of --csv: arch,batch,threads,train_img_s,infer_img_s,\n"
    "inputgrad_img_s,peak_mb; with --products arch,batch,threads,products_img_s.\n"
    "\nExamples:\n"
    "  lethe-speed --arch resnet18 --threads 2 --seconds 10\n"
    "  lethe-speed --csv --arch mlp --products\n"
    "  lethe-speed --arch cnn --copies 2 --kinds train\n",
    NULL,
    NULL,
    NULL,
};

/* OpenBLAS starts its threads before main: ours do the work, so it is to have one. */
static void want_one_blas_thread(char **argv)
{
    const char *blas = getenv("OPENBLAS_NUM_THREADS"), *omp = getenv("OMP_NUM_THREADS");
    if (blas && omp && strcmp(blas, "1") == 0 && strcmp(omp, "1") == 0)
        return;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

static bool is_small(const char *arch)
{
    static const char *const names[] = {"mlp", "lenet5", "cnn"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], arch) == 0)
            return true;
    return false;
}

static int arch_node(const struct options *o, struct yaml_node **ret, struct error *err)
{
    if (fs_exists(o->arch) && !fs_is_dir(o->arch))
        return yaml_load(o->arch, ret, err);
    char *text = text_format("{arch: \"%s\"}", o->arch);
    int rc = text ? yaml_parse("--arch", text, strlen(text), ret, err) : error_nomem(err);
    free(text);
    return rc;
}

static int make_arch(const struct options *o, struct arch **ret, struct error *err)
{
    static const uint32_t digits[3] = {1, 28, 28}, photos[3] = {3, 32, 32};
    const uint32_t *input = o->input[0] ? o->input : is_small(o->arch) ? digits : photos;
    struct yaml_node *node = NULL;
    TRY(arch_node(o, &node, err));
    int rc = 0;
    if (o->width)
        rc = yaml_set(node, "width", o->width, err);
    if (rc == 0 && o->no_bn)
        rc = yaml_set(node, "bn", "false", err);
    if (rc == 0)
        rc = arch_parse(node, input, o->classes, ret, err);
    yaml_free(node);
    return rc;
}

static void print_csv(const struct options *o, const struct speed_result *r)
{
    double peak = 0;
    printf(o->products ? "arch,batch,threads,products_img_s\n"
                       : "arch,batch,threads,train_img_s,infer_img_s,inputgrad_img_s,peak_mb\n");
    printf("%s,%" PRIu32 ",%u", o->arch, o->batch, o->threads);
    for (int k = 0; k < WORK_COUNT; k++) {
        if ((k == WORK_PRODUCTS) != o->products)
            continue;
        if (o->kind[k])
            printf(",%.1f", r[k].images_s);
        else
            putchar(',');
        peak = o->kind[k] && r[k].peak_mb > peak ? r[k].peak_mb : peak;
    }
    if (o->products)
        putchar('\n');
    else
        printf(",%.1f\n", peak);
}

static void print_text(const struct options *o, const struct arch *a, const struct speed_result *r)
{
    printf("%s on %" PRIu32 "x%" PRIu32 "x%" PRIu32 ", batch %" PRIu32 ", threads %u", o->arch,
           a->input[0], a->input[1], a->input[2], o->batch, o->threads);
    if (o->copies > 1)
        printf(", %u processes at once", o->copies);
    printf("; %s\n", nn_numerics());
    for (int k = 0; k < WORK_COUNT; k++)
        if (o->kind[k])
            printf("%-16s %10.1f images/s  %9.3f ms a step (median of %" PRIu32 ")  %7.1f MB\n",
                   work_kinds[k].name, r[k].images_s, 1e3 * r[k].step_s, r[k].steps, r[k].peak_mb);
}

static int run(const struct options *o, struct error *err)
{
    struct speed_result result[WORK_COUNT] = {0};
    struct arch *arch = NULL;
    TRY(make_arch(o, &arch, err));
    const struct bench_options bench = {arch, o->batch, o->threads, 1};
    int rc = 0;
    for (int k = 0; rc == 0 && k < WORK_COUNT; k++)
        if (o->kind[k])
            rc = speed_run(&work_kinds[k], &bench, o->seconds, o->copies, &result[k], err);
    if (rc == 0 && o->csv)
        print_csv(o, result);
    else if (rc == 0)
        print_text(o, arch, result);
    arch_free(arch);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {
        .arch = "cnn",
        .classes = 10,
        .batch = 128,
        .threads = 1,
        .copies = 1,
        .seconds = 5,
        .kind = {[WORK_TRAIN] = true, [WORK_INFER] = true, [WORK_INPUTGRAD] = true}};
    struct error err = ERROR_INIT;
    want_one_blas_thread(argv);
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return EXIT_USAGE;
    if (o.products)
        memset(o.kind, 0, sizeof(o.kind));
    o.kind[WORK_PRODUCTS] = o.products;
    if (run(&o, &err) < 0) {
        fprintf(stderr, "lethe-speed: %s\n", err.text);
        return err.code == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
    }
    return 0;
}
