import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Arguments that start Node so that the child may read code and nothing else: no data, no writing, no processes, addons or
 * code from strings. Threads it takes from itself, but for one: see `parent-watch.ts`.
 */
export function sandboxArguments(entry: string, memoryBytes: number): string[] {
  const megabytes = Math.max(64, Math.floor((memoryBytes * 0.75) / 1_048_576));
  return [
    '--permission',
    '--allow-worker',
    ...codeFolders(entry).map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    '--disable-warning=SecurityWarning',
    `--max-old-space-size=${megabytes}`,
    '--max-semi-space-size=16',
    entry,
  ];
}

/** The compiled service, and on the way up to the root every `node_modules` with its manifest, as Node resolves imports. */
function codeFolders(entry: string): string[] {
  const folders = new Set([join(dirname(entry), '../..')]);
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    const modules = join(folder, 'node_modules');
    if (existsSync(manifest)) folders.add(manifest);
    if (existsSync(modules)) {
      folders.add(modules);
      // A workspace package is a link out of `node_modules`, and permissions count for where a link leads.
      const errors = join(modules, '@ragmesh/errors');
      if (existsSync(errors)) folders.add(realpathSync(errors));
    }
    if (folder === dirname(folder)) return [...folders];
  }
}
