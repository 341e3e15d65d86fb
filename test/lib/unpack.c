#include "test/lib/unpack.h"

#include "test/lib/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void take_file(struct sim_disk *sim, const char *directory, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    uint8_t *bytes = mem_alloc(size);
    rewind(file);
    CHECK(fread(bytes, 1, size, file) == size);
    (void)fclose(file);
    sim_disk_put(sim, name, slice_of(bytes, size));
    mem_free(bytes);
}

struct sim_disk *unpack(const char *name, const char *directory)
{
    char home[] = "/tmp/paddock-golden-XXXXXX", command[512], path[256];
    struct sim_disk *sim = sim_disk_new(1);

    CHECK(mkdtemp(home) != NULL);
    (void)snprintf(command, sizeof(command), "tar -xzf test/golden/storage/%s.tar.gz -C %s", name,
                   home);
    CHECK(system(command) == 0);
    (void)snprintf(path, sizeof(path), "%s/%s", home, directory);
    DIR *dir = opendir(path);
    if (dir != NULL) { /* an archive may have no version-2 yet */
        struct dirent *entry;
        while ((entry = readdir(dir)) != NULL) {
            if (entry->d_type == DT_REG)
                take_file(sim, path, entry->d_name);
        }
        (void)closedir(dir);
    }
    (void)snprintf(command, sizeof(command), "rm -rf %s", home);
    CHECK(system(command) == 0);
    return sim;
}
