{{/* What a schema cannot say about several values together. */}}
{{- define "inkseek.checks" -}}
{{- if not (or .Values.keys.existingSecret .Values.settings.open) }}
{{- fail "set keys.existingSecret (a Secret with the file of `inkseek keys create`), or settings.open=true to serve everybody who reaches the pods" }}
{{- end }}
{{- if and (or .Values.autoscaling.enabled (gt (int .Values.service.replicas) 1)) (not .Values.readOnly) }}
{{- fail "more than one replica needs readOnly=true: adapters and uploaded photos lie in one SQLite file on one volume" }}
{{- end }}
{{- if and .Values.online.seedClaim (not .Values.readOnly) }}
{{- fail "online.seedClaim is for readOnly=true; otherwise online.existingClaim is the folder itself" }}
{{- end }}
{{- if and .Values.gallery.url .Values.gallery.existingClaim }}
{{- fail "set gallery.url or gallery.existingClaim, not both" }}
{{- end }}
{{- if and (or .Values.builder.job.enabled .Values.builder.cron.enabled) (not (or .Values.gallery.url .Values.gallery.existingClaim)) }}
{{- fail "set gallery.url or gallery.existingClaim, or turn builder.job and builder.cron off" }}
{{- end }}
{{- if and .Values.backup.enabled .Values.milvus.url (or .Values.readOnly (not .Values.online.persistent)) }}
{{- fail "backup.enabled has nothing to keep: vectors in Milvus are backed up there, and there is no online volume" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.enabled needs ingress.host" }}
{{- end }}
{{- end }}
