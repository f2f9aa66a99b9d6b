import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@ragmesh/contracts';
import { KafkaServer, findKafkaJars } from '@ragmesh/local-servers';
import type { BenchInput } from './bench-input.js';
import { measureEventPath } from './event-path.js';
import { measureFreshness } from './freshness.js';
import { measureIngestion } from './ingestion.js';
import { startMeshProcess } from './mesh-process.js';
import { measureRecovery } from './recovery.js';
import type { Report } from './report.js';
import { s1Row } from './standalone.js';

/** Eight processes on Kafka. */
export async function benchMesh(report: Report, { root, documents, model }: BenchInput): Promise<void> {
  const jars = findKafkaJars();
  if (!jars) throw new Error('The mesh is measured on Kafka: run "npm run servers" first.');
  const data = await mkdtemp(join(tmpdir(), 'ragmesh-bench-'));
  const kafka = await KafkaServer.start({ dataDir: join(data, 'kafka'), jars });
  try {
    await benchEvents(report, [...kafka.brokers], join(data, 'events'));
    const mesh = await startMeshProcess(root, { dataDir: join(data, 'mesh'), brokers: kafka.brokers });
    try {
      const { p50, p90 } = await measureFreshness(mesh.url);
      report.add(
        'upload → searchable, one page, idle, p50 (p90)',
        `${p50.toFixed(0)} ms (${p90.toFixed(0)})`,
        '≤ 500 ms',
        p50 <= 500,
      );
      const ingestion = await measureIngestion(mesh.url, { documents, model });
      report.add(...s1Row('ingestion as eight processes', ingestion, 60));
      for (const service of serviceNames) {
        const milliseconds = await measureRecovery(mesh, service);
        const what = `kill -9 ${service} → a new document is ready and cited`;
        const told = `${(milliseconds / 1000).toFixed(1)} s`;
        report.add(what, told, '≤ 5 s', milliseconds <= 5_000);
      }
    } finally {
      await mesh.stop();
    }
  } finally {
    await kafka.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function benchEvents(report: Report, brokers: string[], folder: string): Promise<void> {
  const { raw, ...lanes } = await measureEventPath(brokers, folder);
  const what = { driver: 'Kafka driver', services: 'outbox → relay → Kafka → inbox → handler' };
  for (const lane of ['driver', 'services'] as const) {
    const share = lanes[lane] / raw;
    const told = `${(share * 100).toFixed(0)} % (${lanes[lane].toFixed(0)} of ${raw.toFixed(0)} records/s)`;
    report.add(`S7 ${what[lane]}, share of raw kafkajs, produce + consume`, told, '≥ 85 %', share >= 0.85);
  }
}
