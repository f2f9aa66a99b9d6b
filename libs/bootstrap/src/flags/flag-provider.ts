import {
  OpenFeatureEventEmitter,
  ProviderEvents,
  StandardResolutionReasons,
  TypeMismatchError,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
} from '@openfeature/server-sdk';

export type FlagValues = ReadonlyMap<string, boolean | number | string>;

/**
 * OpenFeature's way to the flags of this installation: answers from memory, so asking costs nothing and needs nobody. What is
 * not set is the default of whoever asks, the configuration.
 */
export class FlagProvider implements Provider {
  readonly metadata = { name: 'ragmesh' };
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  #values: FlagValues = new Map();

  /** Takes over what is set now and tells of what differs. */
  replace(values: FlagValues): void {
    const names = new Set([...this.#values.keys(), ...values.keys()]);
    const flagsChanged = [...names].filter((name) => this.#values.get(name) !== values.get(name));
    this.#values = values;
    if (flagsChanged.length > 0) this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
  }

  resolveBooleanEvaluation(name: string, fallback: boolean): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(name, fallback);
  }

  resolveStringEvaluation(name: string, fallback: string): Promise<ResolutionDetails<string>> {
    return this.#resolve(name, fallback);
  }

  resolveNumberEvaluation(name: string, fallback: number): Promise<ResolutionDetails<number>> {
    return this.#resolve(name, fallback);
  }

  resolveObjectEvaluation<Value extends JsonValue>(name: string, fallback: Value): Promise<ResolutionDetails<Value>> {
    return this.#resolve(name, fallback);
  }

  async #resolve<Value>(name: string, fallback: Value): Promise<ResolutionDetails<Value>> {
    const value = this.#values.get(name);
    if (value === undefined) return { value: fallback, reason: StandardResolutionReasons.DEFAULT };
    if (typeof value !== typeof fallback) throw new TypeMismatchError(`The flag ${name} is a ${typeof value}`);
    return { value: value as Value, reason: StandardResolutionReasons.STATIC };
  }
}
