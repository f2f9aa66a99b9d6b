import type { ReleaseClient } from './release-client.js';
import type { ReleaseHolds } from './release-holds.js';

type Json = Record<string, unknown>;

/** Does something of everything; see services/standalone/test/upgrade.e2e.spec.ts. The last documents are still on their way. */
export async function fillRelease(first: ReleaseClient): Promise<ReleaseHolds> {
  await first.untilReady();
  const makeKey = (name: string, roles: readonly string[]): Promise<Json> =>
    first.call('POST', '/admin/keys', { name, roles });
  const { key } = await makeKey('admin', ['admin', 'writer', 'reader', 'operator']);
  const admin = first.as(String(key));
  const listed = await makeKey('listed', ['reader']);
  const other = await makeKey('other', ['reader']);
  await addDocuments(admin);
  await admin.call('PUT', '/collections/sealed/access', { access: [`key:${String(listed['id'])}`] });
  const talk = await addAnswer(admin);
  await admin.until('an entry is in the audit trail', async () => {
    const { data } = await admin.call('GET', '/admin/audit');
    return JSON.stringify(data).includes('sealed') ? true : undefined;
  });
  await Promise.all(
    [0, 1, 2, 3].map((number) =>
      admin.call('PUT', `/documents/pending-${number}`, { text: `Ptarmigan number ${number} turns white in winter.` }),
    ),
  );
  const keys = { key: String(key), listedKey: String(listed['key']), otherKey: String(other['key']) };
  return { ...keys, ...talk };
}

/** Of each thing that can become of a document one. */
async function addDocuments(admin: ReleaseClient): Promise<void> {
  await admin.call('POST', '/collections', { id: 'law', title: 'Laws' });
  await admin.call('POST', '/collections', { id: 'sealed', title: 'Sealed' });
  await admin.call('PUT', '/documents/plain', { text: 'Gannets nest on the cliffs of Bass Rock.' });
  await admin.call('PUT', '/documents/replaced', { text: 'The notice period is thirty days.' });
  await admin.call('PUT', '/documents/secret', { text: 'The otter is under the pier.', collection: 'sealed' });
  for (const id of ['plain', 'replaced', 'secret']) await admin.untilStatus(id, 'ready');
  await admin.call('PUT', '/documents/replaced', {
    text: 'The notice period is ninety days.',
    metadata: { year: 2026 },
  });
  await admin.call('PUT', '/documents/gone', { text: 'Nobody shall find the word quokka.' });
  await admin.untilStatus('gone', 'ready');
  await admin.call('DELETE', '/documents/gone');
  const form = new FormData();
  form.append('id', 'failed');
  form.append('file', new Blob(['%PDF-1.4 and nothing of one']), 'failed.pdf');
  await admin.call('POST', '/documents', form);
  const isGone = (): Promise<true | undefined> =>
    admin.call('GET', '/documents/gone').then(
      ({ status }) => (status === 'deleted' ? true : undefined),
      () => true,
    );
  await admin.until('the document is gone', isGone);
  await admin.untilStatus('replaced', 'ready');
  await admin.untilStatus('failed', 'failed');
}

/** An answer in a conversation, a judgement of it, and what it took. */
async function addAnswer(admin: ReleaseClient): Promise<Pick<ReleaseHolds, 'turns' | 'judgedRequest' | 'usage'>> {
  const question = 'Where do gannets nest?';
  const { answer, request_id: judgedRequest } = await admin.call('POST', '/query', {
    query: question,
    conversation_id: 'talk',
  });
  await admin.until('the conversation has the answer', async () => {
    const { messages } = await admin.call('GET', '/conversations/talk');
    return (messages as unknown[]).length === 2 ? true : undefined;
  });
  await admin.call('POST', '/feedback', { request_id: judgedRequest, rating: 'up', comment: 'So they do.' });
  const usage = await firstOf(admin, '/admin/usage');
  return { turns: [question, String(answer)], judgedRequest: String(judgedRequest), usage };
}

const firstOf = (admin: ReleaseClient, path: string): Promise<Json> =>
  admin.until(`something is at ${path}`, async () => {
    const { data } = await admin.call('GET', path);
    return (data as Json[])[0];
  });
