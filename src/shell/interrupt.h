/* interrupt.h: Ctrl-C during long work. The first one asks the work to end and to say how far it got; the
 * second one ends the program. Outside of interrupt_begin() and interrupt_end() Ctrl-C does what it
 * did before. */
#ifndef SHELL_INTERRUPT_H
#define SHELL_INTERRUPT_H

#include "base/base.h"

void interrupt_begin(void);
void interrupt_end(void);
/* Since interrupt_begin(). */
bool interrupt_seen(void);

#endif
