/* cmd_plugin.h: the commands under `lethe plugin`, and how a plugin is shown. */
#ifndef CLI_CMD_PLUGIN_H
#define CLI_CMD_PLUGIN_H

struct plugin_desc;

/* Everything that a plugin declares, on stdout. */
void plugin_print(const struct plugin_desc *p);

int cmd_plugin_new(int argc, char **argv);
int cmd_plugin_check(int argc, char **argv);

#endif
