import { RagmeshError } from '@ragmesh/errors';
import type { ChatTimeLimits } from '../domain/language-model.js';
import { chatFailure } from './chat-failure.js';

/** Longest wait, in ms, for what may follow an answer that has ended: the count of its tokens, say. */
const AFTERWARDS_MS = 1_000;

/** Ends one call to a model when its first piece, the next one or its end is late, or when nobody waits any more. */
export class CallTimer {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #total: NodeJS.Timeout;
  #next: NodeJS.Timeout | undefined;
  #begun = false;
  #hasEnded = false;
  /** Why the call was ended from this side; undefined while it runs or when the other side ended it. */
  reason: RagmeshError | undefined;

  constructor(
    private readonly limits: ChatTimeLimits,
    caller: AbortSignal,
  ) {
    this.#caller = caller;
    this.#total = setTimeout(() => {
      this.#end(chatFailure('too_long', `The answer took more than ${Math.round(limits.totalMs)} ms.`));
    }, limits.totalMs).unref();
    caller.addEventListener('abort', this.#cancel, { once: true });
    if (caller.aborted) this.#cancel();
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The model is at work; before its first piece and after its last this gains it no time. */
  heard(): void {
    if ((!this.#begun || this.#hasEnded) && this.#next) return;
    clearTimeout(this.#next);
    const { firstTokenMs } = this.limits;
    const idleMs = this.#hasEnded ? Math.min(this.limits.idleMs, AFTERWARDS_MS) : this.limits.idleMs;
    const late = (): RagmeshError =>
      this.#begun
        ? chatFailure('idle', `The provider was silent for ${Math.round(idleMs)} ms.`)
        : chatFailure('slow_first_token', `The provider gave nothing within ${Math.round(firstTokenMs)} ms.`);
    this.#next = setTimeout(() => this.#end(late()), this.#begun ? idleMs : firstTokenMs).unref();
  }

  /** A piece is there; until {@link resume} it is the reader who takes time. */
  pause(): void {
    this.#begun = true;
    clearTimeout(this.#next);
    this.#next = undefined;
  }

  resume(): void {
    this.heard();
  }

  /** The model has said its last piece; what follows it is waited for only shortly. */
  ended(): void {
    if (this.#hasEnded) return;
    this.pause();
    this.#hasEnded = true;
    this.heard();
  }

  /** Ends the call, if it still runs. */
  stop(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#next);
    this.#caller.removeEventListener('abort', this.#cancel);
    this.#controller.abort();
  }

  readonly #cancel = (): void => this.#end(new RagmeshError('REQUEST.CANCELLED', 'The caller went away.'));

  #end(reason: RagmeshError): void {
    this.reason ??= reason;
    this.#controller.abort(reason);
  }
}
