import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { knowledgeV1 } from '@ragmesh/contracts';
import { createLogger } from '@ragmesh/observability';
import { FlagFeed } from './flag-feed.js';
import { FlagProvider } from './flag-provider.js';

/** The owner of the flags, as a process sees it. */
class Owner {
  revision = 0n;
  isAway = false;
  readonly flags: Record<string, string> = {};
  listed = 0;

  set(name: string, value: string): void {
    this.flags[name] = value;
    this.revision += 1n;
  }

  readonly read = async (known: bigint): Promise<knowledgeV1.ListFlagsResponse> => {
    if (this.isAway) throw new Error('away');
    const flags = Object.entries(this.flags).map(([name, value]) => ({ name, value }));
    if (known === this.revision) return create(knowledgeV1.ListFlagsResponseSchema, { revision: this.revision });
    this.listed += 1;
    return create(knowledgeV1.ListFlagsResponseSchema, { revision: this.revision, flags });
  };
}

async function connected(domain: string) {
  const [owner, provider] = [new Owner(), new FlagProvider()];
  await OpenFeature.setProviderAndWait(domain, provider);
  const feed = new FlagFeed(provider, owner.read, createLogger('spec', 'silent'));
  return { owner, feed, client: OpenFeature.getClient(domain) };
}

describe('flags of a process', () => {
  it('are what the configuration says until they are set, and again when they are not', async () => {
    const { owner, feed, client } = await connected('a');
    await feed.refresh();
    expect(await client.getNumberValue('search_alpha', 0.6)).toBe(0.6);
    owner.set('search_alpha', '0.1');
    await feed.refresh();
    expect(await client.getNumberValue('search_alpha', 0.6)).toBe(0.1);
    delete owner.flags['search_alpha'];
    owner.revision += 1n;
    await feed.refresh();
    expect(await client.getNumberValue('search_alpha', 0.6)).toBe(0.6);
  });

  it('hold while their owner is away, and are not read again while nothing changed', async () => {
    const { owner, feed, client } = await connected('b');
    owner.set('rerank', 'false');
    await feed.refresh();
    owner.isAway = true;
    await feed.refresh();
    expect(await client.getBooleanValue('rerank', true)).toBe(false);
    owner.isAway = false;
    await feed.refresh();
    await feed.refresh();
    expect(owner.listed).toBe(1);
  });

  it('tell who listens of what changed, and only of that', async () => {
    const { owner, feed, client } = await connected('c');
    const changed: string[] = [];
    client.addHandler(
      ProviderEvents.ConfigurationChanged,
      (event) => void changed.push(...(event?.flagsChanged ?? [])),
    );
    owner.set('log_level', '"debug"');
    await feed.refresh();
    owner.set('rerank', 'false');
    await feed.refresh();
    expect(changed).toEqual(['log_level', 'rerank']);
  });

  it('are asked for once at a time while their owner does not answer', async () => {
    const owner = new Owner();
    let asked = 0;
    const back = Promise.withResolvers<void>();
    const read: typeof owner.read = async (known) => {
      asked += 1;
      await back.promise;
      return owner.read(known);
    };
    const feed = new FlagFeed(new FlagProvider(), read, createLogger('spec', 'silent'));
    const looks = [1, 2, 3].map(() => feed.refresh());
    back.resolve();
    await Promise.all([...looks, feed.stop()]);
    expect(asked).toBe(1);
  });

  it('leave out what this release does not know or cannot use', async () => {
    const { owner, feed, client } = await connected('d');
    owner.set('search_alpha', '7');
    owner.set('of_a_later_release', 'true');
    await feed.refresh();
    expect(await client.getNumberValue('search_alpha', 0.6)).toBe(0.6);
    expect(await client.getBooleanValue('of_a_later_release', false)).toBe(false);
  });
});
