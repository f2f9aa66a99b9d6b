import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { currentTenant, type Logger } from '@ragmesh/observability';
import type { ChatPiece, Ignorable, TokenUsage } from '../domain/language-model.js';
import { estimateUsage } from '../domain/token-estimate.js';
import type { GenerationConfig } from '../generation.config.js';
import { outcomeOf } from './chat-failure.js';
import { GuardedModel, type BegunAnswer, type ChatCall } from './guarded-model.js';
import { LocalChatModels } from './local-chat-model.js';
import { configuredModels } from './provider-list.js';
import { failureWithUsage, totalUsage, usageOfFailure } from './spent-usage.js';
import { UsageLedger, type ChargedUsage } from './usage-ledger.js';

/** An answer as it comes: who writes it, its text, and its end, regular or not. */
export type ChatEvent =
  | { readonly type: 'begun'; readonly model: string; readonly provider: string; readonly isFallback: boolean }
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'end';
      readonly isWhole: boolean;
      /** Not whole only because it may not be longer: all that was asked for has come. */
      readonly isShortened: boolean;
      readonly usage: ChargedUsage;
      readonly ignored: readonly Ignorable[];
    };

/** The configured models, tried in order until one begins to answer. */
@Injectable()
export class LanguageModels implements OnModuleDestroy {
  readonly #guarded: readonly GuardedModel[];

  constructor(
    @Inject(CONFIG) config: GenerationConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly ledger: UsageLedger,
    local: LocalChatModels,
  ) {
    this.#guarded = configuredModels(config, local).map((model) => new GuardedModel(model, config, logger));
  }

  /** Models in the order they are tried; none without a provider. */
  get all(): readonly { readonly name: string; readonly provider: string }[] {
    return this.#guarded.map(({ model: { name, provider } }) => ({ name, provider }));
  }

  get isConfigured(): boolean {
    return this.#guarded.length > 0;
  }

  /** @throws RagmeshError REQUEST.INVALID for a model that is not configured. */
  checkModel(name: string): void {
    if (name === '' || this.#guarded.some(({ model }) => model.name === name)) return;
    const known = [...new Set(this.#guarded.map(({ model }) => model.name))].join(', ');
    throw new RagmeshError('REQUEST.INVALID', `The field model must be one of ${known}.`, { field: 'model' });
  }

  /**
   * Streams the answer of the first model that begins one. Once it has begun no other is asked: what breaks off then ends
   * with `isWhole: false`. Tokens are charged to the running tenant, also those of models that ended before their first word;
   * its end tells them all.
   * @throws RagmeshError GENERATION.NO_PROVIDER; GENERATION.UNAVAILABLE or DEPENDENCY.UNAVAILABLE when none began, with the
   * tokens that took; REQUEST.CANCELLED, REQUEST.INVALID.
   */
  async *chat(call: ChatCall): AsyncGenerator<ChatEvent> {
    const models = this.#inOrder(call.model ?? '');
    const tenant = currentTenant();
    const spent: ChargedUsage[] = [];
    let failure: unknown;
    for (const [position, guarded] of models.entries()) {
      const { name: model, provider } = guarded.model;
      const begun = await guarded.begin(call, position === models.length - 1).catch((error: unknown) => {
        const usage = usageOfFailure(error);
        if (usage) spent.push(this.ledger.charge(tenant, model, usage));
        throwIfCallersOwn(error, call);
        failure = error;
      });
      if (!begun) continue;
      yield* this.#passOn(guarded, begun, { call, tenant, by: { model, provider, isFallback: position > 0 }, spent });
      return;
    }
    throw failureWithUsage(failure, spent);
  }

  /**
   * The whole answer as one text.
   * @throws RagmeshError as {@link chat}; GENERATION.UNAVAILABLE when it is not whole, with the tokens it took all the same.
   */
  async complete(call: ChatCall): Promise<{ text: string; model: string; usage: ChargedUsage; isFallback: boolean }> {
    let text = '';
    let by = { model: '', isFallback: false };
    let spent: Partial<ChargedUsage> = {};
    for await (const event of this.chat(call)) {
      if (event.type === 'begun') by = { model: event.model, isFallback: event.isFallback };
      else if (event.type === 'text') text += event.text;
      else if (event.isWhole) return { text, ...by, usage: event.usage };
      else spent = event.usage;
    }
    throw new RagmeshError('GENERATION.UNAVAILABLE', 'The language model did not finish.', {
      outcome: 'cut',
      ...spent,
    });
  }

  onModuleDestroy(): void {
    for (const guarded of this.#guarded) guarded.close();
  }

  #inOrder(wanted: string): readonly GuardedModel[] {
    if (!this.isConfigured) {
      throw new RagmeshError(
        'GENERATION.NO_PROVIDER',
        'No language model is configured (APP_LLM_BACKEND is disabled).',
      );
    }
    this.checkModel(wanted);
    const isWanted = ({ model }: GuardedModel): boolean => model.name === wanted;
    return [...this.#guarded.filter(isWanted), ...this.#guarded.filter((other) => !isWanted(other))];
  }

  async *#passOn(guarded: GuardedModel, { pieces, first, span }: BegunAnswer, work: Work): AsyncGenerator<ChatEvent> {
    const { call, tenant, by, spent } = work;
    let text = first;
    let outcome = 'cancelled';
    let told: TokenUsage | undefined;
    let ignored: readonly Ignorable[] = [];
    let usage: ChargedUsage;
    try {
      yield { type: 'begun', ...by };
      yield { type: 'text', text: first };
      outcome = yield* this.#rest(pieces, call, (piece) => {
        if (piece.type === 'text') text += piece.text;
        else ({ usage: told, ignored = [] } = piece);
      });
    } finally {
      await pieces.return(undefined);
      guarded.count(outcome);
      usage = this.ledger.charge(tenant, by.model, told ?? estimateUsage(call, text));
      span.setAttributes({
        'ragmesh.llm.outcome': outcome,
        'gen_ai.usage.input_tokens': usage.promptTokens,
        'gen_ai.usage.output_tokens': usage.completionTokens,
      });
      span.end();
    }
    const all = totalUsage([...spent, usage]);
    yield { type: 'end', isWhole: outcome === 'ok', isShortened: outcome === 'length', usage: all, ignored };
  }

  /** @returns how it ended: `ok`, `length`, `withheld`, or why it broke off. */
  async *#rest(
    pieces: AsyncGenerator<ChatPiece>,
    call: ChatCall,
    note: (piece: ChatPiece) => void,
  ): AsyncGenerator<ChatEvent, string> {
    let outcome = 'cut';
    try {
      for await (const piece of pieces) {
        note(piece);
        if (piece.type === 'text') yield piece;
        else outcome = piece.reason === 'stop' ? 'ok' : piece.reason;
      }
    } catch (error) {
      throwIfCallersOwn(error, call);
      outcome = outcomeOf(error);
      this.logger.warn({ outcome }, 'The answer of a language model broke off');
    }
    return outcome;
  }
}

/** One answer on its way: to what, for whom, by whom. */
interface Work {
  readonly call: ChatCall;
  readonly tenant: string;
  readonly by: { readonly model: string; readonly provider: string; readonly isFallback: boolean };
  /** By the models before it that did not begin. */
  readonly spent: readonly ChargedUsage[];
}

/** A caller who is gone needs no other model. */
function throwIfCallersOwn(error: unknown, { signal }: ChatCall): void {
  if (signal.aborted || (isRagmeshError(error) && error.code === 'REQUEST.CANCELLED')) throw error;
}
