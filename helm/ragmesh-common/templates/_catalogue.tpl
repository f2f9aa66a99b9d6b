{{/* Made by "npm run docs" from the code; change it there. */}}
{{- define "ragmesh-common.traits.gateway" -}}
reads:
  - AUTH_FAILED_ATTEMPTS
  - AUTH_JWT_AUDIENCE
  - AUTH_JWT_GROUPS_CLAIM
  - AUTH_JWT_ISSUER
  - AUTH_JWT_JWKS_URL
  - AUTH_JWT_LEEWAY_SECONDS
  - AUTH_JWT_ROLES_CLAIM
  - AUTH_JWT_TENANT_CLAIM
  - AUTH_KEY_CACHE_SECONDS
  - AUTH_MODE
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - DOCUMENT_MAX_BYTES
  - EGRESS_ALLOW
  - EGRESS_CONCURRENCY
  - EGRESS_FIRST_BYTE_SECONDS
  - EGRESS_PORTS
  - EGRESS_PUBLIC
  - EGRESS_TIMEOUT_SECONDS
  - EMBEDDING_GRPC_ADDRESS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - JSON_DOCUMENT_MAX_BYTES
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONCURRENT_REQUESTS
  - MAX_CONNECTIONS
  - MAX_OPEN_STREAMS
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - QUOTA_KEY_REQUESTS_PER_MINUTE
  - QUOTA_KEY_TOKENS_PER_DAY
  - QUOTA_TENANT_REQUESTS_PER_MINUTE
  - QUOTA_TENANT_TOKENS_PER_DAY
  - RAGMESH_BOOTSTRAP_KEY
  - RAGMESH_BOOTSTRAP_KEY_FILE
  - RAGMESH_BOOTSTRAP_TENANT
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - REDIS_CACHE_DB
  - REDIS_TLS_CA_FILE
  - REDIS_TLS_CERT_FILE
  - REDIS_TLS_KEY_FILE
  - REDIS_URL
  - REDIS_URL_FILE
  - REQUEST_TIMEOUT_SECONDS
  - RETRIEVAL_GRPC_ADDRESS
  - SEARCH_LATENCY_TARGET
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVER_HOST
  - SERVER_PORT
  - SERVER_TLS_CA_FILE
  - SERVER_TLS_CERT_FILE
  - SERVER_TLS_KEY_FILE
  - SERVER_TRUSTED_NETWORK
  - SERVER_TRUSTED_PROXIES
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - STREAM_TIMEOUT_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - document
  - knowledge
  - embedding
  - vector
  - retrieval
  - generation
  - model
calledBy: []
consumes: []
writes:
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
partitions: 0
{{- end -}}
{{- define "ragmesh-common.traits.document" -}}
reads:
  - CHUNK_OVERLAP
  - CHUNK_SIZE
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - DOCUMENT_MAX_BYTES
  - EMBEDDING_GRPC_ADDRESS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - INGESTION_IN_FLIGHT
  - INGESTION_IN_FLIGHT_SHARED
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PARSE_CONCURRENCY
  - PARSE_MAX_INFLATED
  - PARSE_MAX_PAGES
  - PARSE_MEMORY
  - PARSE_TIMEOUT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_DATA_DIR
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - REINDEX_IN_FLIGHT
  - REINDEX_KEEP_PREVIOUS
  - REINDEX_MIN_OVERLAP
  - REINDEX_MIN_SELF_RETRIEVAL
  - REINDEX_QUESTIONS
  - RETRIEVAL_GRPC_ADDRESS
  - S3_ACCESS_KEY_ID
  - S3_BUCKET
  - S3_ENDPOINT
  - S3_FORCE_PATH_STYLE
  - S3_REGION
  - S3_SECRET_ACCESS_KEY
  - S3_SECRET_ACCESS_KEY_FILE
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - knowledge
  - embedding
  - vector
calledBy:
  - gateway
  - knowledge
consumes:
  - document.created
  - document.created.document.retry
  - document.updated
  - document.updated.document.retry
  - vector.indexed
  - vector.indexed.document.retry
  - vector.updated
  - vector.updated.document.retry
  - vector.deleted
  - vector.deleted.document.retry
  - access.changed
  - access.changed.document.retry
  - error.occurred
  - error.occurred.document.retry
  - event.replayed
  - event.replayed.document.retry
  - document.commands
  - document.commands.document.retry
writes:
  - document.created
  - document.updated
  - document.chunked
  - document.ready
  - collection.recut
  - document.failed
  - document.deleted
  - access.changed
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - vector.commands
  - document.commands
  - document.created.document.retry
  - document.created.document.dlt
  - document.updated.document.retry
  - document.updated.document.dlt
  - vector.indexed.document.retry
  - vector.indexed.document.dlt
  - vector.updated.document.retry
  - vector.updated.document.dlt
  - vector.deleted.document.retry
  - vector.deleted.document.dlt
  - access.changed.document.retry
  - access.changed.document.dlt
  - error.occurred.document.retry
  - error.occurred.document.dlt
  - event.replayed.document.retry
  - event.replayed.document.dlt
  - document.commands.document.retry
  - document.commands.document.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.knowledge" -}}
reads:
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_GRPC_ADDRESS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - RETRIEVAL_GRPC_ADDRESS
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - document
  - vector
calledBy:
  - gateway
  - document
  - embedding
  - vector
  - retrieval
  - generation
  - model
consumes:
  - document.created
  - document.created.knowledge.retry
  - document.ready
  - document.ready.knowledge.retry
  - collection.recut
  - collection.recut.knowledge.retry
  - document.deleted
  - document.deleted.knowledge.retry
writes:
  - access.changed
  - settings.changed
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - document.created.knowledge.retry
  - document.created.knowledge.dlt
  - document.ready.knowledge.retry
  - document.ready.knowledge.dlt
  - collection.recut.knowledge.retry
  - collection.recut.knowledge.dlt
  - document.deleted.knowledge.retry
  - document.deleted.knowledge.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.embedding" -}}
reads:
  - APP_EMBEDDINGS_BACKEND
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_API_KEY
  - EMBEDDING_API_KEY_FILE
  - EMBEDDING_BASE_URL
  - EMBEDDING_BATCH_SIZE
  - EMBEDDING_CACHE_SIZE
  - EMBEDDING_CACHE_TTL
  - EMBEDDING_FALLBACK_MODEL
  - EMBEDDING_GRPC_ADDRESS
  - EMBEDDING_MEMORY_BUDGET
  - EMBEDDING_MODEL
  - EMBEDDING_QUERY_CACHE_SIZE
  - EMBEDDING_QUERY_CACHE_TTL
  - EMBEDDING_TIMEOUT
  - EMBEDDING_WORKERS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OPENAI_API_KEY
  - OPENAI_API_KEY_FILE
  - OPENAI_BASE_URL
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - REDIS_CACHE_DB
  - REDIS_TLS_CA_FILE
  - REDIS_TLS_CERT_FILE
  - REDIS_TLS_KEY_FILE
  - REDIS_URL
  - REDIS_URL_FILE
  - RERANK_MODEL
  - RETRIEVAL_GRPC_ADDRESS
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_DIM
  - VECTOR_GRPC_ADDRESS
calls:
  - knowledge
  - model
calledBy:
  - gateway
  - document
  - retrieval
consumes:
  - document.chunked
  - document.chunked.embedding.retry
writes:
  - chunks.embedded
  - embedding.completed
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - document.chunked.embedding.retry
  - document.chunked.embedding.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.vector" -}}
reads:
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_GRPC_ADDRESS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - QDRANT_API_KEY
  - QDRANT_API_KEY_FILE
  - QDRANT_AVERAGE_TERMS
  - QDRANT_COLLECTION
  - QDRANT_TIMEOUT
  - QDRANT_TLS_CA_FILE
  - QDRANT_TLS_CERT_FILE
  - QDRANT_TLS_KEY_FILE
  - QDRANT_URL
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - RECONCILE_INTERVAL_SECONDS
  - RETRIEVAL_GRPC_ADDRESS
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
  - VECTOR_SECOND_STORE
  - VECTOR_STORE
calls:
  - knowledge
calledBy:
  - gateway
  - document
  - knowledge
  - retrieval
consumes:
  - chunks.embedded
  - chunks.embedded.vector.retry
  - access.changed
  - access.changed.vector.retry
  - vector.commands
  - vector.commands.vector.retry
writes:
  - vector.indexed
  - vector.updated
  - vector.deleted
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - chunks.embedded.vector.retry
  - chunks.embedded.vector.dlt
  - access.changed.vector.retry
  - access.changed.vector.dlt
  - vector.commands.vector.retry
  - vector.commands.vector.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.retrieval" -}}
reads:
  - APP_EMBEDDINGS_BACKEND
  - APP_RERANK_ALPHA
  - APP_RERANK_BACKEND
  - CACHE_SIMILARITY
  - CACHE_SIZE
  - CACHE_TTL_SECONDS
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_GRPC_ADDRESS
  - EMBEDDING_MODEL
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_MODE
  - RAGMESH_TOPIC_PREFIX
  - REDIS_CACHE_DB
  - REDIS_TLS_CA_FILE
  - REDIS_TLS_CERT_FILE
  - REDIS_TLS_KEY_FILE
  - REDIS_URL
  - REDIS_URL_FILE
  - RERANK_MODEL
  - RESPONSE_CACHE_TTL
  - RETRIEVAL_GRPC_ADDRESS
  - SEARCH_ALPHA
  - SEARCH_EMBED_TIMEOUT
  - SEARCH_LEG_TIMEOUT
  - SEARCH_RERANK_TIMEOUT
  - SEARCH_WRITING_TIMEOUT
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - knowledge
  - embedding
  - vector
  - generation
calledBy:
  - gateway
consumes:
  - vector.updated
  - vector.updated.retrieval.retry
  - vector.deleted
  - vector.deleted.retrieval.retry
  - access.changed
  - access.changed.retrieval.retry
writes:
  - query.processed
  - retrieval.completed
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - vector.updated.retrieval.retry
  - vector.updated.retrieval.dlt
  - vector.deleted.retrieval.retry
  - vector.deleted.retrieval.dlt
  - access.changed.retrieval.retry
  - access.changed.retrieval.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.generation" -}}
reads:
  - APP_LLM_BACKEND
  - CACHE_SIZE
  - CONVERSATION_RETENTION
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_GRPC_ADDRESS
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LLM_ANSWER_CACHE_TTL
  - LLM_FALLBACK_MODELS
  - LLM_FIRST_TOKEN_TIMEOUT
  - LLM_FURTHER_PROVIDERS
  - LLM_FURTHER_PROVIDERS_FILE
  - LLM_IDLE_TIMEOUT
  - LLM_MAX_TOKENS
  - LLM_PRICES
  - LLM_TOTAL_TIMEOUT
  - LM_MODEL
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_GRPC_ADDRESS
  - OPENAI_API_KEY
  - OPENAI_API_KEY_FILE
  - OPENAI_BASE_URL
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_MODE
  - RAGMESH_MODELS_DIR
  - RAGMESH_TOPIC_PREFIX
  - REDIS_CACHE_DB
  - REDIS_TLS_CA_FILE
  - REDIS_TLS_CERT_FILE
  - REDIS_TLS_KEY_FILE
  - REDIS_URL
  - REDIS_URL_FILE
  - RETRIEVAL_GRPC_ADDRESS
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - knowledge
calledBy:
  - gateway
  - retrieval
consumes:
  - document.deleted
  - document.deleted.generation.retry
  - embedding.completed
  - embedding.completed.generation.retry
  - access.changed
  - access.changed.generation.retry
writes:
  - generation.completed
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
  - document.deleted.generation.retry
  - document.deleted.generation.dlt
  - embedding.completed.generation.retry
  - embedding.completed.generation.dlt
  - access.changed.generation.retry
  - access.changed.generation.dlt
partitions: 6
{{- end -}}
{{- define "ragmesh-common.traits.model" -}}
reads:
  - DATABASE_TLS
  - DATABASE_TLS_CA_FILE
  - DATABASE_TLS_CERT_FILE
  - DATABASE_TLS_KEY_FILE
  - DATABASE_URL
  - DATABASE_URL_FILE
  - DOCUMENT_GRPC_ADDRESS
  - EMBEDDING_GRPC_ADDRESS
  - EMBEDDING_MODEL
  - GATEWAY_GRPC_ADDRESS
  - GENERATION_GRPC_ADDRESS
  - GRPC_HOST
  - GRPC_PORT
  - GRPC_TLS
  - GRPC_TLS_CA_FILE
  - GRPC_TLS_CERT_FILE
  - GRPC_TLS_KEY_FILE
  - GRPC_TLS_SERVER_NAME
  - HF_ENDPOINT
  - HF_HUB_DOWNLOAD_TIMEOUT
  - HF_HUB_OFFLINE
  - HF_TOKEN
  - HF_TOKEN_FILE
  - HUB_ALLOWED_HOSTS
  - KAFKA_BROKERS
  - KAFKA_REPLICATION_FACTOR
  - KAFKA_SASL_MECHANISM
  - KAFKA_SASL_PASSWORD
  - KAFKA_SASL_PASSWORD_FILE
  - KAFKA_SASL_USERNAME
  - KAFKA_SESSION_TIMEOUT
  - KAFKA_TLS
  - KAFKA_TLS_CA_FILE
  - KAFKA_TLS_CERT_FILE
  - KAFKA_TLS_KEY_FILE
  - KNOWLEDGE_GRPC_ADDRESS
  - LOG_LEVEL
  - MAX_CONNECTIONS
  - MODEL_CACHE_DIR
  - MODEL_DTYPE
  - MODEL_GRPC_ADDRESS
  - OTEL_EXPORTER_OTLP_ENDPOINT
  - PROBE_HOST
  - PROBE_PORT
  - RAGMESH_DATA_DIR
  - RAGMESH_MODE
  - RAGMESH_MODELS_DIR
  - RAGMESH_TOPIC_PREFIX
  - RETRIEVAL_GRPC_ADDRESS
  - SENTRY_DSN
  - SENTRY_DSN_FILE
  - SERVICE_AUTH_KEY
  - SERVICE_AUTH_KEY_FILE
  - SHUTDOWN_DEADLINE_SECONDS
  - SHUTDOWN_GRACE_SECONDS
  - VECTOR_GRPC_ADDRESS
calls:
  - knowledge
calledBy:
  - gateway
  - embedding
consumes: []
writes:
  - model.loaded
  - model.unloaded
  - model.updated
  - service.health
  - performance.metrics
  - error.occurred
  - event.replayed
partitions: 0
{{- end -}}
{{- define "ragmesh-common.topics" -}}
topics:
  - name: document.created
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.created.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.created.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.created.knowledge.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.created.knowledge.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.updated
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.updated.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.updated.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.chunked
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.chunked.embedding.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.chunked.embedding.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.ready
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.ready.knowledge.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.ready.knowledge.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: collection.recut
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: collection.recut.knowledge.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: collection.recut.knowledge.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.failed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.deleted
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.deleted.knowledge.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.deleted.knowledge.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.deleted.generation.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.deleted.generation.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: chunks.embedded
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: chunks.embedded.vector.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: chunks.embedded.vector.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.indexed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.indexed.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.indexed.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.updated
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.updated.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.updated.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.updated.retrieval.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.updated.retrieval.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.deleted
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.deleted.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.deleted.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.deleted.retrieval.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.deleted.retrieval.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: query.processed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: retrieval.completed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: embedding.completed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: embedding.completed.generation.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: embedding.completed.generation.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: generation.completed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: model.loaded
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: model.unloaded
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: model.updated
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.vector.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.vector.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.retrieval.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.retrieval.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.generation.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: access.changed.generation.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: settings.changed
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: service.health
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: performance.metrics
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "86400000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: error.occurred
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: error.occurred.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: error.occurred.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: event.replayed
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: event.replayed.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: event.replayed.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.commands.vector.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: vector.commands.vector.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.commands.document.retry
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: document.commands.document.dlt
    partitions: 1
    config:
      cleanup.policy: delete
      retention.ms: "2592000000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: gateway.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: knowledge.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: embedding.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: retrieval.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: generation.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
  - name: model.commands
    partitions: 6
    config:
      cleanup.policy: delete
      retention.ms: "604800000"
      message.timestamp.type: LogAppendTime
      max.message.bytes: "1052672"
{{- end -}}
