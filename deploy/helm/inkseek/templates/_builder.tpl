{{/* dict "root" $ "args" (list ...): the pod of the Job and of the CronJob. */}}
{{- define "inkseek.builderPod" -}}
{{- $ := .root }}
{{- $builder := $.Values.builder }}
metadata:
  labels:
    {{- include "inkseek.podLabels" $ | nindent 4 }}
    app.kubernetes.io/component: builder
  {{- with $builder.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "inkseek.serviceAccount" $ }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {{- include "inkseek.podSecurity" $ | nindent 4 }}
  {{- with $.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: builder
      image: {{ include "inkseek.image" (dict "root" $ "image" $builder.image) }}
      imagePullPolicy: {{ $builder.image.pullPolicy }}
      args: {{- concat .args (list "--photos" (include "inkseek.photos" $) "--bundle" $.Values.bundle "--resume") (ternary (list "--store" "milvus") list (ne $.Values.milvus.url "")) $builder.extraArgs | toYaml | nindent 8 }}
      {{- with $.Values.gallery.credentialsSecret }}
      envFrom:
        - secretRef: {name: {{ . }}}
      {{- end }}
      {{- $env := include "inkseek.sharedEnv" $ | trim }}
      {{- if or $env $builder.extraEnv }}
      env:
        {{- with $env }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with $builder.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      securityContext: {{- include "inkseek.containerSecurity" $ | nindent 8 }}
      resources: {{- toYaml $builder.resources | nindent 8 }}
      volumeMounts:
        - {name: index, mountPath: /data/index}
        - {name: tmp, mountPath: /tmp}
        {{- include "inkseek.galleryMount" $ | nindent 8 }}
        {{- with $builder.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "inkseek.sharedVolumes" $ | nindent 4 }}
    - name: tmp
      emptyDir: {medium: Memory, sizeLimit: {{ $builder.tmpSize }}}
    {{- with $builder.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $builder.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $builder.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $builder.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
