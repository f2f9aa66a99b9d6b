import { RagmeshError } from '@ragmesh/errors';

interface Route {
  readonly pattern: RegExp;
  readonly method: string;
}

/** The routes of the running server, asked only when a request matched none of them. */
export class RouteMethods {
  readonly #routes: Route[] = [];

  /** @param url in the router's syntax: `/v1/documents/:id`. */
  add(method: string, url: string): void {
    const source = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')))
      .join('/');
    this.#routes.push({ method, pattern: new RegExp(`^${source}$`) });
  }

  /** Methods that do exist at the path of `url`, sorted. */
  allowedAt(url: string): string[] {
    const path = url.split('?', 1)[0]!;
    const methods = this.#routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return [...new Set(methods)].toSorted();
  }

  /** A missing route becomes a wrong method where the path exists. */
  refine(error: RagmeshError, url: string): RagmeshError {
    if (error.code !== 'REQUEST.NOT_FOUND') return error;
    const allowed = this.allowedAt(url);
    if (allowed.length === 0) return error;
    return new RagmeshError('REQUEST.METHOD_NOT_ALLOWED', `This route takes ${allowed.join(', ')}.`);
  }
}
