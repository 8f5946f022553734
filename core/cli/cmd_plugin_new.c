/* lethe plugin new: a small plugin of a kind, from the templates beside the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_plugin.h"
#include "fs.h"
#include "log.h"
#include "strbuf.h"
#include "text.h"

struct new_options {
    const char *kind, *id, *dir;
};

/* KIND as people type it; the stem of its templates; what the README says; its line in a suite. */
static const struct kind {
    const char *name, *stem, *words, *use;
} kinds[] = {
    {"unlearner", "unlearner", "a method that makes a trained model forget some of its samples",
     "unlearn:\n  - {label: @ID@, plugin: ./build/@ID@.so}"},
    {"example-attack", "example_attack", "an attack that perturbs inputs",
     "attacks: [@ID@]   # its folder in LETHE_PLUGIN_PATH, or lethe run --plugin FILE"},
    {"membership-attack", "membership_attack", "an attack that guesses who was a training sample",
     "attacks: [@ID@]   # its folder in LETHE_PLUGIN_PATH, or lethe run --plugin FILE"},
    {"audit", "audit", "a test of an unlearned model against retrained ones",
     "attacks: [@ID@]   # its folder in LETHE_PLUGIN_PATH, or lethe run --plugin FILE"},
    {"metric", "metric", "numbers computed from an unlearned model's outputs",
     "metrics: [@ID@]   # its folder in LETHE_PLUGIN_PATH, or lethe run --plugin FILE"},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct new_options *o = state->input;
    const char **place[] = {&o->kind, &o->id, &o->dir};
    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num >= sizeof(place) / sizeof(place[0]))
            argp_error(state, "too many arguments: %s", arg);
        *place[state->arg_num] = arg;
        break;
    case ARGP_KEY_END:
        if (!o->id)
            argp_error(state, "needs a kind and an id, as in: unlearner org.lab.method");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    NULL,
    parse,
    "KIND ID [DIR]",
    "Starts a plugin of your own: writes a small one that already works, with its build,\n"
    "its tests and a README, into DIR (default: ./ID). Nothing is overwritten.\v"
    "KIND is one of\n"
    "  unlearner          makes a trained model forget some of its samples\n"
    "  example-attack     perturbs inputs\n"
    "  membership-attack  scores how likely a sample was trained on\n"
    "  audit              compares an unlearned model with retrained ones\n"
    "  metric             computes numbers from a model's outputs\n"
    "ID is the plugin's name for ever: lower-case words, third parties with dots, such as\n"
    "org.lab.method.\n"
    "\nWritten are\n"
    "  org_lab_method.c  the method, and constants that say what it is and needs\n"
    "  CMakeLists.txt    finds the installed SDK; README.md has the same in one cc line\n"
    "  README.md         build, test, use\n"
    "  test/             a small run on files, beside `lethe plugin check`\n"
    "\nExample:\n"
    "  lethe plugin new unlearner org.lab.method && cd org.lab.method\n"
    "  cmake -B build -DCMAKE_PREFIX_PATH=$PREFIX && cmake --build build\n"
    "  ctest --test-dir build\n"
    "\nExit codes: 0 written; 2 wrong arguments, or a file is there already; 3 something\n"
    "is missing on this machine (the templates, a folder that can be written).",
    NULL,
    NULL,
    NULL,
};

/* ---- names ---- */

/* What the words between at-signs stand for. */
struct words {
    const struct kind *kind;
    const char *id;
    char file[128]; /* id with _ for . and - : of the source, and of the CMake target */
    char name[128]; /* the last part of the id, the same way: of functions and columns */
    char short_name[13];
};

static int find_kind(const char *name, const struct kind **ret, struct error *err)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (int i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kinds[i].name, name) == 0) {
            *ret = &kinds[i];
            return 0;
        }
    }
    const char *near = text_did_you_mean(name, names);
    return error_set(err, ERR_INVALID,
                     "\"%s\" is no kind of plugin%s%s%s; expected unlearner, example-attack, "
                     "membership-attack, audit or metric",
                     name, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int make_words(const struct new_options *o, struct words *ret, struct error *err)
{
    struct words w = {.id = o->id};
    TRY(find_kind(o->kind, &w.kind, err));
    if (!text_is_plugin_id(o->id) || strlen(o->id) >= sizeof(w.file) - 1)
        return error_set(err, ERR_INVALID,
                         "\"%s\" is no plugin id; expected lower-case letters and digits in words "
                         "joined by . or -, as in org.lab.method",
                         o->id);
    if (strcmp(o->id, "original") == 0 || strcmp(o->id, "retrain") == 0)
        return error_set(err, ERR_INVALID, "the id \"%s\" is reserved; expected another", o->id);
    const char *last = strrchr(o->id, '.');
    last = last ? last + 1 : o->id;
    bool digit = last[0] >= '0' && last[0] <= '9'; /* no name in C begins with one */
    text_to_column(o->id, w.file);
    snprintf(w.name, sizeof(w.name), "%s", digit ? "p_" : "");
    text_to_column(last, w.name + strlen(w.name));
    snprintf(w.short_name, sizeof(w.short_name), "%.12s", last);
    *ret = w;
    return 0;
}

/* ---- templates ---- */

static const char *word_value(const struct words *w, const char *word, size_t n)
{
    const struct {
        const char *word, *value;
    } all[] = {{"ID", w->id},         {"FILE", w->file},
               {"NAME", w->name},     {"SHORT", w->short_name},
               {"USE", w->kind->use}, {"KIND_WORDS", w->kind->words}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strlen(all[i].word) == n && strncmp(all[i].word, word, n) == 0)
            return all[i].value;
    return NULL;
}

/* Values may hold words themselves, one level deep. */
static void fill_in(const struct words *w, const char *text, struct strbuf *out)
{
    for (const char *at; (at = strchr(text, '@')); text = at) {
        size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        const char *value = at[1 + n] == '@' ? word_value(w, at + 1, n) : NULL;
        strbuf_add(out, text, (size_t)(at - text));
        if (value && strchr(value, '@'))
            fill_in(w, value, out);
        else
            strbuf_adds(out, value ? value : "@");
        at += value ? n + 2 : 1;
    }
    strbuf_adds(out, text);
}

/* A file to be written: from templates/`template`, to `name` in the folder. */
struct output {
    char *template, *name;
    struct strbuf text;
};

enum { N_OUTPUTS = 5 };

static int name_outputs(const struct words *w, const char *dir, struct output *out,
                        struct error *err)
{
    const char *stem = w->kind->stem;
    char *source = text_format("%s.c", w->file);
    const char *const names[N_OUTPUTS] = {source, "CMakeLists.txt", "README.md", "test/data.sh",
                                          "test/run.sh"};
    out[0].template = text_format("%s.c.in", stem);
    out[1].template = text_dup("cmakelists.txt.in");
    out[2].template = text_dup("readme.md.in");
    out[3].template = text_dup("data.sh.in");
    out[4].template = text_format("run_%s.sh.in", stem);
    bool ok = source != NULL;
    for (int i = 0; ok && i < N_OUTPUTS; i++) {
        out[i].name = fs_join(dir, names[i]);
        ok = out[i].name && out[i].template;
    }
    free(source);
    return ok ? 0 : error_nomem(err);
}

/* Nothing is written before all of it can be. */
static int prepare(const struct words *w, const char *templates, struct output *o,
                   struct error *err)
{
    size_t n;
    char *text = NULL, *path;
    if (fs_exists(o->name))
        return error_set(err, ERR_INVALID,
                         "%s is there already; choose another folder, or move it away", o->name);
    path = fs_join(templates, o->template);
    int rc = path ? fs_read(path, 1 << 20, &text, &n, err) : error_nomem(err);
    if (rc < 0 && path && !fs_exists(path))
        rc = error_set(err, ERR_ENVIRONMENT,
                       "%s is missing; install Lethe again, with its share folder", path);
    if (rc == 0)
        fill_in(w, text, &o->text);
    if (o->text.failed)
        rc = error_nomem(err);
    free(text);
    free(path);
    return rc;
}

static int write_one(const struct output *o, struct error *err)
{
    char *dir = fs_dirname(o->name);
    int rc = dir ? fs_mkdirs(dir, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_write_atomic(o->name, o->text.s, o->text.len, err);
    free(dir);
    return rc;
}

static int write_all(const struct words *w, const char *dir, struct error *err)
{
    struct output out[N_OUTPUTS] = {{NULL, NULL, {0}}};
    char *program = fs_program_dir();
    char *templates = program ? fs_join(program, "../share/lethe/templates") : NULL;
    for (int i = 0; i < N_OUTPUTS; i++)
        strbuf_init(&out[i].text);
    int rc = templates ? name_outputs(w, dir, out, err) : error_nomem(err);
    for (int i = 0; rc == 0 && i < N_OUTPUTS; i++)
        rc = prepare(w, templates, &out[i], err);
    for (int i = 0; rc == 0 && i < N_OUTPUTS; i++)
        rc = write_one(&out[i], err);
    for (int i = 0; rc == 0 && i < N_OUTPUTS; i++)
        printf("wrote %s\n", out[i].name);
    for (int i = 0; i < N_OUTPUTS; i++) {
        free(out[i].template);
        free(out[i].name);
        strbuf_release(&out[i].text);
    }
    free(templates);
    free(program);
    return rc;
}

int cmd_plugin_new(int argc, char **argv)
{
    struct new_options o = {0};
    struct error err = ERROR_INIT;
    struct words w;
    int code = cli_parse(&argp, argc, argv, &o);
    if (code >= 0)
        return code;
    int rc = make_words(&o, &w, &err);
    if (rc == 0)
        rc = write_all(&w, o.dir ? o.dir : o.id, &err);
    if (rc < 0)
        return cli_fail(&err);
    if (!strchr(o.id, '.'))
        log_info("ids of third parties have dots, as org.lab.%s; bare ones are Lethe's own", o.id);
    printf("\nNext: %s/README.md says how to build, check and use it.\n", o.dir ? o.dir : o.id);
    return EXIT_OK;
}
