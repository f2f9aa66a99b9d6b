/** Routes whose answer a model writes. Routes are those of the gateway, as the label `operation` has them. */
export const answerRoutes = new RegExp('/v1/query|/v1/chat/completions|/api/v1/query|/query|/query/stream');

export const searchRoutes = new RegExp('/v1/search');

/** Probes are asked every few seconds by machines and would hide what users see. */
const probeRoutes = new RegExp('/healthz|/readyz|/metrics|/health|/health/live|/health/ready');
export const ofUsers = { operation: { not: probeRoutes } } as const;
