import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QdrantStandIn } from './qdrant-stand-in/qdrant-stand-in.js';

interface Exchange {
  readonly n: number;
  readonly step: string;
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  readonly response: { readonly status: number; readonly content_type: string | null; readonly body: unknown };
}

const file = new URL('../../../../shared/qdrant/recordings.jsonl', import.meta.url);
const exchanges = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange);
const real = process.env['QDRANT_URL'];

/** Names, times and checksums are the server's own; how many snapshots an earlier run left is, too. */
function comparable(value: unknown, name = ''): unknown {
  if (name === 'time' || name === 'version' || name === 'commit') return typeof value;
  if (['checksum', 'creation_time', 'size'].includes(name)) return typeof value;
  if (typeof value === 'string' && value.endsWith('.snapshot')) return '*.snapshot';
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return items.every((item) => JSON.stringify(item).includes('*.snapshot')) ? items.slice(0, 1) : items;
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner, key)]));
}

async function ask(base: string, { request: { method, path, body } }: Exchange): Promise<Exchange['response']> {
  const sent = body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = sent === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`${base}${path}`, { method, headers, body: sent ?? null });
  const text = await response.text();
  const content_type = response.headers.get('content-type');
  return { status: response.status, content_type, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text || null;
  }
}

const recordedId = (n: string): string => `00000000-0000-5000-8000-${n.padStart(12, '0')}`;

/** Of points with equal scores the server returns which it likes, so a real one owes only the number of points here. */
const cutThroughEquals = ['lexical query', 'hybrid rrf', 'batch query'];

function withoutEquals(answer: Exchange['response']): object {
  const { result } = answer.body as { result: { points: unknown[] } | { points: unknown[] }[] };
  return { ...answer, body: [result].flat().map(({ points }) => points.length) };
}

describe(`the recorded exchanges, in order, asked of ${real ? 'the real server' : 'the stand-in'}`, () => {
  let standIn: QdrantStandIn;
  beforeAll(async () => {
    standIn = await QdrantStandIn.start({ firstOfEquals: ['11', '18', '10', '20'].map(recordedId) });
  });
  afterAll(() => standIn.stop());

  it('are 89', () => expect(exchanges).toHaveLength(89));

  it.each(exchanges.map((exchange) => [`${exchange.n} ${exchange.step}`, exchange] as const))(
    '%s',
    async (_, exchange) => {
      const answer = await ask(real ?? standIn.url, exchange);
      const owed = real && cutThroughEquals.includes(exchange.step) ? withoutEquals : comparable;
      expect(owed(answer)).toEqual(owed(exchange.response));
    },
  );
});
