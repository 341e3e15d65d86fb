/* environment.c: the word envi: what machine this is. */
#include "server/words/words_internal.h"
#include "wire/version.h"

#include <pwd.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

void words_put_environment(struct buffer *out)
{
    static const char *const java[] = {"java.version",    "java.vendor",       "java.home",
                                       "java.class.path", "java.library.path", "java.io.tmpdir",
                                       "java.compiler"};
    struct utsname system = {0};
    struct sysinfo memory = {0};
    char host[256] = "localhost", directory[4096] = "";
    const struct passwd *user = getpwuid(getuid());

    uname(&system);
    sysinfo(&memory);
    if (gethostname(host, sizeof(host) - 1) != 0)
        strcpy(host, "localhost");
    if (getcwd(directory, sizeof(directory)) == NULL)
        directory[0] = '\0';
    uint64_t unit = memory.mem_unit, mb = 1 << 20;
    buffer_printf(out, "Environment:\nzookeeper.version=%s\nhost.name=%s\n", VERSION_LINE, host);
    for (size_t i = 0; i < ARRAY_LEN(java); i++)
        buffer_printf(out, "%s=<NA>\n", java[i]); /* there is no JVM; scripts look for the names */
    buffer_printf(out, "os.name=%s\nos.arch=%s\nos.version=%s\n", system.sysname,
                  strcmp(system.machine, "x86_64") == 0 ? "amd64" : system.machine, system.release);
    buffer_printf(out, "user.name=%s\nuser.home=%s\nuser.dir=%s\n",
                  user == NULL ? "?" : user->pw_name, user == NULL ? "?" : user->pw_dir, directory);
    buffer_printf(out, "os.memory.free=%lluMB\nos.memory.max=%lluMB\nos.memory.total=%lluMB\n",
                  (unsigned long long)(memory.freeram * unit / mb),
                  (unsigned long long)(memory.totalram * unit / mb),
                  (unsigned long long)(memory.totalram * unit / mb));
}
