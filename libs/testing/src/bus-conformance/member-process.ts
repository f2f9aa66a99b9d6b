import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BusUnderTest } from './bus-fixture.js';

const MEMBER = fileURLToPath(new URL('./member-main.ts', import.meta.url));
const LOADER = new URL('./typescript-loader.mjs', import.meta.url).href;

/** What the member tells its parent. */
export type MemberMessage =
  | { readonly joined: true }
  | { readonly delivered: readonly { partition: number; offset: number; value: string }[] }
  | { readonly revoked: readonly number[] }
  | { readonly committed: true };

/** A member in a process of its own, to be frozen or killed. */
export class MemberProcess {
  readonly messages: MemberMessage[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => this.messages.push(message as MemberMessage));
  }

  static start(bus: BusUnderTest, topic: string, group: string): MemberProcess {
    const setup = JSON.stringify({ module: bus.driverModule, config: bus.driverConfig?.() ?? {}, topic, group });
    const execArgv = ['--no-warnings', '--conditions=source', '--import', LOADER];
    return new MemberProcess(fork(MEMBER, [setup], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
  }

  joined(): boolean {
    return this.messages.some((message) => 'joined' in message);
  }

  values(): string[] {
    return this.messages.flatMap((message) =>
      'delivered' in message ? message.delivered.map(({ value }) => value) : [],
    );
  }

  revoked(): number[] {
    return this.messages.flatMap((message) => ('revoked' in message ? message.revoked : []));
  }

  committed(): boolean {
    return this.messages.some((message) => 'committed' in message);
  }

  commit(partition: number, offset: number): void {
    this.child.send({ partition, offset });
  }

  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }
}
