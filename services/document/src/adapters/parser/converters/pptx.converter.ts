import { limitExceeded, type DocumentText } from '../document-text.js';
import { coreTitle, mainPartOf, relationshipsOf } from '../office-package.js';
import { attribute, readXml } from '../xml-reader.js';
import type { ZipArchive } from '../zip-archive.js';
import type { Converter } from './converter.js';

/** PowerPoint's OOXML (ECMA-376 part 1, §19): slides in the order shown, each a page; speaker notes follow their slide. */
export const convertPptx: Converter<ZipArchive> = async (archive, output, limits) => {
  const main = await mainPartOf(archive, 'ppt/presentation.xml');
  const slides = await slideParts(archive, main);
  if (slides.length > limits.maxPages) throw limitExceeded('pages', limits.maxPages);
  for (const [index, slide] of slides.entries()) {
    await readSlide(archive, slide, output, index + 1);
    for (const { type, target } of (await relationshipsOf(archive, slide)).values()) {
      if (type === 'notesSlide') await readSlide(archive, target, output, index + 1);
    }
  }
  return { title: await coreTitle(archive), pages: slides.length };
};

async function slideParts(archive: ZipArchive, main: string): Promise<string[]> {
  const relationships = await relationshipsOf(archive, main);
  const slides: string[] = [];
  await readXml(archive, main, {
    open(name, attributes) {
      if (name !== 'sldId') return;
      const target = relationships.get(attributes['r:id'] ?? '')?.target;
      if (target) slides.push(target);
    },
  });
  return slides;
}

/** Placeholders that repeat on every slide and say nothing about it. */
const furniture = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

interface SlideState {
  placeholder: string;
  level: number;
  text: string;
  inText: boolean;
  cells: string[] | null;
  rows: string[];
}

async function readSlide(archive: ZipArchive, part: string, output: DocumentText, page: number): Promise<void> {
  const state: SlideState = { placeholder: '', level: 0, text: '', inText: false, cells: null, rows: [] };
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'sp' || name === 'graphicFrame') state.placeholder = '';
      else if (name === 'ph') state.placeholder = attribute(attributes, 'type') ?? 'body';
      else if (name === 'p') Object.assign(state, { text: '', level: 0 });
      else if (name === 'pPr') state.level = Number(attributes.lvl ?? 0) || 0;
      else if (name === 't') state.inText = true;
      else if (name === 'br') state.text += '\n';
      else if (name === 'tr') state.cells = [];
      else if (name === 'tc') state.cells?.push('');
    },
    text: (text) => {
      if (state.inText) state.text += text;
    },
    close(name) {
      if (name === 't') state.inText = false;
      else if (name === 'p') closeParagraph(state, output, page);
      else if (name === 'tr') state.rows.push((state.cells ?? []).join(' | '));
      else if (name === 'tbl') output.add('table', state.rows.splice(0).join('\n'), { page });
      if (name === 'tr') state.cells = null;
    },
  });
}

function closeParagraph(state: SlideState, output: DocumentText, page: number): void {
  const text = state.text.trim();
  state.text = '';
  if (text === '' || furniture.has(state.placeholder)) return;
  if (state.cells) {
    const last = state.cells.length - 1;
    state.cells[last] = `${state.cells[last] ?? ''} ${text}`.trim();
  } else if (/title$/i.test(state.placeholder) && state.placeholder !== 'subTitle') {
    output.add('heading', text.replace(/\s+/g, ' '), { level: 1, page });
  } else if (state.level > 0) {
    output.add('list', `- ${text}`, { page });
  } else output.add('paragraph', text, { page });
}
