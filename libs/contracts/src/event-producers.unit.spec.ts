import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { catalogue, serviceNames } from './event-catalogue.js';

/** All source text below a folder, without its specs. */
const sourceOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!\.spec|\.d)\.ts$/.test(name) && !/node_modules|dist\//.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');

/** What runs in every service. */
const shared = ['bootstrap', 'inbox', 'outbox', 'saga'].map((name) => sourceOf(`libs/${name}/src`)).join('\n');
const ofServices = new Map(serviceNames.map((name) => [name, sourceOf(`services/${name}/src`)]));

describe('the event catalogue', () => {
  it.each(Object.entries(catalogue))('names who publishes %s', (name, { producers }) => {
    const names = new RegExp(`\\bcatalogue\\.${name}\\b`);
    const silent = producers.filter((service) => !names.test(shared) && !names.test(ofServices.get(service)!));
    expect(silent).toEqual([]);
  });
});
