/* locks.c: two functions that Debian's library exports and no header declares. The library itself
 * does not use them; they only lock and unlock. */
#include "capi/handle.h"

void zoo_lock_auth(zhandle_t *zh);
void zoo_unlock_auth(zhandle_t *zh);

void zoo_lock_auth(zhandle_t *zh)
{
    if (zh != NULL)
        pthread_mutex_lock(&zh->auth_mutex);
}

void zoo_unlock_auth(zhandle_t *zh)
{
    if (zh != NULL)
        pthread_mutex_unlock(&zh->auth_mutex);
}
