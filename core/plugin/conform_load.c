/* Tests of the file: what loading it does, and what it exchanges with the process by name. */
#include <string.h>

#include "conform_internal.h"
#include "conform_tests.h"
#include "external_files.h"
#include "fs.h"
#include "strbuf.h"

int conform_test_load(struct conform *t, struct error *err)
{
    struct error why = ERROR_INIT;
    json_t *all = NULL;
    TRY(conform_doing(t, err, "dlopen"));
    uint64_t start = fs_now_ns();
    int rc = plugin_open(t->path, &t->file, &why);
    double seconds = (double)(fs_now_ns() - start) / 1e9;
    if (rc == 0)
        rc = plugin_describe(t->file, t->path, &all, &why);
    json_decref(all);
    if (rc < 0)
        return conform_say(t, CONFORM_FAIL, "%s", why.text);
    if (seconds > 1)
        return conform_say(t, CONFORM_WARN,
                           "loading took %.1f s; every listing of plugins waits for it", seconds);
    return 0;
}

/* External plugins are manifests: what a linker exchanges does not apply to them. */
static bool no_object(struct conform *t)
{
    if (!external_is_manifest(t->path))
        return false;
    conform_say(t, CONFORM_SKIP, "a manifest is no shared object");
    return true;
}

int conform_test_load_twice(struct conform *t, struct error *err)
{
    struct plugin_file *again = NULL;
    if (no_object(t))
        return 0;
    TRY(plugin_open(t->path, &t->file, err));
    if (plugin_open(t->path, &again, err) < 0)
        return conform_say(t, CONFORM_FAIL, "the second load failed: %s", err->text);
    if (again != t->file)
        return conform_say(t, CONFORM_FAIL, "the second load gave another entry");
    return 0;
}

/* ---- symbols ---- */

int conform_test_exports(struct conform *t, struct error *err)
{
    struct elf_symbols s;
    struct strbuf others;
    unsigned n = 0;
    if (no_object(t))
        return 0;
    TRY(elf_symbols_read(t->path, &s, err));
    strbuf_init(&others);
    for (size_t i = 0; s.defined[i]; i++)
        if (strcmp(s.defined[i], "lethe_plugin_entry") != 0 && n++ < 5)
            strbuf_addf(&others, "%s%s", n > 1 ? ", " : "", s.defined[i]);
    if (n > 0)
        conform_say(t, CONFORM_WARN,
                    "it also exports %s%s; other plugins of the process could meet them: compile "
                    "with -fvisibility=hidden (lethe.pc and lethe_add_plugin do)",
                    others.s, n > 5 ? ", ..." : "");
    strbuf_release(&others);
    elf_symbols_release(&s);
    return 0;
}

/* What a guest does not do to its host's process. */
static const struct {
    const char *name, *why;
} unwanted[] = {
    {"rand", "draw from rng->stream"},
    {"srand", "draw from rng->stream"},
    {"random", "draw from rng->stream"},
    {"srandom", "draw from rng->stream"},
    {"rand_r", "draw from rng->stream"},
    {"drand48", "draw from rng->stream"},
    {"lrand48", "draw from rng->stream"},
    {"srand48", "draw from rng->stream"},
    {"getrandom", "draw from rng->stream"},
    {"arc4random", "draw from rng->stream"},
    {"time", "results must not depend on the clock"},
    {"exit", "return a status"},
    {"_exit", "return a status"},
    {"quick_exit", "return a status"},
    {"abort", "return a status"},
    {"__assert_fail", "compile with -DNDEBUG, or return LETHE_E_INTERNAL"},
    {"signal", "signals belong to the host"},
    {"sigaction", "signals belong to the host"},
    {"setrlimit", "limits belong to the host"},
    {"setlocale", "the locale belongs to the host"},
    {"chdir", "the folder belongs to the host"},
    {"dlopen", "link what is needed"},
    {"fork", "no processes of its own"},
    {"vfork", "no processes of its own"},
    {"system", "no processes of its own"},
    {"popen", "no processes of its own"},
    {"pthread_create", "use par->range"},
    {"GOMP_parallel", "use par->range"},
    {"puts", "use core->log"},
    {"putchar", "use core->log"},
    {"printf", "use core->log"},
};

static const char *find_unwanted(const char *name)
{
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
        if (strcmp(unwanted[i].name, name) == 0)
            return unwanted[i].why;
    return NULL;
}

int conform_test_imports(struct conform *t, struct error *err)
{
    struct elf_symbols s;
    struct strbuf found;
    if (no_object(t))
        return 0;
    TRY(elf_symbols_read(t->path, &s, err));
    strbuf_init(&found);
    for (size_t i = 0; s.undefined[i]; i++) {
        const char *why = find_unwanted(s.undefined[i]);
        if (why)
            strbuf_addf(&found, "%s%s (%s)", found.len ? ", " : "", s.undefined[i], why);
    }
    if (found.len > 0)
        conform_say(t, CONFORM_WARN, "it calls %s", found.s);
    strbuf_release(&found);
    elf_symbols_release(&s);
    return 0;
}

int conform_test_constructors(struct conform *t, struct error *err)
{
    struct elf_symbols s;
    if (no_object(t))
        return 0;
    TRY(elf_symbols_read(t->path, &s, err));
    /* one is the compiler's own, in every shared object */
    unsigned long n = s.init_bytes / sizeof(void *);
    elf_symbols_release(&s);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return n > 3 ? conform_say(t, CONFORM_SKIP, "sanitizers bring constructors of their own") : 0;
#endif
    if (n > 1)
        conform_say(t, CONFORM_WARN,
                    "%lu constructors run while it is loaded, also where it is only listed; a "
                    "plugin is constants and functions",
                    n - 1);
    return 0;
}
