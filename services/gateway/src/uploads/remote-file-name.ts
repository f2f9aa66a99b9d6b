const MAX_LENGTH = 200;

/** Types whose files look alike on their first bytes; any other says itself what it is. */
const textExtensions: Readonly<Record<string, string>> = {
  'text/markdown': '.md',
  'text/csv': '.csv',
  'text/html': '.html',
};

interface RemoteFile {
  readonly url: URL;
  /** Headers as the server sent them; empty without one. */
  readonly contentDisposition: string;
  readonly contentType: string;
}

/**
 * What a fetched document is called: by its `Content-Disposition` (RFC 6266), else by the last part of the path, else by the
 * host. A name without extension gets that of a declared text type, since its bytes alone would not tell.
 */
export function remoteFileName({ url, contentDisposition, contentType }: RemoteFile): string {
  const name = cleaned(dispositionName(contentDisposition)) || cleaned(pathName(url));
  if (name === '') return url.host;
  if (/\.[a-z0-9]{1,8}$/i.test(name)) return name;
  return name + (textExtensions[contentType.split(';')[0]!.trim().toLowerCase()] ?? '');
}

/** `filename*` before `filename`; the latter's bytes are often UTF-8, though the RFC says Latin-1. */
function dispositionName(header: string): string {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^\s;]+)/i.exec(header)?.[1];
  if (extended !== undefined) return decoded(extended);
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.){0,1000})"|([^\s;"]+))/i.exec(header) ?? [];
  const text = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
  const utf8 = Buffer.from(text, 'latin1').toString();
  return utf8.includes('\ufffd') ? text : utf8;
}

const pathName = ({ pathname }: URL): string => decoded(pathname.split('/').at(-1)!);

/** Its last part only, without what cannot be shown. */
const cleaned = (name: string): string =>
  [...(name.split(/[/\\]/).at(-1) ?? '').replaceAll(/\p{C}/gu, '').trim()].slice(-MAX_LENGTH).join('');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
