import type { AnswerEvent } from './answer-stream.js';
import { CitationChecker } from './citation-checker.js';
import { LinkGuard } from './link-guard.js';
import type { Source } from './source.js';

/** Everything a model's answer passes before a reader sees it: addresses and markers without a source are taken out. */
export class AnswerFilter {
  private readonly links: LinkGuard;
  private readonly citations: CitationChecker;

  constructor(question: string, sources: readonly Source[]) {
    this.links = new LinkGuard([question, ...sources.map(({ text }) => text)]);
    this.citations = new CitationChecker(sources);
  }

  get removedCitations(): number {
    return this.citations.removed;
  }

  get removedLinks(): number {
    return this.links.removed;
  }

  /** What can be shown after this piece. */
  push(piece: string): AnswerEvent[] {
    return this.citations.push(this.links.push(piece));
  }

  /** What was held back when the model stopped. */
  end(): AnswerEvent[] {
    return [...this.citations.push(this.links.end()), ...this.citations.end()];
  }
}
