/* lethe plugin: `new` and `check`, for those who write plugins. */
#include "cmd_plugin.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "text.h"

static const struct command plugin_commands[] = {
    {"new", "write a small plugin that works, with its build and its test", cmd_plugin_new},
    {"check", "run the conformance tests on a plugin", cmd_plugin_check},
    {NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
    fputs("Usage: lethe plugin COMMAND [OPTION...]\n"
          "For those who write plugins.\n\nCommands:\n",
          out);
    for (const struct command *c = plugin_commands; c->name; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fputs("\n`lethe plugin COMMAND --help` explains a command; `lethe plugins` lists the plugins\n"
          "there are; docs/PLUGINS.md goes from the first line to a row on a leaderboard.\n",
          out);
}

int cmd_plugin(int argc, char **argv)
{
    char name[64];
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    for (const struct command *c = plugin_commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) != 0)
            continue;
        snprintf(name, sizeof(name), "lethe plugin %s", c->name);
        argv[1] = name; /* argp prints it in messages */
        return c->run(argc - 1, argv + 1);
    }
    fprintf(stderr,
            "lethe: plugin: no command \"%s\"; expected new or check (`lethe plugins` lists and "
            "describes plugins)\n",
            argv[1]);
    return EXIT_USAGE;
}
