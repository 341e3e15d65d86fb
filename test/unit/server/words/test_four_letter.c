#include "server/words/four_letter.h"

#include "test/lib/check.h"

static enum four_letter_word find(const char *text)
{
    return four_letter_find((const uint8_t *)text);
}

TEST(eighteen_words_and_the_telnet_bytes_are_known)
{
    static const char *const words[] = {"conf", "cons", "crst", "dirs", "dump", "envi",
                                        "gtmk", "hash", "isro", "mntr", "ruok", "srst",
                                        "srvr", "stat", "stmk", "wchc", "wchp", "wchs"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        CHECK_TEXT(words[i], four_letter_name(find(words[i])), words[i]);
    CHECK_TEXT("telnet", four_letter_name(find("\xff\xf4\xff\xfd")), "telnet close");
    CHECK(find("kill") == WORD_NONE && find("RUOK") == WORD_NONE && find("reqs") == WORD_NONE);
}

TEST(srvr_is_always_allowed_and_the_rest_only_when_listed)
{
    CHECK(four_letter_allowed(WORD_SRVR, NULL, false));
    CHECK(four_letter_allowed(WORD_SRVR, "ruok", false));
    CHECK(!four_letter_allowed(WORD_RUOK, NULL, false));
    CHECK(!four_letter_allowed(WORD_RUOK, "", false));
    CHECK(four_letter_allowed(WORD_RUOK, " conf , ruok", false));
    CHECK(four_letter_allowed(WORD_CONF, " conf ,, ruok", false));
    CHECK(!four_letter_allowed(WORD_STAT, "conf,ruok", false));
    CHECK(!four_letter_allowed(WORD_STAT, "statistics,sta", false));
    CHECK(four_letter_allowed(WORD_STAT, "*", false));
    CHECK(four_letter_allowed(WORD_STAT, "ruok, *", false));
}

TEST(read_only_mode_allows_isro)
{
    CHECK(!four_letter_allowed(WORD_ISRO, NULL, false));
    CHECK(four_letter_allowed(WORD_ISRO, NULL, true));
}
