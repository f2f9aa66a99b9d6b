import { coreTitle, mainPartOf, relationshipsOf } from '../office-package.js';
import { attribute, readXml } from '../xml-reader.js';
import { corrupt, type ZipArchive } from '../zip-archive.js';
import type { Converter } from './converter.js';
import { DocxBody, noteKey } from './docx-body.js';
import { headingLevels } from './docx-styles.js';

/** Word's OOXML (ECMA-376 part 1, §17). Links are not followed; headers, footers and comments are left out. */
export const convertDocx: Converter<ZipArchive> = async (archive, output) => {
  const main = await mainPartOf(archive, 'word/document.xml');
  const parts = [...(await relationshipsOf(archive, main)).values()];
  const partOf = (type: string) => parts.find((part) => part.type === type)?.target ?? `word/${type}.xml`;
  const levels = await headingLevels(archive, partOf('styles'));
  const notes = new Map<string, string>();
  await readNotes(archive, partOf('footnotes'), notes);
  await readNotes(archive, partOf('endnotes'), notes);
  const body = new DocxBody(output, levels, notes);
  if (!(await readXml(archive, main, body))) throw corrupt('Its main part is missing.');
  return { title: await coreTitle(archive), pages: null };
};

/** Fills `notes` with the plain text of each note; separators are notes without text. */
async function readNotes(archive: ZipArchive, part: string, notes: Map<string, string>): Promise<void> {
  let id = '';
  let text = '';
  let inText = false;
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'footnote' || name === 'endnote') {
        id = noteKey(name, attribute(attributes, 'id') ?? '');
        text = '';
      }
      inText = name === 't';
      if (name === 'p' || name === 'tab' || name === 'br') text += ' ';
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close(name) {
      inText = false;
      const plain = text.replace(/\s+/g, ' ').trim();
      if ((name === 'footnote' || name === 'endnote') && plain) notes.set(id, plain);
    },
  });
}
