import { string } from '@ragmesh/config';

/** Where unexpected errors are reported. */
export const sentryDsn = () =>
  string({
    matches: /^https?:\/\/[^\s:@/]+(:[^\s@/]+)?@[^\s/@]+\/(\S+\/)?\d+$/,
    expected: 'a DSN such as https://key@errors.example.org/1',
  })
    .secret()
    .optional()
    .describe(
      'Server that collects errors nobody foresaw (Sentry protocol): class and stack, without messages, texts, headers or URLs',
    );
