import { constants, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { documentV1 } from '@ragmesh/contracts';
import { useServiceKeys } from '@ragmesh/observability';
import { createGrpcClient } from './grpc-client.js';

describe('a service that has too much to do', () => {
  let server: Http2Server;
  beforeAll(async () => {
    useServiceKeys(['a-key-of-all-services-of-this-mesh']);
    server = createServer().on('stream', (stream) => {
      stream.on('error', () => undefined).close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => void server.close());

  it('may be asked again: no message was too large', async () => {
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createGrpcClient(documentV1.DocumentService, address);
    await expect(client.getDocument({ id: 'a' })).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    client.close();
  });
});
