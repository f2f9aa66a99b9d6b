import { stopWordsByLanguage } from './stop-words.js';

const sentences = {
  en: 'The sources do not answer this question.',
  de: 'Die Quellen beantworten diese Frage nicht.',
  fr: 'Les sources ne répondent pas à cette question.',
  es: 'Las fuentes no responden a esta pregunta.',
  ru: 'Источники не отвечают на этот вопрос.',
  ar: 'لا تجيب المصادر عن هذا السؤال.',
  zh: '资料来源没有回答这个问题。',
  ja: '出典の中にこの質問への答えはありません。',
  ko: '출처에서 이 질문에 대한 답을 찾을 수 없습니다.',
  th: 'แหล่งข้อมูลไม่มีคำตอบสำหรับคำถามนี้',
} as const;

const scripts: readonly (readonly [RegExp, keyof typeof sentences])[] = [
  [/[\p{sc=Hiragana}\p{sc=Katakana}]/u, 'ja'],
  [/\p{sc=Han}/u, 'zh'],
  [/\p{sc=Hangul}/u, 'ko'],
  [/\p{sc=Thai}/u, 'th'],
  [/\p{sc=Arabic}/u, 'ar'],
  [/\p{sc=Cyrillic}/u, 'ru'],
];

/** Says, in the language of the question where that is known and else in English, that the sources do not answer it. */
export function noAnswerTo(question: string): string {
  const script = scripts.find(([pattern]) => pattern.test(question));
  if (script) return sentences[script[1]];
  const words =
    question
      .normalize('NFD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  const hits = (['en', 'de', 'fr', 'es'] as const).map((language) => ({
    language,
    count: words.filter((word) => stopWordsByLanguage[language]!.has(word)).length,
  }));
  return sentences[hits.reduce((best, next) => (next.count > best.count ? next : best)).language];
}
