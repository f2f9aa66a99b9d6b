import type { JsonSchema } from './environment-schema.js';

const quantity: JsonSchema = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$' };
const quantityOrEmpty: JsonSchema = { ...quantity, pattern: `^$|${quantity['pattern'] as string}` };
const urlOrEmpty: JsonSchema = { type: 'string', pattern: '^$|^https?://[^\\s]+$' };
const peers: JsonSchema = { type: 'array', items: { type: 'object' } };
const ports: JsonSchema = { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65_535 } };
const store: JsonSchema = {
  type: 'object',
  properties: { ports, to: peers },
  additionalProperties: false,
};
const named: JsonSchema = { type: 'array', items: { type: 'object', required: ['name'] } };
const probe: JsonSchema = {
  type: 'object',
  properties: Object.fromEntries(
    ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'failureThreshold', 'successThreshold'].map((name) => [
      name,
      { type: 'integer', minimum: 0 },
    ]),
  ),
  additionalProperties: false,
};
const from = (minimum: number, maximum?: number): JsonSchema => ({
  type: 'integer',
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});

/** What a setting may be where its default does not say enough. */
export const schemaRules: Readonly<Record<string, JsonSchema>> = {
  'global.namePrefix': { type: 'string', pattern: '^$|^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$' },
  'global.image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'global.image.pullSecrets': named,
  'global.kafka.brokers': { type: 'string', pattern: '^$|^[^\\s,:]+:\\d+(,[^\\s,:]+:\\d+)*$' },
  'global.kafka.topicPrefix': { type: 'string', pattern: '^[A-Za-z0-9._-]*$' },
  'global.kafka.sasl.mechanism': { enum: ['', 'plain', 'scram-sha-256', 'scram-sha-512'] },
  'global.callsTls.mode': { enum: ['off', 'tls', 'mtls'] },
  'global.tracing.endpoint': urlOrEmpty,
  'global.listenHost': { enum: ['0.0.0.0', '::'] },
  'global.logLevel': { enum: ['trace', 'debug', 'info', 'warn', 'error'] },
  'global.shutdown.graceSeconds': from(0, 600),
  'global.shutdown.deadlineSeconds': from(1, 3600),
  'global.serviceMonitor.interval': { type: 'string', pattern: '^[0-9]+(ms|s|m)$' },
  'global.extraVolumes': named,
  'global.extraVolumeMounts': named,
  'global.networkPolicy.dns': peers,
  'global.networkPolicy.monitoring': peers,
  'global.networkPolicy.stores': {
    type: 'object',
    properties: Object.fromEntries(
      ['database', 'kafka', 'redis', 'qdrant', 'blobs', 'tracing'].map((name) => [name, store]),
    ),
    additionalProperties: false,
  },
  'global.networkPolicy.internet': store,
  'global.istio.mode': { enum: ['STRICT', 'PERMISSIVE'] },
  'global.istio.controlPlane': peers,
  'image.digest': { type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$' },
  replicas: from(0, 500),
  extraEnv: named,
  extraVolumes: named,
  extraVolumeMounts: named,
  initContainers: named,
  extraContainers: named,
  extraObjects: { type: 'array', items: { type: ['object', 'string'] } },
  terminationGracePeriodSeconds: from(0, 7200),
  'probes.startup': probe,
  'probes.liveness': probe,
  'probes.readiness': probe,
  'persistence.size': quantity,
  'persistence.accessModes': {
    type: 'array',
    minItems: 1,
    items: { enum: ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] },
  },
  dataSize: quantityOrEmpty,
  tmpSize: quantity,
  'podDisruptionBudget.maxUnavailable': { type: ['integer', 'string'], pattern: '^[0-9]+%$', minimum: 0 },
  'autoscaling.by': { enum: ['cpu', 'lag'] },
  'autoscaling.minReplicas': from(1, 500),
  'autoscaling.maxReplicas': from(1, 500),
  'autoscaling.cpu.targetPercent': from(1, 100),
  'autoscaling.lag.prometheus': urlOrEmpty,
  'autoscaling.lag.targetSeconds': from(1),
  'autoscaling.lag.cooldownSeconds': from(0, 3600), // what a HorizontalPodAutoscaler takes
  'networkPolicy.clients': peers,
  'service.type': { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
  'service.port': from(1, 65_535),
  externalSecrets: {
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['store', 'data'],
      properties: {
        store: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, kind: { enum: ['SecretStore', 'ClusterSecretStore'] } },
          additionalProperties: false,
        },
        refresh: { type: 'string' },
        data: { type: 'object', minProperties: 1, additionalProperties: { type: 'object', required: ['key'] } },
      },
      additionalProperties: false,
    },
  },
  'backup.args': { type: 'array', items: { type: 'string' } },
  'backup.schedule': { type: 'string', minLength: 9 },
  'backup.image.digest': { type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$' },
  'backup.activeDeadlineSeconds': from(60),
  'httpRoute.parentRefs': named,
  'httpRoute.timeout': { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
  'rules.runbooks': urlOrEmpty,
  'rules.grafana': urlOrEmpty,
};
