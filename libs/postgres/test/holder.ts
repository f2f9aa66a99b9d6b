import { EmbeddedPostgres } from '../src/index.js';

/** A ragmesh reduced to its database: starts it, says so, and stays until it is killed. */
const embedded = await EmbeddedPostgres.start(process.argv[2] ?? '');
process.stdout.write(`${JSON.stringify({ url: embedded.url('postgres'), server: embedded.pid })}\n`);
setInterval(() => undefined, 60_000);
