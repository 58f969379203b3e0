{{- define "events.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{- else -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{- define "events.labels" -}}
app.kubernetes.io/name: custom-events
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "events.selector" -}}
app.kubernetes.io/name: custom-events
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "events.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "events.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "events.volumes" -}}
- name: tmp
  emptyDir: {}
- name: dbt-target
  emptyDir: {}
- name: dbt-logs
  emptyDir: {}
- name: files
  {{- if .Values.files.enabled }}
  persistentVolumeClaim: {claimName: {{ .Release.Name }}-files}
  {{- else }}
  emptyDir: {}
  {{- end }}
- name: launcher
  configMap: {name: {{ .Release.Name }}-dagster}
{{- if .Values.googleSecret }}
- name: google
  secret: {secretName: {{ .Values.googleSecret }}, defaultMode: 288}
{{- end }}
{{- end }}

{{- define "events.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: dbt-target, mountPath: /opt/custom-events/dbt/target}
- {name: dbt-logs, mountPath: /opt/custom-events/dbt/logs}
- {name: files, mountPath: /var/lib/custom-events}
- {name: launcher, mountPath: /etc/custom-events, readOnly: true}
{{- if .Values.googleSecret }}
- {name: google, mountPath: /etc/google, readOnly: true}
{{- end }}
{{- end }}

{{/* One program of the product. dict: root, name, replicas, resources, ports, probe, env, strategy, account */}}
{{- define "events.program" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .root.Release.Name }}-{{ .name }}
  labels:
    {{- include "events.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- with .replicas }}
  replicas: {{ . }}
  {{- end }}
  strategy: {{ .strategy | toJson }}
  selector:
    matchLabels:
      {{- include "events.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "events.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
      annotations:
        checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .root.Release.Name }}{{ if .account }}-dagster{{ end }}
      automountServiceAccountToken: {{ .account | default false }}
      enableServiceLinks: false # theirs are called as our settings are: CUSTOM_EVENTS_RECEIVER_PORT
      terminationGracePeriodSeconds: 60
      securityContext:
        {{- include "events.podSecurity" .root | nindent 8 }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector: {{ toJson . }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations: {{ toJson . }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "events.selector" . | nindent 14 }}
      containers:
        - name: {{ .name }}
          image: {{ include "events.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: [{{ .name }}]
          securityContext:
            {{- include "events.containerSecurity" .root | nindent 12 }}
          envFrom:
            - configMapRef: {name: {{ .root.Release.Name }}-settings}
            {{- if not .env }}
            - secretRef: {name: {{ .root.Values.secret }}}
            {{- end }}
          env:
            - {name: CUSTOM_EVENTS_DAGSTER_CODE_SERVER, value: "{{ .root.Release.Name }}-dagster-code:4000"}
            - {name: DAGSTER_CURRENT_IMAGE, value: {{ include "events.image" .root | quote }}}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- with .ports }}
          ports: {{ toJson . }}
          {{- end }}
          {{- with .probe }}
          startupProbe: {{ toJson (merge (dict "periodSeconds" 5 "failureThreshold" 60 "timeoutSeconds" 20) .) }}
          livenessProbe: {{ toJson (merge (dict "periodSeconds" 20 "failureThreshold" 3 "timeoutSeconds" 20) .) }}
          {{- end }}
          {{- with .ready }}
          readinessProbe: {{ toJson (merge (dict "periodSeconds" 5 "failureThreshold" 2 "timeoutSeconds" 4) .) }}
          {{- end }}
          resources: {{ toJson .resources }}
          volumeMounts:
            {{- include "events.mounts" .root | nindent 12 }}
      volumes:
        {{- include "events.volumes" .root | nindent 8 }}
{{- end }}
