/** `Content-Disposition` of a download: an ASCII name for old clients, the true one beside it (RFC 6266, RFC 8187). */
export function attachment(fileName: string): string {
  const name = fileName.split(/[/\\]/).at(-1)!.toWellFormed();
  const ascii = name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
