{{- define "selvedge.image" -}}
image: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- /* Which nodes its pods are on, and what stops neither them nor their image. */ -}}
{{- define "selvedge.placement" -}}
priorityClassName: {{ .Values.priorityClassName }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
# Before the network is there every node has taints.
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Tenants' routers are mounts that outlive the container, which Kubernetes gives to privileged ones alone; functions are set up in /sys. */ -}}
{{- define "selvedge.privileged" -}}
{{- if kindIs "bool" .Values.privileged }}{{ .Values.privileged }}
{{- else }}{{ or (gt (len (.Values.configuration.tenants | default list)) 0) (dig "kubernetes" "resources" false .Values.configuration) (hasKey .Values.configuration "sriov") }}
{{- end }}
{{- end }}

{{- /* Of containers that need no privileges. */ -}}
{{- define "selvedge.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end }}
