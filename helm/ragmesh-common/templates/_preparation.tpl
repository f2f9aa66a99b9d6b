{{/*
What is done before pods of a new release start, each by a Job that runs the service's own program for that only: `migrate` brings its database up to
date, `topics` makes the topics of the whole mesh. As hooks they run before everything else of the release, so they use nothing that the release
makes, and each one's network policy is a hook that comes before it; without hooks a Job's name changes with what it runs, because it cannot be edited.
*/}}
{{- define "ragmesh-common.preparations" -}}
{{- range $task := list "migrate" "topics" -}}
{{- if include (printf "ragmesh-common.has.%s" $task) $ }}
---
{{ include "ragmesh-common.preparationJob" (dict "root" $ "task" $task) }}
{{- if $.Values.global.networkPolicy.enabled }}
---
{{ include "ragmesh-common.preparationPolicy" (dict "root" $ "task" $task) }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "ragmesh-common.has.migrate" -}}
{{- if .Values.global.migrations.job }}true{{ end -}}
{{- end -}}

{{/* One service does it for all. Where Strimzi has the topics, they are objects of the cluster. */}}
{{- define "ragmesh-common.has.topics" -}}
{{- $global := .Values.global -}}
{{- if and $global.kafka.brokers $global.kafka.topicsJob.enabled (not $global.strimzi.cluster) (eq "document" (include "ragmesh-common.name" .)) }}true{{ end -}}
{{- end -}}

{{- define "ragmesh-common.preparationJob" -}}
{{- $pod := include "ragmesh-common.preparationPod" . -}}
{{- $task := .task -}}
{{- with .root -}}
{{- $migrations := .Values.global.migrations -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "ragmesh-common.jobName" . }}-{{ $task }}{{ if not $migrations.hook }}-{{ sha256sum $pod | trunc 8 }}{{ end }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.preparationLabels" $ | nindent 4 }}
  {{- with include "ragmesh-common.hookAnnotations" (dict "root" . "weight" 0) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  backoffLimit: {{ $migrations.backoffLimit }}
  activeDeadlineSeconds: {{ $migrations.activeDeadlineSeconds }}
  {{- if not $migrations.hook }}
  ttlSecondsAfterFinished: {{ $migrations.ttlSecondsAfterFinished }}
  {{- end }}
  template:
    {{- $pod | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* What makes an object part of what comes before a release; by weight, least first. It is gone when all of that has gone well. */}}
{{- define "ragmesh-common.hookAnnotations" -}}
{{- if .root.Values.global.migrations.hook -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
{{- end -}}

{{/* Its own name, so that no call or scrape goes to it. */}}
{{- define "ragmesh-common.preparationSelector" -}}
app.kubernetes.io/name: {{ include "ragmesh-common.name" .root }}-{{ eq "migrate" .task | ternary "migration" .task }}
app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" .root }}
{{- end -}}

{{- define "ragmesh-common.preparationLabels" -}}
{{ include "ragmesh-common.preparationSelector" . }}
app.kubernetes.io/part-of: ragmesh
{{- end -}}

{{- define "ragmesh-common.preparationPod" -}}
{{- $task := .task -}}
{{- with .root -}}
metadata:
  labels:
    {{- include "ragmesh-common.preparationLabels" $ | nindent 4 }}
    {{- if .Values.global.istio.peerAuthentication }}
    sidecar.istio.io/inject: "false"
    {{- end }}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.global.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: {{ $task }}
      image: {{ include "ragmesh-common.image" . }}
      imagePullPolicy: {{ .Values.global.image.pullPolicy }}
      args: [--{{ $task }}-only]
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      env:
        {{- include "ragmesh-common.preparationEnv" $ | nindent 8 }}
      resources:
        requests: {cpu: 100m, memory: 192Mi}
        limits: {memory: 512Mi}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- with .Values.global.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- with .Values.global.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}

{{- define "ragmesh-common.preparationPolicy" -}}
{{- $stores := .root.Values.global.networkPolicy.stores -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "ragmesh-common.fullname" .root }}-{{ .task }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" .root | nindent 4 }}
  {{- with include "ragmesh-common.hookAnnotations" (dict "root" .root "weight" -5) }}
  {{- nindent 2 . }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "ragmesh-common.preparationSelector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "ragmesh-common.dnsEgress" .root | nindent 4 }}
    {{- include "ragmesh-common.egressTo" (eq "topics" .task | ternary $stores.kafka $stores.database) | nindent 4 }}
{{- end -}}

{{/* What every process reads, and of the stores only what the task uses: another login may be made by this release. */}}
{{- define "ragmesh-common.preparationEnv" -}}
{{- $task := .task -}}
{{- range $name, $value := include "ragmesh-common.settings" .root | fromYaml }}
{{- $isForTopics := or (hasPrefix "KAFKA_" $name) (eq "RAGMESH_TOPIC_PREFIX" $name) }}
{{- if or (eq "LOG_LEVEL" $name) (eq "topics" $task | ternary $isForTopics (hasPrefix "DATABASE_" $name)) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $source := include "ragmesh-common.preparationSecrets" . | fromYaml }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.existingSecret }}
      key: {{ $source.key }}
{{- end }}
{{- end -}}

{{- define "ragmesh-common.preparationSecrets" -}}
{{- $all := include "ragmesh-common.secrets" .root | fromYaml -}}
{{- $secrets := pick $all "DATABASE_URL" "SERVICE_AUTH_KEY" -}}
{{- $kafka := .root.Values.global.kafka -}}
{{- if and (eq "topics" .task) $kafka.sasl.mechanism -}}
{{- $login := ternary $kafka.topicsJob $kafka.sasl (ne "" $kafka.topicsJob.existingSecret) -}}
{{- $_ := set $secrets "KAFKA_SASL_USERNAME" (dict "existingSecret" $login.existingSecret "key" $login.usernameKey) -}}
{{- $_ := set $secrets "KAFKA_SASL_PASSWORD" (dict "existingSecret" $login.existingSecret "key" $login.passwordKey) -}}
{{- end -}}
{{- toYaml $secrets -}}
{{- end -}}
