import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { describeWithServer } from '@ragmesh/testing';
import { startCallers } from '../../services/mesh/test/caller-load.js';
import { ReadyFront, targetOf } from '../../services/mesh/test/ready-front.js';
import type { ServiceCopy } from '../../services/mesh/test/service-copy.js';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { QdrantStandIn } from '../../services/vector/test/qdrant-stand-in/qdrant-stand-in.js';
import { CopiedMesh } from './copied-mesh.js';

const COPIES = [0, 1] as const;
const WORKERS = 4;
/** Callees before their callers, the edge last, as a rolling update of a chart would be waited for. */
const ORDER = [...serviceNames.filter((name) => name !== 'gateway'), 'gateway'] as const;

describeWithServer('kafka', 'two copies of every service over Kafka', () => {
  let store: QdrantStandIn;
  let mesh: CopiedMesh;
  let front: ReadyFront;
  const copies = new Map<ServiceName, ServiceCopy[]>();

  const start = async (service: ServiceName, copy: number): Promise<ServiceCopy> => {
    const [port] = await freePorts(1);
    const started = await mesh.start(service, copy, { SERVER_PORT: String(port) });
    if (service === 'gateway') front.add(targetOf(started));
    return started;
  };

  beforeAll(async () => {
    store = await QdrantStandIn.start();
    const settings = {
      VECTOR_STORE: 'qdrant',
      QDRANT_URL: store.url,
      SHUTDOWN_GRACE_SECONDS: '2',
      SHUTDOWN_DEADLINE_SECONDS: '30',
    };
    mesh = await CopiedMesh.start({ kafka: true, copies: COPIES.length, settings });
    front = await ReadyFront.start();
    for (const service of ORDER) {
      const started: ServiceCopy[] = [];
      for (const copy of COPIES) started.push(await start(service, copy));
      copies.set(service, started);
    }
  }, 400_000);
  afterAll(async () => {
    front?.close();
    await mesh?.close();
    await store?.stop();
  });

  /** Ends one copy in order and starts it again, as a rolling update does. */
  const restart = async (service: ServiceName, copy: number): Promise<number | NodeJS.Signals> => {
    const old = copies.get(service)![copy]!;
    await mesh.end(old, 'SIGTERM');
    if (service === 'gateway') front.remove(targetOf(old));
    copies.get(service)![copy] = await start(service, copy);
    return old.ended();
  };

  it.each([
    ['of the same bytes', {}],
    ['with one Idempotency-Key', { 'idempotency-key': 'twenty' }],
  ])('make one document of twenty uploads %s that come at once to both gateways', async (how, headers) => {
    const api = new ApiClient(front.url);
    const upload = { text: `Twenty hands, one letter ${how}.` };
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.upload(upload, { ...headers })));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    const [id, ...others] = new Set(answers.map(({ body }) => String(body['id'])));
    expect(others).toEqual([]);
    expect(await api.terminal(id!, 120_000)).toMatchObject({ status: 'ready', version: 1 });
  });

  it('fail no request and leave no document behind while each of the sixteen is replaced under load', async () => {
    const api = new ApiClient(front.url);
    const { body } = await api.upload({ text: 'Notice period 0 is thirty days.' });
    await api.terminal(String(body['id']), 120_000);
    const ends: unknown[] = [];
    const callers = startCallers(api, WORKERS, 20);
    for (const service of ORDER) for (const copy of COPIES) ends.push(`${service} ${await restart(service, copy)}`);
    const { answered, failures, accepted } = await callers.end();
    expect(failures).toEqual([]);
    expect(ends).toEqual(ORDER.flatMap((service) => COPIES.map(() => `${service} 0`)));
    expect(answered).toBeGreaterThan(200);
    expect(accepted.length).toBeGreaterThan(answered / 10);
    for (const id of accepted) expect(await api.terminal(id)).toMatchObject({ id, status: 'ready' });
    expect(await mesh.servers.oracle.violations()).toEqual([]);
    expect((await api.call('GET', '/v1/documents?status=failed')).body['data']).toEqual([]);
  }, 900_000);
});
