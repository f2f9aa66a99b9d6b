{{/*
Brings the service's database up to date before pods of the new release start. As a hook it runs before everything else of the release, so it uses
nothing that the release makes; without hooks its name changes with what it runs, because a Job cannot be edited.
*/}}
{{- define "ragmesh-common.migrationJob" -}}
{{- $migrations := .Values.global.migrations -}}
{{- $pod := include "ragmesh-common.migrationPod" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "ragmesh-common.fullname" . }}-migrate{{ if not $migrations.hook }}-{{ sha256sum $pod | trunc 8 }}{{ end }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.migrationLabels" . | nindent 4 }}
  {{- if $migrations.hook }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
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

{{/* Its own name, so that no call or scrape goes to it. */}}
{{- define "ragmesh-common.migrationSelector" -}}
app.kubernetes.io/name: {{ include "ragmesh-common.name" . }}-migration
app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" . }}
{{- end -}}

{{- define "ragmesh-common.migrationLabels" -}}
{{ include "ragmesh-common.migrationSelector" . }}
app.kubernetes.io/part-of: ragmesh
{{- end -}}

{{- define "ragmesh-common.migrationPod" -}}
metadata:
  labels:
    {{- include "ragmesh-common.migrationLabels" . | nindent 4 }}
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
    - name: migrate
      image: {{ include "ragmesh-common.image" . }}
      imagePullPolicy: {{ .Values.global.image.pullPolicy }}
      args: [--migrate-only]
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      env:
        {{- include "ragmesh-common.migrationEnv" . | nindent 8 }}
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

{{- define "ragmesh-common.migrationNetworkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "ragmesh-common.fullname" . }}-migrate
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "ragmesh-common.migrationSelector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "ragmesh-common.dnsEgress" . | nindent 4 }}
    {{- include "ragmesh-common.egressTo" .Values.global.networkPolicy.stores.database | nindent 4 }}
{{- end -}}

{{/* What every process reads, the bus left out: a login of the bus may be made by this release. */}}
{{- define "ragmesh-common.migrationEnv" -}}
{{- range $name, $value := include "ragmesh-common.settings" . | fromYaml }}
{{- if or (hasPrefix "DATABASE_" $name) (eq "LOG_LEVEL" $name) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $source := include "ragmesh-common.secrets" . | fromYaml }}
{{- if has $name (list "DATABASE_URL" "SERVICE_AUTH_KEY") }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.existingSecret }}
      key: {{ $source.key }}
{{- end }}
{{- end }}
{{- end -}}
