#include "leftovers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "text.h"

static bool is_gone(const char *digits, char after)
{
    char *end;
    long pid = strtol(digits, &end, 10);
    return end != digits && *end == after && pid > 0 && pid != (long)getpid() &&
           kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static bool is_leftover(const char *name)
{
    static const char drawing[] = "drawing-";
    if (text_starts(name, drawing))
        return is_gone(name + strlen(drawing), '-');
    if (!text_ends(name, ".tmp"))
        return false;
    const char *at = name + strlen(name) - strlen(".tmp");
    while (at > name && at[-1] != '.') /* NAME.PID-N */
        at--;
    return at > name && is_gone(at, '-');
}

static void sweep(const char *dir, int depth)
{
    char **names = NULL;
    size_t n = 0;
    if (fs_list(dir, &names, &n, NULL) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        char *path = fs_join(dir, names[i]);
        if (path && is_leftover(names[i]))
            unlink(path);
        else if (path && depth > 0 && fs_is_dir(path))
            sweep(path, depth - 1);
        free(path);
    }
    fs_names_free(names);
}

void leftovers_remove(const char *dir)
{
    sweep(dir, 1);
}
