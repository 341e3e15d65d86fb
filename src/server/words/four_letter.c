/* four_letter.c: the table of words, and the whitelist. Any other four bytes are the length of a frame. */
#include "server/words/four_letter.h"

static const struct {
    enum four_letter_word word;
    const char *bytes, *name;
} words[] = {
    {WORD_CONF, "conf", "conf"},
    {WORD_CONS, "cons", "cons"},
    {WORD_CRST, "crst", "crst"},
    {WORD_DIRS, "dirs", "dirs"},
    {WORD_DUMP, "dump", "dump"},
    {WORD_ENVI, "envi", "envi"},
    {WORD_GTMK, "gtmk", "gtmk"},
    {WORD_HASH, "hash", "hash"},
    {WORD_ISRO, "isro", "isro"},
    {WORD_MNTR, "mntr", "mntr"},
    {WORD_RUOK, "ruok", "ruok"},
    {WORD_SRST, "srst", "srst"},
    {WORD_SRVR, "srvr", "srvr"},
    {WORD_STAT, "stat", "stat"},
    {WORD_STMK, "stmk", "stmk"},
    {WORD_WCHC, "wchc", "wchc"},
    {WORD_WCHP, "wchp", "wchp"},
    {WORD_WCHS, "wchs", "wchs"},
    {WORD_TELNET_CLOSE, "\xff\xf4\xff\xfd", "telnet close"},
};

enum four_letter_word four_letter_find(const uint8_t bytes[4])
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (memcmp(words[i].bytes, bytes, 4) == 0)
            return words[i].word;
    }
    return WORD_NONE;
}

const char *four_letter_name(enum four_letter_word word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].word == word)
            return words[i].name;
    }
    return "";
}

bool four_letter_allowed(enum four_letter_word word, const char *whitelist, bool read_only_mode)
{
    struct slice name = slice_text(four_letter_name(word));

    if (word == WORD_SRVR || (word == WORD_ISRO && read_only_mode))
        return true;
    for (const char *at = whitelist; at != NULL;) {
        size_t size = strcspn(at, ",");
        struct slice listed = slice_trim(slice_of(at, size));
        if (slice_equal(listed, SLICE("*")) || slice_equal(listed, name))
            return true;
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return false;
}
