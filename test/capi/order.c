/* order.c: who is before whom in a line of contenders, by their names alone. Ends with the number of wrong
 * answers. */
#include "recipes/place.h"

#include <stdio.h>
#include <string.h>

static int wrong;

static void expect(const struct String_vector *names, const char *own, bool shared,
                   const char *want)
{
    bool found;
    const char *got = place_before(names, own, shared, &found);

    if ((got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0) &&
        found == (own != NULL && strcmp(own, "_c_x-lock-0000000099") != 0))
        return;
    printf("before %s: %s, not %s\n", own != NULL ? own : "all", got != NULL ? got : "none",
           want != NULL ? want : "none");
    wrong++;
}

int main(void)
{
    static char *mixed[] = {"_c_b-lock-0000000005",
                            "a__lock__0000000003",
                            "z__rlock__0000000004",
                            "_c_c-__READ__0000000006",
                            "_c_a-latch-0000000007",
                            "_c_d-__WRIT__0000000008",
                            "note",
                            "backup-0000000001",
                            "lock-000000002"};
    struct String_vector names = {9, mixed};

    expect(&names, NULL, false, "a__lock__0000000003");
    expect(&names, "a__lock__0000000003", false, NULL);
    expect(&names, "z__rlock__0000000004", true, "a__lock__0000000003");
    expect(&names, "_c_b-lock-0000000005", false, "z__rlock__0000000004");
    expect(&names, "_c_c-__READ__0000000006", true, "_c_b-lock-0000000005");
    expect(&names, "_c_a-latch-0000000007", false, "_c_c-__READ__0000000006");
    expect(&names, "_c_d-__WRIT__0000000008", false, "_c_a-latch-0000000007");

    /* The counter of a parent begins again below zero. */
    static char *turned[] = {"_c_c-lock--2147483648", "_c_a-lock-2147483646",
                             "_c_d-lock--2147483647", "_c_b-lock-2147483647"};
    struct String_vector late = {4, turned};

    expect(&late, NULL, false, "_c_a-lock-2147483646");
    expect(&late, "_c_b-lock-2147483647", false, "_c_a-lock-2147483646");
    expect(&late, "_c_c-lock--2147483648", false, "_c_b-lock-2147483647");
    expect(&late, "_c_d-lock--2147483647", false, "_c_c-lock--2147483648");

    struct String_vector none = {0, NULL};
    expect(&none, NULL, false, NULL);
    expect(&none, "_c_x-lock-0000000099", false, NULL);
    return wrong;
}
