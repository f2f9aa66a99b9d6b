/**
 * Python programs that specs send to the edge: the OpenAI clients of LangChain and LlamaIndex, and Schemathesis, which makes requests
 * up from the OpenAPI document. pip puts them into a folder of their own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = [
  'langchain-openai==1.7.3',
  'llama-index-llms-openai-like==0.8.1',
  'llama-index-embeddings-openai-like==0.4.0',
  'schemathesis==4.32.5',
];
const OPTIONS = [
  '--quiet',
  '--only-binary=:all:',
  '--no-compile',
  '--no-warn-conflicts',
  '--disable-pip-version-check',
];

/**
 * Puts the clients into `<folder>/python-clients` unless they are there.
 * @param folder where servers for tests and local meshes lie
 * @returns one line that says what was done
 */
export async function fetchPythonClients(folder) {
  const home = join(folder, 'python-clients');
  const stamp = join(home, 'version');
  const version = PACKAGES.join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return 'python-clients are there';
  const fresh = `${home}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const args = ['-m', 'pip', 'install', ...OPTIONS, '--target', fresh, ...PACKAGES];
    const { status, error, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    if (error) throw new Error('python-clients need Python 3 with pip (Debian: python3-pip), which was not found.');
    if (status !== 0) throw new Error(`pip install of python-clients failed:\n${stdout}${stderr}`);
    writeFileSync(join(fresh, 'version'), version);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return 'python-clients fetched';
}
