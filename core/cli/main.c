/* lethe: the command line. This program plans and reports; everything that
 * computes or loads a plugin runs in lethe-worker. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "text.h"
#include "version.h"

const struct command commands[] = {
    {"run", "run a suite: train, unlearn, attack, measure, report", cmd_run},
    {"plan", "show what a run would do and what is already done", cmd_plan},
    {"status", "how far a run is, here or on a cluster", cmd_status},
    {"cancel", "end what a run has in Slurm's queue", cmd_cancel},
    {"worker", "run one task on a node of a cluster (Slurm starts it)", cmd_worker},
    {"debug", "run one task of a suite in the foreground", cmd_debug},
    {"why", "say why tasks of a suite would run", cmd_why},
    {"store", "list, check or clear the store of results", cmd_store},
    {"plugins", "list plugins, or describe one", cmd_plugins},
    {"plugin", "start a plugin of your own, or check one", cmd_plugin},
    {"train", "train a model on images in files", cmd_train},
    {"predict", "logits of a model for images in a file", cmd_predict},
    {"unlearn", "run an unlearning method on a model in a file", cmd_unlearn},
    {"attack", "an attack on outputs, or on a model and images, in files", cmd_attack},
    {"selftest", "are the attacks of this installation any good?", cmd_selftest},
    {"metric", "a metric on outputs or models in files", cmd_metric},
    {"data", "list, get and check data sets", cmd_data},
    {"model", "describe a model file", cmd_model},
    {"report", "make the report of a finished run again, or merge reports", cmd_report},
    {"verify", "recompute a report and name every difference", cmd_verify},
    {"compare", "what changed between two reports beyond its interval", cmd_compare},
    {"version", "print versions and what this machine computes with", cmd_version},
    {NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
    fputs("Usage: lethe COMMAND [OPTION...]\n"
          "Benchmarks machine unlearning: trains models, makes them forget, and measures how well\n"
          "they did against models retrained from scratch.\n\nCommands:\n",
          out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fputs(
        "\n`lethe COMMAND --help` explains a command. A first run, from the source tree:\n"
        "  lethe run benchmarks/fashion-mnist-quick.yaml\n"
        "\nExit codes: 0 all rows ok; 1 some rows failed; 2 usage or suite error; 3 something is\n"
        "missing on this machine (data, gnuplot, plugins); 128+n ended by signal n.\n",
        out);
}

static int unknown(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0])];
    size_t n = 0;
    for (const struct command *c = commands; c->name; c++)
        names[n++] = c->name;
    names[n] = NULL;
    const char *near = text_did_you_mean(name, names);
    fprintf(stderr, "lethe: no command \"%s\"%s%s%s; `lethe --help` lists them\n", name,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    char name[64];
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("lethe " LETHE_VERSION);
        return EXIT_OK;
    }
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) != 0)
            continue;
        snprintf(name, sizeof(name), "lethe %s", c->name);
        argv[1] = name; /* argp prints it in messages */
        return c->run(argc - 1, argv + 1);
    }
    return unknown(argv[1]);
}
