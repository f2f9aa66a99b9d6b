{{- define "ragmesh-common.isRollout" -}}
{{- with .Values.rollout }}{{ if .enabled }}true{{ end }}{{ end -}}
{{- end -}}

{{/* A Deployment, or a Rollout of Argo that moves all calls at once from the old pods to the new ones. */}}
{{- define "ragmesh-common.workload" -}}
{{- $isRollout := eq "true" (include "ragmesh-common.isRollout" .) -}}
apiVersion: {{ $isRollout | ternary "argoproj.io/v1alpha1" "apps/v1" }}
kind: {{ $isRollout | ternary "Rollout" "Deployment" }}
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "ragmesh-common.selectorLabels" . | nindent 6 }}
  strategy:
    {{- include (ternary "ragmesh-common.blueGreen" "ragmesh-common.strategy" $isRollout) . | nindent 4 }}
  template:
    {{- include "ragmesh-common.podTemplate" . | nindent 4 }}
{{- end -}}

{{/* A volume that only one node can mount must be let go by the old pod first, and so must an index, which one process locks. */}}
{{- define "ragmesh-common.strategy" -}}
{{- if .Values.strategy -}}
{{ toYaml .Values.strategy }}
{{- else if or (include "ragmesh-common.hasEmbeddedIndex" .) (and .Values.persistence.enabled (not (has "ReadWriteMany" .Values.persistence.accessModes))) -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end -}}
{{- end -}}

{{- define "ragmesh-common.blueGreen" -}}
{{- $calls := include "ragmesh-common.callsName" . -}}
{{- $edge := include "ragmesh-common.fullname" . -}}
{{- $active := ternary $edge $calls (hasKey (include "ragmesh-common.ports" . | fromYaml) "http") -}}
blueGreen:
  activeService: {{ $active }}
  previewService: {{ include "ragmesh-common.fullname" . }}-preview
  autoPromotionEnabled: {{ .Values.rollout.autoPromotion }}
  scaleDownDelaySeconds: {{ .Values.rollout.scaleDownDelaySeconds }}
  {{- with .Values.rollout.previewReplicas }}
  previewReplicaCount: {{ . }}
  {{- end }}
{{- end -}}

{{- define "ragmesh-common.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}

{{- define "ragmesh-common.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes:
    {{- toYaml .Values.persistence.accessModes | nindent 4 }}
  {{- with .Values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.persistence.size }}
{{- end -}}

{{- define "ragmesh-common.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "ragmesh-common.selectorLabels" . | nindent 6 }}
{{- end -}}
