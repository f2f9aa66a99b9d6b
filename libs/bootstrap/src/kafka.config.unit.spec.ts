import { describe, expect, it } from '@jest/globals';
import { defineConfig, loadConfig, type Environment } from '@ragmesh/config';
import { SASL_INCOMPLETE, kafkaOptions, kafkaVariables } from './kafka.config.js';

const optionsOf = (environment: Environment) =>
  kafkaOptions('spec', loadConfig(defineConfig(kafkaVariables), environment));
const KAFKA_BROKERS = 'kafka-1:9092,kafka-2:9092';
const login = {
  KAFKA_SASL_MECHANISM: 'scram-sha-512',
  KAFKA_SASL_USERNAME: 'ragmesh',
  KAFKA_SASL_PASSWORD: 'a-secret-of-the-spec',
};

describe('how a process reaches the brokers', () => {
  it('is not said where there are none', () => {
    expect(optionsOf(login)).toBeUndefined();
  });

  it('leaves to the bus what is not configured', () => {
    const brokers = ['kafka-1:9092', 'kafka-2:9092'];
    expect(optionsOf({ KAFKA_BROKERS })).toEqual({ brokers, clientId: 'spec', topicPrefix: '', tls: false });
  });

  it('has the login and the copies that are configured', () => {
    const environment = { KAFKA_BROKERS, ...login, KAFKA_TLS: 'on', KAFKA_REPLICATION_FACTOR: '2' };
    expect(optionsOf(environment)).toMatchObject({
      sasl: { mechanism: 'scram-sha-512', username: 'ragmesh', password: 'a-secret-of-the-spec' },
      replicationFactor: 2,
      tls: true,
    });
  });

  it.each(['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'])('needs %s for a login', (missing) => {
    const environment = { KAFKA_BROKERS, ...login, [missing]: undefined };
    expect(() => optionsOf(environment)).toThrow(SASL_INCOMPLETE);
  });
});
