import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DatasetDocument {
  readonly id: string;
  /** Title and text, as published figures index them. */
  readonly text: string;
}

export interface DatasetQuery {
  readonly id: string;
  readonly text: string;
  readonly judgements: ReadonlyMap<string, number>;
}

/** Reads `corpus.jsonl` (`_id`, `title`, `text`) line by line. */
export async function* readCorpus(folder: string): AsyncGenerator<DatasetDocument> {
  for await (const line of linesOf(join(folder, 'corpus.jsonl'))) {
    const { _id, title, text } = JSON.parse(line) as { _id: string; title?: string; text?: string };
    yield { id: _id, text: `${title ?? ''}\n${text ?? ''}`.trim() };
  }
}

/** Reads `queries.jsonl` with the judgements of `qrels.tsv`; a query that nobody judged is left out. */
export async function readQueries(folder: string): Promise<DatasetQuery[]> {
  const judgements = await readJudgements(folder);
  const queries: DatasetQuery[] = [];
  for await (const line of linesOf(join(folder, 'queries.jsonl'))) {
    const { _id, text } = JSON.parse(line) as { _id: string; text: string };
    const judged = judgements.get(_id);
    if (judged) queries.push({ id: _id, text, judgements: judged });
  }
  return queries;
}

async function readJudgements(folder: string): Promise<Map<string, Map<string, number>>> {
  const byQuery = new Map<string, Map<string, number>>();
  for await (const line of linesOf(join(folder, 'qrels.tsv'))) {
    const [query, document, score] = line.split('\t');
    if (!query || !document || !/^-?\d+$/.test(score?.trim() ?? '')) continue; // the header line
    const judged = byQuery.get(query) ?? new Map<string, number>();
    byQuery.set(query, judged.set(document, Number(score)));
  }
  return byQuery;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') yield line;
  }
}
