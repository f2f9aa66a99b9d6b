{{/* What a schema cannot tell: settings that contradict each other, each with what to change. All of them are told at once. */}}
{{- define "ragmesh-common.validate" -}}
{{- $faults := list -}}
{{- range $guard := list "stores" "environment" "kafka" "scaling" "storage" "models" "languageModel" "shutdown" "rollout" "hooks" "upgrade" -}}
{{- range include (printf "ragmesh-common.guard.%s" $guard) $ | splitList "\n" -}}
{{- with trim . }}{{ $faults = append $faults (printf "  - %s" .) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\nragmesh: the values for %s cannot work:\n%s\n" (include "ragmesh-common.name" .) (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}

{{- define "ragmesh-common.guard.stores" -}}
{{- if not (or .Values.global.database.existingSecret .Values.database.existingSecret) }}
global.database.existingSecret is not set: make a secret with the URL of your PostgreSQL server, without a database, under the key "{{ .Values.global.database.key }}" and name it there. No chart brings a database.
{{- end }}
{{- if not .Values.global.serviceAuth.existingSecret }}
global.serviceAuth.existingSecret is not set: make a secret with the key that services sign their calls with, "{{ .Values.global.serviceAuth.key }}" of at least 32 characters, and name it there.
{{- end }}
{{- if and (ne "off" .Values.global.callsTls.mode) (not .Values.global.callsTls.existingSecret) }}
global.callsTls.mode is {{ .Values.global.callsTls.mode }} without global.callsTls.existingSecret: name the secret with tls.crt, tls.key and ca.crt.
{{- end }}
{{- $settings := include "ragmesh-common.settings" . | fromYaml }}
{{- $reads := (include "ragmesh-common.traits" . | fromYaml).reads }}
{{- $given := include "ragmesh-common.given" (dict "root" . "settings" $settings) | fromYamlArray }}
{{- if and (has "VECTOR_STORE" $reads) (eq "qdrant" (get $settings "VECTOR_STORE")) (not (has "QDRANT_URL" $given)) }}
config.QDRANT_URL is not set, but VECTOR_STORE is qdrant: set the URL of your Qdrant, or VECTOR_STORE to pgvector.
{{- end }}
{{- if and (include "ragmesh-common.hasEmbeddedIndex" .) (eq "true" (include "ragmesh-common.hasSeveralPods" .)) }}
config.VECTOR_STORE is embedded, which keeps an index in the memory of each pod: set it to qdrant or pgvector, or replicas to 1 without autoscaling.
{{- end }}
{{- if and (has "AUTH_MODE" $reads) (eq "off" (get $settings "AUTH_MODE" | default "off")) (ne "true" (get $settings "SERVER_TRUSTED_NETWORK")) }}
config.AUTH_MODE is off, so that everybody who reaches the gateway may do everything: set it to keys, jwt or keys+jwt, or config.SERVER_TRUSTED_NETWORK to true if only programs you trust reach it.
{{- end }}
{{- end -}}

{{- define "ragmesh-common.hasEmbeddedIndex" -}}
{{- $reads := (include "ragmesh-common.traits" . | fromYaml).reads -}}
{{- $settings := include "ragmesh-common.settings" . | fromYaml -}}
{{- if and (has "VECTOR_STORE" $reads) (eq "embedded" (get $settings "VECTOR_STORE" | default "embedded")) }}true{{ end -}}
{{- end -}}

{{- define "ragmesh-common.hasSeveralPods" -}}
{{- or (and .Values.autoscaling.enabled (gt (int .Values.autoscaling.maxReplicas) 1)) (and (not .Values.autoscaling.enabled) (gt (int .Values.replicas) 1)) -}}
{{- end -}}

{{- define "ragmesh-common.guard.environment" -}}
{{- $secrets := include "ragmesh-common.secrets" . | fromYaml }}
{{- range $name, $value := .Values.config }}
{{- if hasKey $secrets $name }}
config.{{ $name }} is set, and it comes from a secret, too: remove one of them.
{{- end }}
{{- end }}
{{- /* Backups know a database by `database` alone. */}}
{{- range .Values.extraEnv }}
{{- if has .name (list "DATABASE_URL" "DATABASE_URL_FILE") }}
extraEnv names {{ .name }}, which backups would not see, so that they would lack this database: put the URL into a secret and name it in {{ include "ragmesh-common.name" $ }}.database.existingSecret (database.existingSecret where the service has a release of its own).
{{- end }}
{{- end }}
{{- range $name, $source := $secrets }}
{{- if and (not (has $name (list "DATABASE_URL" "SERVICE_AUTH_KEY" "KAFKA_SASL_USERNAME" "KAFKA_SASL_PASSWORD"))) (not (and $source.existingSecret $source.key)) }}
the secret for {{ $name }} is not complete: it needs existingSecret and key.
{{- end }}
{{- end }}
{{- end -}}

{{- define "ragmesh-common.guard.kafka" -}}
{{- $global := .Values.global }}
{{- if and $global.kafka.sasl.mechanism (not $global.kafka.sasl.existingSecret) }}
global.kafka.sasl.mechanism is set without global.kafka.sasl.existingSecret: name the secret with user and password.
{{- end }}
{{- if and $global.kafka.topicsJob.existingSecret (not $global.kafka.sasl.mechanism) }}
global.kafka.topicsJob.existingSecret names a login, but global.kafka.sasl.mechanism does not say how to log in: set it.
{{- end }}
{{- if and $global.strimzi.users (not $global.strimzi.cluster) }}
global.strimzi.users is on without global.strimzi.cluster: name the Kafka cluster the users belong to.
{{- end }}
{{- if and $global.strimzi.users $global.kafka.sasl.mechanism }}
global.strimzi.users makes a login for every service, and global.kafka.sasl names one: remove one of them.
{{- end }}
{{- if and $global.strimzi.cluster (not $global.kafka.brokers) }}
global.strimzi.cluster is set without global.kafka.brokers: set them to the cluster's bootstrap address, such as {{ $global.strimzi.cluster }}-kafka-bootstrap:9092.
{{- end }}
{{- end -}}

{{- define "ragmesh-common.guard.scaling" -}}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
autoscaling.minReplicas is {{ .minReplicas }} and more than autoscaling.maxReplicas, {{ .maxReplicas }}: raise the latter or lower the former.
{{- end }}
{{- if eq .by "lag" }}
{{- $traits := include "ragmesh-common.traits" $ | fromYaml }}
{{- if not $traits.partitions }}
autoscaling.by is lag, but {{ include "ragmesh-common.name" $ }} consumes no events: set it to cpu.
{{- else if gt (int .maxReplicas) (int $traits.partitions) }}
autoscaling.maxReplicas is {{ .maxReplicas }}, but its topics have {{ $traits.partitions }} partitions and further pods would get none: lower it.
{{- end }}
{{- if not .lag.prometheus }}
autoscaling.by is lag without autoscaling.lag.prometheus: set the address of the Prometheus that scrapes the mesh.
{{- end }}
{{- else if not (dig "requests" "cpu" "" $.Values.resources) }}
autoscaling.by is cpu without resources.requests.cpu, of which it is a share: set it.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "ragmesh-common.guard.storage" -}}
{{- $isShared := has "ReadWriteMany" .Values.persistence.accessModes }}
{{- $several := eq "true" (include "ragmesh-common.hasSeveralPods" .) }}
{{- if and .Values.persistence.enabled $several (not $isShared) }}
persistence.accessModes has no ReadWriteMany, but several pods share the volume: add it, or set replicas to 1 without autoscaling.
{{- end }}
{{- $traits := include "ragmesh-common.traits" . | fromYaml }}
{{- $settings := include "ragmesh-common.settings" . | fromYaml }}
{{- $given := include "ragmesh-common.given" (dict "root" . "settings" $settings) | fromYamlArray }}
{{- if and (has "S3_BUCKET" $traits.reads) (not (has "S3_BUCKET" $given)) (not .Values.persistence.enabled) }}
config.S3_BUCKET is not set and persistence is off, so that uploads would be lost with the pod: set the bucket, or persistence.enabled with replicas 1.
{{- end }}
{{- end -}}

{{/* A volume of somebody's own may be the shared one under another name. */}}
{{- define "ragmesh-common.guard.models" -}}
{{- $isShared := or .Values.global.models.existingClaim .Values.global.extraVolumeMounts .Values.extraVolumeMounts }}
{{- if and (eq "embedding" (include "ragmesh-common.name" .)) (not $isShared) }}
{{- $settings := include "ragmesh-common.settings" . | fromYaml }}
{{- $isLocal := eq "local" (get $settings "APP_EMBEDDINGS_BACKEND" | default "local") }}
{{- range $variable := list "EMBEDDING_MODEL" "EMBEDDING_FALLBACK_MODEL" "RERANK_MODEL" }}
{{- $model := get $settings $variable | default "all-MiniLM-L6-v2" }}
{{- if and (or $isLocal (ne "EMBEDDING_MODEL" $variable)) (ne "all-MiniLM-L6-v2" (splitList "@" $model | first)) }}
config.{{ $variable }} is {{ $model }}, which model downloads and embedding has to read: set global.models.existingClaim to a ReadWriteMany claim that both can mount.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* An image of somebody's own may have what runs a model. */}}
{{- define "ragmesh-common.guard.languageModel" -}}
{{- $settings := include "ragmesh-common.settings" . | fromYaml }}
{{- if and (eq "generation" (include "ragmesh-common.name" .)) (eq "local" (get $settings "APP_LLM_BACKEND")) (not .Values.image.repository) }}
config.APP_LLM_BACKEND is local, but the image of generation has nothing that runs a model: set it to openai and OPENAI_BASE_URL to a server of yours that runs one, or image.repository to an image of yours that has @huggingface/transformers.
{{- end }}
{{- end -}}

{{- define "ragmesh-common.guard.shutdown" -}}
{{- $least := int (include "ragmesh-common.leastTerminationGrace" .) }}
{{- if and .Values.terminationGracePeriodSeconds (lt (int .Values.terminationGracePeriodSeconds) $least) }}
terminationGracePeriodSeconds is {{ .Values.terminationGracePeriodSeconds }}, but grace, deadline and the last steps take up to {{ $least }}: raise it, or lower global.shutdown.
{{- end }}
{{- end -}}

{{- define "ragmesh-common.guard.rollout" -}}
{{- if and (eq "true" (include "ragmesh-common.isRollout" .)) .Values.strategy }}
strategy is set, but a rollout is blue-green: remove one of strategy and rollout.enabled.
{{- end }}
{{- end -}}

{{/* What a hook reads has to be there before the release is. */}}
{{- define "ragmesh-common.guard.hooks" -}}
{{- if .Values.global.migrations.hook }}
{{- $read := dict }}
{{- range $task := list "migrate" "topics" }}
{{- if include (printf "ragmesh-common.has.%s" $task) $ }}
{{- range $source := include "ragmesh-common.preparationSecrets" (dict "root" $ "task" $task) | fromYaml }}{{ $_ := set $read $source.existingSecret true }}{{ end }}
{{- end }}
{{- end }}
{{- range $secret := keys $read | sortAlpha }}
{{- if hasKey $.Values.externalSecrets $secret }}
externalSecrets makes {{ $secret }} with this release, but a hook reads it before: set global.migrations.hook to false.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Where a cluster can be asked: events that are still in topics of another name, or on another bus, would never be read. Who restores a backup or has
drained the mesh wants just that: nothing runs, and nothing touches the database.
*/}}
{{- define "ragmesh-common.guard.upgrade" -}}
{{- $isForRestore := not (or .Values.autoscaling.enabled (int .Values.replicas) .Values.global.migrations.job) }}
{{- if and .Release.IsUpgrade (not $isForRestore) }}
{{- with lookup "v1" "ConfigMap" .Release.Namespace (include "ragmesh-common.fullname" .) }}
{{- $data := .data | default dict }}
{{- $bus := ternary "Kafka" "PostgreSQL" (ne "" (get $data "KAFKA_BROKERS")) }}
{{- $newBus := ternary "Kafka" "PostgreSQL" (ne "" $.Values.global.kafka.brokers) }}
{{- if ne $bus $newBus }}
events run over {{ $bus }} and would run over {{ $newBus }}, and those that wait on the old bus would be lost: set global.kafka.brokers {{ ternary "back" "to nothing" (eq "Kafka" $bus) }}. To move, drain the mesh (deploy/runbooks/Drain.md), then set replicas to 0 without autoscaling and global.migrations.job to false, and turn both on again with the next upgrade.
{{- end }}
{{- $before := get $data "RAGMESH_TOPIC_PREFIX" }}
{{- $now := $.Values.global.kafka.topicPrefix }}
{{- if ne $before $now }}
global.kafka.topicPrefix was "{{ $before }}" and would become "{{ $now }}", and events that wait in the old topics would be lost: set it back. To restore a backup, set replicas to 0 without autoscaling and global.migrations.job to false.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
