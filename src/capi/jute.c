/* jute.c: freeing the public records: one line for each record. Members are set to nothing after they are
 * freed, so that freeing a record twice does no harm. */
#include "capi/public.h"

#include <stdlib.h>

void deallocate_String(char **text)
{
    free(*text);
    *text = NULL;
}

void deallocate_Buffer(struct jute_buffer *bytes)
{
    free(bytes->buff);
    bytes->buff = NULL;
    bytes->len = 0;
}

int64_t zoo_htonll(int64_t value)
{
    return (int64_t)__builtin_bswap64((uint64_t)value);
}

#define NOTHING(record_name)                                                                       \
    void deallocate_##record_name(struct record_name *record)                                      \
    {                                                                                              \
        (void)record;                                                                              \
    }
#define ONE(record_name, type1, field1)                                                            \
    void deallocate_##record_name(struct record_name *record)                                      \
    {                                                                                              \
        deallocate_##type1(&record->field1);                                                       \
    }
#define TWO(record_name, type1, field1, type2, field2)                                             \
    void deallocate_##record_name(struct record_name *record)                                      \
    {                                                                                              \
        deallocate_##type1(&record->field1);                                                       \
        deallocate_##type2(&record->field2);                                                       \
    }
#define THREE(record_name, type1, field1, type2, field2, type3, field3)                            \
    void deallocate_##record_name(struct record_name *record)                                      \
    {                                                                                              \
        deallocate_##type1(&record->field1);                                                       \
        deallocate_##type2(&record->field2);                                                       \
        deallocate_##type3(&record->field3);                                                       \
    }
#define VECTOR(vector_name, element)                                                               \
    int allocate_##vector_name(struct vector_name *vector, int32_t count)                          \
    {                                                                                              \
        vector->count = 0;                                                                         \
        vector->data = NULL;                                                                       \
        if (count > 0)                                                                             \
            vector->data = calloc((size_t)count, sizeof(vector->data[0]));                         \
        if (vector->data != NULL)                                                                  \
            vector->count = count;                                                                 \
        return 0;                                                                                  \
    }                                                                                              \
    int deallocate_##vector_name(struct vector_name *vector)                                       \
    {                                                                                              \
        for (int32_t i = 0; vector->data != NULL && i < vector->count; i++)                        \
            deallocate_##element(&vector->data[i]);                                                \
        free(vector->data);                                                                        \
        vector->data = NULL;                                                                       \
        return 0;                                                                                  \
    }

/* clang-format off */
TWO(Id, String, scheme, String, id)
ONE(ACL, Id, id)
NOTHING(Stat)
NOTHING(StatPersisted)
TWO(ClientInfo, String, authScheme, String, user)
ONE(ConnectRequest, Buffer, passwd)
ONE(ConnectResponse, Buffer, passwd)
VECTOR(String_vector, String)
THREE(SetWatches, String_vector, dataWatches, String_vector, existWatches, String_vector, childWatches)
void deallocate_SetWatches2(struct SetWatches2 *record)
{
    deallocate_String_vector(&record->dataWatches);
    deallocate_String_vector(&record->existWatches);
    deallocate_String_vector(&record->childWatches);
    deallocate_String_vector(&record->persistentWatches);
    deallocate_String_vector(&record->persistentRecursiveWatches);
}
NOTHING(RequestHeader)
NOTHING(MultiHeader)
TWO(AuthPacket, String, scheme, Buffer, auth)
NOTHING(ReplyHeader)
ONE(GetDataRequest, String, path)
TWO(SetDataRequest, String, path, Buffer, data)
THREE(ReconfigRequest, String, joiningServers, String, leavingServers, String, newMembers)
NOTHING(SetDataResponse)
ONE(GetSASLRequest, Buffer, token)
ONE(SetSASLRequest, Buffer, token)
ONE(SetSASLResponse, Buffer, token)
VECTOR(ACL_vector, ACL)
THREE(CreateRequest, String, path, Buffer, data, ACL_vector, acl)
THREE(CreateTTLRequest, String, path, Buffer, data, ACL_vector, acl)
ONE(DeleteRequest, String, path)
ONE(GetChildrenRequest, String, path)
ONE(GetAllChildrenNumberRequest, String, path)
ONE(GetChildren2Request, String, path)
ONE(CheckVersionRequest, String, path)
ONE(GetMaxChildrenRequest, String, path)
NOTHING(GetMaxChildrenResponse)
ONE(SetMaxChildrenRequest, String, path)
ONE(SyncRequest, String, path)
ONE(SyncResponse, String, path)
ONE(GetACLRequest, String, path)
TWO(SetACLRequest, String, path, ACL_vector, acl)
NOTHING(SetACLResponse)
ONE(AddWatchRequest, String, path)
ONE(WatcherEvent, String, path)
NOTHING(ErrorResponse)
ONE(CreateResponse, String, path)
ONE(Create2Response, String, path)
ONE(ExistsRequest, String, path)
NOTHING(ExistsResponse)
ONE(GetDataResponse, Buffer, data)
ONE(GetChildrenResponse, String_vector, children)
NOTHING(GetAllChildrenNumberResponse)
ONE(GetChildren2Response, String_vector, children)
ONE(GetACLResponse, ACL_vector, acl)
ONE(CheckWatchesRequest, String, path)
ONE(RemoveWatchesRequest, String, path)
ONE(GetEphemeralsRequest, String, prefixPath)
ONE(GetEphemeralsResponse, String_vector, ephemerals)
VECTOR(ClientInfo_vector, ClientInfo)
ONE(WhoAmIResponse, ClientInfo_vector, clientInfo)
NOTHING(LearnerInfo)
VECTOR(Id_vector, Id)
TWO(QuorumPacket, Buffer, data, Id_vector, authinfo)
ONE(QuorumAuthPacket, Buffer, token)
NOTHING(FileHeader)
NOTHING(TxnDigest)
NOTHING(TxnHeader)
THREE(CreateTxnV0, String, path, Buffer, data, ACL_vector, acl)
THREE(CreateTxn, String, path, Buffer, data, ACL_vector, acl)
THREE(CreateTTLTxn, String, path, Buffer, data, ACL_vector, acl)
THREE(CreateContainerTxn, String, path, Buffer, data, ACL_vector, acl)
ONE(DeleteTxn, String, path)
TWO(SetDataTxn, String, path, Buffer, data)
ONE(CheckVersionTxn, String, path)
TWO(SetACLTxn, String, path, ACL_vector, acl)
ONE(SetMaxChildrenTxn, String, path)
NOTHING(CreateSessionTxn)
ONE(CloseSessionTxn, String_vector, paths2Delete)
NOTHING(ErrorTxn)
ONE(Txn, Buffer, data)
VECTOR(Txn_vector, Txn)
ONE(MultiTxn, Txn_vector, txns)
/* clang-format on */
