import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'ragmesh-supply-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: object): string => {
  writeFileSync(join(folder, name), JSON.stringify(content));
  return join(folder, name);
};

/** What npm installs, by the folder it lies in. */
interface Lock {
  readonly packages: Readonly<Record<string, { name?: string; version?: string; dev?: boolean; link?: boolean }>>;
}

function run(tool: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`tools/${tool}.mjs`, ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

const cause = (severity: string, id: string) => ({
  ...{ source: 1, name: 'left-pad', title: 'Pads too far', severity, url: `https://advisories.example/${id}` },
});
const report = (...via: object[]) =>
  file('report.json', { vulnerabilities: { 'left-pad': { via }, 'depends-on-it': { via: ['left-pad'] } } });
const reasons = (entries: object) => file('reasons.json', entries);
const id = 'GHSA-aaaa-bbbb-cccc';
const holding = { [id]: { package: 'left-pad', reason: 'We never pad.', until: '2999-01-01' } };

describe('npm run audit', () => {
  it('fails on a high finding without a reason, and names it', () => {
    const { status, said } = run('audit', '--report', report(cause('high', id)), '--reasons', reasons({}));
    expect(status).toBe(1);
    expect(said).toContain(`high ${id} in left-pad: Pads too far`);
    expect(said).toContain('tools/audit/reasons.json');
  });

  it('passes with a reason, until the day that it is to be looked at again', () => {
    const found = report(cause('critical', id), cause('moderate', 'GHSA-dddd-eeee-ffff'));
    expect(run('audit', '--report', found, '--reasons', reasons(holding)).status).toBe(0);
    const over = reasons({ [id]: { ...holding[id], until: '2001-01-01' } });
    expect(run('audit', '--report', found, '--reasons', over)).toMatchObject({
      status: 1,
      said: expect.stringContaining(`${id}: its reason held until 2001-01-01`),
    });
    const unwritten = reasons({ [id]: { reason: ' ', until: '2999-01-01' } });
    expect(run('audit', '--report', found, '--reasons', unwritten).status).toBe(1);
  });

  it('says which reasons nothing needs any more', () => {
    const { status, said } = run('audit', '--report', report(), '--reasons', reasons(holding));
    expect(status).toBe(0);
    expect(said).toContain(`${id} is no longer found`);
  });

  it('says loudly that nothing was checked when the registry gave no answer', () => {
    const unreachable = file('refusal.json', { message: '405 Method Not Allowed' });
    const { status, said } = run('audit', '--report', unreachable);
    expect(status).toBe(0);
    expect(said).toContain('NOT CHECKED');
    expect(run('audit', '--report', unreachable, '--require').status).toBe(2);
  });

  it('has a date and a reason for everything that is excused today', () => {
    const excused = JSON.parse(readFileSync('tools/audit/reasons.json', 'utf8')) as Record<string, object>;
    for (const entry of Object.values(excused))
      expect(entry).toEqual({
        package: expect.any(String),
        reason: expect.stringMatching(/\S{3}/),
        until: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      });
  });
});

describe('npm run sbom', () => {
  it('lists every package that ships, the same way each time, without places of this machine or its registry', () => {
    const outputs = ['one.json', 'two.json'].map((name) => join(folder, name));
    for (const output of outputs) expect(run('sbom', '--output', output).status).toBe(0);
    const [one, two] = outputs.map((output) => readFileSync(output, 'utf8'));
    expect(one).toBe(two);
    const bill = JSON.parse(one!) as { bomFormat: string; components: { purl: string; licenses?: unknown }[] };
    expect(bill.bomFormat).toBe('CycloneDX');
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
    const shipped = Object.entries(packages)
      .filter(([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link)
      .map(([path, { name, version }]) => {
        const called = name ?? path.split('node_modules/').at(-1)!;
        return `pkg:npm/${called.replace('@', '%40')}@${version}`;
      });
    expect(new Set(shipped).size).toBeGreaterThan(200);
    const purls = new Set(bill.components.map(({ purl }) => purl));
    expect(shipped.filter((purl) => !purls.has(purl))).toEqual([]);
    expect(one).not.toContain('cdx:npm:package:development');
    expect(one).not.toMatch(/\.tgz|"type": "distribution"|registry\./);
    expect(one).not.toContain(process.cwd());
  });
});
