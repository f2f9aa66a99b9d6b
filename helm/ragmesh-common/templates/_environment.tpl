{{/*
Environment variables that are no secrets, as YAML: what the installation says, then what is set for this service. Only what the service reads is
given to it.
*/}}
{{- define "ragmesh-common.settings" -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $global := .Values.global -}}
{{- $settings := dict
  "GRPC_HOST" $global.listenHost
  "PROBE_HOST" $global.listenHost
  "LOG_LEVEL" $global.logLevel
  "SHUTDOWN_GRACE_SECONDS" (toString $global.shutdown.graceSeconds)
  "SHUTDOWN_DEADLINE_SECONDS" (toString $global.shutdown.deadlineSeconds)
-}}
{{- range $peer := $traits.calls -}}
{{- $address := printf "dns:///%s-%s-calls.%s.svc:50051" (include "ragmesh-common.prefix" $) $peer $.Release.Namespace -}}
{{- $_ := set $settings (printf "%s_GRPC_ADDRESS" (upper $peer)) $address -}}
{{- end -}}
{{- if has "RAGMESH_DATA_DIR" $traits.reads }}{{ $_ := set $settings "RAGMESH_DATA_DIR" "/data" }}{{ end -}}
{{- if and $global.models.existingClaim (has "MODEL_CACHE_DIR" $traits.reads) }}{{ $_ := set $settings "MODEL_CACHE_DIR" "/models" }}{{ end -}}
{{- if has "SERVER_HOST" $traits.reads }}{{ $_ := set $settings "SERVER_HOST" $global.listenHost }}{{ end -}}
{{- with $global.tracing.endpoint }}{{ $_ := set $settings "OTEL_EXPORTER_OTLP_ENDPOINT" . }}{{ end -}}
{{- if ne "off" $global.callsTls.mode -}}
{{- $_ := set $settings "GRPC_TLS" $global.callsTls.mode -}}
{{- range $variable, $file := dict "CERT" "tls.crt" "KEY" "tls.key" "CA" "ca.crt" -}}
{{- $_ := set $settings (printf "GRPC_TLS_%s_FILE" $variable) (printf "/etc/ragmesh/calls-tls/%s" $file) -}}
{{- end -}}
{{- with $global.callsTls.serverName }}{{ $_ := set $settings "GRPC_TLS_SERVER_NAME" . }}{{ end -}}
{{- end -}}
{{- $settings = merge (dict) (include "ragmesh-common.kafkaSettings" . | fromYaml) $settings -}}
{{- range $name, $value := $global.config -}}
{{- if has $name $traits.reads }}{{ $_ := set $settings $name (include "ragmesh-common.plain" $value) }}{{ end -}}
{{- end -}}
{{- range $name, $value := .Values.config }}{{ $_ := set $settings $name (include "ragmesh-common.plain" $value) }}{{ end -}}
{{- if include "ragmesh-common.keepsNoResults" (dict "root" . "settings" $settings) }}{{ $_ := set $settings "CACHE_TTL_SECONDS" "0" }}{{ end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/*
Of several pods only one hears of a change, and tells the others by Redis. Without it they keep no results, unless somebody says how long: they would
serve what was deleted or replaced for as long as they keep it.
*/}}
{{- define "ragmesh-common.keepsNoResults" -}}
{{- $settings := .settings -}}
{{- with .root -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $given := include "ragmesh-common.given" (dict "root" . "settings" $settings) | fromYamlArray -}}
{{- $isTold := or (has "REDIS_URL" $given) (has "REDIS_URL_FILE" $given) (has "CACHE_TTL_SECONDS" $given) -}}
{{- if and (has "CACHE_TTL_SECONDS" $traits.reads) (eq "true" (include "ragmesh-common.hasSeveralPods" .)) (not $isTold) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/*
Names of the variables that have a value, wherever it comes from, as YAML: `settings`, secrets and the container's own. What `extraEnvFrom` brings
nobody knows here.
*/}}
{{- define "ragmesh-common.given" -}}
{{- $given := include "ragmesh-common.secrets" .root | fromYaml | keys -}}
{{- range $name, $value := .settings }}{{ if $value }}{{ $given = append $given $name }}{{ end }}{{ end -}}
{{- range .root.Values.extraEnv }}{{ $given = append $given .name }}{{ end -}}
{{- $given | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{/* Whole numbers stay whole: YAML gives them as floats, which would print as 1e+06. */}}
{{- define "ragmesh-common.plain" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- define "ragmesh-common.kafkaSettings" -}}
{{- $kafka := .Values.global.kafka -}}
{{- with $kafka.topicPrefix }}
RAGMESH_TOPIC_PREFIX: {{ . | quote }}
{{- end }}
{{- if $kafka.brokers }}
KAFKA_BROKERS: {{ $kafka.brokers | quote }}
KAFKA_TLS: {{ $kafka.tls | quote }}
{{- if .Values.global.strimzi.users }}
KAFKA_SASL_MECHANISM: scram-sha-512
KAFKA_SASL_USERNAME: {{ include "ragmesh-common.fullname" . }}
{{- else if $kafka.sasl.mechanism }}
KAFKA_SASL_MECHANISM: {{ $kafka.sasl.mechanism }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Environment variables from secrets, as YAML: name → existingSecret and key. */}}
{{- define "ragmesh-common.secrets" -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $global := .Values.global -}}
{{- $database := ternary .Values.database $global.database (ne "" .Values.database.existingSecret) -}}
{{- $secrets := dict "DATABASE_URL" (dict "existingSecret" $database.existingSecret "key" $database.key) -}}
{{- $_ := set $secrets "SERVICE_AUTH_KEY" (dict "existingSecret" $global.serviceAuth.existingSecret "key" $global.serviceAuth.key) -}}
{{- if and $global.redis.existingSecret (has "REDIS_URL" $traits.reads) -}}
{{- $_ := set $secrets "REDIS_URL" (dict "existingSecret" $global.redis.existingSecret "key" $global.redis.key) -}}
{{- end -}}
{{- $sasl := $global.kafka.sasl -}}
{{- if $global.strimzi.users -}}
{{- $_ := set $secrets "KAFKA_SASL_PASSWORD" (dict "existingSecret" (include "ragmesh-common.fullname" .) "key" "password") -}}
{{- else if $sasl.mechanism -}}
{{- $_ := set $secrets "KAFKA_SASL_USERNAME" (dict "existingSecret" $sasl.existingSecret "key" $sasl.usernameKey) -}}
{{- $_ := set $secrets "KAFKA_SASL_PASSWORD" (dict "existingSecret" $sasl.existingSecret "key" $sasl.passwordKey) -}}
{{- end -}}
{{- range $name, $source := $global.secretConfig -}}
{{- if has $name $traits.reads }}{{ $_ := set $secrets $name $source }}{{ end -}}
{{- end -}}
{{- toYaml (merge (dict) .Values.secretConfig $secrets) -}}
{{- end -}}

{{/* The container's `env`: each name once, because a server that merges lists by name refuses a second one. */}}
{{- define "ragmesh-common.env" -}}
{{- $entries := dict -}}
{{- range $name, $source := include "ragmesh-common.secrets" . | fromYaml -}}
{{- $reference := dict "name" $source.existingSecret "key" $source.key -}}
{{- $_ := set $entries $name (dict "name" $name "valueFrom" (dict "secretKeyRef" $reference)) -}}
{{- end -}}
{{- range .Values.extraEnv }}{{ $_ := set $entries .name . }}{{ end -}}
{{- range $name := keys $entries | sortAlpha }}
- {{ get $entries $name | toYaml | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{- define "ragmesh-common.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
data:
  {{- range $name, $value := include "ragmesh-common.settings" . | fromYaml }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- end -}}
