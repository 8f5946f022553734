/* SPDX-License-Identifier: MIT
 * misbehaving_load.c: modules that a loader must refuse, or that crash while
 * they are loaded. -DLOAD_<what> chooses; TEST_ID is the id of the plugin. */
#include <stdlib.h>

#include <lethe/lethe.h>

#ifdef LOAD_CONSTRUCTOR
__attribute__((constructor)) static void crash_on_load(void)
{
    abort();
}
#endif

#ifdef LOAD_UNDEFINED
int lethe_test_symbol_that_nobody_defines(void);
#endif

static lethe_status run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
#ifdef LOAD_UNDEFINED
    return lethe_test_symbol_that_nobody_defines();
#else
    return LETHE_OK;
#endif
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = TEST_ID,
    .name = TEST_ID,
    .short_name = "test",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "cannot be loaded, on purpose",
    .doc = "A plugin for tests of the host.",
    .citation = "",
    .url = "",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM,
    .run = run,
};

#ifdef LOAD_TRUNCATED_PLUGIN
#define PLUGIN_SIZE LETHE_SIZE_THROUGH(lethe_plugin, params)
#else
#define PLUGIN_SIZE sizeof(lethe_plugin)
#endif
static const lethe_plugin plugin = {
    .struct_size = PLUGIN_SIZE,
    .kind = LETHE_KIND_UNLEARNER,
    .info = &info,
    .param_stride = sizeof(lethe_param),
    .iface = &unlearner,
};
static const lethe_plugin *const plugins[] = {&plugin};

#if defined(LOAD_MAGIC)
#define MAGIC 0x12345678u
#else
#define MAGIC LETHE_MAGIC
#endif
#if defined(LOAD_MAJOR)
#define MAJOR (LETHE_ABI_MAJOR + 7)
#else
#define MAJOR LETHE_ABI_MAJOR
#endif
#if defined(LOAD_MINOR)
#define NEED (LETHE_ABI_MINOR + 9)
#else
#define NEED LETHE_ABI_MINOR
#endif
#if defined(LOAD_TRUNCATED)
#define ENTRY_SIZE LETHE_SIZE_THROUGH(lethe_entry, n_plugins)
#else
#define ENTRY_SIZE sizeof(lethe_entry)
#endif
#if defined(LOAD_EMPTY)
#define N_PLUGINS 0
#else
#define N_PLUGINS LETHE_COUNT(plugins)
#endif
#if defined(LOAD_NO_ENTRY)
#define ENTRY lethe_plugin_entrance
#else
#define ENTRY lethe_plugin_entry
#endif

extern LETHE_EXPORT const lethe_entry ENTRY;
const lethe_entry ENTRY = {
    .magic = MAGIC,
    .struct_size = ENTRY_SIZE,
    .abi_major = MAJOR,
    .abi_minor = LETHE_ABI_MINOR,
    .abi_minor_required = NEED,
    .n_plugins = N_PLUGINS,
    .plugins = plugins,
};
