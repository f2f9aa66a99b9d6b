import { describe, expect, it } from '@jest/globals';
import { loadConfig, unknownNames } from '@ragmesh/config';
import { fileURLToPath } from 'node:url';
import { kafkaOptions } from './kafka.config.js';
import { meshVariables } from './mesh-variables.js';
import { processConfig } from './process.config.js';
import { databaseServerUrl, grpcTls } from './tls.config.js';

const notPem = fileURLToPath(import.meta.url);
const given = {
  DATABASE_URL: 'postgresql://ragmesh:secret@db:5432/',
  KAFKA_BROKERS: 'kafka:9092',
  SERVICE_AUTH_KEY: 'k'.repeat(40),
};
const load = (environment: Record<string, string>) => loadConfig(processConfig, { ...given, ...environment });

describe('the TLS of a process', () => {
  it('is off until it is asked for', () => {
    const config = load({});
    expect(grpcTls(config)).toBeUndefined();
    expect(kafkaOptions('spec', config)).toMatchObject({ tls: false });
    expect(databaseServerUrl(config)).toBe(given.DATABASE_URL);
  });

  it('trusts the authorities of the system where no file names others', () => {
    const config = load({ KAFKA_TLS: 'on', DATABASE_TLS: 'on' });
    expect(kafkaOptions('spec', config)).toMatchObject({ tls: true });
    expect(databaseServerUrl(config)).toBe(`${given.DATABASE_URL}?sslmode=verify-full`);
  });

  it('leaves to the URL of the database what it says itself', () => {
    const DATABASE_URL = `${given.DATABASE_URL}?sslmode=no-verify`;
    expect(databaseServerUrl(load({ DATABASE_URL, DATABASE_TLS: 'on' }))).toBe(DATABASE_URL);
  });

  it('between services needs a certificate of its own, and for both sides to know whom to trust', () => {
    expect(() => load({ GRPC_TLS: 'tls' })).toThrow(/GRPC_TLS needs GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE/);
    const pair = { GRPC_TLS_CERT_FILE: notPem, GRPC_TLS_KEY_FILE: notPem };
    expect(() => load({ GRPC_TLS: 'mtls', ...pair })).toThrow(/mtls GRPC_TLS_CA_FILE, too/);
    expect(load({ GRPC_TLS: 'tls', ...pair }).GRPC_TLS).toBe('tls');
  });

  it('takes a certificate only with its key, and only files it can read', () => {
    expect(() => load({ KAFKA_TLS: 'on', KAFKA_TLS_CERT_FILE: notPem })).toThrow(
      /KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE/,
    );
    expect(() => load({ DATABASE_TLS_KEY_FILE: notPem })).toThrow(/DATABASE_TLS_CERT_FILE and DATABASE_TLS_KEY_FILE/);
    expect(() => load({ KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' })).toThrow(
      /KAFKA_TLS_CA_FILE must be a file that this process can read/,
    );
  });

  it('is never off by oversight: files for a line in the clear are a fault', () => {
    expect(() => load({ KAFKA_TLS_CA_FILE: notPem })).toThrow(/KAFKA_TLS_\*_FILE are set, but KAFKA_TLS is off/);
    expect(() => load({ DATABASE_TLS_CA_FILE: notPem })).toThrow(/but DATABASE_TLS is off/);
    expect(() => load({ GRPC_TLS_CA_FILE: notPem })).toThrow(/but GRPC_TLS is off/);
  });

  it('names the variables of files that are no certificates, when it starts and not with the first call', () => {
    const pair = { GRPC_TLS_CERT_FILE: notPem, GRPC_TLS_KEY_FILE: notPem };
    expect(() => grpcTls(load({ GRPC_TLS: 'tls', ...pair }))).toThrow(/GRPC_TLS_KEY_FILE cannot be used .*PEM/);
    const files = { KAFKA_TLS: 'on', KAFKA_TLS_CERT_FILE: notPem, KAFKA_TLS_KEY_FILE: notPem };
    expect(() => kafkaOptions('spec', load(files))).toThrow(/KAFKA_TLS_KEY_FILE cannot be used/);
  });
});

it('knows the file of a key that only a neighbour in the mesh reads', () => {
  expect(unknownNames([meshVariables], { RAGMESH_BOOTSTRAP_KEY_FILE: '/run/secrets/key' })).toEqual([]);
});
