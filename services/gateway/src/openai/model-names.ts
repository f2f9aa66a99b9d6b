/** The model that answers from the default collection. */
export const CHAT_MODEL = 'ragmesh';
const PREFIX = `${CHAT_MODEL}/`;

/** Name of the model that answers from a collection. */
export const chatModelOf = (collection: string): string =>
  collection === 'default' ? CHAT_MODEL : `${PREFIX}${collection}`;

/** The collection that a model answers from, empty for the default one; undefined when no model is called so. */
export function collectionOf(model: string): string | undefined {
  if (model === CHAT_MODEL) return '';
  return model.startsWith(PREFIX) && model.length > PREFIX.length ? model.slice(PREFIX.length) : undefined;
}

/** Whether `asked` names this embedding model, with or without its revision. @param model name@revision. */
export const isNameOf = (asked: string, model: string): boolean => asked === model || asked === nameOf(model);

/** The name without its revision. */
export const nameOf = (model: string): string => model.split('@', 1)[0]!;
