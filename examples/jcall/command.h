/* The commands of jcall: each returns the program's exit code. */
#ifndef JCALL_COMMAND_H
#define JCALL_COMMAND_H

#include "options.h"
#include "tell.h"

int command_call(const struct options *options, struct teller *teller);
int command_answer(const struct options *options, struct teller *teller);
int command_send(const struct options *options, struct teller *teller);
int command_receive(const struct options *options, struct teller *teller);
int command_contacts(const struct options *options, struct teller *teller);
int command_devices(const struct options *options, struct teller *teller);
int command_check(const struct options *options, struct teller *teller);

#endif
