/* exit_code.h: how the server ends, in ZooKeeper's numbers. */
#ifndef SERVER_CONFIG_EXIT_CODE_H
#define SERVER_CONFIG_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_UNEXPECTED = 1,     /* port in use, damaged data, configuration asks for what Paddock
                                     does not have */
    EXIT_CODE_INVALID = 2,        /* invalid arguments or configuration */
    EXIT_CODE_DATA_DIR = 3,       /* dataDir or dataLogDir unusable */
    EXIT_CODE_ELECTION_PORT = 14, /* it cannot be bound */
};

#endif
