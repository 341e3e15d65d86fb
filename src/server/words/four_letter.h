/* four_letter.h: which four bytes are a word, and whether it may be asked. Pure. */
#ifndef SERVER_WORDS_FOUR_LETTER_H
#define SERVER_WORDS_FOUR_LETTER_H

#include "base/slice.h"

enum four_letter_word {
    WORD_NONE, /* not a word: a bad frame length */
    WORD_CONF,
    WORD_CONS,
    WORD_CRST,
    WORD_DIRS,
    WORD_DUMP,
    WORD_ENVI,
    WORD_GTMK,
    WORD_HASH,
    WORD_ISRO,
    WORD_MNTR,
    WORD_RUOK,
    WORD_SRST,
    WORD_SRVR,
    WORD_STAT,
    WORD_STMK,
    WORD_WCHC,
    WORD_WCHP,
    WORD_WCHS,
    WORD_TELNET_CLOSE
};

enum four_letter_word four_letter_find(const uint8_t bytes[4]);
const char *four_letter_name(enum four_letter_word word);
/* `whitelist`: the text of 4lw.commands.whitelist, NULL when not given. srvr is always in it. */
bool four_letter_allowed(enum four_letter_word word, const char *whitelist, bool read_only_mode);

#endif
