/** Dashboards, rules and their tests, made from `deploy/observability`: written, or with `check` only compared. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import './register-typescript.mjs';

const madeFolders = ['deploy/grafana/dashboards', 'deploy/prometheus/rules', 'deploy/prometheus/tests'];

function filesIn(root, folder) {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [];
}

/** Paths that differed from what the sources make, files that nothing makes any more included. */
export async function refreshObservability(root, check) {
  const { artefacts } = await import('../deploy/observability/artefacts.ts');
  const changed = [...artefacts].filter(([path, content]) => {
    return !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== content;
  });
  const left = madeFolders.flatMap((folder) => filesIn(root, folder)).filter((path) => !artefacts.has(path));
  if (!check) {
    for (const [path, content] of changed) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    for (const path of left) rmSync(join(root, path));
  }
  return [...changed.map(([path]) => path), ...left];
}
