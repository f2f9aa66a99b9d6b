{{- define "ragmesh-common.scaleTarget" -}}
{{- $isRollout := eq "true" (include "ragmesh-common.isRollout" .) -}}
apiVersion: {{ $isRollout | ternary "argoproj.io/v1alpha1" "apps/v1" }}
kind: {{ $isRollout | ternary "Rollout" "Deployment" }}
name: {{ include "ragmesh-common.fullname" . }}
{{- end -}}

{{/* By CPU or by lag: one setting, so a workload never has two scalers that pull at it. */}}
{{- define "ragmesh-common.autoscaler" -}}
{{- include (eq .Values.autoscaling.by "lag" | ternary "ragmesh-common.scaledObject" "ragmesh-common.horizontalPodAutoscaler") . -}}
{{- end -}}

{{- define "ragmesh-common.horizontalPodAutoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    {{- include "ragmesh-common.scaleTarget" . | nindent 4 }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.cpu.targetPercent }}
  {{- with .Values.autoscaling.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/*
By the age of the oldest event not yet handled, because a count says nothing about how long people wait. An event that fails again and again waits in a
retry topic, which is left out: more pods would not help it. KEDA's own cooldown counts only on the way to no pod at all, so pods are taken away as slowly
as the HorizontalPodAutoscaler that it makes is told to. The metric is the oldest of all pods, so AverageValue divides it among them.
*/}}
{{- define "ragmesh-common.scaledObject" -}}
{{- $lag := .Values.autoscaling.lag -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    {{- include "ragmesh-common.scaleTarget" . | nindent 4 }}
  minReplicaCount: {{ .Values.autoscaling.minReplicas }}
  maxReplicaCount: {{ .Values.autoscaling.maxReplicas }}
  pollingInterval: {{ $lag.pollingSeconds }}
  fallback:
    failureThreshold: 4
    replicas: {{ $lag.fallbackReplicas | default .Values.autoscaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- $cooldown := dict "scaleDown" (dict "stabilizationWindowSeconds" (int $lag.cooldownSeconds)) }}
        {{- mergeOverwrite $cooldown (deepCopy .Values.autoscaling.behavior) | toYaml | nindent 8 }}
  triggers:
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: {{ $lag.prometheus | quote }}
        query: max(ragmesh_consumer_lag_seconds{service="{{ include "ragmesh-common.name" . }}",namespace="{{ .Release.Namespace }}",topic!~".*[.]retry"}) or vector(0)
        threshold: {{ $lag.targetSeconds | quote }}
        activationThreshold: "1"
{{- end -}}
