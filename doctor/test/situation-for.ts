import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../finding.js';
import { Gateway } from '../gateway.js';
import { checks } from '../run-checks.js';
import type { Situation } from '../situation.js';
import { situationOf } from '../situation-of.js';

/** A machine on which nothing is wrong but what a spec makes wrong. */
export function situationFor(environment: Record<string, string>, changes: Partial<Situation> = {}): Situation {
  const nowhere = join(tmpdir(), 'ragmesh-not-there'); // whatever was started in this checkout is no concern of a spec
  const seen = situationOf({ SERVER_PORT: '1', RAGMESH_DATA_DIR: nowhere, ...environment });
  return { ...seen, leastFreeBytes: 0, ...changes };
}

export const gatewayAt = (url: string, key?: string): Gateway => new Gateway({ url, key, certificate: undefined });

/** What one check finds. */
export async function found(check: string, ...given: Parameters<typeof situationFor>): Promise<readonly Finding[]> {
  return checks[check]!(situationFor(...given));
}

/** Some program that speaks HTTP. */
export class Stranger {
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async start(answer: RequestListener): Promise<Stranger> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Stranger(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
