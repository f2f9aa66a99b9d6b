import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { inContext } from '@ragmesh/observability';
import { MODEL_TENANT } from '../adapters/model-record.js';
import { ResidentRecord } from '../adapters/resident-record.js';
import { decideMemory, type MemoryDecision } from '../domain/memory-budget.js';

/** A model in the memory of the process that reports. */
export interface ReportedModel {
  readonly model: string;
  readonly bytes: number;
  readonly residentMs: number;
  readonly idleMs: number;
}

export interface ResidentReport {
  readonly holder: string;
  readonly budgetBytes: number;
  readonly residents: readonly ReportedModel[];
  /** What the process would load next. */
  readonly wanted?: { readonly model: string; readonly bytes: number } | undefined;
}

/** How long a request to load stands; a process that could not follow by then tries no further. */
const LOAD_REQUEST_MS = 60_000;

/** Decides what a process keeps in memory: operators' wishes first, then its budget. */
@Injectable()
export class SyncResidents {
  constructor(private readonly residents: ResidentRecord) {}

  async run({ holder, budgetBytes, residents, wanted }: ResidentReport): Promise<MemoryDecision & { load: string[] }> {
    const context = { tenant: MODEL_TENANT, subject: 'model', requestId: randomUUID() };
    const wishes = await inContext(context, () => this.residents.replace(holder, residents));
    const pinned = new Set(wishes.filter((wish) => wish.pinned).map(({ model }) => model));
    const unloadMs = new Map(wishes.map((wish) => [wish.model, wish.unloadMs ?? -1]));
    const unwanted = residents
      .filter(({ model, residentMs }) => !pinned.has(model) && isAfterLoad(unloadMs.get(model) ?? -1, residentMs))
      .map(({ model }) => model);
    const kept = residents
      .filter(({ model }) => !unwanted.includes(model))
      .map((resident) => ({ ...resident, pinned: pinned.has(resident.model) }));
    const { unload, fits } = decideMemory(budgetBytes, kept, wanted?.bytes);
    const held = new Set(residents.map(({ model }) => model));
    const load = wishes
      .filter(({ model, loadMs = Infinity }) => !held.has(model) && (pinned.has(model) || loadMs < LOAD_REQUEST_MS))
      .map(({ model }) => model);
    return { unload: [...unwanted, ...unload], fits, load };
  }
}

/** A request to unload counts for models that were in memory when it was made. */
function isAfterLoad(unloadMs: number, residentMs: number): boolean {
  return unloadMs >= 0 && unloadMs < residentMs;
}
