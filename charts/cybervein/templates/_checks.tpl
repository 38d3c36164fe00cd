{{/*
Values that the schema cannot judge alone, refused with what to do. Every template begins with it:
Helm renders them in no order, and with `--reuse-values` an old release's values lack what the others
read.
*/}}
{{- define "cybervein.checks" -}}
{{- $old := list -}}
{{- range $key := list "network" "pool" "imageRepository" "imageTag" "monitoring" "nodesReader" "imagePullPolicy" "operatorResources" -}}
{{- if hasKey $.Values $key -}}{{- $old = append $old $key -}}{{- end -}}
{{- end -}}
{{- if or $old (lt (int .Values.valuesVersion) 2) -}}
{{- fail (printf "\n\nThese are values of chart 0.1 (%s). Chart 0.2 has `networks.NAME` for `network`, `pools.NAME` for `pool`, `image.repository` and `image.tag` for `imageRepository` and `imageTag`, `image.pullPolicy` for `imagePullPolicy`, `operator.resources` for `operatorResources`, `metrics` for `monitoring`, `rbac.clusterRead` for `nodesReader`.\nRewrite your values file as docs/operations.md (\"Values of chart 0.1\") shows, set `valuesVersion: 2` in it, and upgrade with `--reset-values --values FILE`. Nothing was changed.\n" (join ", " ($old | default (list "valuesVersion: 1")))) -}}
{{- end -}}
{{- if gt (int .Values.valuesVersion) 2 -}}
{{- fail (printf "\n\nvaluesVersion is %d and chart %s knows 2; use the chart that these values are for. Nothing was changed.\n" (int .Values.valuesVersion) .Chart.Version) -}}
{{- end -}}
{{- range $name, $pool := .Values.pools -}}
{{- if not $.Values.allowHostAccess -}}
{{- range $disk := $pool.disks -}}
{{- if hasKey $disk "hostPath" -}}
{{- fail (printf "\n\npools.%s: disk %s is a hostPath. Set `allowHostAccess: true` and label the namespace with `kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged cybervein.io/host-access=allowed`, or use a claimTemplate.\n" $name $disk.name $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- if eq (dig "address" "type" "ClusterIP" $pool) "HostPort" -}}
{{- fail (printf "\n\npools.%s: address.type is HostPort. Set `allowHostAccess: true` and label the namespace with `kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged cybervein.io/host-access=allowed`, or use NodePort or LoadBalancer.\n" $name $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Release.IsUpgrade -}}
{{- $running := lookup "apps/v1" "Deployment" .Release.Namespace (include "cybervein.operator" .) -}}
{{- $there := dig "metadata" "annotations" "cybervein.io/format" "0" $running -}}
{{- $mine := index .Chart.Annotations "cybervein.io/format" -}}
{{- if gt (int $there) (int $mine) -}}
{{- fail (printf "\n\nThis release is at format %s and chart %s writes format %s: a downgrade could not read its data. Nothing was changed.\n" $there .Chart.Version $mine) -}}
{{- end -}}
{{- end -}}
{{- end -}}
