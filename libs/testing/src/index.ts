export { busConformance } from './bus-conformance/bus-conformance.js';
export { CertificateAuthority, type IssuedCertificate } from './certificate-authority.js';
export { eventually } from './eventually.js';
export { hastenTimers } from './hasten-timers.js';
export { FaultProxy, type FaultProxyOptions } from './fault-proxy/fault-proxy.js';
export { type Faults } from './fault-proxy/faults.js';
export { describeWithServer, type RequiredServer } from './required-server.js';
export { seeded, shuffled } from './seeded-random.js';
export { SilentDatabase } from './silent-database.js';
