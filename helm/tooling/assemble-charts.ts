import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '@ragmesh/contracts';

const library = 'ragmesh-common';

/** What the umbrella carries of what is made elsewhere. */
const carried = { dashboards: 'deploy/grafana/dashboards', rules: 'deploy/prometheus/rules' };

/** A chart within another is tried where it stands alone. */
const withoutSuites = { recursive: true, filter: (path: string): boolean => !path.endsWith('/tests') };

/** The charts in the order in which they depend on each other, the library left out. */
export const installableCharts: readonly string[] = [...serviceNames, 'ragmesh'];

/**
 * Copies all charts below `target`, which is emptied first, and puts into each the charts it depends on.
 * @returns the names of those that can be installed.
 */
export function assembleCharts(root: string, target: string): readonly string[] {
  const source = (name: string): string => join(root, 'helm', name);
  rmSync(target, { recursive: true, force: true });
  const copy = (name: string, to: string): void => cpSync(source(name), to, { recursive: true });
  for (const service of serviceNames) {
    copy(service, join(target, service));
    copy(library, join(target, service, 'charts', library));
  }
  const umbrella = join(target, 'ragmesh');
  copy('ragmesh', umbrella);
  copy(library, join(umbrella, 'charts', library));
  for (const service of serviceNames) cpSync(join(target, service), join(umbrella, 'charts', service), withoutSuites);
  for (const [name, folder] of Object.entries(carried)) copyFiles(join(root, folder), join(umbrella, 'files', name));
  return installableCharts;
}

function copyFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) copyFileSync(join(from, file), join(to, file));
}
