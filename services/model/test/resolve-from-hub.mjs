// Downloads a model in a process of its own and reports its revision.
import { createLogger } from '../../../libs/observability/dist/index.js';
import { HubClient } from '../dist/adapters/hub/hub-client.js';
import { HubSource } from '../dist/adapters/hub/hub-source.js';
import { AllowedHosts } from '../dist/domain/allowed-hosts.js';

const [endpoint, host, folder, name] = process.argv.slice(2);
const client = new HubClient({ endpoint, allowedHosts: new AllowedHosts([host]), silenceMs: 5_000 });
const logger = createLogger('model', 'silent');
const source = new HubSource({ client, folder, dtype: 'q8', offline: false, logger });
const { manifest } = await source.find({ name });
process.send(manifest.revision, () => process.exit());
