import { existsSync } from 'node:fs';

/**
 * Stands in for `@huggingface/transformers` with the same functions and a model that repeats the last message word by word.
 * What it was started with is its first word; `{"fail":true}` fails, `{"die":true}` ends the thread, and
 * `{"prompts":true}` is answered with how many prompts there were. It cannot be loaded while its folder has a file `damaged`.
 */
export const env = { allowRemoteModels: true, allowLocalModels: false, localModelPath: '' };
const { process } = globalThis;

export class InterruptableStoppingCriteria {
  interrupted = false;
  interrupt() {
    this.interrupted = true;
  }
}

export class TextStreamer {
  constructor(tokenizer, options) {
    Object.assign(this, options);
  }
}

export async function pipeline(task, model, options) {
  if (model === 'missing' || existsSync(`${env.localModelPath}/damaged`)) throw new Error('no such folder');
  let prompts = 0;
  const generate = async (messages, { max_new_tokens, streamer, stopping_criteria, do_sample, temperature }) => {
    const { content } = messages.at(-1);
    prompts += 1;
    if (content === '{"fail":true}') throw new RangeError('content is not shown');
    if (content === '{"die":true}') process.exit(1);
    const facts = [
      task,
      model,
      options.dtype,
      env.localModelPath,
      env.allowRemoteModels,
      do_sample,
      temperature ?? '-',
    ];
    const words = content === '{"prompts":true}' ? [`${prompts}`] : [facts.join('|'), ...content.split(' ')];
    for (const [at, word] of words.slice(0, max_new_tokens).entries()) {
      if (stopping_criteria.interrupted) return;
      streamer.token_callback_function([BigInt(at)]);
      streamer.callback_function(`${word} `);
    }
  };
  const apply_chat_template = (messages) =>
    messages
      .map(({ content }) => content)
      .join(' ')
      .split(' ');
  return Object.assign(generate, { tokenizer: { apply_chat_template } });
}
