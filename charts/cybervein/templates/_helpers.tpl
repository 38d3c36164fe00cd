{{/* Name of the release's objects: the release's name, with the chart's in it once, or what is given. */}}
{{- define "cybervein.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "cybervein.operator" -}}
{{ include "cybervein.fullname" . }}-operator
{{- end -}}

{{- define "cybervein.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "cybervein.operator" .) -}}
{{- end -}}

{{- define "cybervein.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What a selector may hold: the same for all versions of the chart. */}}
{{- define "cybervein.operatorSelector" -}}
app.kubernetes.io/name: cybervein
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cybervein.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: cybervein
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Namespaces the operator looks after, as a JSON list. */}}
{{- define "cybervein.namespaces" -}}
{{- .Values.watchNamespaces | default list | concat (list .Release.Namespace) | uniq | toJson -}}
{{- end -}}

{{/*
Secrets in which release 0.2 kept the authorities of networks, as a JSON list: of the release's own
networks, of those that are named, and at an upgrade of those that exist. Takes root, namespace.
*/}}
{{- define "cybervein.earlyAuthorities" -}}
{{- $names := .root.Values.rbac.adoptNetworks | default list -}}
{{- if or (not .namespace) (eq .namespace .root.Release.Namespace) -}}
{{- range $name, $network := .root.Values.networks -}}
{{- if $network.superNode -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .root.Release.IsUpgrade (.root.Capabilities.APIVersions.Has "cybervein.io/v1alpha1/Network") -}}
{{- range (lookup "cybervein.io/v1alpha1" "Network" .namespace "").items -}}
{{- if .spec.superNode -}}{{- $names = append $names .metadata.name -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $found := list -}}
{{- range $names | uniq | sortAlpha -}}{{- $found = append $found (printf "%s-ca" .) -}}{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/*
Ports where super nodes are found, as a JSON list: those of the values, and what the release's own
super nodes publish. Some network plug-ins judge a connection to a node port before it is translated.
*/}}
{{- define "cybervein.superNodePorts" -}}
{{- $ports := .Values.networkPolicy.superNodePorts -}}
{{- range $network := .Values.networks -}}
{{- with $network.superNode -}}
{{- $ports = append $ports (dig "service" "nodePort" 0 .) -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (get (urlParse (.url | default "")) "host") | int) -}}
{{- end -}}
{{- end -}}
{{- $found := list -}}
{{- range $ports -}}{{- if int . -}}{{- $found = append $found (int .) -}}{{- end -}}{{- end -}}
{{- $found | uniq | toJson -}}
{{- end -}}

{{/* Security context that Pod Security `restricted` asks for, of a pod and of a container. */}}
{{- define "cybervein.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "cybervein.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Head of a NetworkPolicy. Takes root, namespace, what. */}}
{{- define "cybervein.policyHead" }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "cybervein.fullname" .root }}-{{ .what }}
  namespace: {{ .namespace }}
  labels: {{- include "cybervein.labels" .root | nindent 4 }}
{{- end -}}

{{/* Spec of a pod that asks something once: image, security, volumes. Takes root, name, args. */}}
{{- define "cybervein.testPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- include "cybervein.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
