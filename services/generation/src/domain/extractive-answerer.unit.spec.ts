import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withinAttempts } from '@ragmesh/testing';
import { answerEvents } from './answer-stream.js';
import { answerExtractively } from './extractive-answerer.js';
import type { Source } from './source.js';
import { finished, seeded, source } from './sources.fixture.js';

const answered = (question: string, sources: readonly Source[]) => finished(answerExtractively(question, sources));
const markers = (text: string) => [...text.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number));

describe('answerExtractively', () => {
  it.each([
    ['en', 'How long are logs kept?', 'Metrics live in Prometheus. Logs are kept for 30 days.', '30 days'],
    [
      'de',
      'Wie lange werden Protokolle aufbewahrt?',
      'Metriken sind klein. Protokolle werden 30 Tage aufbewahrt.',
      '30 Tage',
    ],
    ['zh', '上传文件的最大大小是多少？', '系统使用数据库。上传文件最大为25兆字节。', '25兆'],
    ['ja', 'ファイルの上限は何ですか？', 'システムは速いです。ファイルの上限は25MBです。', '25MB'],
    ['th', 'ไฟล์มีขนาดสูงสุดเท่าไร', 'ไฟล์ที่อัปโหลดมีขนาดสูงสุด 25 เมกะไบต์', '25'],
    ['lo', 'ໄຟລ໌ມີຂະໜາດສູງສຸດເທົ່າໃດ?', 'ລະບົບໄວຫຼາຍ. ຂະໜາດສູງສຸດຂອງໄຟລ໌ແມ່ນ 25 ເມກະໄບ.', '25'],
    ['km', 'តើឯកសារមានទំហំអតិបរមាប៉ុន្មាន?', 'ប្រព័ន្ធលឿន។ ឯកសារមានទំហំអតិបរមា 25 មេហ្គាបៃ។', '25'],
    ['my', 'ဖိုင်၏အများဆုံးအရွယ်အစားကဘယ်လောက်လဲ။', 'စနစ်သည်မြန်သည်။ အများဆုံးဖိုင်အရွယ်အစားမှာ 25 မီဂါဘိုက်ဖြစ်သည်။', '25'],
    ['ar', 'ما هو الحد الأقصى لحجم الملف؟', 'النظام سريع. الحد الأقصى لحجم الملف هو 25 ميغابايت.', '25'],
    [
      'fr',
      'Combien de temps les journaux sont-ils conservés ?',
      'Tout va bien. Les journaux sont conservés 30 jours.',
      '30 jours',
    ],
    [
      'es',
      '¿Cuánto tiempo se conservan los registros?',
      'Todo va bien. Los registros se conservan 30 días.',
      '30 días',
    ],
    ['ru', 'Как долго хранятся журналы?', 'Система быстрая. Журналы хранятся 30 дней.', '30 дней'],
    [
      'el',
      'Πόσο διατηρούνται τα αρχεία καταγραφής;',
      'Το σύστημα είναι γρήγορο. Τα αρχεία καταγραφής διατηρούνται 30 ημέρες.',
      '30',
    ],
    ['he', 'כמה זמן נשמרים היומנים?', 'המערכת מהירה. היומנים נשמרים 30 ימים.', '30'],
    ['hi', 'लॉग कितने दिन रखे जाते हैं?', 'प्रणाली तेज़ है। लॉग 30 दिन रखे जाते हैं।', '30'],
    ['ko', '파일의 최대 크기는 얼마입니까?', '시스템은 빠릅니다. 파일의 최대 크기는 25MB입니다.', '25MB'],
  ])('quotes the sentence that answers in %s', (_, question, text, expected) => {
    const answer = answered(question, [source(text)]);
    expect(answer.citations[0]!.text).toContain(expected);
    expect(answer.text).toMatch(/\[1\]$/);
  });

  it('quotes the exact range of the document, and marks the source it came from', () => {
    const document = 'Chapter one.\nCats sleep a lot. Dogs bark at\nnight. Birds sing.';
    const start = document.indexOf('Cats');
    const other = source('Unrelated text about weather.', { documentId: 'w' });
    const answer = answered('When do dogs bark?', [other, source(document.slice(start), { start })]);
    expect(answer.text).toBe('Dogs bark at night. [2]');
    const [citation] = answer.citations;
    expect(citation).toMatchObject({ index: 2, source: 1, documentId: 'd', text: 'Dogs bark at\nnight.' });
    expect(document.slice(citation!.start, citation!.end)).toBe(citation!.text);
  });

  it('does not repeat what two sources both say', () => {
    const sentence = 'Backups are encrypted with AES before upload.';
    expect(answered('How are backups encrypted?', [source(sentence), source(sentence)]).citations).toHaveLength(1);
  });

  it('chooses by diversity: a new fact before the same one in other words', () => {
    const [first, again, other] = [
      'Backups of the database are encrypted with AES before upload.',
      'Before upload the backups of the database are encrypted with AES, always.',
      'Backups of the archive are kept for a year in another region.',
    ];
    const { citations } = answered('How are backups encrypted and where are backups kept?', [
      source(`${first} ${again} ${other}`),
    ]);
    expect(citations.map(({ text }) => text)).toEqual([expect.stringMatching('AES'), other]);
  });

  it.each([
    [
      'en',
      'Backups',
      ['Backups run at night.', 'The weather is fine.', 'Backups stay for a year.', 'Backups are encrypted.'],
    ],
    ['zh', '备份', ['备份在夜间运行。', '天气很好。', '备份保存一年。', '备份经过加密。']],
    [
      'ar',
      'النسخ الاحتياطية',
      ['النسخ الاحتياطية ليلية.', 'الطقس جميل.', 'النسخ الاحتياطية تبقى سنة.', 'النسخ الاحتياطية مشفرة.'],
    ],
  ])('keeps the reading order of a source in %s', (_, question, sentences) => {
    const { citations } = answered(question, [source(sentences.join(' '))]);
    expect(citations.length).toBeGreaterThan(1);
    expect(citations.map(({ start }) => start)).toEqual(citations.map(({ start }) => start).toSorted((a, b) => a - b));
    expect(citations.map(({ text }) => text)).not.toContain(sentences[1]);
  });

  it('answers a question of an FAQ with the sentence behind it', () => {
    const faq = 'Which ports must be open? The numbers 8080 and 5432 suffice.';
    expect(answered('Which ports must be open?', [source(faq)]).text).toContain('8080 and 5432');
  });

  it('reads a statement under its heading', () => {
    const answer = answered('What is the retention period?', [
      source('Everything is removed after 90 days.', { heading: 'Retention period' }),
    ]);
    expect(answer.citations).toHaveLength(1);
  });

  it('prefers what is said of a thing to links that only name it', () => {
    const contents = '- [`bodyLimit`](#bodylimit)\n- [`caseSensitive`](#casesensitive)\n';
    const answer = answered('What does bodyLimit set?', [
      source(contents, { score: 0.9 }),
      source('Defines the maximum payload, in bytes.', { heading: 'bodyLimit', score: 0.5 }),
    ]);
    expect(answer.text).toMatch(/^Defines the maximum payload, in bytes. \[\d\]/);
  });

  it('does not let numbers in brackets of a source pass for its own markers', () => {
    const answer = answered('What improves recall?', [
      source('Overlap improves recall [7, 12] in **most** tests [3].'),
    ]);
    expect(answer.text).toBe('Overlap improves recall in most tests. [1]');
  });

  it.each([
    ['Recall is 2**10 times, and 3**4 times, better.', 'Recall is 2**10 times, and 3**4 times, better.'],
    ['Recall lies in [0, 1] and arr[0] holds it.', 'Recall lies in [0, 1] and arr[0] holds it.'],
    ['Recall is set by recall__min__share in **kwargs.', 'Recall is set by recall__min__share in **kwargs.'],
    [
      '**Recall** is __the share__ of all relevant (**_true_**) hits [10].',
      'Recall is the share of all relevant (_true_) hits.',
    ],
    ['所有的人都知道recall是**最重要**的指标之一。', '所有的人都知道recall是最重要的指标之一。'],
  ])('shows what a source says, without marks: %s', (text, shown) => {
    expect(answered('What is recall?', [source(text)]).text).toBe(`${shown} [1]`);
  });

  it.each([
    ['Who won the football world cup?', 'The sources do not answer this question.'],
    ['Wer hat die Weltmeisterschaft gewonnen und wann?', 'Die Quellen beantworten diese Frage nicht.'],
    ['谁赢得了世界杯？', '资料来源没有回答这个问题。'],
  ])('says honestly that nothing answers: %s', (question, expected) => {
    for (const sources of [[], [source('Logs are kept for 30 days.')]]) {
      expect(answered(question, sources)).toMatchObject({ text: expected, citations: [] });
    }
  });

  it('keeps its promises on random sources: exact quotes, a marker per citation, limits, the same answer again', () => {
    const random = seeded(5);
    const words = [
      'index',
      'vector',
      'the',
      'über',
      '文件',
      'ไฟล์',
      'ملف',
      '[4]',
      '|',
      '\n',
      '\n\n',
      '. ',
      '? ',
      '# ',
      '- ',
      '😀',
      '`x`',
    ];
    const text = () => Array.from({ length: 300 }, () => words[Math.floor(random() * words.length)]).join(' ');
    for (let round = 0; round < 40; round++) {
      const sources = Array.from({ length: 4 }, (_, number) =>
        source(text(), { start: number * 10_000, score: random() }),
      );
      const answer = answered('vector index 文件 ไฟล์', sources);
      expect(answered('vector index 文件 ไฟล์', sources)).toEqual(answer);
      expect(markers(answer.text)).toEqual(answer.citations.map(({ index }) => index));
      expect(answer.citations.length).toBeLessThanOrEqual(5);
      expect(answer.text.length).toBeLessThanOrEqual(1_250);
      for (const { source: position, start, end, text: quoted } of answer.citations) {
        const origin = sources[position]!;
        expect(origin.text.slice(start - origin.start, end - origin.start)).toBe(quoted);
      }
    }
  });
});

it('long sources are answered and asked from without holding the event loop up', async () => {
  const script = fileURLToPath(new URL('../../test/answer-in-turns.mjs', import.meta.url));
  const run = () => Number(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
  const longest = await withinAttempts(3, run, (turn) => turn < 50);
  expect(longest).toBeGreaterThan(0);
  expect(longest).toBeLessThan(50);
});

it('of long sources the beginnings are quoted, exactly and in whole sentences', () => {
  const filler = 'Nothing else is said in this place. '.repeat(3_000);
  const sources = Array.from({ length: 50 }, () => source(`Bees dance. ${filler}Whales sing at night.`));
  expect(answered('When do whales sing?', sources).citations).toEqual([]);
  const [bees] = answered('Do bees dance?', sources).citations;
  expect(sources[0]!.text.slice(bees!.start - 100, bees!.end - 100)).toBe('Bees dance.');
  expect(answered('When do whales sing?', sources.slice(0, 1)).text).toBe('Whales sing at night. [1]');
});

describe('answerEvents', () => {
  it('streams each sentence before its citation, and the deltas are the answer', () => {
    const answer = answered('logs and traces retention', [
      source('The retention of logs is 30 days. The retention of traces is one week.'),
    ]);
    const events = [...answerEvents(answer.parts)];
    expect(events.map(({ type }) => type)).toEqual(['delta', 'citation', 'delta', 'citation']);
    expect(events.flatMap((event) => (event.type === 'delta' ? event.text : [])).join('')).toBe(answer.text);
  });
});
