import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { checkCall, incomingContext, outgoingMetadata } from './call-metadata.js';

const context = { tenant: 'acme', subject: 'jwt:ada', principals: ['jwt:ada', 'group:legal'], requestId: 'r1' };
const NOW = 1_000_000;
const SERVICE = '/ragmesh.document.v1.DocumentService';
const callee = { audience: 'document', path: `${SERVICE}/GetDocument` };
const sent = (): Metadata => inContext(context, () => outgoingMetadata(callee, NOW));
const changed = (change: (metadata: Metadata) => void): Metadata => {
  const metadata = sent();
  change(metadata);
  return metadata;
};

describe('whom a call is for', () => {
  it('arrives as it was sent', () => {
    checkCall(sent(), callee, NOW);
    expect(incomingContext(sent())).toEqual(context);
    const { principals: _, ...nobody } = context;
    const plain = inContext(nobody, () => outgoingMetadata(callee, NOW));
    checkCall(plain, callee, NOW);
    expect(incomingContext(plain)).toEqual({ ...nobody, principals: [] });
  });

  it.each([
    ['unsigned', changed((metadata) => metadata.remove('x-ragmesh-signature'))],
    ['of another tenant', changed((metadata) => metadata.set('x-ragmesh-tenant', 'bolt'))],
    ['of another subject', changed((metadata) => metadata.set('x-ragmesh-subject', 'jwt:bob'))],
    ['with more principals', changed((metadata) => metadata.set('x-ragmesh-principals', '*'))],
    ['of another request', changed((metadata) => metadata.set('x-request-id', 'r2'))],
    ['with a longer life', changed((metadata) => metadata.set('x-ragmesh-expires', String(NOW * 2)))],
    ['of two tenants', changed((metadata) => metadata.add('x-ragmesh-tenant', 'bolt'))],
    ['of nobody', new Metadata()],
  ])('is refused when it is %s', (_what, metadata) => {
    expect(() => checkCall(metadata, callee, NOW)).toThrow(expect.objectContaining({ code: 'AUTH.SERVICE_UNKNOWN' }));
  });

  it('is refused by another service or method than it was signed for, and after its time', () => {
    expect(() => checkCall(sent(), { ...callee, audience: 'vector' }, NOW)).toThrow(/not signed/);
    expect(() => checkCall(sent(), { ...callee, path: `${SERVICE}/DeleteDocument` }, NOW)).toThrow(/not signed/);
    expect(() => checkCall(sent(), callee, NOW + 61_000)).toThrow(/too long ago/);
  });
});
