import { eventually } from '@ragmesh/testing';
import { publishBrokenBatch } from '../../gateway/test/broken-batch.js';
import type { Answer } from './api-client.js';
import type { Mesh } from './mesh-fixture.js';

export type Json = Record<string, unknown>;

export interface Letter extends Json {
  readonly id: string;
  readonly code: string;
  readonly subject: string;
  readonly status: string;
  readonly replays: number;
}

export interface Saga extends Json {
  readonly id: string;
  readonly state: string;
}

/** What an operator of a mesh asks for over HTTP. */
export class OperatorClient {
  constructor(private readonly mesh: () => Mesh) {}

  async letters(query: string): Promise<Letter[]> {
    const { body } = await this.mesh().api.call('GET', `/v1/admin/dead-letters?${query}`);
    return body['data'] as Letter[];
  }

  /** Ids of all letters, a page after the other. */
  async lettersByPage(query: string): Promise<string[]> {
    const ids: string[] = [];
    let cursor = '';
    do {
      const path = `/v1/admin/dead-letters?${query}&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await this.mesh().api.call('GET', path);
      ids.push(...(body['data'] as Letter[]).map(({ id }) => id));
      cursor = (body['next_cursor'] as string | null) ?? '';
    } while (cursor);
    return ids;
  }

  letterWith(query: string): Promise<Letter> {
    return eventually(`dead letter ${query}`, async () => (await this.letters(query))[0]);
  }

  async letter(id: string): Promise<Json> {
    return (await this.mesh().api.call('GET', `/v1/admin/dead-letters/${encodeURIComponent(id)}`)).body;
  }

  letterIn(id: string, status: string, replays: number): Promise<Json> {
    return eventually(`letter ${status} after ${replays}`, async () => {
      const body = await this.letter(id);
      return body['status'] === status && body['replays'] === replays ? body : undefined;
    });
  }

  replay(body: Json, query = ''): Promise<Answer> {
    return this.mesh().api.call('POST', `/v1/admin/dead-letters/replay${query}`, body);
  }

  async sagas(query: string): Promise<Saga[]> {
    return (await this.mesh().api.call('GET', `/v1/admin/sagas?${query}`)).body['data'] as Saga[];
  }

  sagaIn(id: string, state: string): Promise<Json> {
    return eventually(`saga ${state}`, async () => {
      const { body } = await this.mesh().api.call('GET', `/v1/admin/sagas/${id}`);
      return body['state'] === state ? body : undefined;
    });
  }
}

/** Publishes a batch that no index can take, as part of a request and a trace. */
export const giveUpABatch = (
  { bus }: Mesh,
  documentId: string,
  batch: { words?: string; collection?: string; tenant?: string } = {},
) =>
  publishBrokenBatch(bus, {
    documentId,
    ...batch,
    headers: {
      ce_correlation: `request of ${documentId}`,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  });
