import { bool, duration, int, listOf, type ConfigOf, type ConfigDefinition } from '@ragmesh/config';
import { AllowRule } from './allow-rule.js';

const portOf = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? Number(text) : undefined;

/** What a service that fetches from addresses others name spreads into its configuration. */
export const egressVariables = {
  EGRESS_PUBLIC: bool()
    .default(true)
    .describe('Whether URLs may name any public address; if not, only what EGRESS_ALLOW lists'),
  EGRESS_ALLOW: listOf('hosts, addresses or ranges such as wiki.corp:8080, *.corp, 10.1.0.0/16', AllowRule.parse)
    .default('')
    .describe('Hosts, addresses and ranges of your own network that URLs may name, each with or without a port'),
  EGRESS_PORTS: listOf('ports such as 80,443', portOf)
    .default('80,443')
    .describe('Ports that URLs may name; an entry of EGRESS_ALLOW with a port adds that one for itself'),
  EGRESS_CONCURRENCY: int({ min: 1 })
    .default(64)
    .describe(
      'Fetches at a time; eight times as many wait for their turn, above that OVERLOAD.SHED; of both, one tenant may have three quarters',
    ),
  EGRESS_TIMEOUT_SECONDS: duration({ min: 1, max: 3600 })
    .default(60)
    .describe('Time a fetch may take with all its redirects; then EGRESS.TIMEOUT'),
  EGRESS_FIRST_BYTE_SECONDS: duration({ min: 0.1, max: 600 })
    .default(10)
    .describe('Time a server has to begin its answer; then EGRESS.TIMEOUT'),
};

export type EgressConfig = ConfigOf<ConfigDefinition<typeof egressVariables>>;
