/** Names may be any text; gRPC metadata takes printable ASCII only. What stands before the colon says what kind of name it is. */
export function encodePrincipal(text: string): string {
  const at = text.indexOf(':') + 1;
  return text.slice(0, at) + encodeURIComponent(text.slice(at).toWellFormed());
}

/** Undoes {@link encodePrincipal}. */
export function decodePrincipal(text: string): string {
  const at = text.indexOf(':') + 1;
  return text.slice(0, at) + decodeURIComponent(text.slice(at));
}

const isTokens = (owner: string): boolean => owner.startsWith('jwt:');

/** An owner as services know him: the subject of a token encoded, as the token's requests carry it; any other name as it is. */
export const encodeOwner = (owner: string): string => (isTokens(owner) ? encodePrincipal(owner) : owner);

/** Undoes {@link encodeOwner}; one that was never encoded stays as it is. */
export function decodeOwner(owner: string): string {
  try {
    return isTokens(owner) ? decodePrincipal(owner) : owner;
  } catch {
    return owner; // from before owners were encoded
  }
}
