/* four_letter_tool.c: prints what the server sends as it comes; says on stderr what went wrong and with which
 * address. */
#include "tools/four_letter_tool.h"

#include "tools/server_word.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_NO_ANSWER = 1, EXIT_USAGE = 2 };

static int usage(void)
{
    fputs("usage: paddock four-letter HOST[:PORT] WORD\n"
          "  HOST  a name, an IPv4 address, or an IPv6 address in brackets; port 2181 by default\n"
          "  WORD  srvr, stat, ruok, mntr, conf, cons, ...: those that the server's\n"
          "        4lw.commands.whitelist allows\n",
          stderr);
    return EXIT_USAGE;
}

static int print_failure(const char *address, const char *what)
{
    fprintf(stderr, "paddock: %s: %s\n", address, what);
    return EXIT_NO_ANSWER;
}

int four_letter_tool_main(int argc, char **argv)
{
    struct server_word question;
    char bytes[4096];
    bool any = false;
    int size;

    if (argc != 3 || strlen(argv[2]) != 4 || !server_word_is_address(argv[1]))
        return usage();
    if (!server_word_open(&question, argv[1], argv[2]))
        return print_failure(argv[1], question.problem);
    while ((size = server_word_read(&question, bytes, sizeof(bytes))) > 0) {
        fwrite(bytes, 1, (size_t)size, stdout);
        any = true;
    }
    server_word_close(&question);
    if (size < 0)
        return print_failure(argv[1], question.problem);
    if (any && fflush(stdout) == 0)
        return 0;
    return print_failure(argv[1],
                         "closed the connection without an answer; is it a ZooKeeper server?");
}
