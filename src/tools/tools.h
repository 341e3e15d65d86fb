/* tools.h: the sub-commands of `paddock` that read the files of a data directory, offline; argv[0]
 * is the sub-command. Those that replace a ZooKeeper program have its arguments and exit codes.
 * None changes an input file unless the user asks for it; what is written or removed is said at
 * each. */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

#include "base/base.h"

/* zkTxnLogToolkit.sh: prints a transaction log; writes F.fixed with checksums repaired (-r), or
 * F.choppedN, the log up to one zxid (-c -z). 0; 1: wrong options, no such file, damage; 2: not a log. */
int txnlog_toolkit_main(int argc, char **argv);

/* zkSnapShotToolkit.sh: prints a snapshot as text, or as JSON. 0; 1: damage; 2: wrong arguments. */
int snapshot_toolkit_main(int argc, char **argv);

/* zkSnapshotComparer.sh: the difference of two snapshots. 0; 1: damage, a file that is missing, not a
 * number; 2: wrong options. */
int snapshot_comparer_main(int argc, char **argv);

/* zkSnapshotRecursiveSummaryToolkit.sh: children and data below a node. 0; 1: damage; 2: wrong
 * arguments. */
int snapshot_summary_main(int argc, char **argv);

/* zkCleanup.sh: removes old snapshots and the logs that no newer one needs. 0; 1: wrong arguments,
 * or a file that could not be removed. */
int cleanup_tool_main(int argc, char **argv);

/* `paddock log` and `paddock snapshot`: dump, verify, stats, compare; of a log also repair. 0; 1: damage or a
 * difference; 2: wrong options; 3: it could not be done; 130: interrupted. */
int log_command_main(int argc, char **argv);
int snapshot_command_main(int argc, char **argv);

/* `paddock backup` and `paddock restore`: a running server's data into a file (backup.h), and back into an
 * empty directory. The same exit codes. */
int backup_command_main(int argc, char **argv);
int restore_command_main(int argc, char **argv);

#endif
