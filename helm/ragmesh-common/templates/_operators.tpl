{{/* Objects for operators that a cluster may have; each is off unless asked for. */}}

{{/* The job is called `ragmesh` and the metrics keep their own label `service`: dashboards and rules ask for both. */}}
{{- define "ragmesh-common.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "ragmesh-common.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
    {{- with .Values.global.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/part-of
  selector:
    matchLabels:
      {{- include "ragmesh-common.selectorLabels" . | nindent 6 }}
  endpoints:
    - port: http-probes
      path: /metrics
      interval: {{ .Values.global.serviceMonitor.interval }}
      honorLabels: true
      relabelings:
        - targetLabel: service_name
          replacement: {{ include "ragmesh-common.name" . }}
{{- end -}}

{{/* Pods take only mutual TLS, but for the probes, which are asked from outside the mesh. */}}
{{- define "ragmesh-common.peerAuthentication" -}}
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "ragmesh-common.selectorLabels" . | nindent 6 }}
  mtls:
    mode: {{ .Values.global.istio.mode }}
  portLevelMtls:
    "9464":
      mode: PERMISSIVE
{{- end -}}

{{/* A user of its own, with the topics it publishes to and reads, and its consumer group. It may see all topics of the mesh, and create none. */}}
{{- define "ragmesh-common.kafkaUser" -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $prefix := .Values.global.kafka.topicPrefix -}}
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: {{ include "ragmesh-common.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
    strimzi.io/cluster: {{ .Values.global.strimzi.cluster }}
spec:
  authentication:
    type: scram-sha-512
  authorization:
    type: simple
    acls:
      - resource: {type: topic, name: {{ $prefix | default "*" | quote }}, patternType: {{ ternary "prefix" "literal" (ne $prefix "") }}}
        operations: [Describe, DescribeConfigs]
      {{- range $traits.writes }}
      - resource: {type: topic, name: {{ printf "%s%s" $prefix . | quote }}, patternType: literal}
        operations: [Write]
      {{- end }}
      {{- range $traits.consumes }}
      - resource: {type: topic, name: {{ printf "%s%s" $prefix . | quote }}, patternType: literal}
        operations: [Read]
      {{- end }}
      - resource: {type: group, name: {{ printf "%sragmesh.%s" $prefix (include "ragmesh-common.name" .) | quote }}, patternType: literal}
        operations: [Read, Describe]
{{- end -}}

{{/* Secrets that External Secrets Operator makes from a store of yours. */}}
{{- define "ragmesh-common.externalSecrets" -}}
{{- range $name, $secret := .Values.externalSecrets }}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ $name }}
  namespace: {{ $.Release.Namespace }}
  labels:
    app.kubernetes.io/part-of: ragmesh
    app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" $ }}
spec:
  refreshInterval: {{ $secret.refresh | default "1h" }}
  secretStoreRef:
    name: {{ $secret.store.name }}
    kind: {{ $secret.store.kind | default "SecretStore" }}
  target:
    name: {{ $name }}
    creationPolicy: Owner
  data:
    {{- range $key, $remote := $secret.data }}
    - secretKey: {{ $key }}
      remoteRef:
        {{- toYaml $remote | nindent 8 }}
    {{- end }}
{{- end }}
{{- end -}}

{{- define "ragmesh-common.extraObjects" -}}
{{- range .Values.extraObjects }}
---
{{ tpl (kindIs "string" . | ternary . (toYaml .)) $ }}
{{- end }}
{{- end -}}
