import { kafkaOptions, kafkaVariables } from '@ragmesh/bootstrap';
import { topicSpecs } from '@ragmesh/contracts';
import { asRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { KafkaBusDriver, isKafkaOutage } from '@ragmesh/messaging';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

/** Whether the brokers let us in and their topics are as the catalogue says. Without brokers events run over the database. */
export async function checkKafka(situation: Situation): Promise<Finding[]> {
  const config = situation.mode === 'mesh' ? read(situation, kafkaVariables) : undefined;
  if (config?.KAFKA_BROKERS === undefined) return [];
  try {
    const bus = await KafkaBusDriver.connect({ ...kafkaOptions('ragmesh-doctor', config)!, closeTimeoutMs: 1_000 });
    try {
      return differences(await bus.topics.diff(topicSpecs));
    } catch (error) {
      return [failure(error, config.KAFKA_BROKERS, incomparable)];
    } finally {
      await bus.close();
    }
  } catch (error) {
    return [failure(error, config.KAFKA_BROKERS, () => refused)];
  }
}

/** @param forbidden what is to be said when the cluster refuses it. */
function failure(error: unknown, brokers: string, forbidden: (error: RagmeshError) => Finding): Finding {
  if (isKafkaOutage(error)) return unreachable(brokers);
  const known = asRagmeshError(error);
  return known.code === 'CONFIG.INVALID' ? forbidden(known) : unexpected(known);
}

function differences(drift: readonly { topic: string; setting: string; repairable: boolean }[]): Finding[] {
  if (drift.length === 0) return [];
  const named = drift.slice(0, 5).map(({ topic, setting }) => `${topic} (${setting})`);
  const more = drift.length > named.length ? ` and ${drift.length - named.length} more` : '';
  return [
    fault(
      `The cluster's topics differ from the catalogue: ${named.join(', ')}${more}.`,
      'Services refuse to start with too few partitions; with another retention events are lost or kept too long.',
      'npm run topics -- diff, then npm run topics -- apply',
    ),
  ];
}

const refused = fault(
  'The brokers refuse the login or the certificates.',
  'No event goes out or comes in.',
  'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_TLS*, and the access rules of this user',
);

const incomparable = ({ message }: RagmeshError): Finding =>
  fault(
    `The brokers answer, but their topics cannot be compared with the catalogue: ${message}`,
    'Topics that differ lose events or keep them too long, and nobody would see it.',
    'give this user the rights Describe and DescribeConfigs on the topics of this installation',
  );

const unexpected = ({ message }: RagmeshError): Finding =>
  fault(
    `The brokers answer, but not as Kafka should: ${message}`,
    'No event may go out or come in, and the topics were not looked at.',
    'check that KAFKA_BROKERS names brokers of Kafka and nothing else, read their log, then look again',
  );

const unreachable = (brokers: string): Finding =>
  fault(
    `No broker answers at ${brokers}.`,
    'Events wait in the outboxes, so uploads are accepted and never become searchable.',
    'start the brokers, or correct KAFKA_BROKERS; a listener that speaks TLS needs KAFKA_TLS=on and a CA it is trusted by',
  );
