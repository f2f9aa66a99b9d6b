import dns from 'node:dns';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { documentV1 } from '@ragmesh/contracts';
import { CallContextInterceptor, RpcErrorFilter, createGrpcClient, grpcTransport } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { CallServer } from '../src/call-server.js';
import { Service, begin } from './calls-documents.js';

const AGE = { ageMs: 500, graceMs: 5_000 };
const caller = { tenant: 'acme', subject: 'spec', requestId: 'r' };

describe('copies of a service behind one name', () => {
  let copies: INestMicroservice[] = [];
  let addresses: string[] = [];
  beforeEach(() => {
    useServiceKeys(['a-key-of-all-services-of-this-mesh']);
    begin();
    const lookup = async () => addresses.map((address) => ({ address, family: 4 }));
    jest.spyOn(dns.promises, 'lookup').mockImplementation(lookup as never);
    jest.spyOn(dns.promises, 'resolveTxt').mockRejectedValue(new Error('there are none'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const copy of copies) await copy.close();
  });

  async function start(host: string, port: number): Promise<{ calls: number }> {
    const strategy = new CallServer(
      grpcTransport([documentV1.DocumentService], `${host}:${port}`, 'document', undefined, AGE),
    );
    const copy = await NestFactory.createMicroservice(Service, { strategy, logger: false });
    const count = { calls: 0 };
    const counting = { intercept: (_: unknown, next: { handle(): never }) => ((count.calls += 1), next.handle()) };
    copy.useGlobalFilters(new RpcErrorFilter('document')).useGlobalInterceptors(new CallContextInterceptor(), counting);
    await copy.listen();
    copies = [...copies, copy];
    addresses = [...addresses, host];
    return count;
  }

  it('are called although the client was connected before they came, and no call is lost to that', async () => {
    const [port] = await freePorts(1);
    const first = await start('127.0.0.1', port!);
    const client = createGrpcClient(documentV1.DocumentService, `dns:///copies-of-document:${port}`);
    const call = () => inContext(caller, () => client.getDocument({ id: 'known' }));
    await call();
    const added = await start('127.0.0.2', port!);
    await eventually('the added copy has its share', async () => {
      for (let calls = 0; calls < 50; calls += 1) await call();
      return added.calls >= 100;
    });
    expect(first.calls).toBeGreaterThan(1);
    client.close();
  });
});
