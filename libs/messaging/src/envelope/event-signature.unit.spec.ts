import { describe, expect, it } from '@jest/globals';
import { catalogue, eventSpecs } from '@ragmesh/contracts';
import { ServiceSignatures } from '@ragmesh/observability';
import { create } from '@bufbuild/protobuf';
import { encodeEvent, readEnvelope } from './cloud-events.js';
import { retryHeaders } from './retry-headers.js';

const origin = { source: '/ragmesh/document', tenant: 'acme', actor: 'jwt:ada', correlationId: 'r1', trace: {} };
const { headers, value, topic, key } = encodeEvent(catalogue.documentDeleted, 'd', { documentId: 'd' }, origin);

describe('the signature of an event', () => {
  it('is on every event there is, and says whose it is', () => {
    for (const spec of eventSpecs) {
      const event = encodeEvent(spec, 'd', create(spec.schema), origin);
      expect(readEnvelope(event)).toMatchObject({ tenant: 'acme', actor: 'jwt:ada', type: spec.type });
    }
  });

  it.each(['ce_id', 'ce_type', 'ce_source', 'ce_tenant', 'ce_subject', 'ce_actor', 'ce_correlation'])(
    'refuses an event with another %s',
    (name) => {
      expect(() => readEnvelope({ headers: { ...headers, [name]: 'another' }, value })).toThrow(
        expect.objectContaining({ code: 'EVENT.UNSIGNED', retry: 'permanent' }),
      );
    },
  );

  it('refuses another payload under the headers of a real event, also under a new id', () => {
    const change = (restricted: boolean) => ({ collection: 'default', documentId: 'd', access: { restricted } });
    const real = encodeEvent(catalogue.accessChanged, 'd', change(true), origin);
    const made = encodeEvent(catalogue.accessChanged, 'd', change(false), origin);
    for (const ce_id of [real.id, made.id])
      expect(() => readEnvelope({ headers: { ...real.headers, ce_id }, value: made.value })).toThrow(
        expect.objectContaining({ code: 'EVENT.UNSIGNED', retry: 'permanent' }),
      );
  });

  it('refuses an event without one, or with one of another installation', () => {
    const { 'ragmesh-signature': _, ...unsigned } = headers;
    const foreign = new ServiceSignatures(['another installation']).sign('event/2', ['document.deleted']);
    const refused: Record<string, string>[] = [{}, { 'ragmesh-signature': '' }, { 'ragmesh-signature': foreign }];
    for (const signature of refused)
      expect(() => readEnvelope({ headers: { ...unsigned, ...signature }, value })).toThrow(
        expect.objectContaining({ code: 'EVENT.UNSIGNED' }),
      );
  });

  it('stays with a copy that is tried again', () => {
    const record = { topic, key, headers, value, partition: 0, offset: 0, timestamp: 0 };
    const again = retryHeaders(record, 'knowledge.note-deleted', 2, new Date());
    expect(readEnvelope({ headers: again, value })).toMatchObject({ tenant: 'acme', actor: 'jwt:ada' });
  });
});
