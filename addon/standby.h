#ifndef TNET_STANDBY_H
#define TNET_STANDBY_H
// Ends this process with the status of the call where a standby process made it; returns where none did.
// `environment` ends with NULL; its strings are those that the runtime would be executed with.
void ask_standby(const char *runtime, const char *name, char *const *environment);
#endif
