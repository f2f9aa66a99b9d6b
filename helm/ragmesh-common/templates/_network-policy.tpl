{{/* Only what the code needs: who calls whom, and which stores a service reads the address of. The rest is denied, because it is not named. */}}
{{- define "ragmesh-common.networkPolicy" -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $global := .Values.global.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "ragmesh-common.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "ragmesh-common.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- with $traits.calledBy }}
    - from:
        {{- range . }}
        - {{ include "ragmesh-common.peer" (dict "root" $ "name" .) | nindent 10 | trim }}
        {{- end }}
      ports:
        - {protocol: TCP, port: calls}
        {{- include "ragmesh-common.tunnelPort" $ | nindent 8 }}
    {{- end }}
    {{- if hasKey (include "ragmesh-common.ports" . | fromYaml) "http" }}
    - ports:
        - {protocol: TCP, port: http}
        {{- include "ragmesh-common.tunnelPort" . | nindent 8 }}
      {{- with .Values.networkPolicy.clients }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    - from:
        {{- toYaml $global.monitoring | nindent 8 }}
      ports:
        - {protocol: TCP, port: probes}
    {{- with .Values.networkPolicy.ingress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    {{- include "ragmesh-common.dnsEgress" . | nindent 4 }}
    {{- with $traits.calls }}
    - to:
        {{- range . }}
        - {{ include "ragmesh-common.peer" (dict "root" $ "name" .) | nindent 10 | trim }}
        {{- end }}
      ports:
        - {protocol: TCP, port: calls}
        {{- include "ragmesh-common.tunnelPort" $ | nindent 8 }}
    {{- end }}
    {{- range $store := include "ragmesh-common.storesUsed" . | fromYamlArray }}
    {{- include "ragmesh-common.egressTo" (get (merge (dict "internet" $global.internet) $global.stores) $store) | nindent 4 }}
    {{- end }}
    {{- if .Values.global.istio.peerAuthentication }}
    {{- include "ragmesh-common.egressTo" (dict "ports" (list 15012) "to" .Values.global.istio.controlPlane) | nindent 4 }}
    {{- end }}
    {{- with .Values.networkPolicy.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* In ambient mode all traffic between pods arrives at one port, whatever port it is for. */}}
{{- define "ragmesh-common.tunnelPort" -}}
{{- if .Values.global.istio.peerAuthentication }}- {protocol: TCP, port: 15008}{{ end -}}
{{- end -}}

{{- define "ragmesh-common.peer" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ .name }}
    app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" .root }}
{{- end -}}

{{- define "ragmesh-common.dnsEgress" -}}
- to:
    {{- toYaml .Values.global.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{- define "ragmesh-common.egressTo" -}}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The stores whose address this service is given, which may stand in a file that `<name>_FILE` names. */}}
{{- define "ragmesh-common.storesUsed" -}}
{{- $traits := include "ragmesh-common.traits" . | fromYaml -}}
{{- $settings := include "ragmesh-common.settings" . | fromYaml -}}
{{- $given := list -}}
{{- range include "ragmesh-common.given" (dict "root" . "settings" $settings) | fromYamlArray }}{{ $given = append $given (trimSuffix "_FILE" .) }}{{ end -}}
- database
{{- range $variable, $store := dict "KAFKA_BROKERS" "kafka" "REDIS_URL" "redis" "QDRANT_URL" "qdrant" "S3_BUCKET" "blobs" "OTEL_EXPORTER_OTLP_ENDPOINT" "tracing" }}
{{- if has $variable $given }}
- {{ $store }}
{{- end }}
{{- end }}
{{- $hasBackend := has "openai" (list (get $settings "APP_LLM_BACKEND") (get $settings "APP_EMBEDDINGS_BACKEND")) -}}
{{- $asksProviders := or (has "LLM_FURTHER_PROVIDERS" $given) (and $hasBackend (has "OPENAI_BASE_URL" $traits.reads)) -}}
{{- $fetchesUrls := and (has "EGRESS_PUBLIC" $traits.reads) (ne "false" (get $settings "EGRESS_PUBLIC")) -}}
{{- $loadsModels := and (has "HF_ENDPOINT" $traits.reads) (ne "true" (get $settings "HF_HUB_OFFLINE")) -}}
{{- if or $asksProviders $fetchesUrls $loadsModels (has "SENTRY_DSN" $given) (has "AUTH_JWT_JWKS_URL" $given) }}
- internet
{{- end }}
{{- end -}}

{{/* Denies everything to the pods of the mesh, whatever else there is; what each service needs is allowed by its own policy. */}}
{{- define "ragmesh-common.defaultDeny" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "ragmesh-common.prefix" . }}-default-deny
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/part-of: ragmesh
    app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" . }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/part-of: ragmesh
      app.kubernetes.io/instance: {{ include "ragmesh-common.prefix" . }}
  policyTypes: [Ingress, Egress]
{{- end -}}
