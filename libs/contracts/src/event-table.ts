import { contentTypeOf } from './event-codec.js';
import { eventSpecs } from './event-catalogue.js';

/** The README's event table, in catalogue order. */
export function eventTable(): string {
  const rows = eventSpecs.map((spec) => {
    const { type, topic, producers, consumers, summary } = spec;
    const from = producers.length > 2 ? 'every service' : producers.join(', ');
    const encoding = contentTypeOf(spec).replace('application/', '');
    return `| \`${type}\` | \`${topic}\` | ${from} | ${consumers.join(', ') || '–'} | ${encoding} | ${summary} |`;
  });
  return ['| event | topic | from | to | encoding | says |', '| --- | --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
