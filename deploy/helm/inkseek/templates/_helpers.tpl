{{- define "inkseek.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "inkseek.selector" -}}
app.kubernetes.io/name: inkseek
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Without versions: a Job whose pod is unchanged must not run again. */}}
{{- define "inkseek.podLabels" -}}
{{ include "inkseek.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "inkseek.labels" -}}
{{ include "inkseek.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* dict "root" $ "image" .Values.service.image */}}
{{- define "inkseek.image" -}}
{{- if .image.digest }}{{ .image.repository }}@{{ .image.digest }}
{{- else }}{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "inkseek.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}{{ include "inkseek.fullname" . }}
{{- else }}default
{{- end }}
{{- end }}

{{/* A number such as 134217728 would else come out as 1.34217728e+08: values are floats to the templates. */}}
{{- define "inkseek.setting" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%.0f" . }}
{{- else }}{{ toString . }}
{{- end }}
{{- end }}

{{- define "inkseek.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "inkseek.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where photos are read and vectors are searched: the same for service and builder. */}}
{{- define "inkseek.sharedEnv" -}}
{{- if .Values.milvus.url }}
- name: INKSEEK_MILVUS_URI
  value: {{ .Values.milvus.url | quote }}
{{- if .Values.milvus.existingSecret }}
- name: INKSEEK_MILVUS_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .Values.milvus.existingSecret }}
      key: {{ .Values.milvus.secretKey }}
{{- end }}
{{- end }}
{{- end }}

{{- define "inkseek.galleryMount" -}}
{{- if .Values.gallery.existingClaim }}
- name: gallery
  mountPath: /gallery
  readOnly: true
  {{- with .Values.gallery.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "inkseek.sharedVolumes" -}}
- name: index
  persistentVolumeClaim:
    claimName: {{ .Values.index.existingClaim | default (printf "%s-index" (include "inkseek.fullname" .)) }}
{{- if .Values.gallery.existingClaim }}
- name: gallery
  persistentVolumeClaim:
    claimName: {{ .Values.gallery.existingClaim }}
    readOnly: true
{{- end }}
{{- end }}

{{- define "inkseek.photos" -}}
{{- if .Values.gallery.url }}{{ .Values.gallery.url }}
{{- else if .Values.gallery.manifest }}/gallery/{{ .Values.gallery.manifest }}
{{- else }}/gallery
{{- end }}
{{- end }}

{{/* dict "url" URL "default" PORT: the port of a URL, for a network policy. */}}
{{- define "inkseek.port" -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" (urlParse .url).host) | default (toString .default) }}
{{- end }}
