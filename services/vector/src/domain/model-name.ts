/**
 * Whether two models, `name@revision`, are one but for the revision: what came before and after an update of a model, or a move
 * of its provider, lies in one index and is compared with both.
 */
export function isSameModel(one: string, other: string): boolean {
  return withoutRevision(one) === withoutRevision(other);
}

const withoutRevision = (model: string): string => model.split('@', 1)[0]!;
