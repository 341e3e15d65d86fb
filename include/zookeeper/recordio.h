/* recordio.h: bytes and texts inside records. */
#ifndef ZOOKEEPER_RECORDIO_H
#define ZOOKEEPER_RECORDIO_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct buffer {
    int32_t len; /* -1: null */
    char *buff;
};

void deallocate_String(char **text);
void deallocate_Buffer(struct buffer *bytes);

/* From the byte order of this machine to that of the network, and back. */
int64_t zoo_htonll(int64_t value);

/* How a record is read and written field by field. The functions that make these are not in this
 * library; the types are here for programs that use their names. */
struct iarchive {
    int (*start_record)(struct iarchive *archive, const char *tag);
    int (*end_record)(struct iarchive *archive, const char *tag);
    int (*start_vector)(struct iarchive *archive, const char *tag, int32_t *count);
    int (*end_vector)(struct iarchive *archive, const char *tag);
    int (*deserialize_Bool)(struct iarchive *archive, const char *name, int32_t *value);
    int (*deserialize_Int)(struct iarchive *archive, const char *name, int32_t *value);
    int (*deserialize_Long)(struct iarchive *archive, const char *name, int64_t *value);
    int (*deserialize_Buffer)(struct iarchive *archive, const char *name, struct buffer *value);
    int (*deserialize_String)(struct iarchive *archive, const char *name, char **value);
    void *priv;
};

struct oarchive {
    int (*start_record)(struct oarchive *archive, const char *tag);
    int (*end_record)(struct oarchive *archive, const char *tag);
    int (*start_vector)(struct oarchive *archive, const char *tag, const int32_t *count);
    int (*end_vector)(struct oarchive *archive, const char *tag);
    int (*serialize_Bool)(struct oarchive *archive, const char *name, const int32_t *value);
    int (*serialize_Int)(struct oarchive *archive, const char *name, const int32_t *value);
    int (*serialize_Long)(struct oarchive *archive, const char *name, const int64_t *value);
    int (*serialize_Buffer)(struct oarchive *archive, const char *name, const struct buffer *value);
    int (*serialize_String)(struct oarchive *archive, const char *name, char **value);
    void *priv;
};

#ifdef __cplusplus
}
#endif

#endif
