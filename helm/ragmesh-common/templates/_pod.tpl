{{/* The pod of a service: one container that can do nothing but its work. */}}
{{- define "ragmesh-common.podTemplate" -}}
metadata:
  labels:
    {{- include "ragmesh-common.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "ragmesh-common.settings" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "ragmesh-common.placement" . | nindent 2 }}
  serviceAccountName: {{ include "ragmesh-common.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "ragmesh-common.terminationGrace" . }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - {{ include "ragmesh-common.container" . | nindent 6 | trim }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .Values.tmpSize }}
    - name: data
      {{- if .Values.persistence.enabled }}
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim | default (include "ragmesh-common.fullname" .) }}
      {{- else if .Values.dataSize }}
      emptyDir:
        sizeLimit: {{ .Values.dataSize }}
      {{- else }}
      emptyDir: {}
      {{- end }}
    {{- if include "ragmesh-common.sharesModels" . }}
    - name: models
      persistentVolumeClaim:
        claimName: {{ .Values.global.models.existingClaim }}
    {{- end }}
    {{- if ne "off" .Values.global.callsTls.mode }}
    - name: calls-tls
      secret:
        secretName: {{ .Values.global.callsTls.existingSecret }}
        defaultMode: 0440
    {{- end }}
    {{- with concat .Values.global.extraVolumes .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Seconds: grace, deadline, 5 s for offsets, leases, traces and the database, and 5 s for the node. */}}
{{- define "ragmesh-common.leastTerminationGrace" -}}
{{- add .Values.global.shutdown.graceSeconds .Values.global.shutdown.deadlineSeconds 10 -}}
{{- end -}}

{{- define "ragmesh-common.terminationGrace" -}}
{{- if .Values.terminationGracePeriodSeconds }}{{ int .Values.terminationGracePeriodSeconds }}{{ else }}{{ include "ragmesh-common.leastTerminationGrace" . }}{{ end -}}
{{- end -}}

{{/* Where pods run, and how they are spread. */}}
{{- define "ragmesh-common.placement" -}}
{{- with .Values.global.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
  {{- $zones := dict "maxSkew" 1 "topologyKey" "topology.kubernetes.io/zone" "whenUnsatisfiable" "ScheduleAnyway" }}
  {{- $nodes := dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" }}
  {{- range .Values.topologySpreadConstraints | default (list $zones $nodes) }}
  {{- $added := dict "labelSelector" (dict "matchLabels" (include "ragmesh-common.selectorLabels" $ | fromYaml)) "matchLabelKeys" (list "pod-template-hash") }}
  - {{ merge (dict) . $added | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end -}}

{{- define "ragmesh-common.container" -}}
name: {{ include "ragmesh-common.name" . }}
image: {{ include "ragmesh-common.image" . }}
imagePullPolicy: {{ .Values.global.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
ports:
  {{- range $name, $port := include "ragmesh-common.ports" . | fromYaml }}
  - name: {{ $name }}
    containerPort: {{ $port }}
    protocol: TCP
  {{- end }}
env:
  {{- include "ragmesh-common.env" . | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "ragmesh-common.fullname" . }}
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
startupProbe:
  {{- include "ragmesh-common.probe" (dict "path" "/healthz" "times" .Values.probes.startup) | nindent 2 }}
livenessProbe:
  {{- include "ragmesh-common.probe" (dict "path" "/healthz" "times" .Values.probes.liveness) | nindent 2 }}
readinessProbe:
  {{- include "ragmesh-common.probe" (dict "path" "/readyz" "times" .Values.probes.readiness) | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: data
    mountPath: /data
  {{- if include "ragmesh-common.sharesModels" . }}
  - name: models
    mountPath: /models
    {{- if ne "model" (include "ragmesh-common.name" .) }}
    readOnly: true
    {{- end }}
  {{- end }}
  {{- if ne "off" .Values.global.callsTls.mode }}
  - name: calls-tls
    mountPath: /etc/ragmesh/calls-tls
    readOnly: true
  {{- end }}
  {{- with concat .Values.global.extraVolumeMounts .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Model downloads models and tells embedding in which folder they lie, so that has to be the same one for both. */}}
{{- define "ragmesh-common.sharesModels" -}}
{{- if and .Values.global.models.existingClaim (has (include "ragmesh-common.name" .) (list "model" "embedding")) }}true{{ end -}}
{{- end -}}

{{- define "ragmesh-common.ports" -}}
calls: 50051
probes: 9464
{{- if has "SERVER_PORT" (include "ragmesh-common.traits" . | fromYaml).reads }}
http: 8080
{{- end }}
{{- end -}}

{{- define "ragmesh-common.probe" -}}
httpGet:
  path: {{ .path }}
  port: probes
{{ toYaml .times }}
{{- end -}}
