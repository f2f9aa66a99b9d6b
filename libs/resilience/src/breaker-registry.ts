import type { CircuitBreaker, CircuitState } from './circuit-breaker.js';

/** A breaker as an operator sees it. */
export interface BreakerView {
  readonly name: string;
  readonly state: CircuitState;
}

type Listener = (breaker: BreakerView) => void;

/** Several services may run in one process: breakers and those who watch them are kept apart by service. */
const breakers = new Map<string, Set<CircuitBreaker>>();
const listeners = new Map<string, Set<Listener>>();

/** Makes a breaker visible until `shutdown`. @returns how to remove it. */
export function registerBreaker(service: string, breaker: CircuitBreaker): () => void {
  const known = breakers.get(service) ?? new Set();
  breakers.set(service, known.add(breaker));
  const tell = (state: CircuitState): void => {
    for (const listener of listeners.get(service) ?? []) listener({ name: breaker.name, state });
  };
  breaker.onStateChange(tell);
  tell(breaker.state);
  return () => void known.delete(breaker);
}

/** The breakers of a service, by name. */
export const breakersOf = (service: string): CircuitBreaker[] =>
  [...(breakers.get(service) ?? [])].toSorted((a, b) => a.name.localeCompare(b.name));

/** Calls `listener` for each breaker of a service now, and at each change from now on. @returns how to stop. */
export function watchBreakers(service: string, listener: Listener): () => void {
  const known = listeners.get(service) ?? new Set();
  listeners.set(service, known.add(listener));
  for (const { name, state } of breakersOf(service)) listener({ name, state });
  return () => void known.delete(listener);
}
