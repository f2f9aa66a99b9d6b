/** What was removed while an addition was under way, so that its remaining points are left out. */
export class PendingAddition {
  private readonly documents = new Set<string>();
  private readonly versions = new Map<string, Set<number>>();

  remove(documentId: string, version?: number): void {
    if (version === undefined) this.documents.add(documentId);
    else this.versions.set(documentId, (this.versions.get(documentId) ?? new Set<number>()).add(version));
  }

  isRemoved({ documentId, version }: { documentId: string; version: number }): boolean {
    return this.documents.has(documentId) || (this.versions.get(documentId)?.has(version) ?? false);
  }
}
