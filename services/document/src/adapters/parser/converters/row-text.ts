/**
 * Words for table rows: under a header each cell is named after its column (`City: Berlin; Country: Germany`), so a row
 * makes sense alone in a chunk; without one the cells stand side by side.
 */
export function rowText(cells: readonly string[], header: readonly string[] | null): string {
  if (!header) return cells.map(oneLine).filter(Boolean).join(' | ');
  return cells
    .map((cell, column) => [oneLine(header[column] ?? ''), oneLine(cell)] as const)
    .filter(([, cell]) => cell !== '')
    .map(([name, cell]) => (name ? `${name}: ${cell}` : cell))
    .join('; ');
}

/** Whether a first row names the columns: all filled, distinct, none a number. */
export function isHeader(row: readonly string[], next: readonly string[] | undefined): boolean {
  if (!next || row.length < 2) return false;
  const names = row.map((name) => name.trim());
  const plausible = (name: string) => name !== '' && name.length <= 100 && !/^[-+]?[\d.,\s%€$]+$/.test(name);
  return names.every(plausible) && new Set(names).size === names.length;
}

const oneLine = (cell: string) => cell.replace(/\s+/g, ' ').trim();
