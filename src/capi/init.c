/* init.c: making a handle, and giving it another list of servers. */
#include "capi/handle.h"
#include "capi/resolve.h"
#include "capi/threads.h"

#include <errno.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

static void log_environment(zhandle_t *zh)
{
    struct utsname system = {0};
    char text[1024] = "";
    struct passwd *user = getpwuid(getuid());

    LOG_INFO(LOGCALLBACK(zh), "Client environment:zookeeper.version=zookeeper C client %s",
             ZOO_VERSION);
    uname(&system);
    LOG_INFO(LOGCALLBACK(zh), "Client environment:host.name=%s", system.nodename);
    LOG_INFO(LOGCALLBACK(zh), "Client environment:os.name=%s", system.sysname);
    LOG_INFO(LOGCALLBACK(zh), "Client environment:os.arch=%s", system.release);
    LOG_INFO(LOGCALLBACK(zh), "Client environment:os.version=%s", system.version);
    const char *login = getlogin_r(text, sizeof(text)) == 0 ? text : "(null)";
    LOG_INFO(LOGCALLBACK(zh), "Client environment:user.name=%s", login);
    LOG_INFO(LOGCALLBACK(zh), "Client environment:user.home=%s", user ? user->pw_dir : "<NA>");
    if (getcwd(text, sizeof(text)) != NULL)
        LOG_INFO(LOGCALLBACK(zh), "Client environment:user.dir=%s", text);
}

zhandle_t *zookeeper_init2(const char *host, watcher_fn fn, int recv_timeout,
                           const clientid_t *clientid, void *context, int flags,
                           log_callback_fn log_callback)
{
    zhandle_t *zh = handle_make(host, fn, recv_timeout, clientid, context, flags, log_callback);

    if (zh == NULL)
        return NULL;
    if (!(flags & ZOO_NO_LOG_CLIENTENV))
        log_environment(zh);
    LOG_INFO(LOGCALLBACK(zh),
             "Initiating client connection, host=%s sessionTimeout=%d sessionId=%#llx "
             "sessionPasswd=%s flags=%d",
             host, recv_timeout, (unsigned long long)(clientid == NULL ? 0 : clientid->client_id),
             clientid == NULL ? "<null>" : "<hidden>", flags);
    if (!threads_start(zh)) {
        int error = errno;
        handle_free(zh);
        errno = error;
        return NULL;
    }
    return zh;
}

zhandle_t *zookeeper_init(const char *host, watcher_fn fn, int recv_timeout,
                          const clientid_t *clientid, void *context, int flags)
{
    return zookeeper_init2(host, fn, recv_timeout, clientid, context, flags, NULL);
}

zhandle_t *zookeeper_init_ssl(const char *host, const char *cert, watcher_fn fn, int recv_timeout,
                              const clientid_t *clientid, void *context, int flags)
{
    (void)host, (void)cert, (void)fn, (void)recv_timeout, (void)clientid, (void)context;
    (void)flags;
    LOG_ERROR(NULL, "zookeeper_init_ssl: TLS is not supported in this build");
    errno = ENOTSUP;
    return NULL;
}

zhandle_t *zookeeper_init_sasl(const char *host, watcher_fn fn, int recv_timeout,
                               const clientid_t *clientid, void *context, int flags,
                               log_callback_fn log_callback, zoo_sasl_params_t *sasl_params)
{
    (void)host, (void)fn, (void)recv_timeout, (void)clientid, (void)context, (void)flags;
    (void)sasl_params;
    LOG_ERROR(log_callback, "zookeeper_init_sasl: SASL is not supported in this build");
    errno = ENOTSUP;
    return NULL;
}

int zoo_set_servers(zhandle_t *zh, const char *hosts)
{
    struct client_address *items;
    uint32_t count;

    if (zh == NULL || hosts == NULL)
        return ZBADARGUMENTS;
    size_t size = strlen(hosts);
    char *copy = mem_try_alloc(size + 1);
    if (copy == NULL)
        return ZSYSTEMERROR;
    memcpy(copy, hosts, size + 1);
    int error = resolve_hosts(slice_of(hosts, size), &items, &count);
    if (error != 0) {
        mem_free(copy);
        errno = error;
        return error == EINVAL ? ZBADARGUMENTS : ZSYSTEMERROR;
    }
    handle_lock(zh);
    mem_free(zh->hosts);
    zh->hosts = copy;
    zh->hosts_version++;
    client_set_servers(&zh->client, items, count, handle_now_ms());
    threads_wake(zh);
    handle_unlock(zh);
    return ZOK;
}
