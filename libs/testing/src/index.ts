export { busConformance } from './bus-conformance/bus-conformance.js';
