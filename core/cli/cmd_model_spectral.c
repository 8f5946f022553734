/* cmd_model_spectral.c: lethe model info FILE --spectral. */
#include <stdio.h>

#include "cli.h"
#include "cmd_model.h"
#include "file_command.h"
#include "files_arch.h"
#include "log.h"

static int arch_of(const struct model_options *o, struct strbuf *ret, struct error *err)
{
    const struct arch_request request = {o->arch, o->file, "model info", NULL, 0};
    struct arch *arch = NULL;
    TRY(files_arch(&request, &arch, err));
    arch_text(arch, ret);
    arch_free(arch);
    return ret->failed ? error_nomem(err) : 0;
}

static json_t *make_job(const struct model_options *o, const struct file_options *f,
                        const char *arch)
{
    json_t *job = file_job(f, "spectral", arch);
    json_t *more =
        json_pack("{s:s,s:I,s:I,s:I}", "model", o->file, "iterations", (json_int_t)o->iterations,
                  "top", (json_int_t)o->top, "seed", (json_int_t)o->seed);
    if (!job || !more || json_object_update(job, more) != 0) {
        json_decref(job);
        job = NULL;
    }
    json_decref(more);
    return job;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void print_row(const json_t *row)
{
    const char *with = json_string_value(json_object_get(row, "with"));
    const json_t *reshaped = json_object_get(row, "reshaped"), *v;
    const json_t *values = json_object_get(row, "values");
    char name[128];
    size_t k;
    snprintf(name, sizeof(name), "%s%s%s", json_string_value(json_object_get(row, "name")),
             *with ? " + " : "", with);
    printf("  %-30s %-14s %10.5g %10.5g", name, json_string_value(json_object_get(row, "kind")),
           number(row, "norm"), number(row, "certified"));
    if (json_is_number(reshaped))
        printf(" %10.5g", json_number_value(reshaped));
    json_array_foreach(values, k, v) if (k > 0)
        printf("%s%.5g", k == 1 ? "   then " : " ", json_number_value(v));
    putchar('\n');
}

static void print_report(const json_t *result)
{
    const json_t *row;
    size_t i;
    printf("  %-30s %-14s %10s %10s %10s\n", "layer", "kind", "norm", "at most", "as matrix");
    json_array_foreach(json_object_get(result, "layers"), i, row) print_row(row);
    printf("product of norms %.6g, certified %.6g\n", number(result, "bound"),
           number(result, "certified"));
    if (number(result, "bound") != number(result, "bound_composed"))
        printf("with convolution and batch-norm as one map: %.6g, certified %.6g\n",
               number(result, "bound_composed"), number(result, "certified_composed"));
}

int model_spectral(const struct model_options *o)
{
    struct file_options f = {.images = "", .out = o->out ? o->out : "", .quiet = true};
    struct error err = ERROR_INIT;
    struct strbuf arch;
    json_t *result = NULL;
    int signal = 0;
    strbuf_init(&arch);
    int rc = file_check_input("model info", o->file, &err);
    if (rc == 0 && o->out)
        rc = file_check_out(o->out, &err);
    if (rc == 0)
        rc = arch_of(o, &arch, &err);
    if (rc == 0)
        rc = file_run(&f, "norms", make_job(o, &f, arch.s), &result, &signal, &err);
    strbuf_release(&arch);
    if (rc < 0)
        return cli_fail(&err);
    if (signal) {
        log_info("stopped by signal %d", signal);
        return 128 + signal;
    }
    if (o->json)
        file_print_json(result);
    else
        print_report(result);
    json_decref(result);
    return EXIT_OK;
}
