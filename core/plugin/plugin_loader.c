/* Loading a shared object. The order of the checks is that of abi-study 2.3: nothing is read
 * before what guards it. Only constructors of the object have run by then. */
#include <dlfcn.h>
#include <string.h>

#include "external.h"
#include "external_files.h"
#include "fs.h"
#include "hosting.h"
#include "plugin_file.h"
#include "text.h"
#include "version.h"

/* "1u" in the header; the digits are what people read. */
_Static_assert(LETHE_ABI_MAJOR == 1 && LETHE_ABI_MINOR == 0, "hosting_abi says so too");

const char *hosting_abi(void)
{
    return "1.0";
}

/* The linker's own words, without the path in front: reasons must not name folders. */
static int refuse_load(const char *path, const char *why, struct error *err)
{
    size_t n = strlen(path);
    if (why && strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2;
    const char *cure = why && strstr(why, "undefined symbol")
                           ? "; a plugin may use nothing but libc, libm and the host's tables"
                           : "";
    return error_set(err, ERR_INVALID, "%s cannot be loaded: %s%s", fs_basename(path),
                     why ? why : "unknown error", cure);
}

static int check_version(const char *name, const lethe_entry *e, struct error *err)
{
    if (e->abi_major != LETHE_ABI_MAJOR)
        return error_set(err, ERR_INVALID,
                         "%s: built for plugin ABI %u.%u, this Lethe %s has ABI %s; rebuild the "
                         "plugin against this Lethe's headers, or use a Lethe whose ABI has major "
                         "number %u",
                         name, e->abi_major, e->abi_minor, LETHE_VERSION, hosting_abi(),
                         e->abi_major);
    if (e->abi_minor_required > LETHE_ABI_MINOR)
        return error_set(err, ERR_INVALID,
                         "%s: needs host ABI %u.%u or newer, this Lethe %s has ABI %s; update "
                         "Lethe, or build the plugin so that it needs less (the second argument "
                         "of LETHE_ENTRY)",
                         name, e->abi_major, e->abi_minor_required, LETHE_VERSION, hosting_abi());
    return 0;
}

static int check_entry(const char *name, const lethe_entry *e, struct error *err)
{
    if (e->magic != LETHE_MAGIC)
        return error_set(
            err, ERR_INVALID,
            "%s: lethe_plugin_entry starts with %08x instead of %08x (\"LTH1\"); it is "
            "no Lethe plugin, or damaged: build it again",
            name, e->magic, LETHE_MAGIC);
    if (e->struct_size < SIZE_1_0_ENTRY)
        return error_set(err, ERR_INVALID,
                         "%s: lethe_plugin_entry has %u bytes, ABI %s needs %u; build the plugin "
                         "with LETHE_ENTRY (lethe/export.h) of Lethe %s",
                         name, e->struct_size, hosting_abi(), SIZE_1_0_ENTRY, LETHE_VERSION);
    TRY(check_version(name, e, err));
    if (e->n_plugins == 0 || !e->plugins)
        return error_set(err, ERR_INVALID,
                         "%s: lists no plugins; give LETHE_ENTRY an array of at least one", name);
    return 0;
}

static int check_plugins(const char *name, const lethe_entry *e, struct error *err)
{
    for (uint32_t i = 0; i < e->n_plugins; i++) {
        const lethe_plugin *p = e->plugins[i];
        if (!p)
            return error_set(err, ERR_INVALID, "%s: plugin %u of %u is NULL", name, i + 1,
                             e->n_plugins);
        if (plugin_check(p, err) < 0)
            return error_prefix(err, "%s", name);
        for (uint32_t k = 0; k < i; k++)
            if (e->plugins[k]->kind == p->kind && strcmp(e->plugins[k]->info->id, p->info->id) == 0)
                return error_set(err, ERR_INVALID, "%s: two plugins of one kind have the id %s",
                                 name, p->info->id);
    }
    return 0;
}

int plugin_open(const char *path, struct plugin_file **ret, struct error *err)
{
    const char *name = fs_basename(path);
    if (external_is_manifest(path))
        return external_open(path, ret, err);
    char *absolute = NULL; /* a bare name would send dlopen to the system's folders */
    TRY(fs_absolute(path, &absolute, err));
    void *handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    int rc = handle ? 0 : refuse_load(absolute, dlerror(), err);
    free(absolute);
    TRY(rc);
    const lethe_entry *entry = dlsym(handle, "lethe_plugin_entry");
    if (!entry)
        return error_set(err, ERR_INVALID,
                         "%s: has no symbol lethe_plugin_entry, so it is no Lethe plugin; the last "
                         "line of a plugin is LETHE_ENTRY (lethe/export.h)",
                         name);
    TRY(check_entry(name, entry, err));
    TRY(check_plugins(name, entry, err));
    *ret = (struct plugin_file *)(void *)entry;
    return 0;
}

const lethe_plugin *plugin_pick(const struct plugin_file *file, uint32_t kind, const char *id)
{
    const lethe_entry *e = plugin_entry(file);
    for (uint32_t i = 0; i < e->n_plugins; i++)
        if (e->plugins[i]->kind == kind && strcmp(e->plugins[i]->info->id, id) == 0)
            return e->plugins[i];
    return NULL;
}
