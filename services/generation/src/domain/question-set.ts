import { clozeOf } from './cloze.js';
import type { ClozeTerm } from './cloze-term.js';
import type { Definition } from './question-definition.js';
import { optionsFor, withAnswer } from './question-options.js';
import { scattered } from './question-order.js';
import { questionSentences, standsIn, type QuestionSentence } from './question-sentence.js';
import type { Question, QuestionMode, QuestionOrder } from './question.js';
import type { Source } from './source.js';

/** At most so many questions of one sentence, and with one answer. */
const MAX_USES = 2;

/** What wrong options are taken from. */
interface Pool {
  readonly terms: readonly ClozeTerm[];
  readonly definitions: readonly Definition[];
}

/** Terms of one kind that wrong options are taken from. */
const MAX_POOL = 150;

/** A sentence, its questions that were passed over, and those not made yet. */
interface Open {
  readonly passed: Question[];
  readonly further: Iterator<Question>;
  taken: number;
}

/**
 * Questions made of the sources' own sentences, without a model: what something is where a sentence says it, else a
 * sentence with a blank for one of its key terms. The best ones, in an order that looks random; always the same for the
 * same sources and order. Fewer than asked for where the sources give no more. Yields between two sentences, so that who
 * runs it can let other work go first.
 */
export function* extractQuestions(
  sources: readonly Source[],
  { topic, count, mode }: QuestionOrder,
): Generator<void, Question[]> {
  const sentences = yield* questionSentences(sources, topic);
  const pool = poolOf(sentences);
  const open = sentences.map((sentence): Open => ({
    passed: [],
    further: questionsOf(sentence, pool, mode),
    taken: 0,
  }));
  const chosen: Question[] = [];
  const uses = new Map<string, number>();
  for (let allowed = 1; allowed <= MAX_USES; allowed += 1) {
    for (const sentence of open) {
      if (chosen.length >= count || sentence.taken >= allowed) continue;
      yield;
      const question = nextQuestion(sentence, ({ correctAnswer }) => (uses.get(correctAnswer) ?? 0) < allowed);
      if (!question) continue;
      chosen.push(question);
      sentence.taken += 1;
      uses.set(question.correctAnswer, (uses.get(question.correctAnswer) ?? 0) + 1);
    }
  }
  return scattered(chosen, topic, ({ question }) => question);
}

function poolOf(sentences: readonly QuestionSentence[]): Pool {
  const distinct = new Map(sentences.flatMap(({ terms }) => terms).map((term) => [term.key, term]));
  const byKind = Map.groupBy(distinct.values(), ({ kind }) => kind);
  return {
    terms: [...byKind.values()].flatMap((terms) => terms.slice(0, MAX_POOL)),
    definitions: sentences.flatMap(({ definition }) => definition ?? []).slice(0, MAX_POOL),
  };
}

/** Questions are made only when they are needed, as there are many more than anybody asks for. */
function nextQuestion({ passed, further }: Open, isWanted: (question: Question) => boolean): Question | undefined {
  const at = passed.findIndex(isWanted);
  if (at >= 0) return passed.splice(at, 1)[0];
  for (let next = further.next(); next.done !== true; next = further.next()) {
    if (isWanted(next.value)) return next.value;
    passed.push(next.value);
  }
  return undefined;
}

/** Best first. */
function* questionsOf(sentence: QuestionSentence, pool: Pool, mode: QuestionMode): Generator<Question> {
  const { text, citation, terms, definition } = sentence;
  if (definition && standsIn(citation.text, definition.answer)) {
    const others = pool.definitions.filter(({ form }) => form === definition.form);
    const wrong = others.map(({ answer }) => ({ text: answer }));
    const options =
      mode === 'quiz'
        ? withAnswer(
            definition.answer,
            scattered(wrong, text, (option) => option.text),
            text,
          )
        : [];
    const { question, answer } = definition;
    if (options) yield { question, options, correctAnswer: answer, explanation: text, citation };
  }
  for (const term of terms) {
    const question = clozeOf(text, term.text);
    const options = mode === 'quiz' ? optionsFor(term, text, pool.terms) : [];
    if (question && options) yield { question, options, correctAnswer: term.text, explanation: text, citation };
  }
}
