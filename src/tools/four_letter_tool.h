/* four_letter_tool.h: `paddock four-letter HOST:PORT WORD`: sends a four-letter word to a server
 * and prints the answer. For machines without nc. */
#ifndef TOOLS_FOUR_LETTER_TOOL_H
#define TOOLS_FOUR_LETTER_TOOL_H

/* Exit codes: 0 answered; 1 no answer (nobody there, refused, too slow, empty); 2 wrong arguments. */
int four_letter_tool_main(int argc, char **argv);

#endif
