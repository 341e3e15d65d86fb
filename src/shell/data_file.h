/* data_file.h: data of a znode from a file: any bytes. */
#ifndef SHELL_DATA_FILE_H
#define SHELL_DATA_FILE_H

#include "shell/shell.h"

/* Appends what is in the file; "-": stdin, unless commands come from there. False: reported. */
MUST_USE bool data_file_read(const struct shell *shell, const char *path, struct buffer *out);

#endif
