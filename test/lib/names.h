/* names.h: what names mean, for tests: getaddrinfo() of this program, in place of the system's.
 *
 * Any thread may look up; what names mean is said by the test's thread. A name that was not named is
 * not found, at once and without a network. */
#ifndef TEST_LIB_NAMES_H
#define TEST_LIB_NAMES_H

/* Addresses in numbers, separated by blanks. Said again, it counts from then on. */
void names_set(const char *name, const char *addresses);
/* Looking up the name does not return before names_release(). */
void names_hang(const char *name);
void names_release(void);
int names_looked_up(const char *name); /* how often so far */
void names_forget(void);               /* all of it */

#endif
