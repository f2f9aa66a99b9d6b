import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** The parsers that this process starts from now on. While they are held none of them gets any further. */
export class ParserChildren {
  readonly #running = new Set<ChildProcess>();
  #isHeld = false;

  constructor() {
    subscribe('child_process', this.#begun);
  }

  hold(): void {
    this.#isHeld = true;
    for (const child of this.#running) child.kill('SIGSTOP');
  }

  release(): void {
    this.#isHeld = false;
    for (const child of this.#running) child.kill('SIGCONT');
  }

  forget(): void {
    this.release();
    unsubscribe('child_process', this.#begun);
  }

  readonly #begun = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    child.once('spawn', () => {
      if (!child.spawnargs.some((argument) => argument.endsWith('parser-child.js'))) return;
      this.#running.add(child);
      child.once('exit', () => this.#running.delete(child));
      if (this.#isHeld) child.kill('SIGSTOP');
    });
  };
}
