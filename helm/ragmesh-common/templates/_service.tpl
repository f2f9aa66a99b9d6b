{{/*
Headless, so that clients see every pod and spread their calls over all. Only one service of a workload names the probes' port: by it the pods are
scraped, and a second one would have them scraped twice.
*/}}
{{- define "ragmesh-common.callsService" -}}
{{- $name := .name -}}
{{- $isPreview := .isPreview -}}
{{- with .root -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "ragmesh-common.selectorLabels" . | nindent 4 }}
  ports:
    - name: grpc-calls
      port: 50051
      targetPort: calls
      appProtocol: grpc
    {{- if not $isPreview }}
    - name: http-probes
      port: 9464
      targetPort: probes
      appProtocol: http
    {{- end }}
{{- end -}}
{{- end -}}

{{/* What clients and routes reach. */}}
{{- define "ragmesh-common.httpService" -}}
{{- $name := .name -}}
{{- with .root -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
  {{- with .Values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "ragmesh-common.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .Values.service.port }}
      targetPort: http
      appProtocol: {{ ternary "https" "http" (hasKey (include "ragmesh-common.settings" . | fromYaml) "SERVER_TLS_CERT_FILE") }}
{{- end -}}
{{- end -}}

{{/* The services of one workload. A blue-green rollout has one more, for what is not yet let in. */}}
{{- define "ragmesh-common.services" -}}
{{- $hasHttp := hasKey (include "ragmesh-common.ports" . | fromYaml) "http" -}}
{{- $fullname := include "ragmesh-common.fullname" . -}}
{{ include "ragmesh-common.callsService" (dict "root" . "name" (include "ragmesh-common.callsName" .)) }}
{{- if $hasHttp }}
---
{{ include "ragmesh-common.httpService" (dict "root" . "name" $fullname) }}
{{- end }}
{{- if include "ragmesh-common.isRollout" . }}
---
{{ include (ternary "ragmesh-common.httpService" "ragmesh-common.callsService" $hasHttp) (dict "root" . "name" (printf "%s-preview" $fullname) "isPreview" true) }}
{{- end }}
{{- end -}}
