#include "test/lib/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 8, TEXT_MAX = 128 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t released;
    struct {
        char name[TEXT_MAX], addresses[TEXT_MAX];
        int looked_up;
    } names[NAMES_MAX];
    int count;
    char hanging[TEXT_MAX];
} known = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static int find(const char *name)
{
    for (int i = 0; i < known.count; i++) {
        if (strcmp(known.names[i].name, name) == 0)
            return i;
    }
    return -1;
}

void names_set(const char *name, const char *addresses)
{
    pthread_mutex_lock(&known.lock);
    int i = find(name);
    if (i < 0 && known.count < NAMES_MAX) {
        i = known.count++;
        known.names[i].looked_up = 0;
        snprintf(known.names[i].name, TEXT_MAX, "%s", name);
    }
    if (i < 0)
        abort();
    snprintf(known.names[i].addresses, TEXT_MAX, "%s", addresses);
    pthread_mutex_unlock(&known.lock);
}

void names_hang(const char *name)
{
    pthread_mutex_lock(&known.lock);
    snprintf(known.hanging, TEXT_MAX, "%s", name);
    pthread_mutex_unlock(&known.lock);
}

void names_release(void)
{
    pthread_mutex_lock(&known.lock);
    known.hanging[0] = '\0';
    pthread_cond_broadcast(&known.released);
    pthread_mutex_unlock(&known.lock);
}

int names_looked_up(const char *name)
{
    pthread_mutex_lock(&known.lock);
    int i = find(name), count = i < 0 ? 0 : known.names[i].looked_up;
    pthread_mutex_unlock(&known.lock);
    return count;
}

void names_forget(void)
{
    names_release();
    pthread_mutex_lock(&known.lock);
    known.count = 0;
    pthread_mutex_unlock(&known.lock);
}

static struct addrinfo *address_of(const char *text, int port)
{
    struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_storage));
    struct sockaddr_in *v4;
    struct sockaddr_in6 *v6;

    if (info == NULL)
        abort();
    info->ai_socktype = SOCK_STREAM;
    info->ai_addr = (struct sockaddr *)(info + 1);
    v4 = (struct sockaddr_in *)info->ai_addr;
    v6 = (struct sockaddr_in6 *)info->ai_addr;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        info->ai_family = v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        info->ai_addrlen = sizeof(*v4);
    } else {
        if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
            abort();
        info->ai_family = v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        info->ai_addrlen = sizeof(*v6);
    }
    return info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    char addresses[TEXT_MAX] = "", *rest = NULL;
    int port = service == NULL ? 0 : atoi(service);

    (void)hints;
    *ret_list = NULL;
    pthread_mutex_lock(&known.lock);
    int i = find(name);
    if (i >= 0)
        known.names[i].looked_up++;
    while (strcmp(known.hanging, name) == 0)
        pthread_cond_wait(&known.released, &known.lock);
    i = find(name);
    if (i >= 0)
        snprintf(addresses, sizeof(addresses), "%s", known.names[i].addresses);
    pthread_mutex_unlock(&known.lock);
    struct addrinfo **next = ret_list;
    for (char *text = strtok_r(addresses, " ", &rest); text != NULL;
         text = strtok_r(NULL, " ", &rest)) {
        *next = address_of(text, port);
        next = &(*next)->ai_next;
    }
    return *ret_list == NULL ? EAI_NONAME : 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}
