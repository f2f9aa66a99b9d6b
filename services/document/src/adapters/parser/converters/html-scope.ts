/** Names of elements or roles, as one line lists them. */
export const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));
const neverShown = words(
  'script style noscript template svg math iframe object canvas audio video head datalist select',
);
const navigation = words('nav footer aside button dialog menu');
const navigationRoles = words('navigation banner search contentinfo complementary menu menubar dialog');

export type Attributes = Readonly<Record<string, string>>;

/** Which elements of a page are read. */
export interface HtmlScope {
  /** Only what is in `main` or `article`. */
  readonly onlyMain: boolean;
  readonly skipNavigation: boolean;
  readonly skipForms: boolean;
}

export function isHidden(name: string, attributes: Attributes): boolean {
  if (neverShown.has(name)) return true;
  if ('hidden' in attributes || attributes['aria-hidden'] === 'true') return true;
  return /display\s*:\s*none/i.test(attributes.style ?? '');
}

export const isNavigation = (name: string, attributes: Attributes): boolean =>
  navigation.has(name) || navigationRoles.has(attributes.role ?? '');

export const isForm = (name: string): boolean => name === 'form';

/** What says of itself that it is the content; an article may be one of many. */
export const isMain = (name: string, attributes: Attributes): boolean => name === 'main' || attributes.role === 'main';

export const isArticle = (name: string): boolean => name === 'article';

/** A comment on what the page is about, which publishing programs mark up as an article of its own. */
export const isComment = (name: string, { class: classes = '', id = '' }: Attributes): boolean =>
  name === 'article' && /\bcomment/i.test(`${classes} ${id}`);
