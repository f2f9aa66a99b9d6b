import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A model that the registry vouches for and whose load does not end: its tokenizer, which its manifest does not list, is a pipe. */
export class SlowModel {
  private constructor(private readonly tokenizer: string) {}

  static async write(folder: string, name: string): Promise<SlowModel> {
    await mkdir(join(folder, 'onnx'), { recursive: true });
    await writeFile(join(folder, 'onnx/model.onnx'), 'weights');
    const sha256 = createHash('sha256').update('weights').digest('hex');
    const files = [{ path: 'onnx/model.onnx', bytes: 7, sha256 }];
    const manifest = { name, revision: 'r1', dimension: 8, maxTokens: 16, dtype: 'fp32', files };
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const tokenizer = join(folder, 'tokenizer.json');
    execFileSync('mkfifo', [tokenizer]);
    return new SlowModel(tokenizer);
  }

  /** Lets whoever loads it fail: who waits at the pipe, and who comes later. */
  release(): void {
    const pipe = openSync(this.tokenizer, constants.O_RDWR);
    const empty = `${this.tokenizer}.empty`;
    writeFileSync(empty, '');
    renameSync(empty, this.tokenizer);
    closeSync(pipe);
  }
}
