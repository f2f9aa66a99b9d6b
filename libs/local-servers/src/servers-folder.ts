import { fileURLToPath } from 'node:url';

/** Where `npm run servers` puts what it fetches. */
export const serversFolder = fileURLToPath(new URL('../../../.cache/servers', import.meta.url));
