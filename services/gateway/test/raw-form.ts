/** A multipart upload as it stands on the wire: what `FormData` would mend, or cannot say, arrives as it is. */
export const rawForm = (...parts: (readonly [headers: string, value: string])[]): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'multipart/form-data; boundary=edge' },
  body: `${parts.map(([headers, value]) => `--edge\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${value}\r\n`).join('')}--edge--\r\n`,
});

/** A form with one small file behind this metadata. */
export const formWithMetadata = (metadata: string, mediaType: string): RequestInit =>
  rawForm([`name="metadata"\r\nContent-Type: ${mediaType}`, metadata], ['name="file"; filename="a.txt"', 'A text.']);

/** Objects in one another, as JSON. */
export const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
