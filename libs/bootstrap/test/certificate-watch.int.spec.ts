import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { readTlsFiles, type TlsMaterial } from '@ragmesh/config';
import { renderMetrics } from '@ragmesh/observability';
import { CertificateAuthority, describeWithServer, eventually, type IssuedCertificate } from '@ragmesh/testing';
import { CertificateWatch, tellExpiriesOfStart } from '../src/certificate-watch.js';
import { MountedCertificate } from './mounted-certificate.js';

const DAY_MS = 86_400_000;

const endOf = (file: string): number => new X509Certificate(readFileSync(file)).validToDate.getTime() / 1000;

/** When what a variable names expires, as Prometheus is told. */
async function expiryOf(variable: string): Promise<number> {
  const { body } = await renderMetrics();
  const [, value] = new RegExp(`expiry_timestamp_seconds\\{certificate="${variable}"\\} (\\S+)`).exec(body) ?? [];
  return Number(value);
}

describeWithServer('openssl', 'certificates on disk', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let first: IssuedCertificate;
  let warnings: { code: string; certificate: string; err: Error }[];
  const watches: CertificateWatch[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ragmesh-watch-'));
    authority = CertificateAuthority.create(folder);
    first = authority.issue('first', 30);
    warnings = [];
  });
  afterEach(() => {
    jest.restoreAllMocks();
    for (const watch of watches.splice(0)) watch.close();
    rmSync(folder, { recursive: true });
  });

  const mount = (prefix: string): MountedCertificate => {
    const mounted = new MountedCertificate(join(folder, prefix));
    mounted.put(first, authority);
    return mounted;
  };

  function watch(prefix: string, mounted: MountedCertificate): CertificateWatch {
    const logger = { info: () => undefined, warn: (fields: never) => warnings.push(fields) } as never;
    const started = CertificateWatch.start<TlsMaterial>(
      prefix,
      () => readTlsFiles(mounted.variables(prefix), prefix),
      logger,
    )!;
    watches.push(started);
    return started;
  }

  it('that are cut off, of another key, expired or gone do not take the place of those that work', async () => {
    const [whole, short] = [authority.issue('whole', 60), authority.issue('short', 1)];
    jest.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + 2 * DAY_MS);
    const cut = join(folder, 'cut.crt');
    writeFileSync(cut, readFileSync(whole.cert).subarray(0, 300));
    const faults: Record<string, (mounted: MountedCertificate) => void> = {
      CUT: (mounted) => mounted.put({ ...whole, cert: cut }, authority),
      MIXED: (mounted) => mounted.put({ ...whole, key: first.key }, authority),
      EXPIRED: (mounted) => mounted.put(short, authority),
      GONE: (mounted) => unlinkSync(mounted.key),
    };
    const begun = Object.entries(faults).map(([prefix, spoil]) => {
      const mounted = mount(prefix);
      return { prefix, mounted, spoil, watch: watch(prefix, mounted) };
    });
    const taken: unknown[] = [];
    for (const { watch, mounted, spoil } of begun) {
      watch.follow((material) => taken.push(material));
      spoil(mounted);
    }
    await eventually('each is warned of', () => warnings.length === begun.length);
    expect(warnings.map(({ certificate }) => certificate).toSorted()).toEqual(Object.keys(faults).toSorted());
    for (const { code, certificate, err } of warnings) {
      expect(code).toBe('CONFIG.INVALID');
      expect(err.message).toContain(`${certificate}_TLS_CERT_FILE`);
    }
    for (const { watch } of begun) expect(watch.current.cert).toEqual(readFileSync(first.cert));
    expect(taken).toHaveLength(begun.length); // what was there when it began
    expect(await expiryOf('EXPIRED_TLS_CERT_FILE')).toBe(endOf(first.cert));
  });

  it('are taken up once they hold, whatever comes along in their chain, and are told of once while they do not', async () => {
    let shiftMs = -DAY_MS / 2; // their clock is behind
    jest.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + shiftMs);
    const mounted = mount('MENDED');
    const watched = watch('MENDED', mounted);
    const taken: TlsMaterial[] = [];
    watched.follow((material) => taken.push(material));
    const [second, short] = [authority.issue('second', 60), authority.issue('short', 1)];
    const [cert, key] = [join(folder, 'second-chain.crt'), second.key];
    writeFileSync(cert, [second.cert, short.cert].map((file) => readFileSync(file)).join(''));
    mounted.put({ cert, key }, authority);
    await eventually('the warning', () => warnings.length > 0);
    expect(warnings[0]!.err.message).toMatch(/^What MENDED_TLS_CERT_FILE names is not valid before 20/);
    shiftMs = 1.5 * DAY_MS; // what was cross-signed has expired
    const renewed = await eventually('the renewed certificate is taken', () => taken[1]);
    expect(renewed).toEqual({ cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(authority.file) });
    expect(watched.current).toBe(renewed);
    expect(warnings).toHaveLength(1);
    expect(await expiryOf('MENDED_TLS_CERT_FILE')).toBe(endOf(short.cert));
  });

  it('that only a restart renews are told of as they were at the start', async () => {
    const mounted = mount('KAFKA');
    tellExpiriesOfStart({ ...mounted.variables('KAFKA'), REDIS_TLS_CERT_FILE: join(folder, 'missing') });
    expect(await expiryOf('KAFKA_TLS_CERT_FILE')).toBe(endOf(first.cert));
    expect(await expiryOf('KAFKA_TLS_CA_FILE')).toBe(endOf(authority.file));
    expect(await expiryOf('REDIS_TLS_CERT_FILE')).toBeNaN();
  });

  it('last as long as the first of a chain, and authorities as long as the last of them', async () => {
    const chain = join(folder, 'chain.crt');
    writeFileSync(chain, [first.cert, authority.issue('above', 5).cert].map((file) => readFileSync(file)).join(''));
    const mounted = new MountedCertificate(join(folder, 'chained'));
    mounted.put({ ...first, cert: chain }, authority, { file: authority.issue('long', 90).cert });
    watch('CHAINED', mounted);
    expect(await expiryOf('CHAINED_TLS_CERT_FILE')).toBe(endOf(join(folder, 'above.crt')));
    expect(await expiryOf('CHAINED_TLS_CA_FILE')).toBe(endOf(join(folder, 'long.crt')));
  });
});
