/**
 * `npm run servers [name…]`: fetches the servers that specs and a local mesh run as child processes and that npm does not carry,
 * into `.cache/servers`. Each file in `tools/servers/` is one of them and exports one function `fetch…(folder)`.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../.cache/servers', import.meta.url));
const fetchers = fileURLToPath(new URL('servers', import.meta.url));
const known = readdirSync(fetchers).map((file) => basename(file, '.mjs'));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : known;

mkdirSync(folder, { recursive: true });
for (const name of wanted) {
  try {
    if (!known.includes(name)) throw new Error(`There is no server ${name}; known are ${known.join(', ')}.`);
    const module = await import(pathToFileURL(join(fetchers, `${name}.mjs`)).href);
    const fetchServer = Object.values(module).find((value) => typeof value === 'function');
    console.log(await fetchServer(folder));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
