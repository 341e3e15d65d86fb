/* handle.c: a handle's memory, and the public functions that only look at a handle or set a field of it.
 * What they show is what handle_show() has copied, so that a pointer stays valid while threads
 * continue. */
#include "capi/handle.h"

#include "capi/reply.h"
#include "capi/resolve.h"
#include "client/connect_string.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static atomic_int in_order;
static atomic_uint handles_made;

int64_t handle_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void zoo_deterministic_conn_order(int yes_or_no)
{
    atomic_store(&in_order, yes_or_no);
}

static uint64_t fresh_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)handle_now_ms() * 1000003 + (uint64_t)getpid() * 8191 +
               atomic_load(&handles_made);
    return seed;
}

static bool make_client(zhandle_t *zh, struct slice chroot, int timeout_ms, const clientid_t *id,
                        int flags)
{
    struct client_options options = {
        .timeout_ms = timeout_ms,
        .may_be_read_only = (flags & ZOO_READONLY) != 0,
        .first_xid =
            (int32_t)((time(NULL) + (time_t)atomic_fetch_add(&handles_made, 1)) & INT32_MAX >> 1) +
            1,
        .seed = fresh_seed(),
        .servers_in_order = atomic_load(&in_order) != 0,
        .chroot = chroot,
        .on_reply = reply_keep_names};

    if (id != NULL) {
        options.session_id = id->client_id;
        memcpy(options.password, id->passwd, sizeof(id->passwd));
    }
    return client_init(&zh->client, &options);
}

static zhandle_t *give_up(zhandle_t *zh, int error)
{
    if (zh != NULL)
        handle_free(zh);
    errno = error;
    return NULL;
}

zhandle_t *handle_make(const char *host, watcher_fn watcher, int timeout_ms, const clientid_t *id,
                       void *context, int flags, log_callback_fn log_callback)
{
    struct slice hosts, chroot;
    struct client_address *items;
    uint32_t count;

    if (host == NULL || timeout_ms <= 0 ||
        connect_string_split(slice_text(host), &hosts, &chroot) != STATUS_OK)
        return give_up(NULL, EINVAL);
    zhandle_t *zh = mem_try_zalloc(sizeof(*zh));
    if (zh == NULL)
        return give_up(NULL, ENOMEM);
    pthread_mutex_init(&zh->mutex, NULL);
    pthread_mutex_init(&zh->auth_mutex, NULL);
    pthread_cond_init(&zh->changed, NULL);
    list_init(&zh->items);
    zh->fd = -1;
    zh->watcher = watcher;
    zh->context = context;
    atomic_init(&zh->log_callback, log_callback);
    zh->hosts = mem_try_alloc(hosts.size + 1);
    zh->received = mem_try_alloc(HANDLE_RECEIVE_BYTES);
    if (!make_client(zh, chroot, timeout_ms, id, flags) || zh->hosts == NULL ||
        zh->received == NULL)
        return give_up(zh, ENOMEM);
    memcpy(zh->hosts, hosts.data, hosts.size);
    zh->hosts[hosts.size] = '\0';
    int error = resolve_hosts(hosts, &items, &count);
    if (error != 0)
        return give_up(zh, error);
    client_set_servers(&zh->client, items, count, 0);
    zh->client.server = zh->client.servers.items[0];
    zh->resolved_at_ms = handle_now_ms();
    handle_show(zh);
    return zh;
}

void handle_free(zhandle_t *zh)
{
    if (zh->fd >= 0)
        close(zh->fd);
    client_deinit(&zh->client);
    buffer_deinit(&zh->sending);
    mem_free(zh->received);
    mem_free(zh->hosts);
    pthread_cond_destroy(&zh->changed);
    pthread_mutex_destroy(&zh->auth_mutex);
    pthread_mutex_destroy(&zh->mutex);
    mem_free(zh);
}

void handle_show(zhandle_t *zh)
{
    if (zh->id.client_id != zh->client.session_id) {
        zh->id.client_id = zh->client.session_id;
        memcpy(zh->id.passwd, zh->client.password, PASSWORD_BYTES);
    }
}

/* Public. */

const clientid_t *zoo_client_id(zhandle_t *zh)
{
    return zh == NULL ? NULL : &zh->id;
}

int zoo_state(zhandle_t *zh)
{
    if (zh == NULL)
        return 0;
    handle_lock(zh);
    int state = (int)zh->client.state;
    handle_unlock(zh);
    return state;
}

int is_unrecoverable(zhandle_t *zh)
{
    return zoo_state(zh) < 0 ? ZINVALIDSTATE : ZOK;
}

int zoo_recv_timeout(zhandle_t *zh)
{
    if (zh == NULL)
        return 0;
    handle_lock(zh);
    int timeout_ms = zh->client.timeout_ms;
    handle_unlock(zh);
    return timeout_ms;
}

const void *zoo_get_context(zhandle_t *zh)
{
    if (zh == NULL)
        return NULL;
    handle_lock(zh);
    const void *context = zh->context;
    handle_unlock(zh);
    return context;
}

void zoo_set_context(zhandle_t *zh, void *context)
{
    if (zh == NULL)
        return;
    handle_lock(zh);
    zh->context = context;
    handle_unlock(zh);
}

watcher_fn zoo_set_watcher(zhandle_t *zh, watcher_fn watcher)
{
    if (zh == NULL)
        return NULL;
    handle_lock(zh);
    watcher_fn former = zh->watcher;
    zh->watcher = watcher;
    handle_unlock(zh);
    return former;
}

log_callback_fn zoo_get_log_callback(const zhandle_t *zh)
{
    return zh == NULL ? NULL : atomic_load(&((zhandle_t *)(uintptr_t)zh)->log_callback);
}

void zoo_set_log_callback(zhandle_t *zh, log_callback_fn callback)
{
    if (zh != NULL)
        atomic_store(&zh->log_callback, callback);
}

const char *zoo_get_current_server(zhandle_t *zh)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_storage address = {0};

    if (zh == NULL)
        return NULL;
    handle_lock(zh);
    memcpy(&address, zh->client.server.bytes, zh->client.server.size);
    unsigned port = 0;
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
        port = ntohs(six->sin6_port);
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
        port = ntohs(four->sin_port);
    }
    snprintf(zh->server_text, sizeof(zh->server_text), "%s:%u", text, port);
    handle_unlock(zh);
    return zh->server_text;
}

struct sockaddr *zookeeper_get_connected_host(zhandle_t *zh, struct sockaddr *addr,
                                              socklen_t *addr_len)
{
    if (zh == NULL || addr == NULL || addr_len == NULL)
        return NULL;
    handle_lock(zh);
    bool known =
        client_has_session(&zh->client) && zh->fd >= 0 && getpeername(zh->fd, addr, addr_len) == 0;
    handle_unlock(zh);
    return known ? addr : NULL;
}

void zoo_cycle_next_server(zhandle_t *zh)
{
    if (zh == NULL)
        return;
    handle_lock(zh);
    client_next_server(&zh->client);
    handle_unlock(zh);
}

int zoo_set_servers_resolution_delay(zhandle_t *zh, int delay_ms)
{
    if (zh == NULL || delay_ms < -1)
        return ZBADARGUMENTS;
    handle_lock(zh);
    zh->resolution_delay_ms = delay_ms;
    handle_unlock(zh);
    return ZOK;
}
