{{/* What names of all objects begin with; the same in every release of one installation. */}}
{{- define "ragmesh-common.prefix" -}}
{{- .Values.global.namePrefix | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The service: charts are called like theirs. */}}
{{- define "ragmesh-common.name" -}}
{{- .Chart.Name -}}
{{- end -}}

{{- define "ragmesh-common.fullname" -}}
{{- printf "%s-%s" (include "ragmesh-common.prefix" .) (include "ragmesh-common.name" .) -}}
{{- end -}}

{{/* What names of Jobs begin with: shorter, because a hash may follow and Kubernetes keeps the whole in a label, of 63 characters at most. */}}
{{- define "ragmesh-common.jobName" -}}
{{- printf "%s-%s" (include "ragmesh-common.prefix" . | trunc 35 | trimSuffix "-") (include "ragmesh-common.name" .) -}}
{{- end -}}

{{/* Where a service's calls go: a headless service, whose addresses clients spread their calls over. */}}
{{- define "ragmesh-common.callsName" -}}
{{- printf "%s-calls" (include "ragmesh-common.fullname" .) -}}
{{- end -}}

{{- define "ragmesh-common.serviceAccountName" -}}
{{- $own := ternary (include "ragmesh-common.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $own -}}
{{- end -}}

{{- define "ragmesh-common.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ragmesh-common.name" . }}
app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" . }}
{{- end -}}

{{- define "ragmesh-common.labels" -}}
{{ include "ragmesh-common.selectorLabels" . }}
app.kubernetes.io/part-of: ragmesh
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name and labels of an object that has the service's name. */}}
{{- define "ragmesh-common.metadata" -}}
name: {{ include "ragmesh-common.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "ragmesh-common.labels" . | nindent 2 }}
{{- end -}}

{{- define "ragmesh-common.image" -}}
{{- $global := .Values.global.image -}}
{{- $repository := .Values.image.repository | default (printf "ragmesh-%s" (include "ragmesh-common.name" .)) -}}
{{- with $global.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default $global.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* What the code says of this service, as YAML. */}}
{{- define "ragmesh-common.traits" -}}
{{- include (printf "ragmesh-common.traits.%s" (include "ragmesh-common.name" .)) . -}}
{{- end -}}
