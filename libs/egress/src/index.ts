export { EgressClient, type FetchLimits, type Fetched } from './egress-client.js';
export { egressVariables, type EgressConfig } from './egress.config.js';
export type { Resolve, ResolvedAddress } from './egress-policy.js';
export { IpRange } from './ip-range.js';
export { nameResolution, type NameSources } from './name-resolution.js';
export { isPublicAddress } from './public-address.js';
