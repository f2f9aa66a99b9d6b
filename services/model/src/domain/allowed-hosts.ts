import { RagmeshError } from '@ragmesh/errors';

/** Hosts that downloads may come from: names, `*.name` for all below it, with a port where it is not the scheme's own. */
export class AllowedHosts {
  private readonly patterns: readonly string[];

  constructor(patterns: readonly string[]) {
    this.patterns = patterns.map((pattern) => pattern.trim().toLowerCase()).filter((pattern) => pattern !== '');
  }

  /** @throws RagmeshError MODEL.HOST_NOT_ALLOWED naming the host, also for a URL that is not of the web. */
  demand(url: URL): void {
    const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
    if (isWeb && this.patterns.some((pattern) => covers(pattern, url))) return;
    const details = { host: url.host };
    throw new RagmeshError('MODEL.HOST_NOT_ALLOWED', `Models must not be downloaded from ${url.host}.`, details);
  }
}

/** Plain http is trusted only where the pattern names the very host, as for a mirror of one's own. */
function covers(pattern: string, url: URL): boolean {
  if (!pattern.startsWith('*.')) return url.host === pattern;
  return url.protocol === 'https:' && url.host.endsWith(pattern.slice(1));
}
