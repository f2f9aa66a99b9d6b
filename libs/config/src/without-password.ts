/** A URL that carries user and password is shown without them; any other text as it is. */
export const withoutPassword = (text: string): string =>
  text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s,]*@/gi, '$1***@');
