import { describe, expect, it } from '@jest/globals';
import { BLANK } from './cloze.js';
import { extractQuestions } from './question-set.js';
import type { Question, QuestionMode, QuestionOrder } from './question.js';
import type { Source } from './source.js';
import { finished } from './sources.fixture.js';

const texts: Readonly<Record<string, string>> = {
  en: `# Peat

A peat bog is a wetland that collects dead plant material over thousands of years. Peat bogs cover about 3 percent of the
land and store twice as much carbon as all forests. In Scotland the Flow Country was listed by UNESCO in 2024. Sphagnum
mosses hold twenty times their weight in water and keep the bog acidic. A fen is a wetland that is fed by ground water rich in
minerals. Drainage of bogs began in 1750 in Ireland, and cutters sold the dried peat in Dublin. Marshes are the wetlands in
which grasses and reeds grow instead of trees. Restoration blocks ditches with 40 dams per hectare, so that the water table
rises to the surface. A swamp is a wetland that is dominated by trees and stands under water in spring. Charles Darwin described sundew plants, which
catch insects on bogs near Torquay in 1875.`,
  de: `Ein Moor ist ein Lebensraum, der dauerhaft von Wasser durchtränkt wird. Im Jahr 1765 begann Friedrich der Große mit der
Trockenlegung des Oderbruchs. Torfmoose speichern das Zwanzigfache ihres Gewichts an Wasser. In Bayern wurden bis 1920 viele Moore
durch Gräben entwässert. Die Wiedervernässung senkt den Ausstoß von Kohlendioxid um 30 Tonnen je Hektar. Seltene Vögel wie
der Goldregenpfeifer brüten auf offenen Flächen im Emsland.`,
  zh: `泥炭地是一种常年积水的湿地。泥炭地储存的碳是全球森林的两倍。中国的若尔盖湿地位于四川省北部。排水会使泥炭氧化并释放二氧化碳。
恢复湿地需要堵塞沟渠并提高地下水位。泥炭藓能够吸收自身重量二十倍的水分。`,
  ja: `泥炭地とは、枯れた植物が分解されずに積もった湿地のことである。釧路湿原は北海道の東部に広がっている。泥炭地は世界の森林の二倍の炭素を蓄えている。
排水によって泥炭は酸化し、二酸化炭素を放出する。湿原の再生には水位の回復が必要である。`,
  ru: `Болото — это участок земли с избыточным увлажнением и особой растительностью. Васюганское болото занимает площадь 53 тысячи
квадратных километров. Торф накапливается примерно на 1 миллиметр за год. В 1927 году академик Сукачёв описал строение
торфяных залежей. Осушение болот приводит к пожарам под Москвой.`,
};

const sourcesOf = (text: string): Source[] => {
  const source = { version: 1, page: null, heading: null, score: 1, metadata: {} };
  const middle = text.indexOf('\n', text.length / 3);
  return [
    { ...source, id: 'd:1:0', documentId: 'd', start: 0, end: text.length, text },
    { ...source, id: 'd:1:1', documentId: 'd', start: middle, end: text.length, text: text.slice(middle) },
  ];
};

const questionsOf = (sources: readonly Source[], order: QuestionOrder): Question[] =>
  finished(extractQuestions(sources, order));

const cases = Object.keys(texts).flatMap((language) => [
  { language, mode: 'practice' as QuestionMode },
  { language, mode: 'quiz' as QuestionMode },
]);

describe('questions made without a model', () => {
  it.each(cases)(
    'in $language, $mode: ask for what the quoted sentence says and do not give it away',
    ({ language, mode }) => {
      const text = texts[language]!;
      const sources = sourcesOf(text);
      const questions = questionsOf(sources, { topic: '', count: 10, mode });
      expect(questions.length).toBeGreaterThanOrEqual(4);
      for (const { question, options, correctAnswer, explanation, citation } of questions) {
        expect(text.slice(citation.start, citation.end)).toBe(citation.text);
        expect(citation.text.replaceAll(/\s+/g, ' ')).toContain(correctAnswer);
        expect(explanation).toContain(correctAnswer);
        expect(question.toLowerCase()).not.toContain(correctAnswer.toLowerCase());
        expect(new Set(options.map((option) => option.toLowerCase())).size).toBe(options.length);
        if (mode === 'practice') expect(options).toEqual([]);
        else {
          expect(options.length).toBeGreaterThanOrEqual(3);
          expect(options.length).toBeLessThanOrEqual(4);
          expect(options.filter((option) => option === correctAnswer)).toHaveLength(1);
        }
      }
      expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
      expect(questionsOf(sources, { topic: '', count: 10, mode })).toEqual(questions);
    },
  );

  it('ask what something is where a sentence says it', () => {
    const asked = (language: string) =>
      questionsOf(sourcesOf(texts[language]!), { topic: '', count: 50, mode: 'practice' });
    const answerTo = (language: string, wanted: string) =>
      asked(language).find(({ question }) => question === wanted)?.correctAnswer;
    expect(answerTo('en', 'What is a fen?')).toBe('a wetland that is fed by ground water rich in minerals');
    expect(answerTo('en', 'What are Marshes?')).toBe('the wetlands in which grasses and reeds grow instead of trees');
    expect(answerTo('de', 'Was ist ein Moor?')).toBe('ein Lebensraum, der dauerhaft von Wasser durchtränkt wird');
    expect(answerTo('zh', '泥炭地是什么？')).toBe('一种常年积水的湿地');
    expect(answerTo('ja', '泥炭地とは何ですか？')).toBe('枯れた植物が分解されずに積もった湿地のことである');
    expect(answerTo('ru', 'Что такое Болото?')).toBe('участок земли с избыточным увлажнением и особой растительностью');
  });

  it('do not ask what only the sentence before could tell', () => {
    const text = 'The main use of these plants is the insulation of houses. This is a way to save wood in Norway.\n';
    const questions = questionsOf(sourcesOf(text), { topic: '', count: 10, mode: 'practice' });
    expect(questions.length).toBeGreaterThan(0);
    expect(questions.every(({ question }) => question.includes(BLANK))).toBe(true);
  });

  it('offer other definitions, and terms of the same kind, as wrong options', () => {
    const questions = questionsOf(sourcesOf(texts['en']!), { topic: '', count: 50, mode: 'quiz' });
    const definition = questions.find(({ question }) => question === 'What is a fen?')!;
    expect(definition.options).toHaveLength(3);
    expect(definition.options.every((option) => option.startsWith('a wetland that'))).toBe(true);
    const built = ['old bridge 1873', 'round tower 1902', 'white chapel 1655'].map(
      (fact) => `The ${fact.replace(/ (?=\d)/, ' was built in ')}.`,
    );
    const years = questionsOf(sourcesOf(`${built.join('\n\n')}\n`), { topic: '', count: 3, mode: 'quiz' });
    expect(years.map(({ correctAnswer }) => correctAnswer).toSorted()).toEqual(['1655', '1873', '1902']);
    for (const { options } of years) {
      expect(options).toHaveLength(4);
      expect(options.every((option) => /^\d{4}$/.test(option))).toBe(true);
    }
  });

  it('say what the source says, without marks of emphasis', () => {
    const text = 'The pool of **Redis** holds 2**20 entries and 3**4 spare pages in Berlin.\n';
    const [question] = questionsOf(sourcesOf(text), { topic: '', count: 1, mode: 'practice' });
    expect(question!.explanation).toContain('The pool of Redis holds 2**20 entries and 3**4 spare pages');
  });

  it('ask about the topic first', () => {
    const [question] = questionsOf(sourcesOf(texts['en']!), {
      topic: 'Darwin and his plants',
      count: 1,
      mode: 'practice',
    });
    expect(question!.explanation).toContain('sundew');
  });

  it('are as many as were asked for, or fewer where the sources give no more', () => {
    const ask = (text: string, count: number) => questionsOf(sourcesOf(text), { topic: '', count, mode: 'practice' });
    expect(ask(texts['en']!, 3)).toHaveLength(3);
    expect(ask(texts['en']!, 100).length).toBeLessThan(30);
    expect(ask('## Contents\n\n- Home\n- About us\n', 5)).toEqual([]);
    expect(ask('Yes.\nWhat did the bog of allen look like in the year 1800?', 5)).toEqual([]);
  });

  it('show where the answer was by a blank, and nowhere else', () => {
    const questions = questionsOf(sourcesOf(texts['en']!), { topic: '', count: 50, mode: 'practice' });
    for (const { question, correctAnswer, explanation } of questions.filter(({ question: text }) =>
      text.includes(BLANK),
    ))
      expect(question.replaceAll(BLANK, correctAnswer).toLowerCase()).toBe(explanation.toLowerCase());
  });
});
