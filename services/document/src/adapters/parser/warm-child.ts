import { spawn, type ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { sandboxArguments } from './child-permissions.js';
import { encodeFrame, FrameReader, type Frame } from './frames.js';
import type { ParseJob } from './parse-job.js';

/** Part of standard error that is kept: a message may arrive in two pieces. */
const stderrBytes = 1024;

/** A child process that parses one document at a time: started ahead, reused while lean, killed when in doubt. */
export class WarmChild {
  /** Settles when the process ended and its pipes were read to the end. */
  readonly gone: Promise<void>;
  /** V8 says so before it aborts; settled by then, since the process is gone only when its pipes are read. */
  ranOutOfMemory = false;
  private readonly process: ChildProcess;
  private readonly input: Writable;
  private readonly answers: Readable;
  private readonly reader = new FrameReader();
  private onFrame: (frame: Frame) => void = () => undefined;
  private onExit: () => void = () => undefined;
  private stderr = '';
  private exited = false;

  constructor(entry: string, memoryBytes: number) {
    this.process = spawn(process.execPath, sandboxArguments(entry, memoryBytes), {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: {},
      windowsHide: true,
    });
    const [input, , errors, answers] = this.process.stdio as unknown as [Writable, null, Readable, Readable];
    this.input = input;
    this.answers = answers;
    // A child that dies breaks its pipes; that it died is told by its exit.
    for (const stream of [input, errors, answers]) stream.on('error', () => undefined);
    errors.on('data', (bytes: Buffer) => {
      const output = this.stderr + bytes.toString('latin1');
      this.ranOutOfMemory ||= /heap out of memory|Allocation failed/.test(output);
      this.stderr = output.slice(-stderrBytes);
    });
    answers.on('data', (bytes: Buffer) => this.receive(bytes));
    this.process.on('error', () => this.ended());
    this.gone = new Promise((resolve) => this.process.once('close', resolve)).then(() => this.ended());
    this.idle();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get isAlive(): boolean {
    return !this.exited && !this.process.killed;
  }

  /** Frames of the job go to `onFrame`; `onExit` says that no more will come. The host process stays up meanwhile. */
  attach(onFrame: (frame: Frame) => void, onExit: () => void): void {
    this.onFrame = onFrame;
    this.onExit = onExit;
    this.process.ref();
    if (this.exited) onExit();
  }

  detach(): void {
    this.onFrame = () => undefined;
    this.onExit = () => undefined;
    if (!this.exited) this.idle();
  }

  /** Sends the job and the bytes of the file as fast as the child takes them. Fails only when the file cannot be read. */
  async send(job: ParseJob, path: string): Promise<void> {
    this.input.write(encodeFrame('job', JSON.stringify(job)));
    for await (const bytes of createReadStream(path)) {
      if (this.exited) return;
      if (!this.input.write(encodeFrame('file', bytes as Buffer))) await this.drained();
    }
    this.input.write(encodeFrame('end'));
  }

  pause(): void {
    this.answers.pause();
  }

  resume(): void {
    this.answers.resume();
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  async close(): Promise<void> {
    if (this.exited) return;
    this.process.ref();
    this.kill();
    await this.gone;
  }

  /** An idle child must not keep the host process from ending. */
  private idle(): void {
    this.process.unref();
    for (const stream of this.process.stdio) (stream as unknown as { unref?: () => void } | null)?.unref?.();
  }

  private receive(bytes: Buffer): void {
    try {
      for (const frame of this.reader.push(bytes)) this.onFrame(frame);
    } catch {
      this.kill();
    }
  }

  private async drained(): Promise<void> {
    await Promise.race([new Promise((resolve) => this.input.once('drain', resolve)), this.gone]);
  }

  private ended(): void {
    if (this.exited) return;
    this.exited = true;
    this.onExit();
  }
}
