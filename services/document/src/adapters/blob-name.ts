/** A blob's key is the SHA-256 of its bytes. */
const KEY = /^[0-9a-f]{64}$/;

/** A tenant as one part of a path, of a folder or a bucket: whatever its name has, no two are alike. */
export const tenantPart = (tenant: string): string => encodeURIComponent(tenant);

/** The blob that is kept under these parts of a path; undefined when it is no blob of ours: others may keep theirs in the same place. */
export function blobNamed(part = '', key = ''): { readonly tenant: string; readonly key: string } | undefined {
  const tenant = decoded(part);
  return KEY.test(key) && tenant && tenantPart(tenant) === part ? { tenant, key } : undefined;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // no name that was ever encoded
  }
}
