import type { Handler } from 'htmlparser2';
import { limitExceeded } from '../document-text.js';
import {
  isArticle,
  isComment,
  isForm,
  isHidden,
  isMain,
  isNavigation,
  type Attributes,
  type HtmlScope,
} from './html-scope.js';

/** Below this many characters a `main` or `article` element is taken for a teaser, not for the content of the page. */
const substantial = 200;

/** An article with less than this share of the page is a part of the content, not the content. */
const fairShare = 0.25;

/** Fewer characters beside navigation, in nothing named as the content, are a link that skips it or a line at the bottom. */
const leastContent = 40;

/** More elements open at once are no page: the parser takes time for all of them at each further one. */
const maxDepth = 10_000;

/** What text stands in. */
interface Place {
  readonly navigation: boolean;
  readonly form: boolean;
  readonly main: boolean;
  readonly article: boolean;
  readonly comment: boolean;
}

/** Whether the parser is inside elements of a sort; a counter, so nesting costs nothing. */
class Region {
  private depth = 0;

  constructor(private readonly begins: (name: string, attributes: Attributes) => boolean) {}

  get isOpen(): boolean {
    return this.depth > 0;
  }

  open(name: string, attributes: Attributes): void {
    if (this.isOpen || this.begins(name, attributes)) this.depth += 1;
  }

  close(): void {
    if (this.isOpen) this.depth -= 1;
  }
}

/**
 * Counts how much of a page stands where, and says from that which elements hold its content. Reading the page throws
 * `LIMIT_EXCEEDED` when it nests too deeply.
 */
export class HtmlShares implements Partial<Handler> {
  private readonly hidden = new Region((name, attributes) => name === 'title' || isHidden(name, attributes));
  private readonly navigation = new Region(isNavigation);
  private readonly form = new Region(isForm);
  private readonly main = new Region(isMain);
  private readonly article = new Region(isArticle);
  private readonly comment = new Region(isComment);
  private readonly regions = [this.hidden, this.navigation, this.form, this.main, this.article, this.comment];
  private depth = 0;
  private readonly counted = new Map<string, { place: Place; characters: number }>();

  onopentag(name: string, attributes: Attributes): void {
    this.depth += 1;
    if (this.depth > maxDepth) throw limitExceeded('nested elements', maxDepth);
    for (const region of this.regions) region.open(name, attributes);
  }

  onclosetag(): void {
    this.depth -= 1;
    for (const region of this.regions) region.close();
  }

  ontext(text: string): void {
    if (this.hidden.isOpen) return;
    const [navigation, form] = [this.navigation.isOpen, this.form.isOpen];
    const [main, article, comment] = [this.main.isOpen, this.article.isOpen, this.comment.isOpen];
    const key = [navigation, form, main, article, comment].join();
    const count = this.counted.get(key) ?? { place: { navigation, form, main, article, comment }, characters: 0 };
    count.characters += text.replace(/\s+/g, ' ').trim().length;
    this.counted.set(key, count);
  }

  /** Forms and navigation are left out unless they hold the content, and so is what stands beside the main content. */
  scope(): HtmlScope {
    const body = this.sum(({ navigation }) => !navigation);
    const skipForms = this.sum(({ navigation, form }) => !navigation && !form) >= body / 2;
    const isRead = ({ navigation, form }: Place) => !navigation && !(form && skipForms);
    // Comments are no measure of the content: beside an article that is none by name they would be taken for it.
    const around = this.sum((place) => isRead(place) && !place.comment);
    const main = this.sum((place) => isRead(place) && !place.comment && place.main);
    const named = this.sum((place) => isRead(place) && !place.comment && (place.main || place.article));
    if (main >= substantial || named >= Math.max(substantial, around * fairShare))
      return { onlyMain: true, skipNavigation: true, skipForms };
    const read = this.sum(isRead);
    const isContent = main > 0 || read >= Math.min(leastContent, this.sum(() => true) * fairShare);
    return { onlyMain: false, skipNavigation: isContent, skipForms: isContent && skipForms };
  }

  private sum(isWanted: (place: Place) => boolean): number {
    let sum = 0;
    for (const { place, characters } of this.counted.values()) sum += isWanted(place) ? characters : 0;
    return sum;
  }
}
