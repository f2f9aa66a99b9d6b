import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientsPlan, ClientsResult } from './sse-clients.js';
import type { Speech, StubReady } from './stub-llm.js';

/** Starts a program of this folder; its one message is its answer. */
function start(program: string, input: unknown): ChildProcess {
  return fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(input)]);
}

async function messageOf<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`A process of the bench ended with ${String(code)} before it answered.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  ended.catch(() => undefined); // it answered: that it ends later is how it is stopped
  return message;
}

export interface StubLlm {
  /** Base URL, its version included. */
  readonly url: string;
  /** What a ragmesh that answers with the stub is started with. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): void;
}

/** A stub language model in a process of its own. */
export async function startStubLlm(speech: Speech): Promise<StubLlm> {
  const child = start('./stub-llm.js', speech);
  const { port } = await messageOf<StubReady>(child);
  const url = `http://127.0.0.1:${port}/v1`;
  return {
    url,
    settings: { APP_LLM_BACKEND: 'openai', OPENAI_BASE_URL: url, LM_MODEL: 'stub', LLM_IDLE_TIMEOUT: '60s' },
    stop: () => child.disconnect(),
  };
}

/** Runs concurrent event-stream clients in a process of their own, to their end. */
export function runSseClients(plan: ClientsPlan): Promise<ClientsResult> {
  return messageOf<ClientsResult>(start('./sse-clients.js', plan));
}
