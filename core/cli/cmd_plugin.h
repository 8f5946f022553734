/* cmd_plugin.h: the commands under `lethe plugin`. */
#ifndef CLI_CMD_PLUGIN_H
#define CLI_CMD_PLUGIN_H

int cmd_plugin_new(int argc, char **argv);
int cmd_plugin_check(int argc, char **argv);

#endif
