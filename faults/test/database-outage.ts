import { expect } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import type { ApiClient, Answer } from '../../services/standalone/test/api-client.js';

/** What a caller may be told while the database is away: come again. */
export const mayBe = ({ status, body }: Answer): boolean =>
  status === 202 || ([503, 504].includes(status) && body['retryable'] === true);

export interface Outage {
  readonly accepted: string[];
  readonly odd: Answer[];
}

/** Uploads without pause while `harm` happens and until one is accepted after it; whatever is accepted is owed. */
export async function uploadDuring(api: ApiClient, prefix: string, harm: () => Promise<void>): Promise<Outage> {
  const outage: Outage = { accepted: [], odd: [] };
  let [isOver, turn] = [false, 0];
  const uploader = async (): Promise<void> => {
    while (!isOver) {
      const id = `${prefix}-${(turn += 1)}`;
      const answer = await api.call('PUT', `/v1/documents/${id}`, { text: `The words of ${id}. `.repeat(20) });
      if (answer.status === 202) outage.accepted.push(id);
      else if (!mayBe(answer)) outage.odd.push(answer);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const uploading = Promise.all([uploader(), uploader(), uploader()]);
  await eventually('uploads flow', () => outage.accepted.length > 5);
  await harm();
  const before = outage.accepted.length;
  await eventually('uploads are accepted again', () => outage.accepted.length > before + 3, 120_000).finally(
    () => (isOver = true),
  );
  await uploading;
  return outage;
}

export async function allReady(api: ApiClient, ids: readonly string[]): Promise<void> {
  for (const id of ids) expect((await api.terminal(id, 120_000)).status).toBe('ready');
}
