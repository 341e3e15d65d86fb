/* commands_help.c: help. Without an argument it is the same as in Java's shell: an unknown command,
 * which prints the list of known ones. */
#include "shell/commands.h"

#include <stdio.h>
#include <string.h>

static void print_lines(const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        printf("  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static int explain(const struct command *command)
{
    if (answer_is_json()) {
        json_text(answer_json(), "name", slice_text(command->name));
        json_text(answer_json(), "usage", slice_text(command->usage));
        if (command->help != NULL)
            json_text(answer_json(), "help", slice_text(command->help));
        return 0;
    }
    printf("%s %s\n", command->name, command->usage);
    if (command->help != NULL)
        print_lines(command->help);
    return 0;
}

COMMAND(run_help)
{
    if (words->given[HELP_ALL]) {
        if (answer_is_json()) {
            shell_put_commands(shell);
            return 0;
        }
        puts("Commands of ZooKeeper's shell:");
        shell_print_commands(shell, stdout, false);
        puts("Commands of this shell (help COMMAND says more):");
        shell_print_commands(shell, stdout, true);
        puts("With each of them: --output json");
        return 0;
    }
    const struct command *wanted =
        words->word_count > 1 ? shell_find_command(shell, words->words[1]) : NULL;
    return wanted == NULL ? shell_no_command(shell, command->name) : explain(wanted);
}
