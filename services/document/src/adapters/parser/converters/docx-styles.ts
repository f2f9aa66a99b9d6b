import { attribute, readXml } from '../xml-reader.js';
import { valueOf } from '../office-package.js';
import type { ZipArchive } from '../zip-archive.js';

interface Style {
  level?: number;
  basedOn?: string;
}

/** Style id → heading level (1–9), read from the style's name or outline level, inherited from the style it is based on. */
export async function headingLevels(archive: ZipArchive, part: string): Promise<ReadonlyMap<string, number>> {
  const styles = new Map<string, Style>();
  let style: Style = {};
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'style') styles.set(attribute(attributes, 'styleId') ?? '', (style = {}));
      else if (name === 'basedOn') style.basedOn = valueOf(attributes);
      else if (name === 'outlineLvl') style.level ??= outlineLevel(valueOf(attributes));
      else if (name === 'name') style.level ??= namedLevel(valueOf(attributes));
    },
  });
  const levels = new Map<string, number>();
  for (const id of styles.keys()) {
    const level = inheritedLevel(styles, id);
    if (level) levels.set(id, level);
  }
  return levels;
}

/** Outline levels count from 0, and 9 means body text. */
export function outlineLevel(value: string): number | undefined {
  const level = Number(value);
  return Number.isInteger(level) && level >= 0 && level < 9 ? level + 1 : undefined;
}

function namedLevel(name: string): number | undefined {
  if (name.toLowerCase() === 'title') return 1;
  const level = /^heading ([1-9])$/i.exec(name)?.[1];
  return level ? Number(level) : undefined;
}

/** Follows `basedOn` for a few steps only, since a damaged file may lead in a circle. */
function inheritedLevel(styles: ReadonlyMap<string, Style>, id: string): number | undefined {
  let style = styles.get(id);
  for (let step = 0; style && step < 10; step += 1) {
    if (style.level) return style.level;
    style = style.basedOn === undefined ? undefined : styles.get(style.basedOn);
  }
  return undefined;
}
