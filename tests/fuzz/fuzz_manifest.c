/* JSON that is read back: manifest.json of an output folder, job files, identities. */
#include <stdlib.h>

#include "arch.h"
#include "fuzz/fuzz_input.h"
#include "json.h"
#include "manifest.h"
#include "split.h"
#include "strbuf.h"
#include "task.h"

static void read_identity(const json_t *o)
{
    struct error err = ERROR_INIT;
    struct data_spec data;
    struct forget_spec forget;
    uint64_t seed;
    if (data_spec_from_identity(json_object_get(o, "source"), json_object_get(o, "data_paths"),
                                &data, &err) == 0)
        data_spec_release(&data);
    if (forget_from_json(json_object_get(o, "forget"), &forget, &seed, &err) == 0)
        forget_release(&forget);
}

static void read_texts(const json_t *o)
{
    struct error err = ERROR_INIT;
    const char *arch_line = json_string_value(json_object_get(o, "arch"));
    const char *recipe_line = json_string_value(json_object_get(o, "recipe"));
    struct arch *arch = NULL, *again = NULL;
    struct recipe recipe;
    struct strbuf text;
    if (recipe_line)
        recipe_from_text(recipe_line, &recipe, &err);
    if (!arch_line || arch_from_text(arch_line, &arch, &err) < 0)
        return;
    strbuf_init(&text);
    arch_text(arch, &text);
    if (!text.failed && arch_from_text(text.s, &again, &err) < 0)
        abort(); /* what is written must read back */
    strbuf_release(&text);
    arch_free(again);
    arch_free(arch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct job job;
    json_t *o = NULL;
    manifest_check_dir(fuzz_folder("manifest.json", data, size), "a", &err);
    err = (struct error)ERROR_INIT;
    if (job_open(fuzz_file(data, size), NULL, &job, &err) == 0)
        job_close(&job);
    if (json_parse_text("input", (const char *)data, size, &o, &err) < 0)
        return 0;
    read_identity(o);
    read_identity(json_object_get(o, "identity"));
    read_texts(o);
    read_texts(json_object_get(o, "identity"));
    json_decref(o);
    return 0;
}
