#include "table.h"

#include <stdlib.h>

#include "fs.h"

int tables_write(const struct board *b, const struct report_options *options, struct error *err)
{
    char *dir = fs_join(options->out_dir, "tables");
    int rc = dir ? fs_mkdirs(dir, err) : error_nomem(err);
    for (size_t s = 0; rc == 0 && s < b->results->n_scenarios; s++)
        rc = table_paper(b, b->results->scenario[s], options->choice, dir, err);
    if (rc == 0)
        rc = table_cost(b, dir, err);
    if (rc == 0)
        rc = table_runs(b, dir, err);
    if (rc == 0)
        rc = table_environment(b->results, dir, err);
    if (rc == 0)
        rc = table_tuning(b->results, dir, err);
    if (rc == 0)
        rc = methods_text(b->results, dir, err);
    free(dir);
    return rc;
}
