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
      expect(readEnvelope(event.headers)).toMatchObject({ tenant: 'acme', actor: 'jwt:ada', type: spec.type });
    }
  });

  it.each(['ce_type', 'ce_source', 'ce_tenant', 'ce_subject', 'ce_actor', 'ce_correlation'])(
    'refuses an event with another %s',
    (name) => {
      expect(() => readEnvelope({ ...headers, [name]: 'another' })).toThrow(
        expect.objectContaining({ code: 'EVENT.UNSIGNED', retry: 'permanent' }),
      );
    },
  );

  it('refuses an event without one, or with one of another installation', () => {
    const { 'ragmesh-signature': _, ...unsigned } = headers;
    const foreign = new ServiceSignatures(['another installation']).sign('event/1', ['document.deleted']);
    const refused: Record<string, string>[] = [{}, { 'ragmesh-signature': '' }, { 'ragmesh-signature': foreign }];
    for (const signature of refused)
      expect(() => readEnvelope({ ...unsigned, ...signature })).toThrow(
        expect.objectContaining({ code: 'EVENT.UNSIGNED' }),
      );
  });

  it('stays with a copy that is tried again', () => {
    const record = { topic, key, headers, value, partition: 0, offset: 0, timestamp: 0 };
    const again = retryHeaders(record, 'knowledge.note-deleted', 2, new Date());
    expect(readEnvelope(again)).toMatchObject({ tenant: 'acme', actor: 'jwt:ada' });
  });
});
