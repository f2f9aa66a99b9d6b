/** User and password of SASL/PLAIN. */
export interface KafkaCredentials {
  readonly username: string;
  readonly password: string;
}

/** Files (PEM) of a listener that speaks TLS and asks its clients for a certificate, too. */
export interface KafkaTlsFiles {
  /** The broker's key and certificate in one file. */
  readonly keyStore: string;
  /** Authorities of clients. */
  readonly trustStore: string;
}

/** Where one broker listens, all on 127.0.0.1. */
export interface BrokerPorts {
  readonly plain: number;
  readonly controller: number;
  readonly sasl: number;
  readonly tls: number;
}

export interface BrokerSettings {
  readonly node: number;
  readonly folder: string;
  /** Of all brokers, this one's included, in the order of their numbers, which begin at 1. */
  readonly ports: readonly BrokerPorts[];
  readonly credentials?: KafkaCredentials;
  readonly tls?: KafkaTlsFiles;
  readonly createsTopics?: boolean;
}

/**
 * `server.properties` of a broker that is its own controller (KRaft). Small rather than fast: few threads and partitions,
 * since it shares a machine with everything under test. What an installation would set itself is set as one should: no
 * automatic topics, two copies in sync where there are three.
 */
export function serverProperties(broker: BrokerSettings): string {
  const { node, folder, ports, credentials, tls, createsTopics = false } = broker;
  const own = ports[node - 1]!;
  const copies = Math.min(3, ports.length);
  const listeners = [
    `PLAINTEXT://127.0.0.1:${own.plain}`,
    ...(credentials ? [`SASL://127.0.0.1:${own.sasl}`] : []),
    ...(tls ? [`TLS://127.0.0.1:${own.tls}`] : []),
  ];
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': node,
    'controller.quorum.voters': ports.map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${own.controller}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL',
    'log.dirs': `${folder}/log`,
    'auto.create.topics.enable': createsTopics,
    'num.partitions': 1,
    'default.replication.factor': copies,
    'min.insync.replicas': copies > 1 ? 2 : 1,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': copies > 1 ? 2 : 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 2 ** 20,
    // A killed broker may register again only when its old session is over.
    'broker.session.timeout.ms': ports.length > 1 ? 6_000 : 1_500,
    'broker.heartbeat.interval.ms': 400,
    'controlled.shutdown.enable': ports.length > 1,
    ...(tls ? tlsSettings(tls) : {}),
  };
  if (credentials) {
    settings['sasl.enabled.mechanisms'] = 'PLAIN';
    settings['listener.name.sasl.plain.sasl.jaas.config'] =
      'org.apache.kafka.common.security.plain.PlainLoginModule required ' +
      `user_${credentials.username}="${credentials.password}";`;
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const tlsSettings = ({ keyStore, trustStore }: KafkaTlsFiles): Record<string, string> => ({
  'listener.name.tls.ssl.client.auth': 'required',
  'listener.name.tls.ssl.keystore.type': 'PEM',
  'listener.name.tls.ssl.keystore.location': keyStore,
  'listener.name.tls.ssl.truststore.type': 'PEM',
  'listener.name.tls.ssl.truststore.location': trustStore,
});
