{{/* Every object of a service's chart. */}}
{{- define "ragmesh-common.service" -}}
{{- include "ragmesh-common.validate" . -}}
{{- $global := .Values.global -}}
{{ include "ragmesh-common.configMap" . }}
---
{{ include "ragmesh-common.workload" . }}
---
{{ include "ragmesh-common.services" . }}
{{- if .Values.serviceAccount.create }}
---
{{ include "ragmesh-common.serviceAccount" . }}
{{- end }}
{{- if and .Values.persistence.enabled (not .Values.persistence.existingClaim) }}
---
{{ include "ragmesh-common.claim" . }}
{{- end }}
{{- if .Values.podDisruptionBudget.enabled }}
---
{{ include "ragmesh-common.disruptionBudget" . }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
---
{{ include "ragmesh-common.autoscaler" . }}
{{- end }}
{{- if $global.networkPolicy.enabled }}
---
{{ include "ragmesh-common.networkPolicy" . }}
{{- end }}
{{- if $global.serviceMonitor.enabled }}
---
{{ include "ragmesh-common.serviceMonitor" . }}
{{- end }}
{{- if $global.istio.peerAuthentication }}
---
{{ include "ragmesh-common.peerAuthentication" . }}
{{- end }}
{{- if $global.strimzi.users }}
---
{{ include "ragmesh-common.kafkaUser" . }}
{{- end }}
{{- include "ragmesh-common.preparations" . }}
{{- include "ragmesh-common.externalSecrets" . }}
{{- include "ragmesh-common.extraObjects" . }}
{{- end -}}
