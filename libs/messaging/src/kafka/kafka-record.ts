import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { BusRecord } from '../driver/bus-driver.js';

const EMPTY = Buffer.alloc(0);

/** A record as the bus shows it. `topic` comes without the installation's prefix. */
export function toBusRecord(topic: string, partition: number, message: KafkaMessage): BusRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key === null ? '' : message.key.toString(),
    headers: message.headers ? toText(message.headers) : {},
    value: message.value ?? EMPTY,
    timestamp: Number(message.timestamp),
  };
}

/** Of a header that came several times, the last counts, as in Kafka's own `lastHeader`. */
function toText(headers: IHeaders): Record<string, string> {
  const text: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    text[name] = last === undefined ? '' : last.toString();
  }
  return text;
}
