/** Placeholder until the renderer below. */
export function docsPage(document: Record<string, unknown>): { html: string; contentSecurityPolicy: string } {
  return { html: `<!doctype html><title>ragmesh</title><pre>${Object.keys(document).join(' ')}</pre>`, contentSecurityPolicy: "default-src 'none'" };
}
