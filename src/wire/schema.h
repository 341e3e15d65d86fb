/* schema.h: every record of the client protocol, of the transaction log and between servers, written
 * down once.
 *
 * RECORD(name, FIELDS) lists fields in their order on the wire as F(type, name). The struct, the
 * reader and the writer of each are made from these lines in records.h and records.c.
 * Types: i32 i64 boolean text buffer texts acls stat (see records.h for what each is in C). */

#define CONNECT_REQUEST_FIELDS(F)                                                                  \
    F(i32, protocol_version)                                                                       \
    F(i64, last_zxid_seen) F(i32, timeout_ms) F(i64, session_id) F(buffer, password)
#define CONNECT_RESPONSE_FIELDS(F)                                                                 \
    F(i32, protocol_version) F(i32, timeout_ms) F(i64, session_id) F(buffer, password)
#define REQUEST_HEADER_FIELDS(F) F(i32, xid) F(i32, type)
#define REPLY_HEADER_FIELDS(F) F(i32, xid) F(i64, zxid) F(i32, err)
#define CREATE_REQUEST_FIELDS(F) F(text, path) F(buffer, data) F(acls, acl) F(i32, flags)
#define CREATE_TTL_REQUEST_FIELDS(F) CREATE_REQUEST_FIELDS(F) F(i64, ttl_ms)
#define PATH_VERSION_REQUEST_FIELDS(F) F(text, path) F(i32, version)
#define PATH_WATCH_REQUEST_FIELDS(F) F(text, path) F(boolean, watch)
#define PATH_REQUEST_FIELDS(F) F(text, path)
#define SET_DATA_REQUEST_FIELDS(F) F(text, path) F(buffer, data) F(i32, version)
#define SET_ACL_REQUEST_FIELDS(F) F(text, path) F(acls, acl) F(i32, version)
#define RECONFIG_REQUEST_FIELDS(F)                                                                 \
    F(text, joining) F(text, leaving) F(text, new_members) F(i64, config_id)
#define PATH_TYPE_REQUEST_FIELDS(F) F(text, path) F(i32, type)
#define SET_WATCHES_FIELDS(F) F(i64, relative_zxid) F(texts, data) F(texts, exist) F(texts, child)
#define SET_WATCHES2_FIELDS(F)                                                                     \
    SET_WATCHES_FIELDS(F) F(texts, persistent) F(texts, persistent_recursive)
#define AUTH_PACKET_FIELDS(F) F(i32, type) F(text, scheme) F(buffer, auth)
#define SASL_REQUEST_FIELDS(F) F(buffer, token)
#define MULTI_HEADER_FIELDS(F) F(i32, type) F(boolean, done) F(i32, err)
#define WATCHER_EVENT_FIELDS(F) F(i32, type) F(i32, state) F(text, path)

#define TXN_HEADER_FIELDS(F)                                                                       \
    F(i64, client_id) F(i32, cxid) F(i64, zxid) F(i64, time_ms) F(i32, type)
#define CREATE_TXN_FIELDS(F)                                                                       \
    F(text, path) F(buffer, data) F(acls, acl) F(boolean, ephemeral) F(i32, parent_cversion)
#define CREATE_TXN_V0_FIELDS(F) F(text, path) F(buffer, data) F(acls, acl) F(boolean, ephemeral)
#define CREATE_CONTAINER_TXN_FIELDS(F)                                                             \
    F(text, path) F(buffer, data) F(acls, acl) F(i32, parent_cversion)
#define CREATE_TTL_TXN_FIELDS(F) CREATE_CONTAINER_TXN_FIELDS(F) F(i64, ttl_ms)
#define DELETE_TXN_FIELDS(F) F(text, path)
#define SET_DATA_TXN_FIELDS(F) F(text, path) F(buffer, data) F(i32, version)
#define SET_ACL_TXN_FIELDS(F) F(text, path) F(acls, acl) F(i32, version)
#define CHECK_TXN_FIELDS(F) F(text, path) F(i32, version)
#define CREATE_SESSION_TXN_FIELDS(F) F(i32, timeout_ms)
#define CLOSE_SESSION_TXN_FIELDS(F) F(texts, paths)
#define ERROR_TXN_FIELDS(F) F(i32, err)
#define TXN_DIGEST_FIELDS(F) F(i32, version) F(i64, digest)
#define STAT_PERSISTED_FIELDS(F)                                                                   \
    F(i64, czxid)                                                                                  \
    F(i64, mzxid)                                                                                  \
    F(i64, ctime)                                                                                  \
    F(i64, mtime) F(i32, version) F(i32, cversion) F(i32, aversion) F(i64, owner) F(i64, pzxid)

#define LEARNER_INFO_FIELDS(F) F(i64, server_id) F(i32, protocol_version) F(i64, config_version)
#define SESSION_TOUCH_FIELDS(F) F(i64, session_id) F(i32, timeout_ms)
#define SESSION_VALID_FIELDS(F) F(i64, session_id) F(boolean, valid)
#define FORWARDED_HEADER_FIELDS(F) F(i64, session_id) F(i32, cxid) F(i32, type)

#define WIRE_RECORDS(RECORD)                                                                       \
    RECORD(connect_request, CONNECT_REQUEST_FIELDS)                                                \
    RECORD(connect_response, CONNECT_RESPONSE_FIELDS)                                              \
    RECORD(request_header, REQUEST_HEADER_FIELDS)                                                  \
    RECORD(reply_header, REPLY_HEADER_FIELDS)                                                      \
    RECORD(create_request, CREATE_REQUEST_FIELDS)                                                  \
    RECORD(create_ttl_request, CREATE_TTL_REQUEST_FIELDS)                                          \
    RECORD(path_version_request, PATH_VERSION_REQUEST_FIELDS)                                      \
    RECORD(path_watch_request, PATH_WATCH_REQUEST_FIELDS)                                          \
    RECORD(path_request, PATH_REQUEST_FIELDS)                                                      \
    RECORD(set_data_request, SET_DATA_REQUEST_FIELDS)                                              \
    RECORD(set_acl_request, SET_ACL_REQUEST_FIELDS)                                                \
    RECORD(reconfig_request, RECONFIG_REQUEST_FIELDS)                                              \
    RECORD(path_type_request, PATH_TYPE_REQUEST_FIELDS)                                            \
    RECORD(set_watches, SET_WATCHES_FIELDS)                                                        \
    RECORD(set_watches2, SET_WATCHES2_FIELDS)                                                      \
    RECORD(auth_packet, AUTH_PACKET_FIELDS)                                                        \
    RECORD(sasl_request, SASL_REQUEST_FIELDS)                                                      \
    RECORD(multi_header, MULTI_HEADER_FIELDS)                                                      \
    RECORD(watcher_event, WATCHER_EVENT_FIELDS)                                                    \
    RECORD(txn_header, TXN_HEADER_FIELDS)                                                          \
    RECORD(create_txn, CREATE_TXN_FIELDS)                                                          \
    RECORD(create_txn_v0, CREATE_TXN_V0_FIELDS)                                                    \
    RECORD(create_container_txn, CREATE_CONTAINER_TXN_FIELDS)                                      \
    RECORD(create_ttl_txn, CREATE_TTL_TXN_FIELDS)                                                  \
    RECORD(delete_txn, DELETE_TXN_FIELDS)                                                          \
    RECORD(set_data_txn, SET_DATA_TXN_FIELDS)                                                      \
    RECORD(set_acl_txn, SET_ACL_TXN_FIELDS)                                                        \
    RECORD(check_txn, CHECK_TXN_FIELDS)                                                            \
    RECORD(create_session_txn, CREATE_SESSION_TXN_FIELDS)                                          \
    RECORD(close_session_txn, CLOSE_SESSION_TXN_FIELDS)                                            \
    RECORD(error_txn, ERROR_TXN_FIELDS)                                                            \
    RECORD(txn_digest, TXN_DIGEST_FIELDS)                                                          \
    RECORD(stat_persisted, STAT_PERSISTED_FIELDS)                                                  \
    RECORD(learner_info, LEARNER_INFO_FIELDS)                                                      \
    RECORD(session_touch, SESSION_TOUCH_FIELDS)                                                    \
    RECORD(session_valid, SESSION_VALID_FIELDS)                                                    \
    RECORD(forwarded_header, FORWARDED_HEADER_FIELDS)
