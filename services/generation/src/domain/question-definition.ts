/** What a sentence says something is. */
export interface Definition {
  readonly question: string;
  /** Stands in the sentence as it is. */
  readonly answer: string;
  /** Answers of one form can be taken for each other. */
  readonly form: string;
}

interface Form {
  readonly name: string;
  /** Groups: subject, answer. */
  readonly pattern: RegExp;
  readonly ask: (subject: string) => string;
}

const NOT_A_SUBJECT = new RegExp(
  `^(?:${[
    'it|this|that|these|those|there|here|he|she|they|we|you|i|one|which|who|what|where|when|how|why|if|such|another|all|each|both|some|many|most|its|their|his|her|our|your|my|note|example',
    'er|sie|es|dies|diese[rsmn]?|das|wir|ihr|hier|da|was|wer|wie|wenn|ihre?|seine?|unsere?',
    'il|elle|ils|elles|on|nous|vous|ce|cela|ceci|cette|ces|cet|son|sa|ses|leurs?|qui|que',
    'esto|esta|este|eso|esa|ese|él|ella|ellos|ellas|ello|su|sus|quien|que',
    'он|она|оно|они|это|этот|эта|его|её|их|кто|что',
  ].join('|')})(?![\\p{L}\\p{M}])`,
  'iu',
);
/** Somewhere in a subject: what it means stands in a sentence before it. */
const POINTING =
  /(?:^| )(?:this|these|that|those|such|diese[rsmn]?|cette|ces|cet|est[ea]|es[ea]|эт(?:от|а|о|и|ой|ого|ому|ом|их)) /iu;
const ARTICLE = /^(?:The|An?|Die|Der|Das|Eine?|Les?|La|Une?|El|Los|Las)(?= )|^L(?=['’])/u;
const SUBJECT = String.raw`([^\s,;:.!?()"“„«]+(?: [^\s,;:.!?()"“„«]+){0,5}?)`;
const REST = '[^?]{8,200}?';
const UNSPACED_SUBJECT = String.raw`([^\s，。；：、？！]{2,20})`;
const UNSPACED_REST = '[^？?]{4,100}?';

const form = (name: string, verb: string, start: string, ask: Form['ask']): Form => ({
  name,
  pattern: new RegExp(`^${SUBJECT} ${verb} (${start}${REST})[.!]?$`, 'u'),
  ask,
});

const unspacedForm = (name: string, verb: string, start: string, ask: Form['ask']): Form => ({
  name,
  pattern: new RegExp(`^${UNSPACED_SUBJECT}${verb}(${start}${UNSPACED_REST})[。．.]?$`, 'u'),
  ask,
});

/** Patterns after Hearst (1992): a copula, then an article or a class word, so that it is a definition and no mere property. */
const forms: readonly Form[] = [
  form('en', 'is', '(?:an?|the|any|one of) ', (subject) => `What is ${subject}?`),
  form('en plural', 'are', '(?:an?|the|any) ', (subject) => `What are ${subject}?`),
  form('de', 'ist', '(?:eine?|der|die|das) ', (subject) => `Was ist ${subject}?`),
  form('de plural', 'sind', '(?:die|alle) ', (subject) => `Was sind ${subject}?`),
  form('fr', 'est', "(?:une? |le |la |l['’])", (subject) => `Qu’est-ce que ${subject} ?`),
  form('fr plural', 'sont', '(?:des|les) ', (subject) => `Que sont ${subject} ?`),
  form('es', 'es', '(?:una?|el|la) ', (subject) => `¿Qué es ${subject}?`),
  form('es plural', 'son', '(?:unos|unas|los|las) ', (subject) => `¿Qué son ${subject}?`),
  form('ru', '[—–-] это', '', (subject) => `Что такое ${subject}?`),
  unspacedForm('zh', '是', '(?:一种|一個|一个|一类|指)', (subject) => `${subject}是什么？`),
  unspacedForm('ja', 'とは、?', '', (subject) => `${subject}とは何ですか？`),
];

/** The definition a sentence is, or null. @param sentence on one line. */
export function definitionIn(sentence: string): Definition | null {
  if (NOT_A_SUBJECT.test(sentence)) return null;
  for (const { name, pattern, ask } of forms) {
    const [, subject, answer] = pattern.exec(sentence) ?? [];
    if (subject === undefined || answer === undefined || POINTING.test(`${subject} `)) continue;
    const asked = subject.replace(ARTICLE, (article) => article.toLowerCase());
    return { question: ask(asked), answer, form: name };
  }
  return null;
}
