import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { processConfig } from './process.config.js';
import { busDatabaseUrl, databaseUrl, listenAddress, peerAddress } from './service-addresses.js';

const server = 'postgresql://user:secret@db.example:5433/';
const required = { DATABASE_URL: server, SERVICE_AUTH_KEY: 'k'.repeat(43) };
const configWith = (names: Record<string, string>) => loadConfig(processConfig, { ...required, ...names });

describe('addresses of a process', () => {
  it('finds peers by their names in the network unless told otherwise', () => {
    const config = configWith({ VECTOR_GRPC_ADDRESS: '10.0.0.7:9000' });
    expect(peerAddress(config, 'retrieval', 'embedding')).toBe('dns:///embedding:50051');
    expect(peerAddress(config, 'retrieval', 'vector')).toBe('10.0.0.7:9000');
  });

  it('finds itself where it listens, also when that is every address', () => {
    expect(peerAddress(configWith({ GRPC_PORT: '7000' }), 'vector', 'vector')).toBe('127.0.0.1:7000');
    expect(peerAddress(configWith({ GRPC_HOST: '0.0.0.0' }), 'vector', 'vector')).toBe('127.0.0.1:50051');
    expect(listenAddress(configWith({ GRPC_HOST: '::' }))).toBe('[::]:50051');
  });

  it('gives each service a database on the server, unless the URL names one', () => {
    expect(databaseUrl(server, 'ragmesh_vector')).toBe('postgresql://user:secret@db.example:5433/ragmesh_vector');
    expect(databaseUrl('postgresql://db/mine?sslmode=require', 'ragmesh_vector')).toBe(
      'postgresql://db/mine?sslmode=require',
    );
    expect(busDatabaseUrl('postgresql://db/mine?sslmode=require')).toBe('postgresql://db/ragmesh_bus?sslmode=require');
  });

  it('never shows the password of the database', () => {
    expect(() => configWith({ DATABASE_URL: 'mysql://user:secret@db' })).toThrow(/DATABASE_URL must be a URL/);
    expect(() => configWith({ DATABASE_URL: 'mysql://user:secret@db' })).not.toThrow(/secret@/);
  });

  it('asks for a user where it is told how to log in to Kafka', () => {
    expect(() => configWith({ KAFKA_SASL_MECHANISM: 'plain' })).toThrow(/needs KAFKA_SASL_USERNAME/);
    expect(() => configWith({ KAFKA_BROKERS: 'kafka' })).toThrow(/KAFKA_BROKERS must be a list/);
  });
});
