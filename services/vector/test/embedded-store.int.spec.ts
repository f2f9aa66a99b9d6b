import type { EmbeddedStore } from '../src/adapters/embedded-store.js';
import { failOneInsert } from './fail-one-insert.js';
import { storeSuite } from './store-suite.js';

const scope = { tenant: 'default', collection: 'lossy' };

storeSuite('embedded', async () => ({
  lexicalAgreement: 1,
  lose(mesh, points) {
    const index = (mesh.store as EmbeddedStore).open(scope)!;
    let lost = 0;
    for (let n = 0; lost < points; n++) lost += index.removeVersion(`lost-${n}`, 1);
    return Promise.resolve(lost);
  },
  breakNextBulk: (mesh) => failOneInsert(mesh.database, 'point'),
  stop: () => Promise.resolve(),
}));
